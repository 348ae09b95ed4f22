"""Which events a configuration lets into its channel."""

import pytest

from parley.events.model import Event
from parley.events.routing import routed
from parley.kernel.configuration import Routing


def event(source: str = "aws.ec2", account: str = "111122223333") -> Event:
    return Event("id", source, "kind", None, account, "eu-west-1", "", "", {}, "")


@pytest.mark.parametrize(
    "patterns, source, passes",
    [
        ((), "anything", True),
        (("aws.ec2",), "aws.ec2", True),
        (("aws.ec2",), "aws.ecs", False),
        (("AWS.EC2",), "aws.ec2", True),
        (("aws.*",), "aws.health", True),
        (("aws.*",), "custom", False),
        (("aws.health", "custom"), "Custom", True),
        (("shop.*",), "shop", False),
        (("*",), "", True),
        (("aws.ec?",), "aws.ecs", True),
    ],
)
def test_sources_are_patterns(patterns: tuple[str, ...], source: str, passes: bool) -> None:
    assert routed(Routing(sources=patterns), event(source)) is passes


@pytest.mark.parametrize(
    "account, passes",
    [("111122223333", True), ("444455556666", False), ("", True)],
    ids=["listed", "not listed", "unknown is better shown than lost"],
)
def test_accounts_are_exact(account: str, passes: bool) -> None:
    routing = Routing(accounts=("111122223333",))
    assert routed(routing, event(account=account)) is passes


def test_both_filters_must_let_the_event_through() -> None:
    routing = Routing(sources=("aws.*",), accounts=("111122223333",))

    assert routed(routing, event())
    assert not routed(routing, event(source="custom"))
    assert not routed(routing, event(account="444455556666"))
