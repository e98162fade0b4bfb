"""Is it alive, is it fit for work, and how is it doing: for service managers and Prometheus."""

import asyncio
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.web.api import json_response, may_read, refuse
from app.web.parts import Parts, parts_of

# How far the floor may be behind the log, and how old its last tick may be.
MOST_BEHIND = 1000
OLDEST_TICK_MS = 15_000
# How full the queue for the disk may be, from 0 to 1.
FULLEST_QUEUE = 0.5


async def live(request: Request) -> Response:
    """The process turns: if this answers, its loop does."""
    return json_response({"ok": True})


async def ready(request: Request) -> Response:
    """The floor keeps up with the log, and time passes on it. Why not is for token holders."""
    parts = parts_of(request)
    reasons = why_not_ready(parts)
    answer: dict[str, object] = {"ok": not reasons}
    if may_read(request, parts):
        behind, tick_age = _behind(parts), _tick_age_ms(parts)
        answer |= {"behind": behind, "tick_age_ms": tick_age, "reasons": reasons}
    return json_response(answer, 503 if reasons else 200)


def why_not_ready(parts: Parts) -> list[str]:
    """In words; empty while all is well."""
    behind = _behind(parts)
    reasons = []
    if behind > MOST_BEHIND:
        reasons.append(f"The board is {behind} events behind the log.")
    if _tick_age_ms(parts) > OLDEST_TICK_MS:
        reasons.append("Nothing was stored for 15 s: the disk may be full or locked.")
    if parts.log.failure:
        reasons.append(f"Nothing can be saved. {parts.log.failure}")
    if parts.tables.failure:
        # Who was shut out on another node would still be let in by this one.
        reasons.append(parts.tables.failure)
    if parts.log.waiting >= FULLEST_QUEUE:
        reasons.append("Half of the queue for the disk is full.")
    return reasons


def _behind(parts: Parts) -> int:
    return parts.log.last_seq - parts.projector.applied


def _tick_age_ms(parts: Parts) -> int:
    return parts.clock() - parts.floor.state.at


class Figures(Collector):
    """Reads the running parts when scraped; nothing is counted twice."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        """One family per figure. No label holds a number, a name or an address."""
        parts, webhooks = self._parts, self._parts.floor.state.webhooks
        requests = CounterMetricFamily(
            "pitwall_webhooks", "Webhooks since the database was made.", labels=["result"]
        )
        requests.add_metric(["accepted"], webhooks.accepted)
        requests.add_metric(["flagged"], webhooks.flagged)
        for name, count in parts.journal.counters.items():
            if name != "flagged":
                requests.add_metric([name], count)
        yield requests
        yield GaugeMetricFamily(
            "pitwall_log_seq", "Newest event in the log.", value=parts.log.last_seq
        )
        yield GaugeMetricFamily(
            "pitwall_floor_seq", "Newest event on the floor.", value=parts.projector.applied
        )
        yield GaugeMetricFamily(
            "pitwall_viewers", "Open boards.", value=parts.projector.screens.viewers
        )
        yield GaugeMetricFamily(
            "pitwall_calls", "Calls remembered.", value=len(parts.floor.state.calls)
        )
        yield GaugeMetricFamily("pitwall_tasks", "Tasks under way.", value=len(asyncio.all_tasks()))
        yield self._agents()
        totals = parts.floor.totals()
        yield GaugeMetricFamily(
            "pitwall_callers_waiting", "Callers waiting in queues.", value=totals.waiting
        )
        yield GaugeMetricFamily(
            "pitwall_agents_in_doubt", "Agents in doubt.", value=totals.in_doubt
        )

    def _agents(self) -> Metric:
        family = GaugeMetricFamily("pitwall_agents", "Agents by status.", labels=["status"])
        for status, count in self._parts.floor.totals().agents.items():
            family.add_metric([str(status)], count)
        return family


async def metrics(request: Request) -> Response:
    """Prometheus text."""
    parts = parts_of(request)
    if not may_read(request, parts):
        return refuse()
    registry = CollectorRegistry()
    registry.register(Figures(parts))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


ROUTES: list[BaseRoute] = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
