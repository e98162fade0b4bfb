"""The settings: one frozen value, read once from the environment, complete or refused."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LANGUAGES = ("en", "vi")
T = TypeVar("T")
HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class SettingsError(Exception):
    """A variable is wrong: its name and what is expected, never its value if that is secret."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, its default as people read it, and what it is for."""

    name: str
    default: str
    purpose: str


VARIABLES = (
    Variable("HOST", "127.0.0.1", "the address to listen on"),
    Variable("PORT", "8000", "the port to listen on"),
    Variable("PITWALL_LOG", "sqlite:data/pitwall.db", "where events live; `memory:` for trials"),
    Variable(
        "PITWALL_PUBLIC_URL", "http://HOST:PORT", "what browsers use; their Origin must be this"
    ),
    Variable("PITWALL_TIMEZONE", "the system's", "the zone of the PBX and of the business day"),
    Variable("PITWALL_DAY_START", "00:00", "when the business day begins"),
    Variable("PITWALL_ABANDON_DAYS", "7", "how many days callers who gave up stay on the worklist"),
    Variable("PITWALL_MOST_AGENTS", "2000", "how many agents webhooks alone may put on the board"),
    Variable("PITWALL_LANGUAGE", "en", "default language, `en` or `vi`"),
    Variable("PITWALL_WEBHOOK_TOKEN", "made at first start", "the secret in `/hook/<token>/api/…`"),
    Variable(
        "PITWALL_WEBHOOK_ALLOW", "none", "networks that may post to the paths without a token"
    ),
    Variable(
        "PITWALL_TRUSTED_PROXY", "none", "networks of proxies whose X-Forwarded-For is believed"
    ),
    Variable("PITWALL_API_TOKEN", "none", "a bearer token for `/api/v1` and `/metrics`"),
    Variable("PITWALL_PBX_URL", "none", "the PBX's API; actions are off until it is set"),
    Variable("PITWALL_PBX_DATA_URL", "PITWALL_PBX_URL", "the PBX's call records"),
    Variable("PITWALL_PBX_DOMAIN", "none", "the company's domain at the PBX"),
    Variable("PITWALL_PBX_KEY", "none", "the company's secret at the PBX"),
    Variable("PITWALL_PBX_KEY_FILE", "none", "a file that holds it instead"),
    Variable(
        "PITWALL_RECORDING_HOSTS", "the host of PITWALL_PBX_URL", "hosts that recordings play from"
    ),
    Variable(
        "PITWALL_OIDC_ISSUER", "none", "an OpenID Connect provider that people may sign in by"
    ),
    Variable("PITWALL_OIDC_CLIENT_ID", "pitwall", "how that provider knows this board"),
    Variable("PITWALL_OIDC_CLIENT_SECRET", "none", "the secret shared with it"),
    Variable("PITWALL_OIDC_CLIENT_SECRET_FILE", "none", "a file that holds it instead"),
    Variable("PITWALL_KEEP_EVENTS", "30", "days that what the PBX sent is kept, event by event"),
    Variable("PITWALL_KEEP_NUMBERS", "90", "days until numbers in the history are masked"),
    Variable("PITWALL_KEEP_HISTORY", "396", "days that calls stay in the history"),
    Variable("PITWALL_KEEP_REJECTED", "7", "days that refused webhooks stay listed"),
    Variable("PITWALL_KEEP_AUDIT", "366", "days that the audit is kept"),
    Variable("PITWALL_KEEP_BACKUPS", "14", "days that nightly backups are kept"),
)


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days what is kept."""

    events: int = 30
    numbers: int = 90
    history: int = 396
    rejected: int = 7
    audit: int = 366
    backups: int = 14


KEPT = tuple(asdict(Keep()).items())


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides. Secrets are kept out of its text form."""

    host: str
    port: int
    log: str
    public_url: str
    timezone: ZoneInfo
    day_start: time
    language: str
    webhook_token: str | None
    webhook_allow: tuple[IPv4Network | IPv6Network, ...]
    api_token: str | None
    pbx_url: str | None
    pbx_data_url: str | None
    pbx_domain: str
    pbx_key: str | None
    abandon_days: int = 7
    most_agents: int = 2_000
    recording_hosts: tuple[str, ...] = ()
    oidc_issuer: str | None = None
    oidc_client_id: str = "pitwall"
    oidc_client_secret: str = ""
    trusted_proxy: tuple[IPv4Network | IPv6Network, ...] = ()
    keep: Keep = Keep()

    def __repr__(self) -> str:
        return f"Settings(host={self.host!r}, port={self.port}, log={self.log!r}, …)"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises SettingsError with the name of the first that is wrong."""
        known = {variable.name for variable in VARIABLES}
        strange = sorted(n for n in environ if n.startswith("PITWALL_") and n not in known)
        strange = [name for name in strange if not name.startswith("PITWALL_TEST_")]
        if strange:
            raise SettingsError(f"{strange[0]} is no setting of Pitwall; is it misspelt?")
        read = _Reader(environ)
        host, port = read("HOST", str, "127.0.0.1"), read("PORT", _port, 8000)
        pbx_url = read("PITWALL_PBX_URL", _pbx, None)
        return cls(
            host=host,
            port=port,
            log=read("PITWALL_LOG", _log, "sqlite:data/pitwall.db"),
            public_url=read("PITWALL_PUBLIC_URL", _url, f"http://{_in_url(host)}:{port}"),
            timezone=read("PITWALL_TIMEZONE", _zone, None) or _system_zone(),
            day_start=read("PITWALL_DAY_START", _time_of_day, time(0, 0)),
            abandon_days=read("PITWALL_ABANDON_DAYS", _days, 7),
            most_agents=read("PITWALL_MOST_AGENTS", _agents, 2_000),
            language=read("PITWALL_LANGUAGE", _language, "en"),
            webhook_token=read("PITWALL_WEBHOOK_TOKEN", _webhook_token, None),
            webhook_allow=read("PITWALL_WEBHOOK_ALLOW", _networks, ()),
            api_token=read("PITWALL_API_TOKEN", str, None),
            pbx_url=pbx_url,
            pbx_data_url=read("PITWALL_PBX_DATA_URL", _pbx, pbx_url),
            pbx_domain=read("PITWALL_PBX_DOMAIN", str, ""),
            pbx_key=read("PITWALL_PBX_KEY", str, None)
            or read("PITWALL_PBX_KEY_FILE", _secret_file, None),
            recording_hosts=read(
                "PITWALL_RECORDING_HOSTS", _hosts, _hosts(urlsplit(pbx_url or "").netloc)
            ),
            oidc_issuer=read("PITWALL_OIDC_ISSUER", _issuer, None),
            oidc_client_id=read("PITWALL_OIDC_CLIENT_ID", str, "pitwall"),
            oidc_client_secret=read("PITWALL_OIDC_CLIENT_SECRET", str, "")
            or read("PITWALL_OIDC_CLIENT_SECRET_FILE", _secret_file, ""),
            trusted_proxy=read("PITWALL_TRUSTED_PROXY", _networks, ()),
            keep=Keep(*(read(f"PITWALL_KEEP_{name.upper()}", _kept, days) for name, days in KEPT)),
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    environ: Mapping[str, str]

    def __call__(self, name: str, parse: Callable[[str], T], default: T) -> T:
        text = self.environ.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise SettingsError(f"{name}: {error}") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ValueError("a port number from 0 to 65535 is expected")
    return int(text)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 366:
        raise ValueError("a number of days from 1 to 366 is expected")
    return int(text)


def _agents(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise ValueError("a number of agents from 1 to 100000 is expected")
    return int(text)


def _kept(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 3660:
        raise ValueError("a number of days from 1 to 3660 is expected")
    return int(text)


def _log(text: str) -> str:
    if text != "memory:" and not (text.startswith("sqlite:") and text != "sqlite:"):
        raise ValueError("sqlite:PATH or memory: is expected")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("an address like https://pbx.example.com is expected")
    return text.rstrip("/")


def _pbx(text: str) -> str:
    """Not where no exchange is but a cloud machine's secrets are; redirects are never followed."""
    parts = urlsplit(_url(text))
    if parts.query or parts.fragment:
        raise ValueError("an address without ? and # is expected")
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return text.rstrip("/")
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        raise ValueError("the address of an exchange is expected; there can be none at this one")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError("an https address is expected: it decides who may sign in")
    return text.rstrip("/")


def _hosts(text: str) -> tuple[str, ...]:
    """Hosts in lower case, each with its port where that is not the usual one."""
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(HOST.fullmatch(host) for host in hosts):
        raise ValueError("hosts like pbx.example.com, 192.0.2.7:8443 are expected")
    return hosts


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone like Asia/Ho_Chi_Minh is expected") from None


def _system_zone() -> ZoneInfo:
    """The machine's zone where it has a name; UTC else."""
    named = os.environ.get("TZ", "").lstrip(":")
    link = Path("/etc/localtime")
    if not named and link.is_symlink():
        named = str(link.resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(named or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _time_of_day(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise ValueError("a time of day like 06:00 is expected") from None


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError("en or vi is expected")
    return text


def _webhook_token(text: str) -> str:
    if len(text) < 16 or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise ValueError("at least 16 letters, digits, - or _ are expected")
    return text


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(","))
    except ValueError:
        raise ValueError("networks like 192.0.2.0/24, 2001:db8::/32 are expected") from None


def _secret_file(text: str) -> str:
    try:
        return Path(text).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("a readable file that holds the key is expected") from None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
