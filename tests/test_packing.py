"""Kept floors as bytes: small, the same again, and no trouble when they are damaged."""

import asyncio

import msgspec
import pytest

from app.domain.model import Agent, FloorState
from app.domain.states import Status
from app.packing import packed, unpacked


def floor() -> FloorState:
    agents = [Agent(str(n), Status.ON, n, Status.ON, Status.ON, n) for n in range(100, 400)]
    return FloorState(seq=7, agents={agent.extension: agent for agent in agents})


@pytest.mark.anyio
async def test_a_floor_comes_back_from_a_fifth_of_its_text():
    body = await packed(floor())

    assert unpacked(body, FloorState) == floor()
    assert len(body) < len(msgspec.json.encode(floor())) / 5


@pytest.mark.anyio
async def test_what_changes_while_it_is_packed_is_not_in_it():
    state = floor()
    packing = asyncio.create_task(packed(state))
    await asyncio.sleep(0)
    state.seq = 8

    assert unpacked(await packing, FloorState) == floor()


def test_what_was_kept_as_plain_text_is_read():
    assert unpacked(msgspec.json.encode(floor()), FloorState) == floor()


@pytest.mark.anyio
async def test_what_is_damaged_is_none():
    body = await packed(floor())
    flipped = bytearray(body)
    flipped[len(body) // 2] ^= 1

    damaged = [b"", b"\0", b"{", b"{}x", body[:-9], bytes(flipped), body[9:], b'{"seq":"x"}']
    assert [unpacked(bytes(each), FloorState) for each in damaged] == [None] * len(damaged)
