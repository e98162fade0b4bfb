"""The first page of administration: what needs attention, and where everything is."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.web.admin.attention import concerns
from app.web.admin.page import shown
from app.web.admin.pbx import host_of
from app.web.guard import access_of, require_admin
from app.web.parts import parts_of


async def overview_page(request: Request) -> Response:
    await require_admin(request)
    parts, access = parts_of(request), access_of(request)
    state = parts.floor.state
    return shown(
        request,
        "admin_overview.html",
        concerns=concerns(parts),
        agents=len(state.agents),
        unnamed=sum(not agent.name for agent in state.agents.values()),
        queues=sum(bool(queue) for queue in state.queues),
        users=len(access.accounts.all()),
        walls=len(access.walls.all()),
        tokens=len(access.tokens.all()),
        webhooks=state.webhooks,
        pbx=host_of(parts.settings.pbx_url),
        reconciled=state.reconciled,
        now=parts.clock(),
    )


ROUTES: list[BaseRoute] = [Route("/admin", overview_page, methods=["GET"])]
