"""A PBX in trouble: one request, a sentence in time, and the key goes nowhere."""

import asyncio
import time

import anyio
import pytest

from app.pbx import SpyMode
from app.pbx.exchange import Patience
from tests.fake_pbx import (
    FAULTS,
    deep_json,
    huge,
    redirect_to,
    reset,
    running_pbx,
    slow,
)
from tests.pbx_client import HASTE, client_of, failure_of, pbx_and_client

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fault", "kind", "words", "unknown"),
    [
        ("slow", "timeout", "did not answer within 0.6 s", True),
        ("drip", "timeout", "did not answer within 1.2 s", True),
        ("reset", "unreachable", "connection to the PBX broke", True),
        ("hang_up", "unreachable", "connection to the PBX broke", True),
        ("break_off", "garbage", "broke off", True),
        ("server_error", "refused", "HTTP 500", True),
        ("not_allowed", "refused", "(HTTP 403): “Invalid API key ***”", False),
        ("error_with_200", "refused", "refused", False),
        ("page", "garbage", "can't be understood", True),
        ("huge", "too_large", "longer than 32 KiB", True),
        ("not_http", "garbage", "not HTTP", True),
    ],
)
async def test_every_fault_is_one_request_and_a_sentence_that_says_what_may_have_happened(
    fault, kind, words, unknown
):
    async with pbx_and_client(fault=FAULTS[fault]) as (pbx, client):
        spied, paused, dialled, asked = await asyncio.gather(
            failure_of(client.spy("100", "101", SpyMode.LISTEN, None)),
            failure_of(client.pause("101", True)),
            failure_of(client.dial("101", "0901234567")),
            failure_of(client.members()),
        )

    assert sorted(call for call, _ in pbx.got) == ["all_members", "dial", "spy", "update_status"]
    assert (spied.kind, spied.unknown) == (kind, unknown)
    assert words in str(spied)
    assert str(spied).endswith("whether your phone will ring is unknown.") == unknown
    assert str(paused).endswith("whether the agent is paused is unknown.") == unknown
    assert (asked.kind, asked.unknown) == (kind, False)
    assert "unknown" not in str(asked)
    assert dialled.kind == (kind if fault != "error_with_200" else "refused")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_failure_has_nothing_of_the_http_library_attached(fault):
    async with pbx_and_client(fault=fault) as (_, client):
        failure = await failure_of(client.members())

    assert failure.__cause__ is None
    assert failure.__context__ is None


async def test_a_call_whose_connection_breaks_is_not_placed_again():
    async with pbx_and_client(fault=reset) as (pbx, client):
        failure = await failure_of(client.dial("101", "0901234567"))

    assert failure.unknown
    assert len(pbx.got) == 1


async def test_what_was_done_is_said_in_less_than_what_was_asked_for():
    async with pbx_and_client(fault=deep_json) as (_, client):
        done = [
            await failure_of(client.spy("100", "101", SpyMode.LISTEN, None)),
            await failure_of(client.dial("101", "0901234567")),
        ]
        asked = await failure_of(client.members())

    assert [failure.kind for failure in done] == ["too_large", "too_large"]
    assert asked.kind == "garbage"


async def test_an_endless_answer_is_not_read_to_its_end():
    async with pbx_and_client(fault=huge) as (pbx, client):
        await failure_of(client.members())

    assert pbx.sent_bytes < 20_000_000


async def test_a_pbx_that_is_not_there_was_sent_nothing(free_port):
    async with client_of(f"http://127.0.0.1:{free_port}") as client:
        failure = await failure_of(client.pause("101", True))

    assert (failure.kind, failure.unknown) == ("unreachable", False)
    assert str(failure) == "The PBX could not be reached; nothing was sent to it."


async def test_an_unknown_host_was_sent_nothing():
    async with client_of("http://pbx.invalid", patience=Patience()) as client:
        failure = await failure_of(client.pause("101", True))

    assert failure.kind in ("unreachable", "timeout")
    assert not failure.unknown


async def test_a_pbx_without_a_valid_certificate_gets_no_key():
    async with running_pbx() as pbx:
        async with client_of(pbx.url.replace("http:", "https:")) as client:
            failure = await failure_of(client.pause("101", True))

        assert (failure.kind, failure.unknown) == ("unreachable", False)
        assert pbx.got == []


async def test_a_redirect_takes_the_key_nowhere():
    async with running_pbx() as thief, pbx_and_client(fault=redirect_to(thief.url)) as (_, client):
        failure = await failure_of(client.pause("101", True))

    assert (failure.kind, failure.unknown) == ("redirect", False)
    assert thief.got == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_key_goes_through_no_proxy_of_the_environment(variable, monkeypatch):
    async with running_pbx() as thief, pbx_and_client() as (pbx, client):
        monkeypatch.setenv(variable, thief.url)
        await client.pause("101", True)

    assert (len(pbx.got), len(thief.got)) == (1, 0)


async def test_fifty_clicks_on_a_hanging_pbx_are_all_answered_in_time():
    async with pbx_and_client(fault=slow) as (pbx, client):
        began = time.monotonic()
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(failure_of, client.pause("101", True))
        took_s = time.monotonic() - began

    assert took_s < HASTE.total_s + 1
    assert len(pbx.got) <= 50


def test_the_default_patience_answers_within_six_seconds():
    assert Patience().total_s + 1 <= 6
