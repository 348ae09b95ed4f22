"""What a process needs to start: from `parley.toml` and the environment, read once.

Everything else (who speaks where) is a configuration, a row in the database.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    SettingsConfigDict,
)

from parley.events.topics import parse_topic
from parley.kernel.errors import InvalidRequest

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""What means every address of this machine is none that a browser could open."""

_DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")
_Words = Annotated[tuple[str, ...], NoDecode]
_Mapping = Annotated[dict[str, str], NoDecode]


class Group(BaseModel):
    """Settings that belong together: a table of the file."""

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


class Slack(Group):
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


class Sns(Group):
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


class Web(Group):
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


class Aws(Group):
    """Where AWS is; empty means the real one, as the AWS SDK finds it."""

    endpoint_url: str = ""
    """Another address for all of AWS: for emulators."""
    region: str = ""
    """The region, where nothing else says it."""

    @field_validator("endpoint_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return _url(value) if value else value


class Metrics(Group):
    """Who may read /metrics from elsewhere than this machine."""

    token: SecretStr | None = None
    """What they send as `Authorization: Bearer TOKEN`."""


class Alarms(Group):
    """How alarms become messages."""

    reopen_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 10
    """An alarm that comes back within this time continues its message; 0: it never does."""


class Retention(Group):
    """How long history is kept. What waits, what was given up and open alarms stay for ever."""

    days: Annotated[int, Field(ge=1, le=36_500)] = 90
    """Days that events, messages that were delivered and the rooms are kept."""
    id_days: Annotated[int, Field(ge=15, le=36_500)] = 15
    """Days that at least their ids are kept: by them SNS's repetitions are known."""


class Log(Group):
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
    retention: Retention = Retention()
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
    def allowed_hosts(self) -> frozenset[str]:
        """The names that the Host header of a browser may have."""
        named = {self.address[0], *self.web.hosts, *_LOOPBACK}
        if self.web.url:
            named.add(urlsplit(self.web.url).hostname or "")
        return frozenset(name.lower() for name in named if name)

    def pages_url(self, address: tuple[str, int]) -> str:
        """Return where people open the pages of a gateway that listens on this address.

        Its port may be another than the one that was asked for: 0 takes a free one.
        """
        if self.web.url:
            return self.web.url
        host, port = address
        host = _THIS_MACHINE.get(host, host)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

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
