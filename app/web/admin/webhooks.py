"""The page of the webhook address: a new one with a time of grace, and who still uses the old."""

from collections import Counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audit import Deed
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web.admin.page import AdminProblem, act, shown
from app.web.forms import Form
from app.web.guard import along, require_admin
from app.web.parts import Parts, parts_of
from app.webhook_tokens import Previous

DAY_S = 86_400
DAYS = 7
MOST_DAYS = 30
PEERS_SHOWN = 10


def working_previous(parts: Parts) -> Previous | None:
    """The token before the present one, while it still opens the hook."""
    previous = parts.tokens.previous
    return previous if previous and previous.expires_at > parts.clock() else None


async def webhooks_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: object) -> Response:
    parts = parts_of(request)
    peers = Counter(received.peer for received in parts.journal.received)
    return shown(
        request,
        "admin_webhooks.html",
        status,
        url=parts.settings.public_url,
        given=parts.tokens.is_given,
        previous=working_previous(parts),
        allowed=parts.settings.webhook_allow,
        peers=peers.most_common(PEERS_SHOWN),
        webhooks=parts.floor.state.webhooks,
        days=DAYS,
        most_days=MOST_DAYS,
        **{"address": "", **said},
    )


async def change_webhooks(request: Request) -> Response:
    """What `do` names: a new address (also without `do`), or the end of the previous one."""
    try:
        return await act(request, {"": rotate, "revoke": revoke})
    except AdminProblem as problem:
        return _shown(request, 422, problem=wording(problem))


async def rotate(request: Request, admin: Principal, form: Form) -> Response:
    """A new token. The answer is the only time that it is shown."""
    days = _days(form.one("days", str(DAYS)))
    parts = parts_of(request)
    reason = f"the previous one works for {days} days more"
    noting = along(request, admin, Deed("rotate webhook token", reason=reason))
    try:
        token = await parts.tokens.rotate(days * DAY_S, noting)
    except ValueError as error:
        raise AdminProblem(wording(error)) from None
    address = f"{parts.settings.public_url}/hook/{token}"
    return _shown(request, done="rotated", address=address)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= MOST_DAYS):
        raise AdminProblem(Sentence("The time of grace is 0 to {most} days.", most=MOST_DAYS))
    return int(text)


async def revoke(request: Request, admin: Principal, form: Form) -> Response:
    """End the previous token now, whoever still uses it."""
    parts = parts_of(request)
    if working_previous(parts) is None:
        raise AdminProblem("There is no previous address that still works.")
    noting = along(request, admin, Deed("revoke previous webhook token"))
    await parts.tokens.revoke_previous(noting)
    return _shown(request, done="revoked")


ROUTES: list[BaseRoute] = [
    Route("/admin/webhooks", webhooks_page, methods=["GET"]),
    Route("/admin/webhooks", change_webhooks, methods=["POST"]),
]
