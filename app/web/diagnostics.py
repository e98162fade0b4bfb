"""What the PBX sends and what becomes of it: for the person who connects the two."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.web.guard import require_admin
from app.web.pages import render
from app.web.parts import parts_of

ROWS = 100
ADDRESSES = 20


async def diagnostics(request: Request) -> Response:
    """The newest webhooks as they came, the ones with a problem, and who was turned away."""
    await require_admin(request)
    parts = parts_of(request)
    journal, floor = parts.journal, parts.floor
    return render(
        request,
        "diagnostics.html",
        webhooks=asdict(floor.state.webhooks),
        counters=journal.counters,
        received=list(reversed(journal.received))[:ROWS],
        rejected=list(reversed(journal.rejected))[:ROWS],
        strangers={
            "wrong token": journal.wrong_tokens.newest()[:ADDRESSES],
            "no token": journal.bare.newest()[:ADDRESSES],
            "no HTTP": journal.unparsable.newest()[:ADDRESSES],
        },
    )


ROUTES: list[BaseRoute] = [Route("/diagnostics", diagnostics, methods=["GET"])]
