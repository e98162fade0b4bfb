"""Puts the parts of one site together from its settings, and takes them apart again.

The order is that of need: what is stored, who may come in, the floor, what is done to it. What of
the last only one of several nodes may do is in `app.hands`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.access import Access
from app.access.oidc import Client
from app.actions import Actions, Policy, open_actions
from app.actions.dial_rules import DialRules
from app.alerting import Channels, Notifier, open_notifier
from app.clock import ContinuedClock
from app.database import MEMORY, Database
from app.database_turn import Turn
from app.domain.caps import Caps
from app.domain.days import BusinessDay
from app.domain.limits import Targets
from app.ground import Ground
from app.hands import Loops, hands_of
from app.history.follower import History
from app.keeping.holding import holding
from app.keeping.soundness import ensure_sound
from app.keeping.upkeep import Upkeep
from app.log import EventLog
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
from app.tables import Tables
from app.web.assets import BUILD
from app.web.origin import is_readable_on_the_way
from app.web.parts import Parts
from app.webhook_journal import WebhookJournal
from app.webhook_tokens import WebhookTokens


@dataclass(frozen=True, slots=True)
class Plan:
    """What everything of one site is made from; `stack` closes it, the last first."""

    ground: Ground
    settings: Settings
    clock: ContinuedClock
    unparsable: PeerCounts | None
    stack: AsyncExitStack


@dataclass(frozen=True, slots=True)
class Store:
    """What is on disk."""

    database: Database
    tables: Tables
    log: EventLog
    upkeep: Upkeep


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who may come in, and what was sent away."""

    journal: WebhookJournal
    tokens: WebhookTokens
    access: Access
    channels: Channels


@dataclass(frozen=True, slots=True)
class Stage:
    """The floor as it is and as it was."""

    renderer: Renderer
    projector: Projector
    history: History
    rewind: Rewind


@dataclass(frozen=True, slots=True)
class Deeds:
    """What is done to the floor and told of it."""

    pbx: Pbx
    reconciler: Reconciler
    actions: Actions
    notifier: Notifier
    loops: Loops


@dataclass(frozen=True, slots=True)
class Assembled:
    """A site that is open: its parts, and its loops by name, to be run for as long."""

    parts: Parts
    loops: Loops


@asynccontextmanager
async def assembled(
    ground: Ground,
    settings: Settings,
    clock: Callable[[], int],
    unparsable: PeerCounts | None = None,
) -> AsyncIterator[Assembled]:
    """Open everything in order, and let go of it in the opposite order."""
    async with AsyncExitStack() as stack:
        plan = Plan(ground, settings, ContinuedClock(clock), unparsable, stack)
        store = await _open_store(plan)
        entrance = await _open_entrance(plan, store)
        stage = await _open_stage(plan, store)
        deeds = await _open_deeds(plan, store, entrance, stage)
        parts = _together(plan, store, entrance, stage, deeds)
        yield Assembled(parts, {**_loops_of_the_board(parts), **deeds.loops})


async def _open_store(plan: Plan) -> Store:
    settings, clock, stack = plan.settings, plan.clock, plan.stack
    path = settings.database
    stack.enter_context(holding(path))
    found = "" if path == MEMORY else await _made_sound(Path(path), clock())
    database = await Database.open(path)
    stack.push_async_callback(database.close)
    log = await plan.ground.log(settings, database, clock, stack)
    tables = await plan.ground.tables(settings, database, stack)
    upkeep = await Upkeep.open(database, path, settings.timezone, clock, found)
    return Store(database, tables, log, upkeep)


async def _made_sound(file: Path, now: int) -> str:
    """Nobody else writes it meanwhile: it may be put in another's place."""
    with closing(Turn(file)) as turn:
        async with turn.taken():
            return await asyncio.to_thread(ensure_sound, str(file), now)


