"""Chooses the log by its address: `memory:`, `sqlite:` and the path of the file, or `nats://…`."""

from collections.abc import Callable

from app.database import MEMORY, Database
from app.log import EventLog, LogUnavailable
from app.log.address import SCHEME, Address
from app.log.memory import MemoryLog
from app.log.sqlite import STEPS, SqliteLog

ONLY_SITE = "main"
BESIDE_NATS = "data/pitwall.db"
EXPECTED = "Write memory:, sqlite:path/to/pitwall.db or nats://HOST,HOST,HOST."


def database_path(url: str) -> str:
    """The path of the database that goes with a log's address. Raises ValueError.

    With a log on NATS, everything but the events is in a file of this machine.
    """
    if url == "memory:":
        return MEMORY
    if url.startswith(SCHEME):
        _address(url)
        return BESIDE_NATS
    scheme, _, path = url.partition(":")
    if scheme == "sqlite" and path:
        return path
    raise ValueError(f"'{url}' is no address of a log. {EXPECTED}")


async def open_log(url: str, database: Database, clock: Callable[[], int]) -> EventLog:
    """The log at this address. `database` is the one opened at `database_path(url)`.

    Raises DatabaseUnavailable, DatabaseTooNew or LogUnavailable.
    """
    if url == "memory:":
        return MemoryLog(clock)
    if url.startswith(SCHEME):
        return await _on_nats(_address(url), database, clock)
    return await SqliteLog.open(database, clock)


def _address(url: str) -> Address:
    try:
        return Address.parse(url)
    except ValueError as error:
        # The address itself is not said: somebody may have written a password into it.
        raise ValueError(
            f"What follows nats:// is no address of a log: {error}. {EXPECTED}"
        ) from None


async def _on_nats(address: Address, database: Database, clock: Callable[[], int]) -> EventLog:
    # Whoever looks into these tables finds them empty.
    await database.migrate("log", STEPS)
    if await database.read("SELECT seq FROM event LIMIT 1"):
        raise LogUnavailable(
            f"{BESIDE_NATS} has a log of its own, which the one on the NATS servers does not "
            f"continue. Move the file aside, or set PITWALL_LOG to sqlite:{BESIDE_NATS}."
        )
    try:
        # The client is an extra that most installations do without.
        from app.log.cluster import Cluster
    except ModuleNotFoundError as error:
        raise LogUnavailable(
            f"A log on NATS needs the module {error.name}. Install pitwall[cluster]."
        ) from error
    cluster = await Cluster.open(address, clock)
    try:
        log = await cluster.site_log(ONLY_SITE)
    except BaseException:
        await cluster.close()
        raise
    log.at_end(cluster.close)
    return log
