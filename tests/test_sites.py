"""Several sites in one process: each lives and dies for itself, and each opens again by itself."""

import asyncio
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app.domain.events import Tick
from app.keeping.holding import holding
from app.ownership import Ownership, Sole
from app.settings import Settings
from app.sites import Sites, keeper
from app.sites.keeper import Keeper
from app.web.parts import Parts
from tests.neighbours import (
    HERE,
    THERE,
    Neighbours,
    opened_neighbours,
    opened_sites,
    written,
    written_neighbours,
)
from tests.running import ROOT, Pitwall
from tests.served import until


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Neighbours]:
    with opened_neighbours(tmp_path) as opened:
        yield opened


def status(street: Neighbours, host: str, who: str = "admin") -> int:
    headers = street.keys[host].headers[who]
    return street.client.get(f"https://{host}/alive", headers=headers).status_code


def break_down(street: Neighbours, host: str) -> None:
    """The next event is too much for its projector."""
    parts = street.parts(host)

    def fail(records: object) -> None:
        raise ZeroDivisionError

    cast(Any, parts.projector)._apply = fail
    street.call(parts.log.append, [Tick()])


def test_a_site_that_dies_says_so_and_is_opened_again(street: Neighbours) -> None:
    break_down(street, THERE)

    until(lambda: street.keeper(THERE).failure != "")
    answer = street.client.get(f"https://{THERE}/login")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "It opens again by itself" in answer.text
    assert status(street, HERE) == 204
    until(lambda: status(street, THERE) == 204)