async def _open_entrance(plan: Plan, store: Store) -> Entrance:
    settings, tables, clock = plan.settings, store.tables, plan.clock
    journal = await WebhookJournal.open(store.database, clock, plan.unparsable)
    plan.stack.push_async_callback(journal.close)
    tokens = await WebhookTokens.open(tables, clock, settings.webhook_token)
    access = await Access.open(
        tables, clock, api_token=settings.api_token or "", oidc=oidc_client(settings)
    )
    return Entrance(journal, tokens, access, await Channels.open(tables, clock))


async def _open_stage(plan: Plan, store: Store) -> Stage:
    settings, log = plan.settings, store.log
    renderer = Renderer(
        settings.timezone,
        BUILD,
        targets=Targets(**dict(settings.targets)),
        unencrypted=is_readable_on_the_way(settings.public_url),
    )
    days = BusinessDay(settings.timezone, settings.day_start)
    caps = Caps.for_agents(settings.most_agents)
    ownership = plan.ground.ownership(settings.site) if plan.ground.node else None
    projector = Projector(log, days, renderer, plan.clock, caps, ownership)
    await projector.start()
    store.upkeep.clock_behind_ms = plan.clock.go_on_from(projector.floor.state.at)
    plan.stack.push_async_callback(projector.keep_snapshot)
    history = await History.open(store.database, log, days, caps)
    return Stage(renderer, projector, history, Rewind(store.database, log, days, caps))


async def _open_deeds(plan: Plan, store: Store, entrance: Entrance, stage: Stage) -> Deeds:
    settings, clock, projector = plan.settings, plan.clock, stage.projector
    pbx = open_pbx(settings, clock)
    plan.stack.push_async_callback(pbx.close)
    hands = hands_of(plan.ground, settings.site, store.log, projector, pbx, clock, plan.stack)
    reconciler = Reconciler(pbx, hands.log, lambda: projector.floor.state, clock, settings.timezone)
    actions = open_actions(
        hands.pbx,
        entrance.access.audit,
        store.log,
        projector,
        clock,
        time.monotonic,
        reconciler.doubt,
    ).governed(policy_of(settings))
    plan.stack.push_async_callback(actions.close)
    notifier = open_notifier(
        entrance.channels, hands.log, projector, stage.renderer, settings.language
    )
    plan.stack.push_async_callback(notifier.close)
    loops = await hands.loops(reconciler, actions.desk, notifier, plan.stack)
    return Deeds(pbx, reconciler, actions, notifier, loops)


def _loops_of_the_board(parts: Parts) -> Loops:
    keep = partial(parts.upkeep.run, parts.access.audit, parts.settings.keep, parts.journal)
    return {
        "projector": parts.projector.run,
        "ticks": parts.projector.tick,
        "journal": parts.journal.run,
        "history": parts.history.run,
        "access": parts.access.keep,
        "upkeep": keep,
    }


def _together(plan: Plan, store: Store, entrance: Entrance, stage: Stage, deeds: Deeds) -> Parts:
    return Parts(
        settings=plan.settings,
        log=store.log,
        database=store.database,
        tables=store.tables,
        projector=stage.projector,
        renderer=stage.renderer,
        journal=entrance.journal,
        tokens=entrance.tokens,
        access=entrance.access,
        pbx=deeds.pbx,
        reconciler=deeds.reconciler,
        actions=deeds.actions,
        channels=entrance.channels,
        notifier=deeds.notifier,
        history=stage.history,
        upkeep=store.upkeep,
        rewind=stage.rewind,
        clock=plan.clock,
    )


def policy_of(settings: Settings) -> Policy:
    """The centre's own reasons to choose from, and what may be dialled, where it has set any."""
    usual = Policy()
    return replace(
        usual,
        listen_reasons=settings.listen_reasons or usual.listen_reasons,
        pause_reasons=settings.pause_reasons or usual.pause_reasons,
        dial=DialRules(allowed=settings.dial_allow),
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
