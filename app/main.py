"""The composition root: settings → parts → application. The only module that knows all others."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from app import service_manager
from app.access import Access
from app.access.oidc import Client
from app.actions import Policy, open_actions
from app.actions.aftermath import Aftermath
from app.alerting import Channels, open_notifier, set_first_rules
from app.clock import wall_ms
from app.database import Database, DatabaseTooNew, DatabaseUnavailable
from app.domain.caps import Caps
from app.domain.days import BusinessDay
from app.domain.limits import Targets
from app.history.follower import History
from app.keeping import KeepingError
from app.keeping.holding import holding
from app.keeping.soundness import ensure_sound
from app.keeping.upkeep import Upkeep
from app.log import LogUnavailable
from app.log.codec import EventUnreadable
from app.log.open import database_path, open_log
from app.pbx import Pbx
from app.pbx.secret import Secret
from app.pbx.unconfigured import UnconfiguredPbx
from app.pbx.voicecloud_api import Account, VoiceCloud
from app.peers import PeerCounts
from app.projector import Projector
from app.reconciler import Reconciler
from app.render import Renderer
from app.rewind import Rewind
from app.settings import Settings
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
from app.web.headers import SecurityHeaders
from app.web.pages import EXCEPTION_HANDLERS
from app.web.parts import Parts
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens

logger = logging.getLogger(__name__)

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


REFUSALS = (DatabaseUnavailable, DatabaseTooNew, KeepingError, LogUnavailable, EventUnreadable)


def wall_clock() -> int:
    """Milliseconds since the epoch, UTC."""
    return wall_ms()


@asynccontextmanager
async def running_parts(
    settings: Settings,
    clock: Callable[[], int] = wall_clock,
    unparsable: PeerCounts | None = None,
) -> AsyncIterator[Parts]:
    """Open everything in order, and let go of it in the opposite order."""
    async with AsyncExitStack() as stack:
        path = database_path(settings.log)
        stack.enter_context(holding(path))
        found = await asyncio.to_thread(ensure_sound, path, clock())
        database = await Database.open(path)
        stack.push_async_callback(database.close)
        log = await open_log(settings.log, database, clock)
        stack.push_async_callback(log.close)
        upkeep = await Upkeep.open(database, path, settings.timezone, clock, found)
        journal = await WebhookJournal.open(database, clock, unparsable)
        stack.push_async_callback(journal.close)
        tokens = await WebhookTokens.open(database, clock, settings.webhook_token)
        targets = Targets(**dict(settings.targets))
        renderer = Renderer(settings.timezone, assets.BUILD, targets=targets)
        days = BusinessDay(settings.timezone, settings.day_start)
        caps = Caps.for_agents(settings.most_agents)
        projector = Projector(log, days, renderer, clock, caps)
        await projector.start()
        stack.push_async_callback(projector.save_snapshot)
        history = await History.open(database, log, days, caps)
        access = await Access.open(
            database, clock, api_token=settings.api_token or "", oidc=oidc_client(settings)
        )
        pbx = open_pbx(settings, clock)
        stack.push_async_callback(pbx.close)
        reconciler = Reconciler(pbx, log, lambda: projector.floor.state, clock, settings.timezone)
        actions = open_actions(
            pbx, access.audit, log, projector, clock, time.monotonic, reconciler.doubt
        ).governed(policy_of(settings))
        stack.push_async_callback(actions.close)
        channels = await Channels.open(database, clock)
        notifier = open_notifier(channels, log, projector, renderer, settings.language)
        stack.push_async_callback(notifier.close)
        await set_first_rules(log, projector)
        yield Parts(
            settings=settings,
            log=log,
            database=database,
            projector=projector,
            renderer=renderer,
            journal=journal,
            tokens=tokens,
            access=access,
            pbx=pbx,
            reconciler=reconciler,
            actions=actions,
            channels=channels,
            notifier=notifier,
            history=history,
            upkeep=upkeep,
            rewind=Rewind(database, log, days, caps),
            clock=clock,
        )


def policy_of(settings: Settings) -> Policy:
    """The centre's own reasons to choose from, where it has set any."""
    usual = Policy()
    return replace(
        usual,
        listen_reasons=settings.listen_reasons or usual.listen_reasons,
        pause_reasons=settings.pause_reasons or usual.pause_reasons,
    )


def open_pbx(settings: Settings, clock: Callable[[], int]) -> Pbx:
    """The PBX of the settings; one that says what is missing where they name none."""
    if not (settings.pbx_url and settings.pbx_key):
        return UnconfiguredPbx()
    data_url = settings.pbx_data_url or settings.pbx_url
    key = Secret(settings.pbx_key)
    vendor = Account(settings.pbx_url, data_url, settings.pbx_domain, key)
    return VoiceCloud(vendor, zone=settings.timezone, now=clock)


def oidc_client(settings: Settings) -> Client | None:
    """How the sign-in provider knows us, if there is one."""
    if settings.oidc_issuer is None:
        return None
    back = f"{settings.public_url}/login/oidc/callback"
    secret = settings.oidc_client_secret
    return Client(settings.oidc_issuer, settings.oidc_client_id, back, secret)


def create_app(
    settings: Settings,
    clock: Callable[[], int] = wall_clock,
    *,
    on_start: Callable[[Parts], Awaitable[None]] | None = None,
    on_death: Callable[[], None] = lambda: None,
    on_refusal: Callable[[str], None] = lambda sentence: None,
    unparsable: PeerCounts | None = None,
) -> Starlette:
    """The application. `on_death` is called when a task that must run for ever has ended.

    `on_refusal` hears in a sentence why the database can't be used, before the start fails.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Parts]]:
        async with AsyncExitStack() as stack:
            try:
                parts = await stack.enter_async_context(running_parts(settings, clock, unparsable))
            except REFUSALS as error:
                on_refusal(str(error))
                raise
            projector = parts.projector
            loops = {
                "projector": projector.run(),
                "ticks": projector.tick(),
                "journal": parts.journal.run(),
                "history": parts.history.run(),
                "access": parts.access.keep(),
                "reconciler": parts.reconciler.run(),
                "aftermath": Aftermath(parts.actions.desk).run(),
                "notifier": parts.notifier.run(),
                "upkeep": parts.upkeep.run(parts.access.audit, settings.keep, parts.journal),
                "watchdog": service_manager.keep_alive(),
            }
            tasks = [_watched(name, loop, on_death) for name, loop in loops.items()]
            if on_start is not None:
                await on_start(parts)
            try:
                yield {"parts": parts}
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    return hooks.WebhooksFirst(
        routes=ROUTES,
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders), Middleware(CrossSiteGuard)],
        exception_handlers=EXCEPTION_HANDLERS,
    )


def _watched(
    name: str, loop: Coroutine[Any, Any, None], on_death: Callable[[], None]
) -> asyncio.Task[None]:
    """A task whose end is the end of the process: a frozen board must not answer as if it lived."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            logger.critical("The %s ended, so Pitwall stops.", name, exc_info=task.exception())
            on_death()

    task = asyncio.create_task(loop, name=name)
    task.add_done_callback(ended)
    return task
