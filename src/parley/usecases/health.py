"""Telling the admin room that a channel cannot be written to, and when it is well again."""

from dataclasses import dataclass, field

from parley.kernel.errors import DeliveryFailed, Reason
from parley.kernel.incoming import Destination
from parley.kernel.messages import Fact, Facts, Message, Text, Tone, plain_title
from parley.kernel.ports.configurations import Configurations
from parley.kernel.ports.notices import Notices
from parley.kernel.ports.outbox import Delivery

_WHOLE_CHANNEL = frozenset({Reason.AUTH, Reason.GONE})


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the configurations of a channel, and the notices about it."""

    configurations: Configurations
    notices: Notices
    known_well: set[Destination] = field(default_factory=set)
    """Channels that this process knows to be well: no need to ask the database each time."""

    async def well(self, place: Destination) -> None:
        """Say that a message arrived."""
        if place in self.known_well:
            return
        await self.configurations.mark(place, "")
        for cause, title in (
            (_cause(place), f"Messages arrive in {place} again"),
            (_dead(place), f"After a message that was given up, {place} takes messages again"),
        ):
            message = Message(title=Text(title), tone=Tone.GOOD, state="OK", context=("Parley",))
            await self.notices.well(cause, message)
        self.known_well.add(place)  # Not before: what could not be said now is said next time.

    async def not_set_up(self, place: Destination) -> None:
        """Say that nothing is configured that could reach the channel's platform."""
        hint = (
            f"Parley has no access to {place.platform}: set `{place.platform}.bot_token` in "
            f"parley.toml or PARLEY_{place.platform.upper()}_BOT_TOKEN, and start it again. "
            "Everything waits until then."
        )
        await self._broken(place, f"Nothing can be sent to {place}", hint)

    async def unreachable(self, place: Destination, error: DeliveryFailed) -> None:
        """Say that the platform does not answer; everything waits."""
        await self._broken(place, f"{place.platform} cannot be reached", str(error))

    async def dead_letter(
        self, place: Destination, delivery: Delivery, error: DeliveryFailed
    ) -> None:
        """Say that a message was given up."""
        if error.reason in _WHOLE_CHANNEL:
            await self._broken(place, f"Messages do not arrive in {place}", str(error), delivery)
            return
        self.known_well.discard(place)
        await self.notices.tell(
            _dead(place),
            _bad(f"A message for {place} was given up", str(error), delivery),
        )

    async def _broken(
        self, place: Destination, title: str, problem: str, delivery: Delivery | None = None
    ) -> None:
        self.known_well.discard(place)
        await self.configurations.mark(place, problem)
        await self.notices.tell(_cause(place), _bad(title, problem, delivery))


def _cause(place: Destination) -> str:
    return f"destination:{place}"


def _dead(place: Destination) -> str:
    return f"dead:{place}"


def _bad(title: str, problem: str, delivery: Delivery | None) -> Message:
    facts = (
        (
            Fact("Configuration", delivery.configuration or "-"),
            Fact("Message", plain_title(delivery.message)),
            Fact("Event", delivery.event_id),
        )
        if delivery
        else ()
    )
    return Message(
        title=Text(title),
        tone=Tone.BAD,
        state="FAILED",
        context=("Parley",),
        blocks=(Text(problem), *((Facts(facts),) if facts else ())),
        event_id=delivery.event_id if delivery else "",
    )
