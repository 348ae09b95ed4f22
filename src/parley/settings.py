"""What a process needs to start: from `parley.toml` and the environment, read once.

Everything else (who speaks where) is a configuration, a row in the database.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from parley.events.topics import parse_topic
from parley.kernel.errors import InvalidRequest

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NOT_SETTINGS = frozenset({"PARLEY_APT", "PARLEY_CONFIG"})
_DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")
_Words = Annotated[tuple[str, ...], NoDecode]
_Mapping = Annotated[dict[str, str], NoDecode]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _split(value: Any) -> Any:
    """Read a list from the environment: words between commas."""
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[,\s]+", value) if word)
    return value


def _parse(value: Any) -> Any:
    """Read a mapping from the environment: JSON."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be JSON, such as {"TOPIC ARN": "http://address"}') from None
    return value


class Slack(_Group):
    """The Slack app that sends. Without a token there is no Slack."""

    bot_token: SecretStr | None = None
    """The bot token (`xoxb-...`) of the Slack app."""
    base_url: str = "https://slack.com/api/"
    """Where Slack's API is; another address is for tests."""
    per_second: Annotated[float, Field(gt=0)] = 1.0
    """How many messages a second go to one channel; Slack allows about one."""

    @field_validator("bot_token")
    @classmethod
    def _is_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
            raise ValueError("must be the app's bot token (xoxb-...), without spaces")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return _url(value).rstrip("/") + "/"


