"""What tests share: the asyncio backend, a free port, a real browser and its pages."""

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from app.tables import Tables
from tests.browser_setup import ARGUMENTS, MISSING, find_chromium
from tests.logs import Place
from tests.nats_servers import Servers
from tests.nodes import ALONE, AMONG_NODES, Site, opened_site, opened_tables

NO_BROWSER = pytest.StashKey[bool]()
# Files with few tests that take long. They go first, or at the end one process runs them alone.
LONG = tuple(
    f"test_{name}"
    for name in "log_ cluster chaos sites_nodes sharing owner acting_nodes hostile browser_".split()
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.name.startswith(LONG))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on; for a server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(params=[ALONE, AMONG_NODES])
async def database(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Tables]:
    """Tables of one process, and tables that it shares with other nodes."""
    async with opened_tables(request.param, str(tmp_path / "test.db")) as opened:
        yield opened


@pytest.fixture
async def pair() -> AsyncIterator[Site]:
    """Two nodes of a site that share its tables."""
    async with opened_site(nodes=2) as opened:
        yield opened


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One NATS server, for all tests that do it no harm."""
    servers = Servers.start(tmp_path_factory.mktemp("nats"), 1)
    yield servers
    servers.end()


@pytest.fixture(scope="session")
def nats_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Three of them, for all tests that leave them running."""
    servers = Servers.start(tmp_path_factory.mktemp("nats"), 3)
    yield servers
    servers.end()


@pytest.fixture
async def single(nats_server: Servers) -> AsyncIterator[Place]:
    """A log that nobody has used yet, on one NATS server."""
    place = Place(nats_server.new_url())
    yield place
    await place.close()


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium, for modules of browser tests only: no test beside it may be a coroutine.

    Playwright's plain interface keeps an event loop running in this thread until the module ends.
    """
    chromium = find_chromium()
    if chromium is None:
        request.config.stash[NO_BROWSER] = True
        pytest.skip("no browser")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages wrote to their consoles as errors. A test that provokes some clears them."""
    return []


@pytest.fixture
def context(browser: Browser, complaints: list[str]) -> Iterator[BrowserContext]:
    """A visitor with no cookies; every page they open reports to `complaints`."""
    visitor = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    visitor.set_default_timeout(10_000)
    visitor.on("console", lambda message: note_error(message, complaints))
    visitor.on(
        "weberror", lambda failure: complaints.append(failure.error.stack or str(failure.error))
    )
    yield visitor
    visitor.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """One page of a new visitor. Script errors and refused content (CSP) fail the test."""
    return context.new_page()


def note_error(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type == "error":
        complaints.append(message.text)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash.get(NO_BROWSER, False):
        terminalreporter.section("no browser", red=True, bold=True)
        terminalreporter.line(MISSING, red=True)
