"""A PBX that keeps failing is left alone for a while."""

import anyio
import pytest

from tests.fake_pbx import error_with_200, flapping, running_pbx, server_error, slow
from tests.pbx_client import TODAY, Clock, client_of, failure_of, pbx_and_client

pytestmark = pytest.mark.anyio


async def test_after_five_failures_in_a_row_the_pbx_is_left_alone_for_fifteen_seconds():
    clock = Clock()
    async with running_pbx(fault=server_error) as pbx, client_of(pbx.url, clock=clock) as client:
        for _ in range(5):
            await failure_of(client.members())
        clock.now += 14.9
        failure = await failure_of(client.pause("101", True))

    assert len(pbx.got) == 5
    assert (failure.kind, failure.unknown) == ("busy", False)
    assert "nothing was sent" in str(failure)


async def test_after_the_rest_one_probe_decides():
    clock = Clock()
    async with running_pbx(fault=server_error) as pbx, client_of(pbx.url, clock=clock) as client:
        for _ in range(5):
            await failure_of(client.members())
        clock.now += 15
        first, second = await failure_of(client.members()), await failure_of(client.members())
        clock.now += 15
        pbx.fault = None
        await client.pause("101", True)
        await client.pause("101", False)

    assert (first.kind, second.kind) == ("refused", "busy")
    assert len(pbx.got) == 8


async def test_only_one_of_many_is_the_probe():
    clock = Clock()
    async with running_pbx(fault=server_error) as pbx, client_of(pbx.url, clock=clock) as client:
        for _ in range(5):
            await failure_of(client.members())
        clock.now += 15
        pbx.fault = slow
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(failure_of, client.members())

    assert len(pbx.got) == 6


async def test_a_probe_that_is_given_up_leaves_room_for_the_next():
    clock = Clock()
    async with running_pbx(fault=server_error) as pbx, client_of(pbx.url, clock=clock) as client:
        for _ in range(5):
            await failure_of(client.members())
        clock.now += 15
        pbx.fault = slow
        with anyio.move_on_after(0.1):
            await client.members()
        pbx.fault = None
        await client.pause("101", True)


async def test_a_pbx_that_refuses_is_not_failing():
    async with pbx_and_client(fault=error_with_200) as (pbx, client):
        for _ in range(7):
            await failure_of(client.pause("101", True))

    assert len(pbx.got) == 7


async def test_a_flapping_pbx_is_not_given_up():
    async with pbx_and_client(fault=flapping(3)) as (pbx, client):
        for _ in range(4):
            await failure_of(client.pause("101", True))
            await failure_of(client.pause("101", True))
            await client.pause("101", True)

    assert len(pbx.got) == 12


async def test_failing_records_on_another_server_do_not_stop_a_pause():
    async with (
        running_pbx(fault=server_error) as data,
        running_pbx() as pbx,
        client_of(pbx.url, data_url=data.url) as client,
    ):
        for _ in range(6):
            await failure_of(client.records(TODAY, TODAY))
        await client.pause("101", True)

    assert (len(data.got), len(pbx.got)) == (5, 1)
