"""Pages of the past: the worklist, days, calls, agents, looking back; and their tables as files."""

from starlette.routing import BaseRoute

from app.web.history import abandons, agents, calls, day, export, rewind

ROUTES: list[BaseRoute] = [
    *abandons.ROUTES,
    *day.ROUTES,
    *calls.ROUTES,
    *agents.ROUTES,
    *rewind.ROUTES,
    *export.ROUTES,
]
