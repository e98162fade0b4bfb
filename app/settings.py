"""The settings: one frozen value, read once from the environment, complete or refused."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import time
from ipaddress import IPv4Network, IPv6Network
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app import setting_values as values

T = TypeVar("T")


MAIN = "main"


class SettingsError(Exception):
    """A variable is wrong: its name and what is expected, never its value if that is secret."""

    def __init__(self, sentence: str, variable: str = "") -> None:
        super().__init__(sentence)
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, its default as people read it, and what it is for."""

    name: str
    default: str
    purpose: str


VARIABLES = (
    Variable("HOST", "127.0.0.1", "the address to listen on"),
    Variable("PORT", "8000", "the port to listen on"),
    Variable(
        "PITWALL_LOG",
        "sqlite:data/pitwall.db",
        "where events live; `memory:` for trials, `nats://A,B,C` on three NATS servers",
    ),
    Variable("PITWALL_DATA", "data", "the folder of the databases when events are on NATS servers"),
    Variable("PITWALL_LOG_FORMAT", "text", "lines of the program's own log: `text` or `json`"),
    Variable("PITWALL_SITES", "none", "a folder with a file `NAME.env` for each of several sites"),
    Variable(
        "PITWALL_PUBLIC_URL", "http://HOST:PORT", "what browsers use; their Origin must be this"
    ),
    Variable(
        "PITWALL_ALLOW_INSECURE_LAN", "no", "`yes`: people may sign in by http from other machines"
    ),
    Variable("PITWALL_TIMEZONE", "the system's", "the zone of the PBX and of the business day"),
    Variable("PITWALL_DAY_START", "00:00", "when the business day begins"),
    Variable("PITWALL_ABANDON_DAYS", "7", "how many days callers who gave up stay on the worklist"),
    Variable("PITWALL_MOST_AGENTS", "2000", "how many agents webhooks alone may put on the board"),
    Variable("PITWALL_LANGUAGE", "en", "default language, `en` or `vi`"),
    Variable(
        "PITWALL_LISTEN_REASONS", "built in", "reasons to choose from when listening: `A; B; C`"
    ),
    Variable("PITWALL_PAUSE_REASONS", "built in", "reasons to choose from when pausing somebody"),
    Variable(
        "PITWALL_TARGETS",
        "waiting=5 level=80 free=1 callbacks=0",
        "what walls aim at: the most who wait, the service level in %, the least free agents, "
        "the most to call back",
    ),
    Variable("PITWALL_WEBHOOK_TOKEN", "made at first start", "the secret in `/hook/<token>/api/…`"),
    Variable(
        "PITWALL_WEBHOOK_ALLOW", "none", "networks that may post to the paths without a token"
    ),
    Variable("PITWALL_WEBHOOK_FROM", "all", "networks that may post to the paths with the token"),
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
    Variable(
        "PITWALL_DIAL_ALLOW",
        "all",
        "how numbers begin that may be called: `0, +84`; satellites and the like never are",
    ),
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
# These are the process's, whatever sites it serves.
PROCESS_WIDE = frozenset(
    {"HOST", "PORT", "PITWALL_LOG", "PITWALL_LOG_FORMAT", "PITWALL_DATA", "PITWALL_SITES"}
    | {"PITWALL_TRUSTED_PROXY"}
)


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
    targets: tuple[tuple[str, int], ...] = ()
    oidc_issuer: str | None = None
    oidc_client_id: str = "pitwall"
    oidc_client_secret: str = ""
    trusted_proxy: tuple[IPv4Network | IPv6Network, ...] = ()
    keep: Keep = Keep()
    listen_reasons: tuple[str, ...] = ()
    pause_reasons: tuple[str, ...] = ()
    data: str = "data"
    log_format: str = values.TEXT
    sites: str = ""
    site: str = MAIN
    allow_insecure_lan: bool = False
    webhook_from: tuple[IPv4Network | IPv6Network, ...] = ()
    dial_allow: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Settings(site={self.site!r}, port={self.port}, log={self.log!r}, …)"

    @property
    def database(self) -> str:
        """The path of the database, ":memory:" for none. With a log on NATS it holds the rest."""
        if self.log == "memory:":
            return ":memory:"
        return self.log.removeprefix("sqlite:") if self.on_disk else f"{self.data}/pitwall.db"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be in no log."""
        told = (self.pbx_key, self.webhook_token, self.api_token, self.oidc_client_secret)
        return tuple(text for text in told if text)

    @property
    def on_disk(self) -> bool:
        """The log is in the database too."""
        return self.log.startswith("sqlite:")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises SettingsError with the name of the first that is wrong."""
        known = {variable.name for variable in VARIABLES}
        strange = sorted(n for n in environ if n.startswith("PITWALL_") and n not in known)
        strange = [name for name in strange if not name.startswith("PITWALL_TEST_")]
        if strange:
            words = f"{strange[0]} is no setting of Pitwall; is it misspelt?"
            raise SettingsError(words, strange[0])
        read = _Reader(environ)
        host, port = read("HOST", str, "127.0.0.1"), read("PORT", values.port, 8000)
        pbx_url = read("PITWALL_PBX_URL", values.pbx, None)
        return cls(
            host=host,
            port=port,
            log=read("PITWALL_LOG", values.log, "sqlite:data/pitwall.db"),
            data=read("PITWALL_DATA", str, "data"),
            log_format=read("PITWALL_LOG_FORMAT", values.log_format, values.TEXT),
            sites=read("PITWALL_SITES", str, ""),
            public_url=read("PITWALL_PUBLIC_URL", values.url, f"http://{_in_url(host)}:{port}"),
            allow_insecure_lan=read("PITWALL_ALLOW_INSECURE_LAN", values.yes, False),
            timezone=read("PITWALL_TIMEZONE", values.zone, None) or values.system_zone(),
            day_start=read("PITWALL_DAY_START", values.time_of_day, time(0, 0)),
            abandon_days=read("PITWALL_ABANDON_DAYS", values.days, 7),
            most_agents=read("PITWALL_MOST_AGENTS", values.agents, 2_000),
            language=read("PITWALL_LANGUAGE", values.language, "en"),
            listen_reasons=read("PITWALL_LISTEN_REASONS", values.reasons, ()),
            pause_reasons=read("PITWALL_PAUSE_REASONS", values.reasons, ()),
            targets=read("PITWALL_TARGETS", values.targets, ()),
            webhook_token=read("PITWALL_WEBHOOK_TOKEN", values.webhook_token, None),
            webhook_allow=read("PITWALL_WEBHOOK_ALLOW", values.networks, ()),
            webhook_from=read("PITWALL_WEBHOOK_FROM", values.networks, ()),
            dial_allow=read("PITWALL_DIAL_ALLOW", values.beginnings, ()),
            api_token=read("PITWALL_API_TOKEN", str, None),
            pbx_url=pbx_url,
            pbx_data_url=read("PITWALL_PBX_DATA_URL", values.pbx, pbx_url),
            pbx_domain=read("PITWALL_PBX_DOMAIN", str, ""),
            pbx_key=read("PITWALL_PBX_KEY", str, None)
            or read("PITWALL_PBX_KEY_FILE", values.secret_file, None),
            recording_hosts=read(
                "PITWALL_RECORDING_HOSTS",
                values.hosts,
                values.hosts(urlsplit(pbx_url or "").netloc),
            ),
            oidc_issuer=read("PITWALL_OIDC_ISSUER", values.issuer, None),
            oidc_client_id=read("PITWALL_OIDC_CLIENT_ID", str, "pitwall"),
            oidc_client_secret=read("PITWALL_OIDC_CLIENT_SECRET", str, "")
            or read("PITWALL_OIDC_CLIENT_SECRET_FILE", values.secret_file, ""),
            trusted_proxy=read("PITWALL_TRUSTED_PROXY", values.networks, ()),
            keep=Keep(
                *(read(f"PITWALL_KEEP_{name.upper()}", values.kept, days) for name, days in KEPT)
            ),
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
            raise SettingsError(f"{name}: {error}", name) from None


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
