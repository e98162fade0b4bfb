"""The last second of a connection: a request that is on its way when we stop is still answered."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# Whoever has connected, or keeps a connection, may have sent a request that we have not read yet.
DRAIN_S = 1.0


class Draining(HttpToolsProtocol):
    """To be mixed into the protocol of one server; `draining` is that server's."""

    draining = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.draining:
            self.loop.call_later(DRAIN_S, self._close_when_idle)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.draining and self.cycle is not None:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """Answer what comes within a second, and close after that answer."""
        type(self).draining = True
        if self._is_idle():
            self.loop.call_later(DRAIN_S, self._close_when_idle)
        else:
            super().shutdown()

    def _is_idle(self) -> bool:
        # uvicorn says that it is always there; before the first request it is not.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _close_when_idle(self) -> None:
        if self._is_idle() and not self.transport.is_closing():
            self.transport.close()
