"""One HTTP request to the PBX and its answer, bounded in time and size. Never a retry.

Rule of this file: no aiohttp exception and no response leaves it, nor is one logged, because
their texts hold the URL and the URL may hold the key.
"""

from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from app.pbx import PbxError
from app.sentences import Sentence

MAX_CONNECTIONS = 8
CHUNK_BYTES = 64 * 1024
PLAIN = Sentence("{what}.")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how much to read, in bytes."""

    total_s: float = 5.0
    connect_s: float = 2.0
    silence_s: float = 4.0
    answer_bytes: int = 256 * 1024
    deed_bytes: int = 32 * 1024
    """Whether it was done, in a word or a small object; fifty people may click at once."""
    records_bytes: int = 4 * 1024 * 1024
    """A busy centre's records of one day, which is the least that can be asked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """`doubt` is what may have happened if no answer comes ("whether your phone will ring");
    a request that only asks has none."""

    method: str
    url: URL
    body: bytes | None = None
    doubt: str = ""
    limit_bytes: int = field(kw_only=True)

    def __repr__(self) -> str:
        return f"<{self.method} request to the PBX>"


@dataclass(frozen=True, slots=True)
class Answer:
    """Any answer but a redirect and a server's own error (3xx and 5xx raise)."""

    status: int
    text: str = field(repr=False)


# The first row that fits counts, so the narrower come first. True: the request may have arrived.
FAILURES: tuple[tuple[type[Exception], str, Sentence, bool], ...] = (
    (
        aiohttp.ConnectionTimeoutError,
        "timeout",
        Sentence("No connection to the PBX within {connect} s"),
        False,
    ),
    (
        aiohttp.SocketTimeoutError,
        "timeout",
        Sentence("The PBX did not answer within {silence} s"),
        True,
    ),
    (TimeoutError, "timeout", Sentence("The PBX did not answer within {total} s"), True),
    (
        aiohttp.ClientConnectorDNSError,
        "unreachable",
        Sentence("The PBX's host name is not known"),
        False,
    ),
    (
        aiohttp.ClientSSLError,
        "unreachable",
        Sentence("The PBX has no valid TLS certificate"),
        False,
    ),
    (aiohttp.ClientConnectorError, "unreachable", Sentence("The PBX could not be reached"), False),
    (aiohttp.ClientResponseError, "garbage", Sentence("The PBX's answer is not HTTP"), True),
    (aiohttp.ClientPayloadError, "garbage", Sentence("The PBX's answer broke off"), True),
    (aiohttp.InvalidURL, "unconfigured", Sentence("The PBX's address is not a web address"), False),
    (aiohttp.ClientError, "unreachable", Sentence("The connection to the PBX broke"), True),
    (OSError, "unreachable", Sentence("The connection to the PBX broke"), True),
)


class Exchange:
    """Sends requests over at most eight connections at once."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Answer:
        """Raises PbxError, with nothing of aiohttp's attached to it."""
        try:
            return await self._send(request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = self._failure(error, request.doubt)
        # Out of the except block: there the error would stay attached as __context__.
        raise failure from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, request: Request) -> Answer:
        async with self._opened().request(
            request.method, request.url, data=request.body, allow_redirects=False
        ) as response:
            refuse_status(response.status, request.doubt)
            raw = await read_bounded(response.content, request)
            return Answer(response.status, raw.decode("utf-8-sig", "replace"))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self._new_session()
        return self._session

    def _new_session(self) -> aiohttp.ClientSession:
        wait = self._patience
        return aiohttp.ClientSession(
            # No connection is kept: one that the PBX closed meanwhile would fail a click.
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS, limit_per_host=MAX_CONNECTIONS, force_close=True
            ),
            timeout=aiohttp.ClientTimeout(
                total=wait.total_s, connect=wait.connect_s, sock_read=wait.silence_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "Pitwall"},
            auto_decompress=False,
            trust_env=False,
            middlewares=(only_once,),
        )

    def _failure(self, error: Exception, doubt: str) -> PbxError:
        wait = self._patience
        kind, words, sent = next(
            (kind, words, sent)
            for family, kind, words, sent in FAILURES
            if isinstance(error, family)
        )
        words = words.filled(
            connect=f"{wait.connect_s:g}", silence=f"{wait.silence_s:g}", total=f"{wait.total_s:g}"
        )
        if sent:
            return in_doubt(kind, words, doubt)
        ended = Sentence("{what}; nothing was sent to it.") if doubt else PLAIN
        return PbxError(kind, ended.filled(what=words))


class _Lost(aiohttp.ClientError):
    """The connection broke after the request may have been sent."""


async def only_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp sends a GET again when its connection breaks; a call must not be placed twice."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        lost = _Lost()
    raise lost


def refuse_status(status: int, doubt: str) -> None:
    """Raise PbxError where the status alone says that there is no answer to read."""
    if 300 <= status < 400:
        raise PbxError(
            "redirect",
            "The PBX's address leads elsewhere; the key was not sent there and nothing was done. "
            "An administrator should check the PBX's address.",
        )
    if status >= 500:
        raise in_doubt(
            "refused",
            Sentence("The PBX reports an error of its own (HTTP {status})", status=status),
            doubt,
        )


async def read_bounded(content: aiohttp.StreamReader, request: Request) -> bytes:
    """The whole body. Raises PbxError when it is longer than the request allows."""
    body = bytearray()
    while chunk := await content.read(CHUNK_BYTES):
        body += chunk
        if len(body) > request.limit_bytes:
            limit = f"{request.limit_bytes // 1024} KiB"
            words = Sentence("The PBX's answer is longer than {limit}", limit=limit)
            raise in_doubt("too_large", words, request.doubt)
    return bytes(body)


def in_doubt(kind: str, words: Sentence, doubt: str) -> PbxError:
    """The failure of a request that may have arrived; without `doubt` that makes no difference."""
    ended = Sentence("{what}; {doubt} is unknown.") if doubt else PLAIN
    return PbxError(kind, ended.filled(what=words, doubt=doubt), unknown=bool(doubt))
