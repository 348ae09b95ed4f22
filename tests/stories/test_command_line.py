"""What people type in a terminal, and what it answers when they get it wrong."""

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import ClientSession, web

from parley.cli import main
from tests.gateway import TOPIC, sns_time
from tests.station import Station, clean_environment, parley, running

ARN = TOPIC.format(room="ops")


def test_configurations_are_added_listed_shown_and_removed(station: Station) -> None:
    alerts = TOPIC.format(room="alerts")
    added = station.parley(
        *("configurations", "add", "alerts", "--topic", alerts, "--channel", "#Pager")
    )
    assert "Added alerts: messages go to local:pager." in added.stdout
    assert f"Subscribe {alerts}" in added.stdout

    listed = station.parley("configurations", "list").stdout.splitlines()
    assert listed[0].split() == ["NAME", "ACCOUNT", "CHANNEL", "TOPICS", "QUEUES", "STATE"]
    assert listed[1].split() == ["alerts", "123456789012", "local:pager", "1", "0", "ok"]

    shown = station.parley("configurations", "show", "alerts").stdout
    assert "topic           arn:aws:sns:eu-west-1:123456789012:alerts" in shown
    assert "group mentions  not allowed" in shown

    removed = station.parley("configurations", "remove", "alerts").stdout
    assert "What it delivered stays readable in local:pager." in removed
    assert "alerts" not in station.parley("configurations", "list").stdout


def test_without_a_configuration_the_list_says_how_to_begin(tmp_path: Path) -> None:
    ended = parley("configurations", "list", "--data", str(tmp_path / "new"))
    assert ended.returncode == 0
    assert "parley configurations add --help" in ended.stdout


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    assert parley("configurations", "list", "--data", str(data)).returncode == 0
    assert parley("backup", str(copy), "--data", str(data)).returncode == 0
    kept = [data, copy, *data.iterdir()]
    assert [oct(one.stat().st_mode & 0o077) for one in kept] == ["0o0"] * len(kept)


