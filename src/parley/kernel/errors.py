"""Errors with a text that is written for the person who meets them.

The docstring of a class is its default text. `code` is the short name that doors and logs show.
"""

from enum import StrEnum


class ParleyError(Exception):
    """Something went wrong inside Parley; the log has the details."""

    code = "InternalError"

    def __init__(self, message: str | None = None) -> None:
        """Take a text for the reader; without one the docstring of the class speaks."""
        super().__init__(message or (self.__doc__ or "").strip())


class InvalidRequest(ParleyError):
    """The request is not valid."""

    code = "InvalidRequest"


class NotFound(ParleyError):
    """There is nothing by that name."""

    code = "ResourceNotFound"


class Conflict(ParleyError):
    """Something by that name exists already."""

    code = "Conflict"


class Refused(ParleyError):
    """Parley does not accept this."""

    code = "Refused"


class Unavailable(ParleyError):
    """Parley cannot do this right now; try again in a moment."""

    code = "Unavailable"


class Overloaded(Unavailable):
    """More is waiting to be stored than Parley keeps in memory; send it again in a moment."""

    code = "Overloaded"


class Reason(StrEnum):
    """Why a chat platform did not take a message; also the label of the failure metric."""

    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    SERVER = "server_error"
    CLIENT = "client_error"
    AUTH = "auth_error"
    GONE = "channel_gone"


PERMANENT = frozenset({Reason.CLIENT, Reason.AUTH, Reason.GONE})
"""Reasons for which the same call would fail again."""


class DeliveryFailed(ParleyError):
    """The chat platform did not take the message."""

    code = "DeliveryFailed"

    def __init__(
        self,
        message: str,
        reason: Reason,
        retry_after: float | None = None,
        *,
        unanswered: bool = False,
    ) -> None:
        """Take the text, the reason and, where the platform said it, the seconds to wait.

        `unanswered`: the call was made, so that the platform may have taken the message.
        """
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after
        self.unanswered = unanswered

    @property
    def permanent(self) -> bool:
        """Whether sending the same again is pointless."""
        return self.reason in PERMANENT