class Sns(_Group):
    """How SNS messages are received."""

    unsigned_topics: _Words = ()
    """Topics of emulators, whose messages are taken without a signature: only on loopback."""
    endpoints: _Mapping = Field(default_factory=dict)
    """Topic ARN -> the address that speaks for SNS instead of AWS: for emulators."""
    trust_root: Path | None = None
    """A PEM file of certificates to trust instead of Amazon's: for tests, only on loopback."""
    certificate_source: str = ""
    """Where signing certificates are fetched instead of AWS: for tests, only on loopback."""

    _words = field_validator("unsigned_topics", mode="before")(_split)

    @field_validator("unsigned_topics")
    @classmethod
    def _are_topics(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for arn in value:
            _topic(arn)
        return value

    _mapping = field_validator("endpoints", mode="before")(_parse)

    @field_validator("endpoints")
    @classmethod
    def _are_endpoints(cls, value: dict[str, str]) -> dict[str, str]:
        return {_topic(arn): _url(url) for arn, url in value.items()}

    @field_validator("trust_root")
    @classmethod
    def _is_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @field_validator("certificate_source")
    @classmethod
    def _is_source(cls, value: str) -> str:
        return _url(value) if value else value


class Web(_Group):
    """The pages: under which address others reach them."""

    url: str = ""
    """The address that people open, where it is not the one that Parley listens on."""
    hosts: _Words = ()
    """More names that browsers may use for Parley (their Host header)."""

    _words = field_validator("hosts", mode="before")(_split)

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return _url(value).rstrip("/") if value else value


class Aws(_Group):
    """Where AWS is; empty means the real one, as the AWS SDK finds it."""

    endpoint_url: str = ""
    """Another address for all of AWS: for emulators."""
    region: str = ""
    """The region, where nothing else says it."""

    @field_validator("endpoint_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return _url(value) if value else value


class Metrics(_Group):
    """Who may read /metrics from elsewhere than this machine."""

    token: SecretStr | None = None
    """What they send as `Authorization: Bearer TOKEN`."""


class Alarms(_Group):
    """How alarms become messages."""

    reopen_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 10
    """An alarm that comes back within this time continues its message; 0: it never does."""


class Log(_Group):
    """What Parley writes to its standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is written: debug, info, warning or error."""
    format: Literal["text", "json"] = "text"
    """`text` for people, `json` for machines: one object a line."""


class Settings(BaseSettings):
    """Everything that is in force, checked."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
    )

    data: Path = Path("data")
    """The folder of the database and of `parley.toml`; one running gateway owns it."""
    listen: str = "127.0.0.1:8080"
    """HOST:PORT to listen on; port 0 takes a free one."""
    database: str = ""
    """`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; empty: `parley.db` in the data folder."""
    slack: Slack = Slack()
    sns: Sns = Sns()
    web: Web = Web()
    aws: Aws = Aws()
    metrics: Metrics = Metrics()
    alarms: Alarms = Alarms()
    log: Log = Log()

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        split_address(value)
        return value

    @field_validator("database")
    @classmethod
    def _is_database(cls, value: str) -> str:
        if value and not value.startswith(_DATABASES):
            raise ValueError("must be sqlite:///path/to/file or postgresql://user@host/name")
        return value

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port to listen on; port 0 takes a free one."""
        return split_address(self.listen)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach Parley."""
        return self.address[0] in _LOOPBACK

    @property
    def database_url(self) -> str:
        """Return the database: the file in the data folder unless another is set."""
        return self.database or f"sqlite:///{self.data.absolute() / 'parley.db'}"


def split_address(value: str) -> tuple[str, int]:
    """Split HOST:PORT, also [::1]:8080. Raises ValueError with what is wrong."""
    match = re.fullmatch(r"(\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})", value)
    if not match or int(match["port"]) > 65535:  # noqa: PLR2004 - the highest port
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8080, the port at most 65535")
    return match["six"] or match["host"], int(match["port"])


def _topic(arn: str) -> str:
    try:
        return parse_topic(arn).arn
    except InvalidRequest as error:
        raise ValueError(str(error)) from error


def _url(value: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise ValueError("must be an address that begins with http:// or https://")
    return value


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in the settings, and where it stands."""

    place: str
    problem: str


class BadSettings(InvalidRequest):
    """The settings have mistakes; `parley config check` lists them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        """Take every mistake that was found."""
        lines = [f"  {one.place}: {one.problem}" for one in mistakes]
        super().__init__("\n".join(["The settings have mistakes:", *lines]))
        self.mistakes = mistakes


def find_file(data: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the settings file: PARLEY_CONFIG, else DATA/parley.toml, else ./parley.toml."""
    if environ.get("PARLEY_CONFIG"):
        return Path(environ["PARLEY_CONFIG"])
    folder = data or Path(environ.get("PARLEY_DATA", "data"))
    for path in (folder / "parley.toml", Path("parley.toml")):
        try:
            if path.is_file():
                return path
        except OSError as error:
            raise BadSettings([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    return None


def read_settings(
    given: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings; `given` (the command line) beats the environment beats the file.

    Raises `BadSettings` with all mistakes, not only the first.
    """
    given = {name: value for name, value in (given or {}).items() if value is not None}
    path = find_file(given.get("data"), environ)
    text, table = _read_file(path)
    sources = _sources_type(given, table, environ)
    mistakes = list(_unknown_variables(environ))
    try:
        settings = sources()
    except ValidationError as error:
        mistakes.extend(_mistakes(error, path, text, environ))
    else:
        if not mistakes:
            return settings
    raise BadSettings(mistakes)


def _read_file(path: Path | None) -> tuple[str, dict[str, Any]]:
    if path is None:
        return "", {}
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise BadSettings([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings([Mistake(str(path), f"is not TOML: {error}")]) from error


def _sources_type(
    given: Mapping[str, Any], table: dict[str, Any], environ: Mapping[str, str]
) -> type[Settings]:
    class _Environment(EnvSettingsSource):
        def _load_env_vars(self) -> Mapping[str, str | None]:
            # Others are told as mistakes; read, they would be taken for groups in JSON.
            known = set(_variables())
            return {name.lower(): value for name, value in environ.items() if name.upper() in known}

    class _Read(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                InitSettingsSource(settings_cls, dict(given)),
                _Environment(settings_cls),
                InitSettingsSource(settings_cls, table),
            )

    return _Read


def _variables() -> Iterator[str]:
    for name, setting in Settings.model_fields.items():
        group = setting.annotation
        if isinstance(group, type) and issubclass(group, _Group):
            yield from (f"PARLEY_{name}_{inner}".upper() for inner in group.model_fields)
        else:
            yield f"PARLEY_{name}".upper()


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[Mistake]:
    known = set(_variables())
    for name in sorted(environ):
        if name.startswith("PARLEY_") and name not in known | _NOT_SETTINGS:
            yield Mistake(f"environment {name}", "is no setting." + _suggestion(name, known))


def _suggestion(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {close[0]}?" if close else ""


def _mistakes(
    error: ValidationError, path: Path | None, text: str, environ: Mapping[str, str]
) -> Iterator[Mistake]:
    errors = error.errors(include_url=False, include_input=False)
    for line, one in sorted(((_line(text, one["loc"]), one) for one in errors), key=itemgetter(0)):
        name = ".".join(str(part) for part in one["loc"])
        variable = "PARLEY_" + "_".join(name.upper().split(".")[:2])
        at = f"{path}, line {line}, " if line else ""
        place = f"environment {variable}" if variable in environ else at + name
        yield Mistake(place, _problem(one, name))


def _problem(error: ErrorDetails, name: str) -> str:
    if error["type"] == "extra_forbidden":
        known = {one.removeprefix("PARLEY_").lower().replace("_", ".", 1) for one in _variables()}
        return "is no setting." + _suggestion(name, known)
    # "Input should be a valid integer, unable to parse string as an integer": half will do.
    said = re.sub("^Input should be(.*?)(, unable to .*|, got .*)?$", r"must be\1", error["msg"])
    return said.removeprefix("Value error, ")


def _line(text: str, names: Sequence[str | int]) -> int:
    """Return the line of the file that sets a name, 0 when it cannot be told."""
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            table = header[1].split(".")
            if table == list(names):
                return number
        elif assignment := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
            path = table + assignment[1].split(".")
            if path == list(names[: len(path)]):
                return number
    return 0
