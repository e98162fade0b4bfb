"""Alarms told to others: over real HTTP and SMTP, once, in one message, again after a failure."""

import asyncio
import json
import logging
import socketserver
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.alerting import Channels, Notifier, set_first_rules
from app.alerting.message import composer
from app.alerting.notifier import GIVE_UP_MS
from app.alerting.outgoing import send
from app.database import Database
from app.domain.days import BusinessDay
from app.domain.default_rules import DEFAULTS
from app.domain.events import (
    AlarmRuleSet,
    AlarmShelved,
    CallEnded,
    CallRinging,
    Event,
    QueueNamed,
    Tick,
)
from app.log import LogUnavailable
from app.log.memory import MemoryLog
from app.projector import Projector
from app.render import Renderer
from tests.story import UTC_ZONE
from tests.waiting import until

pytestmark = pytest.mark.anyio

RULE = AlarmRuleSet(rule="r", metric="waiting", warning=0, critical=2)
QUICK_S = 0.01


class Post:
    """Stands for the services: keeps what is sent, or fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.messages: list[tuple[str, str, str]] = []
        self.failures = failures
        self.attempts = 0
        self.open = threading.Event()
        self.open.set()

    def __call__(self, url: str, title: str, body: str) -> str:
        self.open.wait(5)
        self.attempts += 1
        if self.attempts <= self.failures:
            return "It is closed."
        self.messages.append((url, title, body))
        return ""


class Town:
    """A log, a floor that follows it, and what tells of its alarms; the clock is turned by hand."""

    def __init__(self, channels: Channels, log: MemoryLog, post: Post) -> None:
        self.channels, self.log, self.post = channels, log, post
        self.now = 1_800_000_000_000
        renderer = Renderer(UTC_ZONE)
        self.projector = Projector(log, BusinessDay(UTC_ZONE), renderer, lambda: self.now)
        compose = composer(renderer, self.projector.floor, "en")
        self.notifier = Notifier(channels, log, self.projector, compose, post, QUICK_S)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator["Town"]:
        await self.projector.start()
        tasks = [asyncio.create_task(run) for run in (self.projector.run(), self.notifier.run())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.notifier.close()

    async def happen(self, *events: Event) -> None:
        """The events, then a tick five seconds later."""
        await self.log.append(events)
        self.now += 5_000
        await self.projector.wait_for(await self.log.append([Tick()]))

    @property
    def told(self) -> list[dict[str, str]]:
        return [entry.told for entry in self.projector.floor.state.alarm_log]


@pytest.fixture
async def channels(tmp_path: Path) -> AsyncIterator[Channels]:
    database = await Database.open(str(tmp_path / "test.db"))
    yield await Channels.open(database, lambda: 0)
    await database.close()


def a_town(channels: Channels, post: Post | None = None) -> Town:
    clock: list[Town] = []
    log = MemoryLog(lambda: clock[0].now)
    clock.append(Town(channels, log, post or Post()))
    return clock[0]


def waits(*names: str, queue: str = "999") -> list[Event]:
    return [CallRinging(callid=name, queue=queue) for name in names]


async def test_an_alarm_is_told_once_and_its_end_too(channels):
    await channels.add("Chat", "a://", 1)
    async with a_town(channels).alive() as town:
        await town.happen(QueueNamed(queue="999", name="Sales"), RULE, *waits("1"))
        await until(lambda: town.told == [{"1": ""}])
        for _ in range(5):
            await town.happen()
        await town.happen(CallEnded(callid="1"))
        await until(lambda: town.told == [{"1": ""}] * 2)

    [(_, title, body), (_, end, cleared)] = town.post.messages
    assert title == "Pitwall !"
    assert body.endswith("Warning (raised): Callers waiting – Sales: 1")
    assert (end, "(cleared)" in cleared) == ("Pitwall ✓", True)


async def test_levels_scopes_and_endings_are_chosen(channels):
    await channels.add("critical", "critical://", 2)
    await channels.add("only 888", "scoped://", 1, "888", tells_cleared=False)
    async with a_town(channels).alive() as town:
        await town.happen(RULE, *waits("1"), *waits("2", queue="888"))
        await until(lambda: town.told == [{}, {"2": ""}])
        await town.happen(*waits("3", "4"), CallEnded(callid="2"))
        await until(lambda: {"1": ""} in town.told)

    assert [url for url, *_ in town.post.messages] == ["scoped://", "critical://"]


async def test_what_comes_while_one_is_being_sent_is_one_message(channels):
    await channels.add("Chat", "a://", 1)
    async with a_town(channels).alive() as town:
        town.post.open.clear()
        await town.happen(RULE, *waits("1"))
        for queue in ("a", "b", "c", "d"):
            await town.happen(*waits(queue, queue=queue))
        town.post.open.set()
        await until(lambda: town.told == [{"1": ""}] * 5 or town.post.attempts > 1)
        await town.happen()
        await until(lambda: town.told == [{"1": ""}] * 5)

    assert [body.count("raised") for *_, body in town.post.messages] == [1, 4]


async def test_a_channel_that_fails_is_tried_again(channels, caplog):
    await channels.add("Chat", "secret://tok3n", 1)
    async with a_town(channels, Post(failures=3)).alive() as town:
        await town.happen(RULE, *waits("1"))
        await until(lambda: town.told == [{"1": ""}])

    assert (town.post.attempts, len(town.post.messages)) == (4, 1)
    assert "“Chat”: It is closed." in caplog.text
    assert "tok3n" not in caplog.text


async def test_what_can_not_be_told_is_given_up_and_said(channels):
    await channels.add("Chat", "a://", 1)
    async with a_town(channels, Post(failures=10**6)).alive() as town:
        await town.happen(RULE, *waits("1"))
        town.now += GIVE_UP_MS - 10_000
        await town.happen()
        await until(lambda: town.post.attempts > 1)
        attempts = town.post.attempts
        # A channel that rests for minutes is told nothing that will be old by then.
        town.notifier._rests["1"].failures = 12
        await until(lambda: town.told == [{"1": "It is closed."}])

    assert town.post.attempts <= attempts + 3


async def test_code_that_breaks_ends_nothing(channels):
    def broken(url: str, title: str, body: str) -> str:
        raise RuntimeError("secret://tok3n")

    town = a_town(channels)
    town.notifier._send = broken
    error = await town.notifier.attempt("a://", "", "")
    await town.notifier.close()

    assert error == "The message could not be sent (RuntimeError)."


async def test_a_restart_tells_nothing_twice(channels):
    await channels.add("Chat", "a://", 1)
    first = a_town(channels)
    async with first.alive():
        await first.happen(RULE, *waits("1"))
        await until(lambda: first.told == [{"1": ""}])
        # Not told yet when the program ends.
        await first.log.append(waits("2", queue="888"))

    second = Town(channels, first.log, Post())
    second.now = first.now
    async with second.alive():
        await second.happen()
        await until(lambda: second.told == [{"1": ""}] * 2)

    assert len(first.post.messages) == 1
    assert [body.count("\n") for *_, body in second.post.messages] == [0]
    assert "888" in second.post.messages[0][2]


async def test_old_news_are_no_news_after_a_long_night(channels):
    town = a_town(channels)
    async with town.alive():
        await town.happen(RULE, *waits("1"))
        town.now += GIVE_UP_MS
        await town.happen()
        await channels.add("Chat", "a://", 1)
        await town.happen()
        await town.happen(*waits("2", queue="888"))
        await until(lambda: {"1": ""} in town.told)

    assert len(town.post.messages) == 1
    assert town.told[0] == {}


async def test_a_silenced_alarm_is_told_to_nobody(channels):
    town = a_town(channels)
    async with town.alive():
        await town.happen(RULE, *waits("1"))
        await town.happen(AlarmShelved(alarm="r/999", until=town.now + 10**6, by="ann"))
        await channels.add("Chat", "a://", 1)
        await town.happen(*waits("2", queue="888"))
        await until(lambda: {"1": ""} in town.told)

    assert ["888" in body for *_, body in town.post.messages] == [True]


async def test_a_log_that_is_away_makes_nobody_told_twice(channels, monkeypatch):
    await channels.add("Chat", "a://", 1)
    async with a_town(channels).alive() as town:
        append = town.log.append

        async def refuse(events, *rest):
            if any(hasattr(event, "channel") for event in events):
                raise LogUnavailable("The disk is full.")
            return await append(events, *rest)

        monkeypatch.setattr(town.log, "append", refuse)
        await town.happen(RULE, *waits("1"))
        await until(lambda: town.post.messages)
        for _ in range(5):
            await town.happen()

    assert len(town.post.messages) == 1


async def test_many_alarms_make_a_message_of_bounded_length(channels):
    await channels.add("Chat", "a://", 1)
    async with a_town(channels).alive() as town:
        many = [one for number in range(50) for one in waits(str(number), queue=f"q{number}")]
        await town.happen(RULE, *many)
        await until(lambda: town.post.messages)

    assert "… and 30 more" in town.post.messages[0][2]


async def test_a_new_board_has_the_suggested_rules_once(channels):
    town = a_town(channels)
    async with town.alive():
        await set_first_rules(town.log, town.projector)
        await town.happen()
        known = town.log.last_seq
        await set_first_rules(town.log, town.projector)

    assert len(town.projector.floor.state.alarm_rules) == len(DEFAULTS)
    assert town.log.last_seq == known


# Real services


class Receiver(BaseHTTPRequestHandler):
    """A webhook's other end."""

    got: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.got.append(json.loads(self.rfile.read(length)))
        self.send_response(500 if "broken" in self.path else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class MailSink(socketserver.StreamRequestHandler):
    """As much SMTP as one message takes."""

    got: ClassVar[list[str]] = []

    def handle(self) -> None:
        self._say("220 sink")
        for line in self.rfile:
            word = line.decode().split()[0].upper()
            if word == "DATA":
                self._say("354 go on")
                self.got.append("".join(self._lines()))
                self._say("250 kept")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _lines(self) -> Iterator[str]:
        while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
            yield line

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_webhook_is_called_over_http(channels):
    Receiver.got.clear()
    with serving(HTTPServer(("127.0.0.1", 0), Receiver)) as port:
        await channels.add("Hook", f"json://127.0.0.1:{port}/tok3n", 1)
        town = a_town(channels)
        town.notifier._send = send
        async with town.alive():
            await town.happen(QueueNamed(queue="999", name="<Đặng>"), RULE, *waits("1"))
            await until(lambda: town.told == [{"1": ""}])

    [message] = Receiver.got
    assert message["title"] == "Pitwall !"
    assert "Callers waiting – <Đặng>: 1" in message["message"]


def test_a_mail_is_sent_over_smtp():
    MailSink.got.clear()
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailSink)) as port:
        url = (
            f"mailto://127.0.0.1:{port}?from=board@example.test&to=chief@example.test&mode=insecure"
        )
        assert send(url, "Pitwall !", "Somebody waits.") == ""

    assert "chief@example.test" in MailSink.got[0]


@pytest.mark.parametrize("path", ["broken/tok3n", "x"])
def test_a_service_that_refuses_is_told_without_its_address(path, caplog):
    caplog.set_level(logging.DEBUG)
    Receiver.got.clear()
    with serving(HTTPServer(("127.0.0.1", 0), Receiver)) as port:
        host = f"127.0.0.1:{port}" if path != "x" else "127.0.0.1:1"
        error = send(f"json://user:s3cr3t@{host}/{path}", "Pitwall !", "Somebody waits.")

    assert error == "The service refused the message, or could not be reached."
    assert "s3cr3t" not in caplog.text
    assert "tok3n" not in caplog.text


def test_what_is_no_address_is_said():
    assert "none that this version" in send("nonsense", "", "x")