@pytest.mark.parametrize(
    "words, problem",
    [
        (("ops", "--topic", ARN), "named ops already"),
        (("bad name", "--topic", ARN), "The name 'bad name' is not valid"),
        (("a", "--topic", "alarms"), "is not the ARN of an SNS topic"),
        (("a", "--queue", "parley"), "is not the URL of an SQS queue"),
        (("a", "--topic", ARN, "--platform", "irc"), "Use local, slack"),
        (("a", "--topic", ARN, "--platform", "slack"), "give the channel's id"),
        (("a", "--topic", ARN, "--platform", "slack", "--channel", "#ops"), "Copy link"),
        (("a", "--topic", ARN, "--channel", "a/b"), "is not a room's name"),
        (("a", "--topic", ARN, "--account", "1"), "it has 12 digits"),
        (("a", "--topic", ARN, "--only-account", "x"), "it has 12 digits"),
        (("a",), "Give the AWS account with --account"),
    ],
)
def test_each_mistake_is_told_in_words(
    station: Station, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], problem: str
) -> None:
    assert main(["configurations", "add", *words, "--data", str(station.data)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("parley: ")
    assert problem in said


def test_unknown_names_and_words_are_told(station: Station) -> None:
    shown = station.parley("configurations", "show", "opps", check=False)
    assert (shown.returncode, "There are: ops" in shown.stderr) == (1, True)
    unknown = parley("configuration", "list")
    assert (unknown.returncode, "invalid choice" in unknown.stderr) == (2, True)
    test = station.parley("send-test", "opps", check=False)
    assert (test.returncode, "There are: ops" in test.stderr) == (1, True)
    name = station.parley("sign-in-link", "--name", "<b>", check=False)
    assert (name.returncode, "cannot be a name" in name.stderr) == (1, True)
    early = station.parley("sign-in-link")
    assert (early.returncode, "No gateway runs on" in early.stderr) == (0, True)


def test_the_data_folder_may_be_named_anywhere(station: Station) -> None:
    data = ("--data", str(station.data))
    for words in (
        (*data, "configurations", "list"),
        ("configurations", *data, "list"),
        ("configurations", "list", *data),
    ):
        assert "ops" in parley(*words).stdout
    assert (
        "usage: parley configurations list" in parley(*data, "configurations", "list", "-h").stdout
    )


def test_config_check_prints_what_is_in_force_without_secrets(station: Station) -> None:
    shown = parley(
        *("config", "check", "--data", str(station.data)),
        environment={
            "PARLEY_SLACK_BOT_TOKEN": "xoxb-hunter2",
            "PARLEY_DATABASE": "postgresql://me:hunter3&hunter4@hunter5@db:5432/parley"
            "?sslpassword=hunter6",
            "PARLEY_SNS_ENDPOINTS": f'{{"{ARN}": "http://me:hunter7@127.0.0.1:4566"}}',
            "PARLEY_WEB_URL": "http://parley.example:8080",
        },
    )
    assert shown.returncode == 0
    assert "hunter" not in shown.stdout
    assert "database = postgresql://me:(hidden)@db:5432/parley" in shown.stdout
    assert "web.url = http://parley.example:8080\n" in shown.stdout
    assert "slack.bot_token = (set, hidden)" in shown.stdout
    assert f"sns.unsigned_topics = {ARN}" in shown.stdout
    assert str(station.data / "parley.toml") in shown.stdout.splitlines()[0]


def test_config_check_prints_every_mistake_with_its_place(station: Station) -> None:
    station.write_settings('listen = "here"\n[slak]\ntoken = "xoxb-hunter2"\n')
    ended = parley(
        *("config", "check", "--data", str(station.data)), environment={"PARLEY_LOG_LEVEL": "loud"}
    )
    assert ended.returncode == 1
    assert "line 1, listen: must be HOST:PORT" in ended.stderr
    assert "line 2, slak: is no setting." in ended.stderr
    assert "environment PARLEY_LOG_LEVEL" in ended.stderr
    assert "hunter" not in ended.stderr
    assert station.parley("serve", check=False).returncode == 1


def test_an_address_that_is_taken_is_told(station: Station, tmp_path: Path) -> None:
    station.start()
    address = station.url.removeprefix("http://")
    ended = parley("serve", "--data", str(tmp_path / "other"), "--listen", address)
    assert ended.returncode == 1
    assert "another program listens there" in ended.stderr
    assert "--listen HOST:PORT" in ended.stderr


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    ended = parley("serve", "--data", str(tmp_path / "data"), "--listen", "192.0.2.1:8080")
    assert ended.returncode == 1
    assert "this machine has no such address" in ended.stderr


def test_the_command_for_another_link_can_be_copied_as_it_is(station: Station) -> None:
    station.start()
    _, _, command = station.log.read_text().strip().rpartition("Another link later: parley ")
    ended = parley(*shlex.split(command))
    assert ended.stdout.startswith(f"{station.url}/sign-in?token=")


def test_a_reader_that_closes_early_is_nobodys_mistake(station: Station) -> None:
    command = f"python -m parley configurations list --data '{station.data}' | true"
    ended = subprocess.run(
        ["bash", "-c", command.replace("python", sys.executable)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""


# --- send-test --------------------------------------------------------------------------------


@asynccontextmanager
async def sns(station: Station, session: ClientSession, *, delivers: bool) -> AsyncIterator[str]:
    """Stand in for SNS: take what is published, and post it to the gateway or lose it."""

    async def publish(request: web.Request) -> web.Response:
        asked = parse_qs(await request.text())
        body = {
            "Type": "Notification",
            "MessageId": "11111111-2222-3333-4444-555555555555",
            "TopicArn": asked["TopicArn"][0],
            "Message": asked["Message"][0],
            "Timestamp": sns_time(),
        }
        if delivers:
            assert await station.post(session, json.dumps(body).encode()) == 200
        answer = f"<MessageId>{body['MessageId']}</MessageId>"
        answer = f"<PublishResponse><PublishResult>{answer}</PublishResult></PublishResponse>"
        return web.Response(text=answer, content_type="text/xml")

    app = web.Application()
    app.router.add_post("/", publish)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def send_test(station: Station, *words: str, endpoint: str = "") -> tuple[int, list[str]]:
    """Run `parley send-test`; return its status and the text of its steps."""
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    if endpoint:
        environment["PARLEY_AWS_ENDPOINT_URL"] = endpoint
    ended = await asyncio.to_thread(
        lambda: parley(
            "send-test", "ops", *words, "--data", str(station.data), environment=environment
        )
    )
    assert "Traceback" not in ended.stderr
    steps = [line for line in ended.stdout.splitlines() if line.startswith("  ")]
    return ended.returncode, [f"{one[2:6].strip()} {one.split(' s  ')[1]}" for one in steps]


async def test_send_test_goes_the_whole_way_through_the_topic(station: Station) -> None:
    async with running(station) as session, sns(station, session, delivers=True) as endpoint:
        status, steps = await send_test(station, endpoint=endpoint)
        assert status == 0, steps
        assert [step.split(",")[0] for step in steps] == [
            f"ok published to {ARN}",
            "ok arrived and stored",
            "ok delivered to local:ops",
        ]
        [posted] = await station.room("ops")
        assert "Parley test notification" in str(posted.message)


async def test_send_test_says_where_the_path_ends(station: Station) -> None:
    async with running(station) as session, sns(station, session, delivers=False) as endpoint:
        status, steps = await send_test(station, "--patience", "1", endpoint=endpoint)
    assert status == 1
    assert steps[1].startswith("FAIL it did not arrive. Is the gateway running")


async def test_send_test_from_inside_needs_no_aws(station: Station) -> None:
    async with running(station):
        status, steps = await send_test(station, "--inside")
    assert status == 0
    assert steps[-1] == "ok delivered to local:ops"


async def test_send_test_without_a_gateway_says_so(station: Station) -> None:
    status, steps = await send_test(station, "--inside", "--patience", "1")
    assert status == 1
    assert "is the gateway running (parley serve)?" in steps[-1]


async def test_send_test_without_sns_says_what_it_needs(station: Station) -> None:
    status, steps = await send_test(station, endpoint="http://127.0.0.1:1")
    assert status == 1
    assert steps[0].startswith(f"FAIL Publishing to {ARN} failed")
    assert "--inside" in steps[0]


async def test_send_test_says_when_the_configuration_lets_it_not_through(station: Station) -> None:
    station.parley("configurations", "remove", "ops")
    station.add("ops", "--only-source", "aws.health")
    status, steps = await send_test(station, "--inside")
    assert status == 1
    assert "not routed" in steps[-1]
