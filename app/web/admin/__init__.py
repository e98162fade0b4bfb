"""The administrators' pages: agents, queues, webhooks, tokens, the PBX, and what needs a look."""

from starlette.routing import BaseRoute

from app.web.admin import (
    agents,
    alarms,
    availability,
    channels,
    drift,
    overview,
    pbx,
    queues,
    tokens,
    webhooks,
)

ROUTES: list[BaseRoute] = [
    *overview.ROUTES,
    *agents.ROUTES,
    *queues.ROUTES,
    *alarms.ROUTES,
    *channels.ROUTES,
    *webhooks.ROUTES,
    *tokens.ROUTES,
    *pbx.ROUTES,
    *drift.ROUTES,
    *availability.ROUTES,
]
