"""Signing in by OpenID Connect, against a provider program run here and against hostile answers."""

import json
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import httpx2
import pytest

from app.access.oidc import Client, Oidc, OidcProblem
from app.rights import Role
from app.web.oidc import NOBODY
from tests.site import PUBLIC, opened

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(find_spec("joserfc") is None, reason="joserfc is not installed"),
]

PERSON = {"sub": "s-1", "email": "Ann@example.test", "email_verified": True}
OTHER = {"sub": "s-2", "email": "bob@example.test", "email_verified": False}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider of its own process; its address."""
    if find_spec("oidc_provider_mock") is None:
        pytest.skip("oidc-provider-mock is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    users = [text for each in (PERSON, OTHER) for text in ("--user-claims", json.dumps(each))]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "-p",
        str(port),
        "-n",
        "true",
    ]
    running = subprocess.Popen(
        [*command, *users], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    wait_for(address)
    yield address
    running.terminate()
    running.wait(10)


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urlopen(f"{address}/.well-known/openid-configuration", timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def client(issuer: str) -> Client:
    return Client(issuer, "pitwall", f"{PUBLIC}/login/oidc/callback", "a secret")


@pytest.fixture
async def site(tmp_path):
    async with opened(str(tmp_path / "test.db")) as made:
        # The provider's tokens carry real time.
        made.now = int(time.time() * 1000)
        yield made


def use(site, issuer: str) -> None:
    site.use_provider(Oidc(client(issuer), lambda: site.now))


async def approved(away: httpx2.Response, subject: str) -> str:
    """What the provider sends the browser to after this person has signed in there."""
    async with httpx2.AsyncClient() as browser:
        answer = await browser.post(away.headers["location"], data={"sub": subject})
    return str(answer.headers["location"])


async def test_a_person_with_a_verified_address_is_signed_in(site, provider):
    use(site, provider)
    await site.access.accounts.create_user("ann@example.test", Role.SUPERVISOR, name="Ann")
    visitor = site.visitor()
    assert 'href="/login/oidc?next=/"' in (await visitor.get("/login")).text
    back = await approved(await visitor.get("/login/oidc?next=/admin/audit"), "s-1")
    answer = await visitor.get(back)

    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/audit")
    assert (await visitor.get("/")).text == "the board of Ann"
    assert (await site.audited())[0].action == "sign in by provider"


async def test_the_same_person_is_known_again_by_identity_not_by_address(site, provider):
    use(site, provider)
    ann = await site.access.accounts.create_user("ann@example.test", Role.VIEWER)
    for _ in range(2):
        visitor = site.visitor()
        await visitor.get(await approved(await visitor.get("/login/oidc"), "s-1"))
    identities = site.access.identities

    assert await identities.account_of(provider, "s-1", "") == ann
    assert await identities.account_of("https://other.example", "s-1", "") is None


@pytest.mark.parametrize("subject", ["s-1", "s-2"])
async def test_nobody_without_an_account_and_a_verified_address_gets_in(site, provider, subject):
    use(site, provider)
    await site.access.accounts.create_user("bob@example.test", Role.ADMIN)
    visitor = site.visitor()
    answer = await visitor.get(await approved(await visitor.get("/login/oidc"), subject))

    assert (answer.status_code, NOBODY in answer.text) == (403, True)
    assert "__Host-sid" not in visitor.cookies
    assert (await site.audited())[0].kind == "denied"


async def test_a_disabled_user_does_not_get_in_by_the_provider_either(site, provider):
    use(site, provider)
    ann = await site.access.accounts.create_user("ann@example.test", Role.VIEWER)
    await site.access.accounts.disable(ann.user_id)
    visitor = site.visitor()
    answer = await visitor.get(await approved(await visitor.get("/login/oidc"), "s-1"))

    assert answer.status_code == 403


async def test_an_answer_works_once_and_in_the_browser_that_asked(site, provider):
    use(site, provider)
    await site.access.accounts.create_user("ann@example.test", Role.VIEWER)
    visitor, other = site.visitor(), site.visitor()
    away = await visitor.get("/login/oidc")
    back = await approved(away, "s-1")
    await other.get("/login/oidc")

    assert (await other.get(back)).status_code == 403
    assert (await visitor.get(back)).status_code == 303
    assert (await visitor.get(back)).status_code == 403
    state = parse_qs(urlsplit(back).query)["state"][0]
    with pytest.raises(OidcProblem):
        await site.access.oidc.finish(state, "x")


async def test_an_answer_for_another_program_or_time_is_refused(site, provider):
    for change in ("client", "nonce", "time"):
        provider_of = Oidc(client(provider), lambda: site.now)
        address, state = await provider_of.begin("/")
        code = await code_for(address)
        if change == "client":
            provider_of.client = Client(provider, "another", client(provider).redirect_uri, "x")
        if change == "nonce":
            attempt = provider_of._attempts[state]
            provider_of._attempts[state] = type(attempt)("x", attempt.verifier, "/", attempt.until)
        if change == "time":
            provider_of._attempts[state] = type(attempt)(
                parse_qs(urlsplit(address).query)["nonce"][0], "v", "/", site.now + 10**9
            )
            site.now += 2 * 3600 * 1000
        with pytest.raises(OidcProblem):
            await provider_of.finish(state, code)


async def code_for(address: str) -> str:
    async with httpx2.AsyncClient() as browser:
        answer = await browser.post(address, data={"sub": "s-1"})
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


@pytest.mark.parametrize("path", ["/login/oidc", "/login/oidc/callback?code=x&state=y"])
async def test_without_a_provider_there_is_no_such_sign_in(site, path):
    answer = await site.visitor().get(path)

    assert answer.status_code == 403
    assert "oidc" not in (await site.visitor().get("/login")).text


async def test_a_provider_that_is_away_is_told_in_our_words(site, free_port):
    use(site, f"http://127.0.0.1:{free_port}")
    answer = await site.visitor().get("/login/oidc")

    assert answer.status_code == 403
    assert "reached now" in answer.text
    assert str(free_port) not in answer.text


def token_of(
    claims: dict[str, object], key: object, algorithm: str = "RS256", kid: str = "real"
) -> str:
    from joserfc import jwt

    header = {"alg": algorithm, "kid": kid}
    return jwt.encode(header, claims, key, algorithms=[algorithm])  # type: ignore[arg-type]


def unsigned_token(claims: dict[str, object]) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def test_a_token_without_a_real_signature_is_refused():
    from joserfc.jwk import OctKey, RSAKey

    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "https://id.example",
        "aud": "pitwall",
        "sub": "x",
        "nonce": "n",
        "iat": now,
        "exp": now + 60,
    }
    real, other = (RSAKey.generate_key(2048, {"kid": "real"}) for _ in range(2))
    shared = OctKey.import_key("a secret that is no secret", {"kid": "shared"})
    keys = {"keys": [real.as_dict(private=False), shared.as_dict(private=True)]}
    oidc = Oidc(client("https://id.example"), lambda: now * 1000)
    assert oidc._verified(token_of(claims, real), keys, "n")["sub"] == "x"

    bad = [
        unsigned_token(claims),
        token_of(claims, shared, "HS256", "shared"),
        token_of(claims, other),
        token_of({**claims, "azp": "another"}, real),
        token_of({**claims, "iss": "https://other.example"}, real),
        token_of({**claims, "exp": now - 120}, real),
        *(token_of({k: v for k, v in claims.items() if k != missing}, real) for missing in claims),
        "",
        "a.b.c",
        "x" * 10_000,
    ]
    for token in bad:
        with pytest.raises(OidcProblem):
            oidc._verified(token, keys, "n")


class Overheard(Oidc):
    """A provider that agrees to everything up to the token, and what it was told on the way."""

    def __init__(self) -> None:
        super().__init__(client("https://id.example"), lambda: 0)
        self.forms: list[dict[str, str]] = []

    async def _ask(self, method, url, form=None):
        self.forms += [form] if form else []
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        return {"issuer": "https://id.example", **dict.fromkeys(names, "https://id.example/x")}


async def test_a_code_is_of_use_only_to_whom_it_was_asked_by():
    provider = Overheard()
    address, state = await provider.begin("/")
    with pytest.raises(OidcProblem, match="could not be verified"):
        await provider.finish(state, "code")
    asked, [form] = parse_qs(urlsplit(address).query), provider.forms

    # RFC 7636, 4.2: who has the code alone has not the verifier of this challenge.
    digest = sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == [urlsafe_b64encode(digest).rstrip(b"=").decode()]
    assert asked["code_challenge_method"] == ["S256"]
    assert (form["code"], form["client_secret"]) == ("code", "a secret")
