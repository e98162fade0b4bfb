"""What a service manager (systemd) hands over and wants to hear; without one nothing happens."""

import asyncio
import os
import socket
from contextlib import suppress

FIRST_SOCKET = 3


def inherited_socket() -> socket.socket | None:
    """The listening socket that was opened for us and stays open when we end, if there is one.

    While we restart, whoever connects waits in its queue instead of being refused.
    """
    count, pid = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if count != "1" or pid not in ("", str(os.getpid())):
        return None
    os.set_inheritable(FIRST_SOCKET, False)
    return socket.socket(fileno=FIRST_SOCKET)


def tell(state: str) -> None:
    """Tell the service manager, for one `READY=1`; it never matters whether it hears."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # No descriptor may be left, and nobody may listen: neither must hold up or end the program.
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as speaking:
        speaking.sendto(state.encode(), address)


async def keep_alive() -> None:
    """Say for ever that the loop turns, if the service manager kills what no longer does."""
    every_us = int(os.environ.get("WATCHDOG_USEC", "0") or "0")
    if not every_us:
        await asyncio.Event().wait()
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(every_us / 3_000_000)
