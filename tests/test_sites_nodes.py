"""Several sites on two nodes of a cluster: any node shows any site, one of them owns it."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.__main__ import main
from app.log import LogUnavailable
from app.main import create_sites_app
from app.rights import Role
from app.settings import Settings
from app.sites import Sites, keeper
from app.web.parts import Parts
from tests.building import PASSWORD, signed_in
from tests.nats_servers import Servers
from tests.neighbours import written
from tests.waiting import wait_for

ACME, BRAVO = "acme.example.test", "bravo.example.test"
HOOK = "/hook/webhooks-of-acme-only/api/callcenter/call_in"


class OneNode:
    """A node, and a client that asks it alone."""

    def __init__(self, client: TestClient, sites: Sites) -> None:
        assert client.portal
        self.client = client
        self.call = client.portal.call
        self.sites = sites

    def parts(self, host: str) -> Parts | None:
        keeper = self.sites.at(host)
        return None if keeper is None else keeper.parts

    def is_owner(self, host: str) -> bool:
        keeper = self.sites.at(host)
        return keeper is not None and keeper.is_held and keeper.parts is not None

    def opened(self, host: str) -> Parts:
        """The parts, after somebody has asked for the site."""
        assert self.client.get(f"https://{host}/login").status_code == 200
        parts = self.parts(host)
        assert parts is not None
        return parts


@contextmanager
def node(folder: Path, log: str, port: int) -> Iterator[OneNode]:
    installation = Settings.from_env(environ(folder, log, port))
    found: list[Sites] = []
    app = create_sites_app(installation, on_start=found.append)
    with TestClient(app, base_url=f"https://{ACME}") as client:
        yield OneNode(client, found[0])


def environ(folder: Path, log: str, port: int) -> dict[str, str]:
    return {
        "PITWALL_LOG": log,
        "PITWALL_SITES": str(folder / "sites"),
        "PITWALL_DATA": str(folder / f"node{port}"),
        "PORT": str(port),
    }


@pytest.fixture
def street(tmp_path: Path, nats_server: Servers) -> tuple[Path, str]:
    """The folder with the sites' files, and the address of the log."""
    written(tmp_path / "sites", "acme", ACME)
    written(tmp_path / "sites", "bravo", BRAVO, PITWALL_LANGUAGE="vi")
    return tmp_path, f"{nats_server.new_url()}&partitions=4"


until = partial(wait_for, seconds=30)


def owners(nodes: list[OneNode], host: str) -> list[OneNode]:
    return [each for each in nodes if each.is_owner(host)]


def test_any_node_takes_webhooks_and_shows_what_came_to_the_other(street: tuple[Path, str]) -> None:
    with node(*street, 8001) as one, node(*street, 8002) as two:
        one.opened(ACME)
        other = two.opened(ACME)

        answer = one.client.get(HOOK, params={"callid": "c1", "did": "900", "phone": "0900123456"})

        assert answer.status_code == 200
        until(lambda: "c1" in other.floor.state.calls)
        assert two.opened(BRAVO).floor.state.calls == {}


def test_each_site_has_one_owner_and_when_it_goes_another(street: tuple[Path, str]) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        one = first.enter_context(node(*street, 8001))
        until(lambda: one.is_owner(ACME) and one.is_owner(BRAVO))
        two = stack.enter_context(node(*street, 8002))
        assert owners([one, two], ACME) == [one]
        assert two.parts(ACME) is None

        first.close()

        until(lambda: two.is_owner(ACME) and two.is_owner(BRAVO))


def test_who_signed_in_at_one_node_is_signed_in_at_the_other(street: tuple[Path, str]) -> None:
    with node(*street, 8001) as one, node(*street, 8002) as two:
        access, other = one.opened(ACME).access, two.opened(ACME)
        one.call(access.accounts.create_user, "ann", Role.ADMIN, PASSWORD)
        cookie = one.call(signed_in, access, "ann")

        until(lambda: other.access.accounts.named("ann") is not None)
        until(
            lambda: two.client.get(f"https://{ACME}/alive", headers=cookie).status_code == 204,
        )
        two.opened(BRAVO)
        assert two.client.get(f"https://{BRAVO}/alive", headers=cookie).status_code == 401


def test_a_command_reaches_the_nodes_while_they_run(
    street: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with node(*street, 8001) as one:
        parts = one.opened(ACME)
        for name, value in environ(*street, 8001).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

        assert main(["--site", "acme", "user", "add", "ben", "--role", "admin"]) == 0

        until(lambda: parts.access.accounts.named("ben") is not None)
        assert main(["--site", "acme", "user", "list"]) == 0
        assert capsys.readouterr().out.endswith("ben\tadmin\t\n")


def test_a_site_is_closed_where_nobody_looks_and_nobody_owns_it(
    street: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with node(*street, 8001) as one:
        until(lambda: one.is_owner(ACME))
        monkeypatch.setattr(keeper.Keeper.__init__, "__defaults__", (0.3,))
        with node(*street, 8002) as two:
            two.opened(ACME)
            until(lambda: two.parts(ACME) is None)
            two.opened(ACME)
            assert one.is_owner(ACME)


def test_a_node_without_servers_says_so_and_does_not_start(tmp_path: Path) -> None:
    written(tmp_path / "sites", "acme", ACME)
    settings = Settings.from_env(environ(tmp_path, "nats://127.0.0.1:9?monitoring=9", 8001))
    refusals: list[str] = []
    app = create_sites_app(settings, on_refusal=refusals.append)

    with pytest.raises(LogUnavailable), TestClient(app):
        pass

    assert "127.0.0.1:9" in refusals[0]
