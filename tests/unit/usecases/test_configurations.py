"""A configuration is checked whole before it is kept, and every mistake is told at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from parley.bootstrap import CHANNELS
from parley.kernel.configuration import Configuration, Routing
from parley.kernel.errors import Conflict, InvalidRequest, NotFound
from parley.kernel.incoming import Destination
from parley.usecases.configurations import ManageConfigurations

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/210987654321/parley"
ROOM = Destination("local", "ops")


@dataclass
class Kept:
    """Configurations in a list."""

    rows: list[Configuration] = field(default_factory=list)

    async def all(self) -> Sequence[Configuration]:
        """Return every configuration."""
        return sorted(self.rows, key=lambda one: one.name)

    async def add(self, configuration: Configuration) -> None:
        """Keep one."""
        self.rows.append(configuration)

    async def remove(self, account: str, name: str) -> bool:
        """Drop one."""
        before = len(self.rows)
        self.rows = [one for one in self.rows if (one.account, one.name) != (account, name)]
        return len(self.rows) < before

    async def mark(self, destination: Destination, unhealthy: str) -> Sequence[str]:
        """Change nothing."""
        return [one.name for one in self.rows if one.destination == destination and unhealthy]

    async def mark_queue(self, queue: str, unhealthy: str) -> Sequence[str]:
        """Change nothing."""
        return [one.name for one in self.rows if queue in one.queues and unhealthy]


@pytest.fixture
def manage() -> ManageConfigurations:
    """Return the use case with the platforms that there are."""
    return ManageConfigurations(Kept(), CHANNELS)


async def problems(manage: ManageConfigurations, wanted: Configuration) -> str:
    """Return what is wrong with a configuration; nothing is kept."""
    with pytest.raises(InvalidRequest) as refused:
        await manage.add(wanted)
    assert await manage.list() == []
    return str(refused.value)


@pytest.mark.parametrize(
    "wanted, account",
    [
        (Configuration("a", "", ROOM, topics=(TOPIC,)), "123456789012"),
        (Configuration("a", "", ROOM, queues=(QUEUE,)), "210987654321"),
        (Configuration("a", "", ROOM, topics=(TOPIC,), queues=(QUEUE,)), "123456789012"),
        (Configuration("a", "111111111111", ROOM, topics=(TOPIC,)), "111111111111"),
    ],
)
async def test_the_account_is_that_of_the_first_topic_or_queue_unless_it_is_given(
    manage: ManageConfigurations, wanted: Configuration, account: str
) -> None:
    assert (await manage.add(wanted)).account == account


async def test_a_channel_is_read_as_people_type_it(manage: ManageConfigurations) -> None:
    link = "https://acme.slack.com/archives/C0123ABCD/p1700000000"
    room = Configuration("room", "", Destination("local", "#Ops"), topics=(TOPIC,))
    slack = Configuration("slack", "", Destination("slack", link), topics=(TOPIC,))
    assert (await manage.add(room)).destination == ROOM
    assert (await manage.add(slack)).destination == Destination("slack", "C0123ABCD")


async def test_every_mistake_is_told_at_once(manage: ManageConfigurations) -> None:
    wanted = Configuration(
        "bad name",
        "12345",
        Destination("slack", "#general"),
        topics=("alarms", TOPIC),
        queues=("parley",),
        routing=Routing(("",), ("١٢٣٤٥٦٧٨٩٠١٢", "")),
    )
    lines = (await problems(manage, wanted)).splitlines()
    assert [line[:34] for line in lines] == [
        "'#general' is not a Slack channel:",
        "The name 'bad name' is not valid: ",
        "'alarms' is not the ARN of an SNS ",
        "'parley' is not the URL of an SQS ",
        "'12345' is not an AWS account id: ",
        "'١٢٣٤٥٦٧٨٩٠١٢' is not an AWS accou",
        "'' is not an AWS account id: it ha",
        "A source is empty: give a pattern ",
    ]


async def test_single_mistakes_say_what_to_do(manage: ManageConfigurations) -> None:
    no_account = Configuration("ops", "", ROOM)
    assert "--account" in await problems(manage, no_account)
    unknown = Configuration("ops", "", Destination("irc", "#ops"), topics=(TOPIC,))
    assert "Use local, slack" in await problems(manage, unknown)
    room = Configuration("ops", "", Destination("local", "no room"), topics=(TOPIC,))
    assert "small letters" in await problems(manage, room)
    empty = Configuration("ops", "", Destination("slack", ""), topics=(TOPIC,))
    assert "C0123ABCD" in await problems(manage, empty)


async def test_one_is_found_by_name_and_where_needed_by_account(
    manage: ManageConfigurations,
) -> None:
    with pytest.raises(NotFound, match="There are: none yet"):
        await manage.show("ops")
    for account in ("111111111111", "222222222222"):
        await manage.add(Configuration("ops", account, ROOM))
    with pytest.raises(Conflict, match=r"--account \(111111111111, 222222222222\)"):
        await manage.show("ops")
    assert (await manage.show("ops", "222222222222")).account == "222222222222"
    assert (await manage.remove("ops", "111111111111")).account == "111111111111"
    assert (await manage.show("ops")).account == "222222222222"
    with pytest.raises(NotFound, match="There are: ops"):
        await manage.show("opps")
