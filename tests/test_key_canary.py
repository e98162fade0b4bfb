"""A unique key goes through every call and every fault, and is looked for everywhere it could show.

Its two plain parts stay as they are in every escaping, so finding neither is finding no spelling.
"""

import asyncio
import base64
import logging
import traceback
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from app.pbx import Pbx, PbxError, SpyMode
from app.pbx.secret import Secret
from app.pbx.voicecloud_api import Account
from tests.fake_pbx import FAULTS, Fault, redirect_to, running_pbx
from tests.pbx_client import TODAY, client_of, failure_of

pytestmark = pytest.mark.anyio

PLAIN_PARTS = ("c4n4ryLEFT", "c4n4ryRIGHT")
KEY = "/+ %'\"\\ü".join(PLAIN_PARTS)
ADDRESSES = {
    "unknown_host": "http://pbx.invalid",
    "no_certificate": "https://{host}",
    "bad_address": "http://user:{key}@{host}",
    "key_in_address": "http://{host}:port/{key}",
}


class Everything(logging.Handler):
    """Keeps all that is logged, formatted as by a plain handler, and the record's own parts."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [self.format(record), repr(record.__dict__)]


@pytest.fixture
def logged() -> Iterator[list[str]]:
    root, everything = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    yield everything.lines
    root.removeHandler(everything)
    root.setLevel(level)


def found_in(texts: list[str]) -> list[str]:
    """The texts that show the key in any spelling."""
    raw = KEY.encode()
    whole = (base64.b64encode(bytes(offset) + raw)[4:-4].decode() for offset in range(3))
    needles = {*PLAIN_PARTS, *(form[:20] for form in whole)}
    needles |= {needle.replace("+", "-").replace("/", "_") for needle in needles}
    return [text for text in texts if any(needle in text for needle in needles)]


def shown_by(failure: BaseException) -> list[str]:
    """Everything that is printed of an exception, and of those that are attached to it."""
    chain: list[str] = []
    each: BaseException | None = failure
    while each is not None:
        chain += [str(each), repr(each), repr(each.args), repr(vars(each))]
        each = each.__cause__ or each.__context__
    return [*chain, "".join(traceback.format_exception(failure))]


async def everything_fails_or_answers(client: Pbx) -> list[str]:
    """What the failures of all calls show; some faults are no failure for some calls."""
    calls = [
        client.dial("101", "0901234567"),
        client.spy("100", "101", SpyMode.LISTEN, None),
        client.pause("101", True),
        client.members(),
        client.phones(["101"]),
        client.records(TODAY, TODAY),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    failures = [each for each in outcomes if isinstance(each, BaseException)]
    assert failures
    assert all(isinstance(each, PbxError) for each in failures)
    findings = await client.test_connection()
    return [
        *map(repr, outcomes),
        *(text for each in failures for text in shown_by(each)),
        *map(repr, findings),
    ]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_no_fault_of_the_pbx_shows_the_key(fault: Fault, logged: list[str]) -> None:
    asyncio.get_running_loop().set_debug(True)
    async with running_pbx(fault=fault) as pbx, client_of(pbx.url, key=KEY) as client:
        shown = await everything_fails_or_answers(client)
        samples = [repr(each) for each in client.unreadable]

    assert {body["key"] for _, body in pbx.got if isinstance(body, dict)} == {KEY}
    assert found_in(shown) == []
    assert found_in(samples) == []
    assert found_in(logged) == []


async def test_no_redirect_shows_the_key(logged: list[str]) -> None:
    async with (
        running_pbx() as thief,
        running_pbx(fault=redirect_to(thief.url)) as pbx,
        client_of(pbx.url, key=KEY) as client,
    ):
        shown = await everything_fails_or_answers(client)

    assert thief.got == []
    assert found_in([*shown, *logged]) == []


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
async def test_no_wrong_address_shows_the_key(address: str, logged: list[str]) -> None:
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(running_pbx())
        url = address.format(host=pbx.url.removeprefix("http://"), key=KEY)
        client = await stack.enter_async_context(client_of(url, key=KEY))
        shown = await everything_fails_or_answers(client)

    assert pbx.got == []
    assert found_in([*shown, *logged]) == []


async def test_nobody_listening_shows_no_key(free_port: int, logged: list[str]) -> None:
    async with client_of(f"http://127.0.0.1:{free_port}", key=KEY) as client:
        shown = await everything_fails_or_answers(client)

    assert found_in([*shown, *logged]) == []


@pytest.mark.parametrize("key", [KEY, PLAIN_PARTS[0]], ids=["awkward", "plain"])
@pytest.mark.parametrize("call", ["status", "all_members", "cdr"])
async def test_a_pbx_that_repeats_the_key_does_not_bring_it_into_the_answers(
    call: str, key: str
) -> None:
    row = {"callid": f"c-{key}", "status": "BUSY", "did": key, "recordingpath": f"r/{key}"}
    reply = [{"ext": "101", "queue": key, "status": key}, {"ext": key, "status": "on"}, row]
    async with running_pbx(replies={call: reply}) as pbx, client_of(pbx.url, key=key) as client:
        questions = (client.members(), client.phones(["101", key]), client.records(TODAY, TODAY))
        outcomes = await asyncio.gather(*questions, return_exceptions=True)
        shown = [repr(each) for each in (*outcomes, *client.unreadable)]

    assert any(isinstance(each, list) for each in outcomes)
    assert found_in(shown) == []


async def test_a_key_that_is_escaped_in_parts_only_is_not_shown() -> None:
    mixed = "%63\\u0034n4ryLEFT/+%20%'&quot;\\\\\\u00fcc4n4ry&#82;IGHT"
    async with running_pbx(replies={"": mixed}) as pbx, client_of(pbx.url, key=KEY) as client:
        failures = [await failure_of(client.members()), await failure_of(client.dial("101", "1"))]
        shown = [*map(str, failures), *(each.sample for each in client.unreadable)]

    assert "“***”" in str(failures[1])
    assert not any("LEFT" in text for text in shown)


async def test_a_key_cut_in_the_middle_is_not_shown() -> None:
    for length in range(16_300, 16_400, 7):
        reply = (KEY * 1_000)[:length] + "x" * 100_000
        async with running_pbx(replies={"": reply}) as pbx, client_of(pbx.url, key=KEY) as client:
            await failure_of(client.members())
            samples = [each.sample for each in client.unreadable]

        assert len(samples) == 1
        assert found_in(samples) == []


async def test_the_client_does_not_print_its_key() -> None:
    async with running_pbx() as pbx, client_of(pbx.url, key=KEY) as client:
        account = Account(pbx.url, pbx.url, "acme.example", Secret(KEY))
        shown = [repr(account), f"{account}", repr(client), repr(vars(client))]

    assert found_in(shown) == []


async def test_the_search_for_the_key_finds_it_where_it_is(free_port: int) -> None:
    whole = base64.b64encode(f"user:{KEY}".encode()).decode()
    shown = [f"GET /key/{KEY}", f"Basic {whole}", "nothing"]

    assert found_in(shown) == shown[:2]
    assert found_in(shown_by(await failure_of(leak()))) != []


async def leak() -> None:
    try:
        raise ValueError(KEY)
    except ValueError:
        raise PbxError("garbage", "This one has the key as its context.") from None
