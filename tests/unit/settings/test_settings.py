"""Settings are read once, and every mistake is told with its place."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.cli.config import shown
from parley.settings import BadSettings, Settings, find_file, read_settings, split_address
from parley.settings.model import Web

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def write(folder: Path, text: str) -> Path:
    """Write a settings file into a data folder."""
    (folder / "parley.toml").write_text(text)
    return folder


def mistakes(environ: Mapping[str, str] | None = None, **given: object) -> dict[str, str]:
    """Return the mistakes of settings by their place."""
    with pytest.raises(BadSettings) as bad:
        read_settings(given, environ or {})
    return {one.place: one.problem for one in bad.value.mistakes}


def test_without_any_setting_parley_keeps_to_this_machine(tmp_path: Path) -> None:
    settings = read_settings({"data": tmp_path}, {})
    assert settings.address == ("127.0.0.1", 8080)
    assert settings.loopback
    assert settings.database_url == f"sqlite:///{tmp_path}/parley.db"
    assert settings.slack.bot_token is None
    assert settings.metrics.token is None


def test_the_command_line_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        'listen = "127.0.0.1:1"\n[log]\nlevel = "error"\nformat = "json"\n[aws]\nregion = "a"\n',
    )
    environ = {"PARLEY_LISTEN": "127.0.0.1:2", "PARLEY_LOG_LEVEL": "debug"}
    settings = read_settings({"data": tmp_path, "listen": "127.0.0.1:3"}, environ)
    assert settings.listen == "127.0.0.1:3"
    assert settings.log.level == "debug"
    assert settings.log.format == "json"
    assert settings.aws.region == "a"
    assert read_settings({"data": tmp_path, "listen": None}, environ).listen == "127.0.0.1:2"


def test_the_file_lies_where_it_is_named_or_in_the_data_folder_or_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, data = tmp_path / "here", tmp_path / "data"
    for folder in (here, data):
        folder.mkdir()
    monkeypatch.chdir(here)
    assert find_file(data, {}) is None
    write(here, "")
    assert find_file(data, {}) == Path("parley.toml")
    write(data, "")
    assert find_file(data, {}) == data / "parley.toml"
    assert find_file(None, {"PARLEY_DATA": str(data)}) == data / "parley.toml"
    assert find_file(data, {"PARLEY_CONFIG": "else.toml"}) == Path("else.toml")


def test_lists_are_words_in_the_environment(tmp_path: Path) -> None:
    environ = {
        "PARLEY_DATA": str(tmp_path),
        "PARLEY_SNS_UNSIGNED_TOPICS": f"{TOPIC}, {TOPIC}2",
        "PARLEY_WEB_HOSTS": "a.example b.example",
        "PARLEY_SNS_ENDPOINTS": f'{{"{TOPIC}": "http://127.0.0.1:4566"}}',
    }
    settings = read_settings({}, environ)
    assert settings.sns.unsigned_topics == (TOPIC, f"{TOPIC}2")
    assert settings.web.hosts == ("a.example", "b.example")
    assert settings.sns.endpoints == {TOPIC: "http://127.0.0.1:4566"}


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    text = """\
listen = "everywhere"
database = "mysql://me:secret@host/name"
listne = "127.0.0.1:1"

[slack]
bot_token = "xoxb with spaces"
token = "xoxb-1"

[sns]
unsigned_topics = ["alarms"]
trust_root = "/nowhere/root.pem"

[sns.endpoints]
alarms = "http://127.0.0.1"

[alarms]
reopen_minutes = -1

[log]
level = "loud"

[surprise]
"""
    file = write(tmp_path, text) / "parley.toml"
    found = mistakes(data=tmp_path)
    assert set(found) == {
        f"{file}, line 1, listen",
        f"{file}, line 2, database",
        f"{file}, line 3, listne",
        f"{file}, line 6, slack.bot_token",
        f"{file}, line 7, slack.token",
        f"{file}, line 10, sns.unsigned_topics",
        f"{file}, line 11, sns.trust_root",
        f"{file}, line 13, sns.endpoints",
        f"{file}, line 17, alarms.reopen_minutes",
        f"{file}, line 20, log.level",
        f"{file}, line 22, surprise",
    }
    assert found[f"{file}, line 3, listne"] == "is no setting. Did you mean listen?"
    assert found[f"{file}, line 7, slack.token"] == "is no setting. Did you mean slack.bot_token?"
    assert "/nowhere/root.pem" in found[f"{file}, line 11, sns.trust_root"]
    assert "secret" not in str(found)
    assert "xoxb" not in found[f"{file}, line 6, slack.bot_token"].replace("xoxb-...", "")


def test_mistakes_say_what_would_be_right_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
[log]
level = "loud"
format = "yaml"

[alarms]
reopen_minutes = 1.5

[web]
url = 3

[slack]
per_second = 0
"""
    found = mistakes(data=write(tmp_path, text))
    assert [*found.values()] == [
        "must be 'debug', 'info', 'warning' or 'error'",
        "must be 'text' or 'json'",
        "must be a valid integer",
        "must be a valid string",
        "must be greater than 0",
    ]
    assert mistakes({"PARLEY_ALARMS_REOPEN_MINUTES": "9999"}, data=tmp_path / "none") == {
        "environment PARLEY_ALARMS_REOPEN_MINUTES": "must be less than or equal to 1440"
    }
    assert mistakes({"PARLEY_ALARMS_REOPEN_MINUTES": "ten"}, data=tmp_path / "none") == {
        "environment PARLEY_ALARMS_REOPEN_MINUTES": "must be a valid integer"
    }


