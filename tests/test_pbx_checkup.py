"""The connection test says what is wrong and rings nobody."""

import pytest

from tests.fake_pbx import FAULTS, server_error
from tests.pbx_client import RECORD, client_of, failure_of, pbx_and_client

pytestmark = pytest.mark.anyio


async def test_the_connection_test_rings_nobody():
    members = [{"ext": f"10{number}", "queue": "9", "status": "on"} for number in range(5)]
    async with pbx_and_client(replies={"": members, "cdr": [RECORD]}) as (pbx, client):
        findings = await client.test_connection()

    assert [what for what, _, _ in findings] == ["reach", "key", "all_members", "status", "cdr"]
    assert all(finding.ok for finding in findings)
    assert {call for call, _ in pbx.got} == {"all_members", "status", "cdr"}
    assert findings[2].sentence == "Agents: 5. Queues: 1."


async def test_the_connection_test_says_what_is_wrong_even_while_the_pbx_is_left_alone():
    async with pbx_and_client(fault=server_error) as (pbx, client):
        for _ in range(6):
            await failure_of(client.members())
        pbx.fault = FAULTS["not_allowed"]
        findings = {finding.what: finding for finding in await client.test_connection()}

    assert findings["reach"].ok
    assert not findings["key"].ok
    assert "check the key" in findings["key"].sentence
    assert "Not tried" in findings["status"].sentence


async def test_the_connection_test_finds_a_pbx_that_is_not_there(free_port):
    async with client_of(f"http://127.0.0.1:{free_port}") as client:
        findings = await client.test_connection()

    assert not any(finding.ok for finding in findings)
    assert findings[0].sentence == "The PBX could not be reached."


async def test_the_connection_test_tells_of_states_that_make_no_sense():
    replies = {"": [{"ext": "101", "status": "lunch"}], "cdr": []}
    async with pbx_and_client(replies=replies) as (_, client):
        findings = await client.test_connection()

    assert [finding.ok for finding in findings] == [True, True, True, False, True]


async def test_a_call_that_alone_is_refused_is_told_with_its_reason():
    members = [{"ext": "101", "status": "on"}]
    replies = {"all_members": members, "status": "<b>Oops</b>", "cdr": []}
    async with pbx_and_client(replies=replies) as (_, client):
        findings = {finding.what: finding for finding in await client.test_connection()}

    assert (findings["all_members"].ok, findings["status"].ok) == (True, False)
    assert "can't be understood" in findings["status"].sentence
