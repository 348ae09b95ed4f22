"""Subscriptions are confirmed where the topic lives, whatever the message says."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from parley.aws.subscriptions import SnsSubscriptions
from parley.events.topics import parse_topic
from parley.kernel.errors import InvalidRequest, Unavailable
from tests.loopback import Handler, serving

TOPIC = parse_topic("arn:aws:sns:eu-west-1:123456789012:alarms")
ARN = f"{TOPIC.arn}:1f2e3d4c-0000-4000-8000-5b6a79880010"
CONFIRMED = f"""<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <ConfirmSubscriptionResult><SubscriptionArn>{ARN}</SubscriptionArn></ConfirmSubscriptionResult>
</ConfirmSubscriptionResponse>"""
BAD_TOKEN = """<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>
  <Message>Invalid parameter: Token</Message></Error></ErrorResponse>"""


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """Yield the session that the process shares."""
    async with ClientSession() as session:
        yield session


def answer(text: str, status: int = 200) -> Handler:
    """Return a handler that gives the same answer every time."""

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(text=text, status=status, content_type="text/xml")

    return handler


async def test_the_topic_is_confirmed_at_the_endpoint_of_the_settings(
    session: ClientSession,
) -> None:
    async with serving(answer(CONFIRMED)) as server:
        subscriptions = SnsSubscriptions(session, {TOPIC.arn: server.url + "/"})
        assert await subscriptions.confirm(TOPIC, "to&ken=1/2") == ARN
    (asked,) = server.asked
    assert URL(asked).path == "/"
    assert dict(URL(asked).query) == {
        "Action": "ConfirmSubscription",
        "TopicArn": TOPIC.arn,
        "Token": "to&ken=1/2",
    }


async def test_a_token_that_sns_does_not_take_is_no_use_to_repeat(session: ClientSession) -> None:
    async with serving(answer(BAD_TOKEN, 400)) as server:
        subscriptions = SnsSubscriptions(session, {TOPIC.arn: server.url})
        with pytest.raises(InvalidRequest, match="Invalid parameter: Token") as caught:
            await subscriptions.confirm(TOPIC, "old")
    assert "subscribe again" in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 429, 500, 503])
async def test_any_other_answer_is_worth_another_try(session: ClientSession, status: int) -> None:
    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with serving(handler) as server:
        subscriptions = SnsSubscriptions(session, {TOPIC.arn: server.url})
        with pytest.raises(Unavailable, match=str(status)):
            await subscriptions.confirm(TOPIC, "token")
    assert len(server.asked) == 1


async def test_an_endpoint_that_is_gone_is_named(session: ClientSession) -> None:
    async with serving(answer("")) as server:
        gone = server.url
    with pytest.raises(Unavailable, match=gone):
        await SnsSubscriptions(session, {TOPIC.arn: gone}).confirm(TOPIC, "token")


async def test_an_answer_without_an_arn_is_an_answer(session: ClientSession) -> None:
    async with serving(answer("<ok/>")) as server:
        subscriptions = SnsSubscriptions(session, {TOPIC.arn: server.url})
        assert await subscriptions.confirm(TOPIC, "token") == ""
