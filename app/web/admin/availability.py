"""The page of availability: how much of the last thirty days the board was live, and when not."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.history.availability import DAYS, PROMISED, availability
from app.history.days import DayBook
from app.history.tracker import DOWN_MS, SILENT_MS
from app.web.admin.page import shown
from app.web.guard import require_admin
from app.web.parts import parts_of


async def availability_page(request: Request) -> Response:
    await require_admin(request)
    parts = parts_of(request)
    days = parts.history.days
    was = await availability(DayBook(parts.database, days), days, parts.clock())
    return shown(
        request,
        "admin_availability.html",
        was=was,
        days=DAYS,
        promised=PROMISED,
        down_s=DOWN_MS // 1000,
        silent_min=SILENT_MS // 60_000,
    )


ROUTES: list[BaseRoute] = [Route("/admin/availability", availability_page, methods=["GET"])]
