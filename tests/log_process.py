"""Appends to a log in a process of its own, for tests that kill it or take its disk away.

`write PATH NAME`: append for ever, eight at a time, and print each call's id once it is answered.
`full PATH`: let files grow no further, append until refused, let them grow again and append once
more; print what was answered.
"""

import asyncio
import os
import resource
import sys
import time

from app.database import Database
from app.domain.events import CallEnded
from app.log import LogUnavailable
from app.log.sqlite import SqliteLog


async def append_and_say(log: SqliteLog, callid: str) -> None:
    await log.append([CallEnded(callid=callid)], rid=callid)
    os.write(1, f"{callid}\n".encode())


async def write(log: SqliteLog, name: str) -> None:
    async def one_after_the_other(lane: int) -> None:
        for number in range(1_000_000):
            await append_and_say(log, f"{name}-{lane}-{number}")

    await asyncio.gather(*(one_after_the_other(lane) for lane in range(8)))


async def full(log: SqliteLog) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
    try:
        for number in range(1_000):
            await append_and_say(log, f"{number}-" + "x" * 5_000)
    except LogUnavailable as error:
        os.write(2, str(error).encode())
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    await append_and_say(log, "after")


async def main(mode: str, path: str, *names: str) -> None:
    database = await Database.open(path)
    log = await SqliteLog.open(database, lambda: time.time_ns() // 1_000_000)
    await (full(log) if mode == "full" else write(log, *names))
    await log.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
