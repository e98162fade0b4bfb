"""Two sites in one application, one full of canaries that must never be seen from the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.testclient import TestClient

from app.access.walls import Display
from app.domain.events import AgentNamed, CallRinging, QueueNamed
from app.main import create_sites_app
from app.rights import Role
from app.settings import Settings
from app.sites import Sites
from app.sites.keeper import Keeper
from app.web.parts import Parts
from tests.building import PASSWORD, FromMany, signed_in

HERE, THERE = "here.example.test", "there.example.test"
# Whatever holds this came from the neighbour. Numbers can't hold a word.
CANARY = "xanadu"
PHONE, EXTENSION, QUEUE = "0977123499", "86428642", "75317531"
CANARIES = (CANARY, PHONE, EXTENSION, QUEUE)
ROLES = (Role.VIEWER, Role.SUPERVISOR, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Keys:
    """How everybody of one site knocks: {who: headers}; and secrets that stand in addresses."""

    headers: dict[str, dict[str, str]]
    webhook: str
    setup: str


class Neighbours:
    """The sites `here` and `there`, asked through one client."""

    def __init__(self, client: TestClient, sites: Sites) -> None:
        assert client.portal
        self.client = client
        self.call = client.portal.call
        self.sites = sites
        self.here, self.there = self.parts(HERE), self.parts(THERE)
        self.keys = {host: self.call(keys_of, self.parts(host)) for host in (HERE, THERE)}

    def sign_in_again(self, host: str) -> None:
        """Whoever has been signed out."""
        for role in ROLES:
            name = f"{_name_at(self.parts(host))}-{role.value}"
            headers = self.call(signed_in, self.parts(host).access, name)
            self.keys[host].headers[role.value] = headers

    def parts(self, host: str) -> Parts:
        parts = self.keeper(host).parts
        assert parts is not None
        return parts

    def keeper(self, host: str) -> Keeper:
        keeper = self.sites.at(host)
        assert keeper is not None
        return keeper


def written(folder: Path, name: str, host: str, **more: str) -> None:
    """A file of a site."""
    values = {
        "PITWALL_PUBLIC_URL": f"https://{host}",
        "PITWALL_TIMEZONE": "UTC",
        "PITWALL_WEBHOOK_TOKEN": f"webhooks-of-{name}-only",
        "PITWALL_API_TOKEN": f"programs-of-{name}-only",
        **more,
    }
    folder.mkdir(exist_ok=True)
    lines = [f"{variable}={value}\n" for variable, value in values.items()]
    (folder / f"{name}.env").write_text("".join(lines))


@contextmanager
def opened_sites(folder: Path) -> Iterator[tuple[TestClient, Sites]]:
    """The sites whose files are in `folder/sites` run until the block ends."""
    installation = Settings.from_env(
        {
            "PITWALL_LOG": f"sqlite:{folder / 'pitwall.db'}",
            "PITWALL_SITES": str(folder / "sites"),
        }
    )
    found: list[Sites] = []
    app = create_sites_app(installation, on_start=found.append)
    with TestClient(FromMany(app), base_url=f"https://{HERE}") as client:
        yield client, found[0]


def written_neighbours(folder: Path) -> None:
    """The files of both."""
    written(folder / "sites", "here", HERE)
    written(
        folder / "sites",
        "there",
        THERE,
        PITWALL_LANGUAGE="vi",
        PITWALL_PBX_URL="http://127.0.0.1:9",
        PITWALL_PBX_KEY=f"{CANARY}-key",
        PITWALL_PAUSE_REASONS=f"{CANARY} pause",
        PITWALL_WEBHOOK_TOKEN=f"webhooks-of-{CANARY}",
        PITWALL_API_TOKEN=f"programs-of-{CANARY}",
    )


@contextmanager
def opened_neighbours(folder: Path) -> Iterator[Neighbours]:
    """Both run until the block ends, furnished."""
    written_neighbours(folder)
    with opened_sites(folder) as (client, sites):
        neighbours = Neighbours(client, sites)
        neighbours.call(_furnish, neighbours.here)
        neighbours.call(_plant, neighbours.there)
        yield neighbours


async def keys_of(parts: Parts) -> Keys:
    """Somebody of every role, a wall, a program, and a link that is out."""
    settings, access = parts.settings, parts.access
    name = _name_at(parts)
    headers = {"program": {"Authorization": f"Bearer {settings.api_token}"}}
    for role in ROLES:
        user = await access.accounts.create_user(f"{name}-{role.value}", role, PASSWORD)
        headers[role.value] = await signed_in(access, user.username)
    token = await access.walls.add(Display(f"{name} hall"), "admin", "192.0.2.9")
    headers["wall"] = {"Cookie": f"__Host-wall={token}"}
    made = await access.tokens.add(f"{name} program", "admin")
    headers["made program"] = {"Authorization": f"Bearer {made}"}
    setup = await access.links.for_user(user.user_id)
    return Keys(headers, settings.webhook_token or "", setup)


def _name_at(parts: Parts) -> str:
    return CANARY if parts.settings.site == "there" else "Anybody"


async def _furnish(parts: Parts) -> None:
    """Something is going on here too."""
    call = CallRinging(callid="c1", extension="101", queue="900", phone="0900123456")
    await _happen(parts, call)


async def _plant(parts: Parts) -> None:
    """A canary wherever something has a name or a number."""
    await _happen(
        parts,
        AgentNamed(extension=EXTENSION, name=f"{CANARY} Agent", team=f"{CANARY} team"),
        QueueNamed(queue=QUEUE, name=f"{CANARY} Queue"),
        CallRinging(callid="c1", extension=EXTENSION, queue=QUEUE, phone=PHONE),
        CallRinging(callid=f"{CANARY}-call", extension=EXTENSION, queue=QUEUE, phone=PHONE),
    )
    await parts.channels.add(f"{CANARY} channel", "json://127.0.0.1:9/x", 2)


async def _happen(parts: Parts, *events: AgentNamed | QueueNamed | CallRinging) -> None:
    seq = await parts.log.append(events)
    await parts.projector.wait_for(seq)
    await parts.history.wait_for(seq)