def test_a_file_behind_a_closed_door_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", closed)  # whoever runs the tests may open every door
    found = mistakes(data=tmp_path)
    assert found == {str(tmp_path / "parley.toml"): "cannot be read: Permission denied"}


def test_mistakes_of_the_environment_name_the_variable(tmp_path: Path) -> None:
    environ = {
        "PARLEY_LISTEN": "x",
        "PARLEY_LOGLEVEL": "debug",
        "PARLEY_SLACK": "xoxb-1",
        "PARLEY_SNS_ENDPOINTS": "nonsense",
        "PARLEY_WEB_URL": "example.com",
        "PARLEY_APT": "1",
        "OTHER": "x",
    }
    found = mistakes(environ, data=tmp_path)
    assert set(found) == {
        "environment PARLEY_LISTEN",
        "environment PARLEY_LOGLEVEL",
        "environment PARLEY_SLACK",
        "environment PARLEY_SNS_ENDPOINTS",
        "environment PARLEY_WEB_URL",
    }
    assert "Did you mean PARLEY_LOG_LEVEL?" in found["environment PARLEY_LOGLEVEL"]
    assert "must be JSON" in found["environment PARLEY_SNS_ENDPOINTS"]


@pytest.mark.parametrize(
    "content, problem",
    [(b"listen = ", "is not TOML"), (b"\xff", "is not TOML"), (None, "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_bytes(content)
    found = mistakes({"PARLEY_CONFIG": str(file)}, data=tmp_path)
    assert problem in found[str(file)]


@pytest.mark.parametrize(
    "listen, address",
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(listen: str, address: tuple[str, int]) -> None:
    assert split_address(listen) == address


@given(st.text(max_size=30))
def test_any_other_address_is_refused_in_words(text: str) -> None:
    try:
        host, port = split_address(text)
    except ValueError as error:
        assert "HOST:PORT" in str(error)  # noqa: PT017 - either outcome is right for some text
    else:
        assert host
        assert 0 <= port <= 65535


def test_only_loopback_is_loopback() -> None:
    assert Settings(listen="[::1]:1").loopback
    assert Settings(listen="localhost:1").loopback
    for listen in ("0.0.0.0:1", "[::]:1", "192.0.2.1:1", "example.com:1"):
        assert not Settings(listen=listen).loopback


@pytest.mark.parametrize(
    "address, url",
    [
        (("127.0.0.1", 8080), "http://127.0.0.1:8080"),
        (("parley.example.com", 80), "http://parley.example.com:80"),
        (("::1", 8080), "http://[::1]:8080"),
        (("0.0.0.0", 8080), "http://127.0.0.1:8080"),  # noqa: S104 - nothing is bound
        (("::", 8080), "http://[::1]:8080"),
    ],
)
def test_people_open_an_address_that_a_browser_knows(address: tuple[str, int], url: str) -> None:
    assert Settings().pages_url(address) == url
    assert Settings(web=Web(url="https://parley.example.com/")).pages_url(address) == (
        "https://parley.example.com"
    )


def test_the_pages_have_the_names_that_they_are_opened_by() -> None:
    web = Web(url="https://Parley.example.com:8443", hosts=("chatops",))
    settings = Settings(listen="192.0.2.1:8080", web=web)
    own = {"192.0.2.1", "parley.example.com", "chatops"}
    assert settings.allowed_hosts == own | {"127.0.0.1", "localhost", "::1"}


def test_what_is_shown_holds_no_secret(tmp_path: Path) -> None:
    text = """\
database = "postgresql://parley:hunter2@db.example/parley?password=hunter3&sslmode=require"
[slack]
bot_token = "xoxb-hunter4"
[metrics]
token = "hunter5"
[aws]
endpoint_url = "http://me:hunter6@127.0.0.1:4566"
"""
    lines = dict(shown(read_settings({"data": write(tmp_path, text)}, {})))
    assert "hunter" not in str(lines)
    assert lines["slack.bot_token"] == "(set, hidden)"
    assert lines["database"] == (
        "postgresql://parley:(hidden)@db.example/parley?password=(hidden)&sslmode=require"
    )
    assert lines["web.url"] == "(not set)"
    assert lines["alarms.reopen_minutes"] == "10"


def test_what_is_shown_names_every_setting() -> None:
    names = {name for name, _ in shown(Settings())}
    assert {"listen", "data", "sns.unsigned_topics", "log.format"} <= names
    assert tomllib.loads("\n".join(f"{name} = 1" for name in names))
