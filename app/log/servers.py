"""The connection to the NATS servers, and whether they keep what they acknowledge.

A server acknowledges two minutes before it syncs unless it is told otherwise, so a power cut loses
what was acknowledged. That is asked at each server's monitoring port before anything is stored.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import aiohttp
from nats.aio.client import Client
from nats.errors import Error as NatsError

from app.ending import end
from app.log import LogUnavailable
from app.log.address import Address
from app.log.credentials import options_for
from app.log.stream import BROKEN

CONNECT_S = 10.0
MONITORING_S = 2.0
# Of the client's own sending, while it has no connection.
MOST_PENDING = 16 * 1024 * 1024
NOT_SYNCING = (
    "The NATS server at {server} acknowledges events before they are on its disk, so a power cut "
    "would lose them. Write `sync_interval: always` into the jetstream block of its configuration, "
    "restart it, and start Pitwall again."
)
UNSEEN = (
    "Of the monitoring ports {ports}, a majority must tell how the NATS servers sync; too few "
    "answered. Start the servers with `http: PRIVATE-ADDRESS:8222`, and where it is another port "
    "write nats://…?monitoring=PORT. The last one said: {error}."
)

logger = logging.getLogger(__name__)


async def connect(address: Address) -> Client:
    """Connected, and again whenever the connection breaks. Raises LogUnavailable."""
    client, heard = Client(), list[Exception]()

    async def hear(error: Exception) -> None:
        # Often, while a server is away, and of no use then: what it means is said by who waits.
        logger.debug("NATS: %r", error)
        # A server that refuses closes at once, so that its reason is not always what comes last.
        if not (heard and _is_refusal(heard[0])):
            heard[:] = [error]

    options = options_for(address)
    try:
        connecting = client.connect(
            [f"nats://{server}" for server in address.servers],
            name=f"pitwall {address.name}",
            error_cb=hear,
            # The defaults take minutes to notice a server that hangs.
            connect_timeout=1,
            reconnect_time_wait=0.1,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            ping_interval=2,
            max_outstanding_pings=2,
            pending_size=MOST_PENDING,
            **options,
        )
        await _within(CONNECT_S, connecting)
    except (NatsError, TimeoutError, OSError, OverflowError) as error:
        if client.is_connected:
            await disconnect(client)
        raise LogUnavailable(_why_not(address, heard)) from error
    return client


async def disconnect(client: Client) -> None:
    """Close the connection, or find that it is gone."""
    with suppress(*BROKEN):
        await client.close()


async def _within(seconds: float, job: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(job)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        await end(task)
    if task.cancelled():
        raise TimeoutError
    task.result()


async def check_syncing(address: Address) -> None:
    """Raises LogUnavailable where a server acknowledges too early, or too few can be asked."""
    timeout = aiohttp.ClientTimeout(total=MONITORING_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        asked = (_told(session, server) for server in address.monitoring)
        answers = await asyncio.gather(*asked, return_exceptions=True)
    silent = [answer for answer in answers if isinstance(answer, BaseException)]
    for server, answer in zip(address.servers, answers, strict=True):
        if isinstance(answer, BaseException):
            logger.warning("The monitoring port of NATS server %s does not answer.", server)
        elif not _syncs(answer):
            raise LogUnavailable(NOT_SYNCING.format(server=server))
    if 2 * len(silent) >= len(answers):
        ports = ", ".join(address.monitoring)
        raise LogUnavailable(UNSEEN.format(ports=ports, error=repr(silent[-1])))


async def _told(session: aiohttp.ClientSession, server: str) -> Any:
    async with session.get(f"http://{server}/varz") as answer:
        answer.raise_for_status()
        return await answer.json(content_type=None)


def _syncs(told: Any) -> bool:
    # The key is absent where it is not so; `sync_interval` says two minutes either way.
    try:
        return told["jetstream"]["config"]["sync_always"] is True
    except (KeyError, TypeError):
        return False


def _is_refusal(error: Exception) -> bool:
    return "authorization" in str(error).lower()


def _why_not(address: Address, heard: list[Exception]) -> str:
    servers, last = ", ".join(address.servers), str(heard[-1]) if heard else ""
    if heard and _is_refusal(heard[-1]):
        return (
            f"The NATS servers {servers} refuse Pitwall's credentials. Write USER:PASSWORD or a "
            "token into a file, and nats://…?credentials=FILE into PITWALL_LOG."
        )
    return (
        f"None of the NATS servers {servers} could be reached. Are they running, and is "
        f"PITWALL_LOG right? The last one said: {last or 'nothing'}."
    )
