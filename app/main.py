"""The application: the routes of every site, and the one site of a plain installation.

With `app.server` above it, it is all that knows both the web and what it stands on.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import Lifespan

from app import service_manager
from app.clock import wall_ms
from app.ground import Ground, opened_ground
from app.peers import PeerCounts
from app.render import Renderer
from app.settings import Settings, SettingsError
from app.site import REFUSALS, running_site
from app.sites import Sites
from app.sites.by_host import ByHost
from app.sites.keeper import Keeper
from app.web import (
    account,
    admin,
    agent_events,
    alarms,
    api,
    assets,
    audit_pages,
    auth,
    board,
    commands,
    diagnostics,
    health,
    history,
    history_api,
    hooks,
    oidc,
    users,
    wall,
    walls,
)
from app.web.csrf import CrossSiteGuard
from app.web.encryption import EncryptedOnly
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS
from app.web.parts import Parts

ROUTES = [
    *hooks.ROUTES,
    *board.ROUTES,
    *agent_events.ROUTES,
    *alarms.ROUTES,
    *commands.ROUTES,
    *auth.ROUTES,
    *oidc.ROUTES,
    *account.ROUTES,
    *users.ROUTES,
    *wall.ROUTES,
    *walls.ROUTES,
    *audit_pages.ROUTES,
    *admin.ROUTES,
    *diagnostics.ROUTES,
    *api.ROUTES,
    *history.ROUTES,
    *history_api.ROUTES,
    *health.ROUTES,
    *assets.ROUTES,
]

# A start that reads many databases at a time is not a faster one.
OPENED_AT_ONCE = 4


def wall_clock() -> int:
    """Milliseconds since the epoch, UTC."""
    return wall_ms()


def create_app(
    settings: Settings,
    clock: Callable[[], int] = wall_clock,
    *,
    on_start: Callable[[Parts], Awaitable[None]] | None = None,
    on_death: Callable[[], None] = lambda: None,
    on_refusal: Callable[[str], None] = lambda sentence: None,
    unparsable: PeerCounts | None = None,
) -> Starlette:
    """The application of one site. `on_death` is called when a loop of it has ended.

    `on_refusal` hears in a sentence why the database can't be used, before the start fails.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Parts]]:
        async with AsyncExitStack() as stack:
            try:
                ground = await stack.enter_async_context(opened_ground(settings, clock, on_death))
                site = running_site(ground, settings, clock, lambda loop: on_death(), unparsable)
                parts = await stack.enter_async_context(site)
            except REFUSALS as error:
                on_refusal(str(error))
                raise
            await stack.enter_async_context(watched_by_the_service_manager())
            if on_start is not None:
                await on_start(parts)
            yield {"parts": parts}

    return board_app(lifespan)


def create_sites_app(
    installation: Settings,
    clock: Callable[[], int] = wall_clock,
    *,
    on_open: Callable[[Parts], Awaitable[None]] | None = None,
    on_start: Callable[[Sites], None] = lambda sites: None,
    on_read: Callable[[Iterable[Settings]], None] = lambda settings: None,
    on_death: Callable[[], None] = lambda: None,
    on_refusal: Callable[[str], None] = lambda sentence: None,
) -> ByHost:
    """The application of the sites in `installation.sites`; each request goes to one, by its host.

    `on_open` is given the parts of each site that was opened, `on_read` the settings of all before
    they are used. `on_refusal` hears in a sentence what is wrong with the sites' files.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                ground = await stack.enter_async_context(
                    opened_ground(installation, clock, on_death)
                )
                make = keeper_maker(ground, clock, on_open)
                await stack.enter_async_context(sites.running(make))
            except (SettingsError, *REFUSALS) as error:
                on_refusal(str(error))
                raise
            await stack.enter_async_context(watched_by_the_service_manager())
            on_start(sites)
            yield

    sites = Sites(installation, on_read, on_death)
    return ByHost(board_app(lifespan), sites)


def keeper_maker(
    ground: Ground,
    clock: Callable[[], int],
    on_open: Callable[[Parts], Awaitable[None]] | None = None,
) -> Callable[[Settings], Keeper]:
    """How the sites on this ground are kept."""
    gate = asyncio.Semaphore(OPENED_AT_ONCE)

    @asynccontextmanager
    async def opening(settings: Settings, on_end: Callable[[str], None]) -> AsyncIterator[Parts]:
        async with AsyncExitStack() as stack:
            async with gate:
                site = running_site(ground, settings, clock, on_end)
                parts = await stack.enter_async_context(site)
                # Of several nodes one tells what is told only once.
                if on_open and (parts.tokens.made or ground.ownership(settings.site).is_held):
                    await on_open(parts)
            yield parts

    return lambda settings: Keeper(settings, opening, ground.ownership(settings.site))


def board_app(lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """Every page, socket and webhook; whose they are stands in the scope, as `state.parts`."""
    # Once for all sites of this process, beside the start and not while somebody waits for a board.
    threading.Thread(target=Renderer().compile_board, daemon=True).start()
    app = hooks.WebhooksFirst(
        routes=ROUTES,
        lifespan=lifespan,
        middleware=[Middleware(one) for one in (SecurityHeaders, EncryptedOnly, CrossSiteGuard)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    # It would send browsers to whatever host the request named, and by http behind a TLS proxy.
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def watched_by_the_service_manager() -> AsyncIterator[None]:
    """While the loop turns, the service manager hears of it."""
    task = asyncio.create_task(service_manager.keep_alive(), name="watchdog")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