def test_no_webhook_is_accepted_by_a_site_that_has_died(street: Neighbours) -> None:
    break_down(street, THERE)
    until(lambda: street.keeper(THERE).failure != "")

    hook = f"/hook/{street.keys[THERE].webhook}/api/callcenter/call_in"
    answer = street.client.get(f"https://{THERE}{hook}", params={"callid": "c9"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_boards_of_a_site_that_dies_are_closed_and_the_others_stay(street: Neighbours) -> None:
    headers = {host: street.keys[host].headers["admin"] for host in (HERE, THERE)}
    connect = street.client.websocket_connect
    mine = {**headers[HERE], "Origin": f"https://{HERE}"}
    theirs = {**headers[THERE], "Origin": f"https://{THERE}"}
    with connect(f"wss://{HERE}/live", headers=mine) as here:
        with connect(f"wss://{THERE}/live", headers=theirs) as there:
            break_down(street, THERE)
            assert closing_code(there) == 1012
        here.receive_text()


def test_webhooks_for_nobody_are_told_to_the_operator(
    street: Neighbours, caplog: pytest.LogCaptureFixture
) -> None:
    hook = f"https://192.0.2.7/hook/{street.keys[HERE].webhook}/api/callcenter/call_in"

    assert [street.client.get(hook).status_code for _ in range(20)] == [404] * 20

    told = [record.getMessage() for record in caplog.records if "no site has" in record.message]
    assert len(told) == 1
    assert "192.0.2.7" in told[0]
    assert street.keys[HERE].webhook not in told[0]


def closing_code(board: WebSocketTestSession) -> int:
    """What the board is closed with, after whatever frames come before."""
    try:
        while True:
            board.receive_text()
    except WebSocketDisconnect as closed:
        return closed.code


def test_while_a_site_is_down_the_installation_is_not_ready(street: Neighbours) -> None:
    ready = "https://192.0.2.1/health/ready"
    assert street.client.get(ready).json() == {"ok": True}

    break_down(street, THERE)

    until(lambda: street.client.get(ready).status_code == 503)
    assert street.client.get("https://192.0.2.1/health/live").json() == {"ok": True}
    assert street.client.get(f"https://{HERE}/health/ready").json() == {"ok": True}
    assert street.client.get(f"https://{THERE}/health/ready").status_code == 503
    until(lambda: street.client.get(ready).status_code == 200)


def test_a_site_that_can_not_be_opened_leaves_the_others_alone(tmp_path: Path) -> None:
    written_neighbours(tmp_path)
    with ExitStack() as stack:
        held = stack.enter_context(ExitStack())
        held.enter_context(holding(str(tmp_path / "sites" / "there" / "pitwall.db")))
        client, sites = stack.enter_context(opened_sites(tmp_path))

        assert client.get(f"https://{HERE}/login").status_code == 200
        assert client.get(f"https://{THERE}/login").status_code == 503
        assert "Another Pitwall is running" in str(getattr(sites.at(THERE), "failure", ""))
        held.close()
        until(lambda: client.get(f"https://{THERE}/login").status_code == 200)


# Keepers, without a site behind them


class Owned:
    """An ownership that comes and goes as the test says."""

    epoch = 1

    def __init__(self) -> None:
        self.held, self.lost = asyncio.Event(), asyncio.Event()

    @property
    def is_held(self) -> bool:
        return self.held.is_set()

    async def wait_held(self) -> None:
        await self.held.wait()

    async def wait_lost(self) -> None:
        await self.lost.wait()

    def take(self) -> None:
        self.lost.clear()
        self.held.set()

    def lose(self) -> None:
        self.held.clear()
        self.lost.set()


class Building:
    """Opens a site that is nothing; `refusals` are raised first, one at each attempt."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.opened = self.closed = 0
        self.die: Callable[[str], None] = lambda loop: None

    @asynccontextmanager
    async def opening(self, settings: Settings, die: Callable[[str], None]) -> AsyncIterator[Parts]:
        if self.refusals:
            raise self.refusals.pop(0)
        self.opened += 1
        self.die = die
        try:
            yield cast(Parts, SimpleNamespace(settings=settings))
        finally:
            self.closed += 1


SETTINGS = Settings.from_env({"PITWALL_PUBLIC_URL": "https://acme.example.test"})


@asynccontextmanager
async def kept(
    building: Building, ownership: Ownership, idle_s: float = 600.0
) -> AsyncIterator[Keeper]:
    made = Keeper(SETTINGS, building.opening, ownership, idle_s)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def comes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - it is not told when
            await asyncio.sleep(0.005)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "FIRST_PAUSE_S", 0.02)


@pytest.mark.anyio
async def test_a_site_of_the_only_process_is_open_from_the_start() -> None:
    building = Building()
    async with kept(building, Sole()) as acme:
        await acme.settled(5)
        assert acme.parts is not None
    assert (building.opened, building.closed) == (1, 1)


@pytest.mark.anyio
async def test_a_site_that_others_own_is_opened_for_whoever_comes() -> None:
    building = Building()
    async with kept(building, Owned()) as acme:
        await asyncio.sleep(0.02)
        assert building.opened == 0
        visits = await asyncio.gather(*(acme.for_a_visit() for _ in range(20)))
        assert None not in visits
    assert building.opened == 1


@pytest.mark.anyio
async def test_a_site_that_nobody_visits_is_closed_and_opened_again() -> None:
    building = Building()
    async with kept(building, Owned(), idle_s=0.05) as acme:
        for _ in range(3):
            assert await acme.for_a_visit() is not None
            await comes(lambda: building.closed == building.opened)
            assert acme.failure == ""
    assert building.opened == 3


@pytest.mark.anyio
async def test_a_site_is_not_closed_while_somebody_looks_at_it() -> None:
    building = Building()
    async with kept(building, Owned(), idle_s=0.02) as acme:
        await acme.for_a_visit()
        viewer = asyncio.create_task(asyncio.sleep(60))
        acme.visits.add(cast("asyncio.Task[object]", viewer))
        await asyncio.sleep(0.1)
        assert building.closed == 0
        acme.visits.clear()
        await comes(lambda: building.closed == 1)
        viewer.cancel()


@pytest.mark.anyio
async def test_a_site_is_open_while_it_is_owned() -> None:
    building, owned = Building(), Owned()
    async with kept(building, owned, idle_s=0.02) as acme:
        owned.take()
        await comes(lambda: acme.parts is not None)
        await asyncio.sleep(0.1)
        assert building.closed == 0
        owned.lose()
        await comes(lambda: building.closed == 1)


@pytest.mark.anyio
@pytest.mark.usefixtures("quick")
async def test_a_site_that_was_refused_is_tried_again() -> None:
    building = Building(RuntimeError("broken"), OSError("still"))
    async with kept(building, Sole()) as acme:
        await acme.settled(5)
        assert acme.failure == "broken"
        assert await acme.for_a_visit() is None
        await comes(lambda: acme.parts is not None)
        assert acme.failure == ""


@pytest.mark.anyio
@pytest.mark.usefixtures("quick")
async def test_a_site_that_failed_for_a_visitor_rests_until_the_next() -> None:
    building = Building(RuntimeError("broken"))
    async with kept(building, Owned()) as acme:
        assert await acme.for_a_visit() is None
        await asyncio.sleep(0.1)
        assert building.opened == 0
        assert await acme.for_a_visit() is None
        await comes(lambda: acme.parts is not None)


@pytest.mark.anyio
@pytest.mark.usefixtures("quick")
async def test_whoever_is_inside_when_a_site_dies_is_sent_away() -> None:
    building = Building()
    async with kept(building, Sole()) as acme:
        await acme.settled(5)
        inside = asyncio.create_task(asyncio.sleep(60))
        acme.visits.add(cast("asyncio.Task[object]", inside))
        building.die("projector")
        assert acme.parts is None
        await asyncio.gather(inside, return_exceptions=True)
        assert inside.cancelled()
        acme.visits.clear()
        await comes(lambda: acme.parts is not None)
    assert building.opened == building.closed == 2


# The folder


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[tuple[Sites, Building]]:
    installation = Settings.from_env({"PITWALL_SITES": str(folder), "PITWALL_LOG": "memory:"})
    building = Building()
    sites = Sites(installation, look_s=0.01)
    async with sites.running(lambda settings: Keeper(settings, building.opening, Sole())):
        yield sites, building


@pytest.mark.anyio
async def test_sites_come_change_and_go_with_their_files(tmp_path: Path) -> None:
    written(tmp_path, "acme", "acme.example.test")
    async with following(tmp_path) as (sites, building):
        acme = sites.at("acme.example.test")
        written(tmp_path, "beta", "beta.example.test")
        await comes(lambda: sites.at("beta.example.test") is not None)
        written(tmp_path, "beta", "bravo.example.test")
        await comes(lambda: sites.at("bravo.example.test") is not None)
        assert sites.at("beta.example.test") is None
        (tmp_path / "beta.env").unlink()
        await comes(lambda: sites.at("bravo.example.test") is None)
        await comes(lambda: building.closed == 2)
        assert sites.at("acme.example.test") is acme
    assert building.closed == building.opened == 3


@pytest.mark.anyio
async def test_a_mistake_in_a_file_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(tmp_path, "acme", "acme.example.test")
    async with following(tmp_path) as (sites, building):
        (tmp_path / "acme.env").write_text("nonsense")
        await comes(lambda: "The sites stay as they are" in caplog.text)
        assert sites.at("acme.example.test") is not None
        assert (building.opened, building.closed) == (1, 0)
    assert "acme.env, line 1: VARIABLE=value is expected" in caplog.text


# A real process


TOKENS = {"acme": "acme-webhook-token-0001", "beta": "beta-webhook-token-0001"}


def two_sites(folder: Path, port: int) -> dict[str, str]:
    """Their files, and the environment of a process that serves them."""
    sites = folder / "sites"
    zones = {"acme": "Asia/Ho_Chi_Minh", "beta": "America/New_York"}
    for name in TOKENS:
        written(
            sites,
            name,
            f"{name}.localhost",
            PITWALL_PUBLIC_URL=f"http://{name}.localhost:{port}",
            PITWALL_WEBHOOK_TOKEN=TOKENS[name],
            PITWALL_API_TOKEN=f"api-token-of-{name}",
            PITWALL_TIMEZONE=zones[name],
            PITWALL_LANGUAGE="vi" if name == "acme" else "en",
        )
    return {"PITWALL_SITES": str(sites), "PITWALL_WEBHOOK_TOKEN": "", "PITWALL_TIMEZONE": ""}


@pytest.fixture
def pitwall(tmp_path: Path, free_port: int) -> Iterator[Pitwall]:
    settings = two_sites(tmp_path, free_port)
    process = Pitwall(free_port, tmp_path, ("app", "serve"), **settings)
    process.start()
    yield process
    process.stop()


def get(port: int, host: str, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def floor(port: int, site: str) -> Any:
    token = {"Authorization": f"Bearer api-token-of-{site}"}
    return json.loads(get(port, f"{site}.localhost:{port}", "/api/v1/floor", **token)[1])


def hook(port: int, site: str, token: str, path: str) -> int:
    return get(port, f"{site}.localhost", f"/hook/{token}/api/callcenter/{path}")[0]


def test_two_sites_on_one_port_have_a_floor_a_language_and_a_token_each(pitwall: Pitwall) -> None:
    port = pitwall.port
    ring = "call_in?callid=c1&phone=0900123456&did=900&extension=101"

    assert hook(port, "acme", TOKENS["acme"], ring) == 200
    assert hook(port, "beta", TOKENS["acme"], ring) == 404

    until(lambda: [call["callid"] for call in floor(port, "acme")["calls"]] == ["c1"])
    assert floor(port, "beta")["calls"] == []
    assert 'lang="vi"' in get(port, "acme.localhost", "/login")[1]
    assert 'lang="en"' in get(port, "beta.localhost", "/login")[1]


def test_a_request_line_with_another_host_leads_nowhere_else(pitwall: Pitwall) -> None:
    port = pitwall.port
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(
            f"GET http://acme.localhost:{port}/api/v1/floor HTTP/1.1\r\n"
            f"Host: beta.localhost:{port}\r\nX-Forwarded-Host: acme.localhost\r\n"
            "Authorization: Bearer api-token-of-acme\r\nConnection: close\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 400 "))


def test_a_line_of_the_log_says_which_site_it_is_about(pitwall: Pitwall, tmp_path: Path) -> None:
    lines = (tmp_path / "output.txt").read_text()

    for site in TOKENS:
        assert f"INFO [{site}] app.sites.keeper: Site {site} is open." in lines


def test_both_sites_are_there_after_a_kill(pitwall: Pitwall) -> None:
    for site in TOKENS:
        assert hook(pitwall.port, site, TOKENS[site], f"call_in?callid=of-{site}&did=900") == 200

    pitwall.kill()
    pitwall.start()

    for site in TOKENS:
        calls = floor(pitwall.port, site)["calls"]
        assert [call["callid"] for call in calls] == [f"of-{site}"]


def started(folder: Path, port: int, **environ: str) -> subprocess.CompletedProcess[str]:
    settings = {**two_sites(folder, port), **environ, "PORT": str(port)}
    kept = {name: value for name, value in settings.items() if value}
    return subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={"PITWALL_LOG": f"sqlite:{folder / 'pitwall.db'}", **kept},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_start_with_a_wrong_file_is_refused_in_words(tmp_path: Path, free_port: int) -> None:
    two_sites(tmp_path, free_port)
    file = tmp_path / "sites" / "acme.env"
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "acme.env").write_text(file.read_text() + "PITWALL_LOG=memory:\n")

    ended = started(tmp_path, free_port, PITWALL_SITES=str(wrong))

    assert ended.returncode != 0
    assert f"{wrong / 'acme.env'}, line 6: PITWALL_LOG belongs to the installation" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_secrets_of_all_sites_are_kept_out_of_the_log(tmp_path: Path) -> None:
    program = (
        "import logging, sys\n"
        "from app.server import Run, greet\n"
        "from app.settings import Settings\n"
        "one, two = (Settings.from_env({'PITWALL_PBX_KEY': key}) for key in sys.argv[1:])\n"
        "run = Run(one, greet)\n"
        "run._redact([one])\n"
        "run._redact([one, two])\n"
        "logging.error('%s and %s', *sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", program, "canary-of-one", "canary-of-two"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)

    assert "*** and ***" in ended.stderr
    assert "canary" not in ended.stderr
