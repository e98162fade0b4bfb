"""uvicorn's WebSocket protocol with a short way for the board's frames and what pages answer.

It puts a `Line` into the scope as `pitwall.line`; whoever serves the socket may use it, or do
without. It touches what uvicorn does not promise to keep (`conn`, `transport`), so uvicorn is
pinned, and tests go both ways.
"""

from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from app.web.frames import DEFLATE, deflating
from app.web.line import Line
from app.web.words import ends_whole, small_text

# With more than this unread a ping gets no answer.
UNREAD_BYTES = 64 * 1024
BAD_UPGRADE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class LiveProtocol(WebSocketsSansIOProtocol):
    """One connection; `turned_away` is told when it ends and never was let in."""

    turned_away: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [DEFLATE]
        self._line: Line | None = None
        self._is_let_in = False
        # What was received so far ends with the end of a frame.
        self._is_whole = True

    def handle_connect(self, event: Request) -> None:
        """The handler's task starts after this returns, so it always sees the extension."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            self._line = Line(self.transport)
            self._agree(self._line)
            scope["extensions"]["pitwall.line"] = self._line

    def _agree(self, line: Line) -> None:
        """Compression is done elsewhere, once for all: nothing is kept for this connection."""
        agreed = deflating(cast(list[object], self.conn.extensions))
        line.deflates = agreed is not None
        if agreed is not None and not agreed.local_no_context_takeover:
            line.remembers = True
            # For who sends the long way: each message by itself, which is always right.
            agreed.local_no_context_takeover = True
            del agreed.encoder

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what leads back here: thousands come and go between two garbage collections."""
        super().connection_lost(exc)
        if not self._is_let_in:
            self.turned_away()
        if self._line is not None:
            self._line.hear = None
        # A generator that waits for more, and so holds the connection that holds it.
        self.conn.parser.close()
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"].pop("pitwall.line", None)

    def shutdown(self) -> None:
        """Say goodbye, unless the page has said it: uvicorn would fail, and with it the end."""
        if self.conn.state in (State.CLOSING, State.CLOSED):
            self.transport.close()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Read what a page answers; leave everything else to uvicorn."""
        line = self._line
        if line is not None and line.hear and self._is_whole and not self.read_paused:
            text = small_text(data, inflates=line.deflates)
            if text is not None:
                line.hear(text)
                return
        if self._is_whole:
            # Once it is not, nobody knows where a frame begins: the long way from then on.
            self._is_whole = self._ends_whole(data)
        super().data_received(data)
        if not self.handshake_initiated:
            self._refuse()

    def _refuse(self) -> None:
        """End what did not even begin: uvicorn hands on a whole request, and asks no more of it."""
        self.transport.write(b"".join(self.conn.data_to_send()) or BAD_UPGRADE)
        self.transport.close()

    def start_keepalive(self) -> None:
        """What uvicorn does once, when somebody is let in, and only then."""
        super().start_keepalive()
        self._is_let_in = True

    def handle_ping(self) -> None:
        """Answer who reads the answers: they would pile up here."""
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def _ends_whole(self, data: bytes) -> bool:
        if not self.handshake_initiated:
            return data.endswith(b"\r\n\r\n")
        # Who speaks before being let in is no page of ours.
        return self.handshake_complete and ends_whole(data)
