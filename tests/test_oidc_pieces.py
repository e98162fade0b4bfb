"""A sign-in provider whose answers come in pieces, as they do over a real network."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from app.access.oidc import LARGEST, Client, Oidc, OidcProblem
from app.rights import Role
from tests.site import PUBLIC, opened

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(find_spec("joserfc") is None, reason="joserfc is not installed"),
]


class SlowProvider:
    """Sends each answer in two halves; `padding` bytes of spaces make its keys longer."""

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        self._key = RSAKey.generate_key(2048, {"kid": "real"})
        self.url = ""
        self.nonce = ""
        self.padding = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = json.dumps(self._said(request.path)).encode()
        if request.path == "/keys":
            body += b" " * self.padding
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        await asyncio.sleep(0.05)
        with suppress(ConnectionResetError):  # who has read enough goes away
            await response.write(body[len(body) // 2 :])
        return response

    def _said(self, path: str) -> dict[str, Any]:
        if path == "/keys":
            return {"keys": [self._key.as_dict(private=False)]}
        if path == "/token":
            return {"id_token": self._token()}
        names = {"authorization_endpoint": "go", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.url} | {key: f"{self.url}/{path}" for key, path in names.items()}

    def _token(self) -> str:
        from joserfc import jwt

        now = int(time.time())
        claims = {"iss": self.url, "aud": "pitwall", "sub": "s-1", "nonce": self.nonce}
        person = {"email": "ann@example.test", "email_verified": True}
        header = {"alg": "RS256", "kid": "real"}
        return jwt.encode(header, {**claims, **person, "iat": now, "exp": now + 60}, self._key)


@asynccontextmanager
async def running() -> AsyncIterator[SlowProvider]:
    provider = SlowProvider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", provider.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield provider
    finally:
        await runner.cleanup()


def oidc_of(provider: SlowProvider) -> Oidc:
    client = Client(provider.url, "pitwall", f"{PUBLIC}/login/oidc/callback")
    return Oidc(client, lambda: time.time_ns() // 1_000_000)


async def test_answers_that_come_in_halves_sign_a_person_in(tmp_path):
    async with running() as provider, opened(str(tmp_path / "test.db")) as site:
        site.use_provider(oidc_of(provider))
        await site.access.accounts.create_user("ann@example.test", Role.VIEWER, name="Ann")
        visitor = site.visitor()
        away = await visitor.get("/login/oidc")
        assert away.status_code == 303, away.text
        asked = parse_qs(urlsplit(away.headers["location"]).query)
        provider.nonce = asked["nonce"][0]
        back = await visitor.get(f"/login/oidc/callback?code=x&state={asked['state'][0]}")

        assert (back.status_code, back.headers.get("location")) == (303, "/")
        assert (await visitor.get("/")).text == "the board of Ann"


async def test_an_answer_that_is_too_long_is_not_read_to_its_end():
    async with running() as provider:
        oidc = oidc_of(provider)
        address, state = await oidc.begin("/")
        provider.nonce = parse_qs(urlsplit(address).query)["nonce"][0]
        provider.padding = LARGEST

        with pytest.raises(OidcProblem, match="can't be read"):
            await oidc.finish(state, "x")
