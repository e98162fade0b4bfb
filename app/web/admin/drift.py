"""The page of drift: when floor and PBX last agreed, and what had to be put right."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.web.admin.page import shown
from app.web.guard import require_admin
from app.web.parts import parts_of

REPAIRS_SHOWN = 200


async def drift_page(request: Request) -> Response:
    await require_admin(request)
    parts = parts_of(request)
    state = parts.floor.state
    doubted = [card for card in parts.floor.agent_cards() if card.in_doubt]
    return shown(
        request,
        "admin_drift.html",
        reconciled=state.reconciled,
        repairs=list(reversed(state.repairs))[:REPAIRS_SHOWN],
        conflicts=list(reversed(state.conflicts)),
        doubted=doubted,
        names={extension: agent.name for extension, agent in state.agents.items()},
        now=parts.clock(),
    )


ROUTES: list[BaseRoute] = [Route("/admin/drift", drift_page, methods=["GET"])]
