"""A node in a process of its own, for tests that kill it: it writes, and prints what was confirmed.

`URL DATABASE NAME`: the common log is at URL (sqlite:PATH or nats://…). It goes on for ever.
"""

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from itertools import count

import aiosqlite

from app.database import Database
from app.log.address import SCHEME, Address
from app.log.cluster import Cluster
from app.log.open import database_path
from app.log.sqlite import SqliteLog
from app.sharing import SharedDatabase
from tests.nodes import PARTS


def clock() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def opened_log(url: str):
    if url.startswith(SCHEME):
        cluster = await Cluster.open(Address.parse(url), clock)
        yield await cluster.sys_log("main")
        await cluster.close()
    else:
        database = await Database.open(database_path(url))
        log = await SqliteLog.open(database, clock)
        yield log
        await log.close()
        await database.close()


async def main(url: str, path: str, name: str) -> None:
    async with opened_log(url) as log:
        shared = await SharedDatabase.open(await Database.open(path), log, PARTS)
        for number in count():
            key = f"{name}-{number}"

            async def job(connection: aiosqlite.Connection, key: str = key) -> None:
                await connection.execute("UPDATE counter SET number = number + 1")
                await connection.execute("INSERT INTO note VALUES (?, '')", (key,))

            await shared.write(job)
            os.write(1, f"{key}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
