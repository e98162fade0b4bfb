"""The end of the server: boards are sent away one after the other while webhooks are still heard.

All at once they would come back all at once. Only then nobody is let in any more, and what is under
way is finished.
"""

import asyncio
import socket
from typing import cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.protocol import GuardedProtocol

LEAVE_S = 2.0


class LeavingServer(uvicorn.Server):
    """`leave_s` is the time over which boards are closed; 0 for all at once."""

    leave_s = LEAVE_S

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to the boards, then stop as uvicorn does."""
        await self._send_boards_away()
        await super().shutdown(sockets)

    async def _send_boards_away(self) -> None:
        cast(type[GuardedProtocol], self.config.http_protocol_class).admission.close()
        connections = self.server_state.connections
        boards = [each for each in connections if isinstance(each, WebSocketsSansIOProtocol)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, board in enumerate(boards):
            early_s = began + self.leave_s * number / len(boards) - loop.time()
            if early_s > 0 and not self.force_exit:
                await asyncio.sleep(early_s)
            if board in connections:
                board.shutdown()
