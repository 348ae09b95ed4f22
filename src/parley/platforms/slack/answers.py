"""What Slack's answers mean: its error names, as listed for `chat.postMessage` and `chat.update`.

Slack answers 200 to almost everything and says in the body whether it did what was asked.
"""

from http import HTTPStatus
from typing import Any

from parley.kernel.errors import DeliveryFailed, Reason
from parley.platforms.outgoing import Reply, failure_of

_NAME = "Slack"
_TOO_MANY, _SERVER_ERROR = 429, 500
_INVITE = "invite the app to the channel with /invite @Parley"

_KNOWN = {
    # Slack is busy or broken: the same call may work in a moment.
    "ratelimited": (Reason.RATE_LIMITED, "asks for fewer messages"),
    "rate_limited": (Reason.RATE_LIMITED, "asks for fewer messages"),
    "message_limit_exceeded": (Reason.RATE_LIMITED, "has too many messages of this workspace"),
    "internal_error": (Reason.SERVER, "has an error on its side"),
    "fatal_error": (Reason.SERVER, "has an error on its side"),
    "service_unavailable": (Reason.SERVER, "is not available for the moment"),
    "request_timeout": (Reason.SERVER, "did not get the whole message in time"),
    "team_added_to_org": (Reason.SERVER, "is moving this workspace to another organization"),
    # The token.
    "invalid_auth": (Reason.AUTH, "does not know the token: put a current bot token in"),
    "not_authed": (Reason.AUTH, "got no token: put the bot token into the settings"),
    "token_revoked": (Reason.AUTH, "has revoked the token: install the app again"),
    "token_expired": (Reason.AUTH, "says that the token has expired: install the app again"),
    "account_inactive": (Reason.AUTH, "has closed the app's account: install the app again"),
    "not_allowed_token_type": (Reason.AUTH, "takes a bot token (xoxb-...), not one of this kind"),
    "org_login_required": (Reason.AUTH, "is moving this workspace: install the app again after it"),
    "access_denied": (Reason.AUTH, "does not let the app post: ask a workspace administrator"),
    "ekm_access_denied": (Reason.AUTH, "has posting suspended by an administrator"),
    "no_permission": (Reason.AUTH, "does not let the token post: install the app again"),
    "team_access_not_granted": (Reason.AUTH, "has not granted the app this workspace"),
    "two_factor_setup_required": (Reason.AUTH, "asks for two-factor sign-in of the app's owner"),
    # The channel.
    "channel_not_found": (
        Reason.GONE,
        f"does not find the channel: check its id, and if it is private, {_INVITE}",
    ),
    "not_in_channel": (Reason.GONE, f"wants the app to be a member: {_INVITE}"),
    "is_archived": (Reason.GONE, "has archived the channel: unarchive it or choose another one"),
    "is_inactive": (Reason.GONE, "has frozen the channel: choose another one"),
    "channel_type_not_supported": (Reason.GONE, "does not let apps post to this kind of channel"),
    "messages_tab_disabled": (Reason.GONE, "has direct messages to the app switched off"),
    "restricted_action": (
        Reason.GONE,
        "does not let the app post here: ask an administrator to allow it",
    ),
    "restricted_action_read_only_channel": (Reason.GONE, "has made the channel read-only"),
    "restricted_action_thread_only_channel": (Reason.GONE, "takes only replies in the channel"),
    "restricted_action_non_threadable_channel": (Reason.GONE, "takes no replies in the channel"),
    "user_not_found": (Reason.GONE, "does not know the person: check the id"),
    # The message.
    "message_not_found": (Reason.CLIENT, "does not find the message: it was deleted there"),
    "thread_not_found": (Reason.CLIENT, "does not find the thread: its head was deleted there"),
    "cannot_reply_to_message": (Reason.CLIENT, "does not take replies to this message"),
    "restricted_action_thread_locked": (Reason.CLIENT, "has locked the thread"),
    "cant_update_message": (Reason.CLIENT, "lets the app change only its own messages"),
    "edit_window_closed": (Reason.CLIENT, "does not let messages of this age be changed"),
    "msg_too_long": (Reason.CLIENT, "finds the message too long"),
    "msg_blocks_too_long": (Reason.CLIENT, "finds the message too long"),
    "invalid_blocks": (Reason.CLIENT, "does not accept the form of the message"),
    "invalid_attachments": (Reason.CLIENT, "does not accept the form of the message"),
    "no_text": (Reason.CLIENT, "finds no text in the message"),
}


def handle_of(answer: dict[str, Any]) -> str:
    """Return the handle of the message that was posted or changed.

    Raises `DeliveryFailed` for an answer that does not name one.
    """
    channel, ts = answer.get("channel"), answer.get("ts")
    if isinstance(channel, str) and isinstance(ts, str) and channel and ts:
        return f"{channel}:{ts}"
    raise _not_slack(HTTPStatus.OK) from None


def accepted(reply: Reply) -> dict[str, Any]:
    """Return what Slack answers when it did what was asked. Raises `DeliveryFailed` otherwise."""
    answer = reply.json()
    if reply.status == _TOO_MANY:
        raise failure_of(reply, _NAME) or _not_slack(reply.status)
    if not isinstance(answer, dict) or "ok" not in answer:
        # A proxy or a wrong address speaks: none of Slack's statuses, and it may pass.
        raise _not_slack(reply.status)
    if answer["ok"] is True:
        return answer
    raise _refusal(answer, reply)


def _not_slack(status: int) -> DeliveryFailed:
    text = (
        f"{_NAME} answered something that is not of its API (HTTP {status:d}): "
        "if this lasts, check the address of the API in the settings"
    )
    return DeliveryFailed(text, Reason.SERVER)


def _refusal(answer: dict[str, Any], reply: Reply) -> DeliveryFailed:
    error = str(answer.get("error", "no error named"))[:100]
    if error == "missing_scope":
        scope = str(answer.get("needed", "chat:write"))[:100]
        text = f"{_NAME} wants the scope {scope}: add it to the app and install the app again"
        return DeliveryFailed(f"{text} ({error})", Reason.AUTH)
    unknown = (
        Reason.SERVER if reply.status >= _SERVER_ERROR else Reason.CLIENT,
        "refused the message",
    )
    reason, text = _KNOWN.get(error, unknown)
    return DeliveryFailed(f"{_NAME} {text} ({error}){_details(answer)}", reason, reply.retry_after)


def _details(answer: dict[str, Any]) -> str:
    """Return what Slack says about the error besides its name."""
    metadata = answer.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    said = [one for one in messages if isinstance(one, str)] if isinstance(messages, list) else []
    return f": {' '.join(said)[:300]}" if said else ""
