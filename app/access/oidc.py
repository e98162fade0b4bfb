"""OpenID Connect: let somebody else's program say who a person is. Code flow with PKCE, no more.

What the provider answers is input like any other: little of it is read, its token's signature,
issuer, audience, time and nonce must be right, and its texts are never repeated to anybody.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from app.sentences import Sentence

DISCOVERY = "/.well-known/openid-configuration"
# Signatures only: "none" and shared secrets must never verify against public keys.
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LARGEST = 256 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)
LEEWAY_S = 60
ATTEMPT_MS = 10 * 60_000
ATTEMPTS = 1000
UNREADABLE = Sentence("The sign-in provider's answer can't be read.")


class OidcProblem(Exception):
    """Signing in by the provider did not work: a sentence for the person, in our words only."""


@dataclass(frozen=True, slots=True)
class Client:
    """How we are known to the provider. Its `issuer` is the address without a final slash."""

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One browser on its way to the provider and back. `until`: ms since the epoch."""

    nonce: str
    verifier: str
    next: str
    until: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is. `email` only if the provider has verified it."""

    subject: str
    email: str = ""


class Oidc:
    """One provider. `clock` gives ms since the epoch."""

    def __init__(self, client: Client, clock: Callable[[], int]) -> None:
        self.client = client
        self._clock = clock
        self._attempts: dict[str, Attempt] = {}

    async def begin(self, next_page: str) -> tuple[str, str]:
        """(the address to send the browser to, the state to remember in its cookie)."""
        found = await self._discover()
        state, attempt = secrets.token_urlsafe(32), self._attempt(next_page)
        self._attempts[state] = attempt
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": "openid email",
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": _challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return (
            f"{_endpoint(found, 'authorization_endpoint', self.client)}?{urlencode(query)}",
            state,
        )

    async def finish(self, state: str, code: str) -> tuple[Identity, str]:
        """Who came back with this code, and the page they wanted. A state works once."""
        attempt = self._attempts.pop(state, None)
        if attempt is None or attempt.until < self._clock():
            raise OidcProblem("This sign-in took too long or was used already. Start again.")
        found = await self._discover()
        token = await self._exchange(found, code, attempt.verifier)
        keys = await self._ask("GET", _endpoint(found, "jwks_uri", self.client))
        claims = self._verified(token, keys, attempt.nonce)
        return _identity(claims), attempt.next

    def _attempt(self, next_page: str) -> Attempt:
        now = self._clock()
        kept = [pair for pair in self._attempts.items() if pair[1].until >= now]
        self._attempts = dict(kept[-ATTEMPTS:])
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        return Attempt(nonce, verifier, next_page, now + ATTEMPT_MS)

    async def _discover(self) -> dict[str, Any]:
        found = await self._ask("GET", self.client.issuer + DISCOVERY)
        if str(found.get("issuer", "")).rstrip("/") != self.client.issuer:
            raise OidcProblem("The sign-in provider gives another name than the one configured.")
        return found

    async def _exchange(self, found: dict[str, Any], code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "client_id": self.client.client_id,
            "code_verifier": verifier,
        }
        if self.client.client_secret:
            form["client_secret"] = self.client.client_secret
        endpoint = _endpoint(found, "token_endpoint", self.client)
        return str((await self._ask("POST", endpoint, form)).get("id_token", ""))

    def _verified(self, token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        """The token's claims. Raises OidcProblem when anything about it is not right."""
        # Here, because only sites with a provider need these libraries loaded.
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        rules = jwt.JWTClaimsRegistry(
            now=self._clock() // 1000,
            leeway=LEEWAY_S,
            iss={"essential": True, "values": [self.client.issuer, f"{self.client.issuer}/"]},
            aud={"essential": True, "value": self.client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            key_set = KeySet.import_key_set(keys)  # type: ignore[arg-type]  # it checks by itself
            claims = dict(jwt.decode(token, key_set, algorithms=ALGORITHMS).claims)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise OidcProblem("The sign-in provider's answer could not be verified.") from None
        if claims.get("azp", self.client.client_id) != self.client.client_id:
            raise OidcProblem("The sign-in provider's answer is meant for another program.")
        return claims

    async def _ask(
        self, method: str, url: str, form: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object at this address. Raises OidcProblem, with nothing of the answer in it."""
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, trust_env=False) as session,
                session.request(method, url, data=form, allow_redirects=False) as answer,
            ):
                body = await _whole(answer.content)
                if answer.status != 200:
                    raise OidcProblem("The sign-in provider refused. Try again, or use a password.")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise OidcProblem("The sign-in provider can't be reached now.") from None
        return _object(body)


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """The body to its end; one `read` gives what has arrived. Raises OidcProblem if too long."""
    body = bytearray()
    while chunk := await content.read(LARGEST):
        body += chunk
        if len(body) > LARGEST:
            raise OidcProblem(UNREADABLE)
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OidcProblem(UNREADABLE)
    return found


def _endpoint(found: dict[str, Any], name: str, client: Client) -> str:
    """An address that the provider names; as safe as the issuer's own."""
    address = found.get(name)
    if not isinstance(address, str) or urlsplit(address).scheme != urlsplit(client.issuer).scheme:
        raise OidcProblem("The sign-in provider's description can't be used.")
    return address


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _identity(claims: dict[str, Any]) -> Identity:
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True and isinstance(email, str)
    return Identity(str(claims["sub"])[:255], str(email).strip().lower() if is_verified else "")
