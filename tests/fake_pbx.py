"""A PBX for tests that answers what a test tells it to, or fails in one of the ways PBXs do."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

from aiohttp import web

Fault = Callable[["FakePbx", web.Request, str], Awaitable[web.StreamResponse]]
MEGABYTE = b"x" * 1_000_000


@dataclass
class FakePbx:
    """`replies` by the last word of the path (spy, cdr …), "" for all; `got` is what was asked."""

    url: str = ""
    replies: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    fault: Fault | None = None
    got: list[tuple[str, Any]] = field(default_factory=list)
    sent_bytes: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else request.raw_path
        self.got.append((call_of(request.path), body))
        if self.fault is not None:
            return await self.fault(self, request, key_in(request, body))
        return self.reply(call_of(request.path))

    def reply(self, call: str) -> web.Response:
        reply = self.replies.get(call, self.replies.get("", {"result": "success"}))
        text = reply if isinstance(reply, str) else json.dumps(reply)
        return web.Response(text=text, status=self.status)


def call_of(path: str) -> str:
    """The short name of what is asked, as the client's diagnostics have it."""
    if "/CallControl/dial/" in path:
        return "dial"
    return path.removesuffix("/format/json").rpartition("/")[2]


def key_in(request: web.Request, body: Any) -> str:
    return str(body["key"]) if isinstance(body, dict) else request.path.split("/key/")[1]


async def slow(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    await asyncio.sleep(10)
    return web.Response(text=key)


async def drip(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


async def reset(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    assert request.transport is not None
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response()


async def hang_up(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def break_off(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(key.encode())
    assert request.transport is not None
    request.transport.close()
    return response


async def server_error(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return web.Response(status=500, text=f"Fatal error: no such key {key} at {request.url}")


async def not_allowed(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return web.json_response({"error": f"Invalid API key {key}"}, status=403)


async def error_with_200(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return web.json_response({"success": False, "message": f"bad key {key}"})


async def page(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    text = f"<html><a href='{request.raw_path}?key={key}'>Sign in</a></html>"
    return web.Response(text=text, content_type="text/html")


async def huge(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100000000"})
    await response.prepare(request)
    for _ in range(100):
        await response.write(MEGABYTE)
        pbx.sent_bytes += len(MEGABYTE)
    return response


async def bad_json(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return web.Response(text=f'{{"result": "{key}", ', content_type="application/json")


async def deep_json(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return web.Response(text="[" * 100_000 + json.dumps(key) + "]" * 100_000)


async def nested_wrappers(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    return web.Response(text='{"data":' * 500 + json.dumps(key) + "}" * 500)


async def not_http(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(f"SIP/2.0 200 {key}\r\n\r\n".encode())
    request.transport.close()
    return web.Response()


FAULTS: dict[str, Fault] = {
    each.__name__: each
    for each in (
        slow,
        drip,
        reset,
        hang_up,
        break_off,
        server_error,
        not_allowed,
        error_with_200,
        page,
        huge,
        bad_json,
        deep_json,
        nested_wrappers,
        not_http,
    )
}


def redirect_to(address: str) -> Fault:
    async def redirect(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{address}/{key}"})

    return redirect


def flapping(every: int) -> Fault:
    """Works once in `every` requests."""

    async def flap(pbx: FakePbx, request: web.Request, key: str) -> web.StreamResponse:
        works = len(pbx.got) % every == 0
        return pbx.reply(call_of(request.path)) if works else await reset(pbx, request, key)

    return flap


@asynccontextmanager
async def running_pbx(**known: Any) -> AsyncIterator[FakePbx]:
    pbx = FakePbx(**known)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pbx.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    pbx.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield pbx
    finally:
        await runner.cleanup()
