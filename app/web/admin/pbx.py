"""The page of the PBX: how it is connected, a test in words, and answers nobody understood."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.audit import Deed
from app.pbx import Finding, PbxError
from app.rights import Principal
from app.sentences import Sentence, wording
from app.web.admin.page import act, shown
from app.web.forms import Form, FormProblem
from app.web.guard import deny, note, require_admin
from app.web.parts import parts_of

FIXED = Sentence(
    "The PBX’s addresses and key are not set here, so that nobody with a stolen session can send "
    "the key elsewhere: set PITWALL_PBX_URL and PITWALL_PBX_KEY_FILE and start Pitwall again."
)


async def pbx_page(request: Request) -> Response:
    await require_admin(request)
    return _shown(request)


def _shown(request: Request, status: int = 200, **said: object) -> Response:
    parts = parts_of(request)
    settings = parts.settings
    return shown(
        request,
        "admin_pbx.html",
        status,
        host=host_of(settings.pbx_url),
        data_host=host_of(settings.pbx_data_url),
        plain=[url for url in (settings.pbx_url, settings.pbx_data_url) if _is_plain(url)],
        domain=settings.pbx_domain,
        has_key=bool(settings.pbx_key),
        unreadable=list(reversed(parts.pbx.unreadable)),
        reconciled=parts.floor.state.reconciled,
        **{"findings": [], **said},
    )


def host_of(url: str | None) -> str:
    """Scheme and host alone: a path may hold something secret."""
    if not url:
        return ""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"


def _is_plain(url: str | None) -> bool:
    """The key would travel unencrypted, and not only within this machine."""
    address = urlsplit(url or "")
    local = address.hostname in {"localhost", "127.0.0.1", "::1"}
    return address.scheme == "http" and not local


async def change_pbx(request: Request) -> Response:
    """Try the connection; whatever else is wanted can't be done from a page."""
    try:
        return await act(request, {"test": test})
    except FormProblem:
        admin = await require_admin(request)
        await deny(request, admin, Deed("change PBX connection"), "set by the environment only")
        return _shown(request, 422, problem=FIXED)


async def test(request: Request, admin: Principal, form: Form) -> Response:
    """Ask what can be asked without ringing anybody."""
    findings = await findings_of(request)
    works = sum(finding.ok for finding in findings)
    reason = f"{works} of {len(findings)} work"
    await note(request, admin, Deed("test PBX connection", reason=reason))
    return _shown(request, findings=findings)


async def findings_of(request: Request) -> list[Finding]:
    try:
        return list(await parts_of(request).pbx.test_connection())
    except PbxError as error:
        return [Finding("reach", False, wording(error))]


ROUTES: list[BaseRoute] = [
    Route("/admin/pbx", pbx_page, methods=["GET"]),
    Route("/admin/pbx", change_pbx, methods=["POST"]),
]
