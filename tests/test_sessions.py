"""Sessions: kept on the server, ended at once, unmoved by a wall clock that jumps."""

import asyncio

import pytest

from app.access.sessions import PER_USER, Ending, Sessions, key_of
from app.tables import Tables

pytestmark = pytest.mark.anyio


class Time:
    """A wall clock in ms and a monotonic one in seconds."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000_000
        self.seconds = 500.0

    def clock(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.wall += int(seconds * 1000)
        self.seconds += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
async def sessions(database, time):
    return await loaded(database, time)


async def loaded(database: Tables, time: Time) -> Sessions:
    made = Sessions(database, time.clock, time.monotonic)
    await made.load()
    return made


async def test_only_a_digest_of_the_id_is_stored(sessions, database):
    secret = await sessions.open(7, "192.0.2.1", "Firefox")
    [[stored]] = await database.read("SELECT key FROM session")

    assert stored == key_of(secret)
    assert secret not in str(await database.read("SELECT * FROM session"))
    assert sessions.find(secret).user_id == 7
    assert sessions.find(stored) is None


async def test_every_sign_in_has_an_id_of_its_own(sessions):
    first, second = await sessions.open(7, "", ""), await sessions.open(7, "", "")

    assert first != second
    assert len(sessions.of(7)) == 2


async def test_a_restart_signs_nobody_out(sessions, database, time):
    secret = await sessions.open(7, "192.0.2.1", "Firefox")
    time.passes(1000)
    time.seconds = 3.0
    again = await loaded(database, time)

    found = again.find(secret)
    assert found
    assert found.user_id == 7


async def test_an_hour_without_use_ends_a_session(sessions, time):
    secret = await sessions.open(7, "", "")
    time.passes(59 * 60)
    assert sessions.find(secret)

    time.passes(61 * 60)
    assert sessions.find(secret) is None


async def test_an_hour_without_use_ends_a_session_across_a_restart(sessions, database, time):
    secret = await sessions.open(7, "", "")
    time.passes(61 * 60)

    assert (await loaded(database, time)).find(secret) is None


async def test_an_open_board_keeps_a_session_alive_but_not_beyond_a_shift(sessions, time):
    secret = await sessions.open(7, "", "")
    with sessions.open_board(key_of(secret)):
        for _ in range(11):
            time.passes(3700)
            await sessions.sweep()
        assert sessions.find(secret)

        time.passes(3700)
        waiting = asyncio.create_task(sessions.wait_ended(key_of(secret)))
        await asyncio.sleep(0)
        await sessions.sweep()

        assert await asyncio.wait_for(waiting, 1) is Ending.SIGNED_OUT
    assert sessions.find(secret) is None


async def test_an_open_board_keeps_a_session_alive_across_a_restart(sessions, database, time):
    secret = await sessions.open(7, "", "")
    with sessions.open_board(key_of(secret)):
        time.passes(61 * 60)
        await sessions.sweep()

        assert (await loaded(database, time)).find(secret)


async def test_a_session_without_a_board_ends_after_an_hour_of_sweeps(sessions, time):
    secret = await sessions.open(7, "", "")
    for _ in range(60):
        time.passes(60)
        await sessions.sweep()
    assert sessions.of(7)

    time.passes(60)
    await sessions.sweep()
    assert sessions.of(7) == []
    assert sessions.find(secret) is None


async def test_a_clock_that_jumps_signs_nobody_out(sessions, time):
    secret = await sessions.open(7, "", "")
    for jump in (86_400_000, -2 * 86_400_000, 3_600_000):
        time.wall += jump
        await sessions.sweep()

        assert sessions.find(secret)


async def test_ending_a_session_wakes_its_sockets_and_no_others(sessions):
    mine, other = await sessions.open(7, "", ""), await sessions.open(8, "", "")
    tasks = [asyncio.create_task(sessions.wait_ended(key_of(each))) for each in (mine, mine, other)]
    await asyncio.sleep(0)
    await sessions.end([key_of(mine)])
    await asyncio.sleep(0)

    assert [task.done() for task in tasks] == [True, True, False]
    assert sessions.find(mine) is None
    assert sessions.find(other)
    tasks[2].cancel()


async def test_who_waits_for_a_session_that_is_over_is_told_at_once(sessions):
    assert await sessions.wait_ended("0" * 64) is Ending.SIGNED_OUT


async def test_a_change_of_sight_wakes_the_sockets_and_keeps_the_session(sessions):
    secret = await sessions.open(7, "", "")
    waiting = asyncio.create_task(sessions.wait_ended(key_of(secret)))
    await asyncio.sleep(0)
    sessions.changed(7)

    assert await waiting is Ending.CHANGED
    assert sessions.find(secret)


async def test_an_ended_session_stays_ended_when_the_disk_could_not_be_written(sessions, database):
    secret = await sessions.open(7, "", "")
    sessions.forget([key_of(secret)])
    await sessions.refresh()

    assert sessions.find(secret) is None
    await sessions.end([])
    assert await database.read("SELECT * FROM session") == []


async def test_a_session_ended_by_another_program_ends_here(sessions, database, time):
    secret = await sessions.open(7, "", "")
    other = await loaded(database, time)
    await other.end([key_of(secret)])
    await sessions.refresh()

    assert sessions.find(secret) is None


async def test_being_seen_is_written_once_a_minute_and_not_per_request(sessions, database, time):
    secret = await sessions.open(7, "", "")
    [[before]] = await database.read("SELECT seen_at FROM session")
    for _ in range(100):
        time.passes(0.1)
        sessions.find(secret)
    assert await database.read("SELECT seen_at FROM session") == [(before,)]

    await sessions.sweep()
    assert await database.read("SELECT seen_at FROM session") == [(before + 10_000,)]


@pytest.mark.parametrize(("seconds", "is_written"), [(60, False), (61, True)])
async def test_being_seen_may_be_known_as_roughly_as_the_tables_allow(
    sessions, database, time, seconds, is_written
):
    database.rough_s = 60.0
    secret = await sessions.open(7, "", "")
    [[before]] = await database.read("SELECT seen_at FROM session")
    time.passes(seconds)
    sessions.find(secret)
    await sessions.sweep()

    [[after]] = await database.read("SELECT seen_at FROM session")
    assert after - before == (seconds * 1000 if is_written else 0)


async def test_a_user_has_a_bounded_number_of_sessions(sessions, time):
    secrets = []
    for _ in range(PER_USER + 3):
        time.passes(1)
        secrets.append(await sessions.open(7, "", ""))

    assert len(sessions.of(7)) == PER_USER
    assert sessions.find(secrets[0]) is None
    assert sessions.find(secrets[-1])


@pytest.mark.parametrize("secret", ["", "a" * 8000, "\ud800", "nobody"])
async def test_an_id_that_is_none_finds_nothing(sessions, secret):
    assert sessions.find(secret) is None


async def test_a_password_counts_as_given_for_ten_minutes(sessions, time):
    key = key_of(await sessions.open(7, "", ""))
    assert sessions.is_confirmed(key)

    time.passes(601)
    assert not sessions.is_confirmed(key)

    sessions.confirm(key)
    assert sessions.is_confirmed(key)
