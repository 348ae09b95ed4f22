"""What authors of custom notifications may write between angle brackets, taken apart.

The forms are those of Slack's "Formatting text for app surfaces": `<@U1>`, `<#C1>`, `<!here>`,
`<!subteam^S1>` and `<https://host|label>`. Every platform reads them here, so that a text means the
same everywhere, whatever each of them makes of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """Text outside of brackets, or brackets that mean nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class UserMention:
    """A person, by the platform's id."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ChannelMention:
    """A channel, by the platform's id."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupMention:
    """Many people at once: `id` is `channel`, `here`, `everyone` or that of a user group."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class LabelledLink:
    """An address with words to click on; without words `label` is empty."""

    url: str
    label: str


Mention = UserMention | ChannelMention | GroupMention
Token = Plain | LabelledLink | Mention

_BRACKETS = re.compile(r"<([^<>]+)>")
_USER = re.compile(r"@([UW][A-Z0-9]+)")
_CHANNEL = re.compile(r"#([CDG][A-Z0-9]+)")
_EVERYBODY = re.compile(r"!(channel|here|everyone)")
_USER_GROUP = re.compile(r"!subteam\^(S[A-Z0-9]+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def tokens(text: str) -> Iterator[Token]:
    """Take a text apart; joined again, the tokens hold all of it."""
    start = 0
    for found in _BRACKETS.finditer(text):
        if found.start() > start:
            yield Plain(text[start : found.start()])
        yield _token(found[0], found[1])
        start = found.end()
    if start < len(text):
        yield Plain(text[start:])


def _token(whole: str, inner: str) -> Token:
    target, _, label = inner.partition("|")
    label = label.strip()
    if user := _USER.fullmatch(target):
        return UserMention(user[1], label.removeprefix("@"))
    if channel := _CHANNEL.fullmatch(target):
        return ChannelMention(channel[1], label.removeprefix("#"))
    if everybody := _EVERYBODY.fullmatch(target):
        return GroupMention(everybody[1], "")
    if group := _USER_GROUP.fullmatch(target):
        return GroupMention(group[1], label.removeprefix("@"))
    if _SCHEME.match(target):
        return LabelledLink(target.strip(), label)
    return Plain(whole)
