"""Which recordings may be played: from the PBX's own hosts, by those who may listen; each is noted.

The browser fetches them, never this server: an address in a webhook must not aim us anywhere.
"""

import re
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.history.search import CallRow, took_part
from app.masking import NUMBER
from app.rights import Right, Target, refusal
from app.web.guard import access_of, actor_of, deed_of, require
from app.web.headers import CONTENT_POLICY
from app.web.history.looking import Looker
from app.web.pages import language_of
from app.web.parts import parts_of

PORTS = {"http": 80, "https": 443}
SAFE = re.compile(r"https?://[^\s\"'<>\\;,]+", re.ASCII)


def source_of(address: str, hosts: tuple[str, ...]) -> str:
    """The origin of a recording that may be played, such as https://pbx.example; else ""."""
    if not SAFE.fullmatch(address):
        return ""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    named = host if port in (None, PORTS[parts.scheme]) else f"{host}:{port}"
    if "@" in parts.netloc or named not in hosts:
        return ""
    return f"{parts.scheme}://{named}"


def policy_for(source: str) -> str:
    """The page's policy with that one more place to play from."""
    return CONTENT_POLICY.replace("media-src 'self'", f"media-src 'self' {source}")


def why_not(looker: Looker, call: CallRow, extensions: frozenset[str]) -> str:
    """Why this person can't play the call's recording, as a word for the page; "" when they can."""
    if not call.recording:
        return "none"
    if not source_of(call.recording, looker.parts.settings.recording_hosts):
        return "elsewhere"
    if refusal(looker.person, Right.LISTEN, _target(looker, call, extensions)):
        return "forbidden"
    return "number" if looker.masked and _tells_number(call) else ""


def _tells_number(call: CallRow) -> bool:
    """A number, or its end, in the address of the recording: the page would tell it."""
    digits = re.sub(r"[^0-9]", "", call.phone)[-6:]
    return bool(NUMBER.search(call.recording)) or (len(digits) > 3 and digits in call.recording)


def _target(looker: Looker, call: CallRow, extensions: frozenset[str]) -> Target:
    agents = looker.parts.floor.state.agents
    never = any(agents[each].never_listen for each in extensions if each in agents)
    return Target(
        agent_name=looker.agent_name(call.agent),
        queues=call.queues,
        never_listen=never,
        callid=call.callid,
        direction=call.direction,
        phone=call.phone,
    )


async def play(request: Request, looker: Looker, call: CallRow) -> Response:
    """The player, once the audit has it. Raises Refused."""
    extensions = frozenset(await took_part(looker.parts.database, call))
    target = _target(looker, call, extensions)
    person = await require(request, Right.LISTEN, target, "recording")
    if why := why_not(looker, call, extensions):
        return _fragment(request, "", why)
    deed = deed_of("play recording", target)
    await access_of(request).audit.done(actor_of(request, person), deed)
    return _fragment(request, call.recording, "")


def _fragment(request: Request, address: str, why: str) -> Response:
    renderer = parts_of(request).renderer
    html = renderer.page("_recording.html", language_of(request), address=address, why=why)
    return HTMLResponse(html)
