"""Connections that send half a request, too much of one, or none, on a real server."""

import contextlib
import importlib.util
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from app import protocol
from app.protocol import MissingPart, server_config
from tests.receiver import Answer, Receiver, read_answer
from tests.waiting import wait_for

SOON_S = 0.3


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines short enough for a test."""
    for name in ("HEAD_S", "BODY_S", "LINGER_S"):
        monkeypatch.setattr(protocol, name, SOON_S)


def hangup(receiver: Receiver, method: str = "GET", *headers: str) -> bytes:
    target = f"/hook/{receiver.token}/api/callcenter/hangup?callid=a"
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def ends(connection: socket.socket) -> bool:
    """The server closes, and has nothing more to say."""
    connection.settimeout(10)
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9"],
    ids=["nothing", "one byte", "half a head", "a blank line", "half a header"],
)
def test_a_head_that_does_not_end_is_cut_off(receiver: Receiver, sent: bytes) -> None:
    with receiver.connect() as connection:
        connection.sendall(sent)

        assert ends(connection)


@pytest.mark.usefixtures("impatient")
def test_a_head_that_drips_is_cut_off_all_the_same(receiver: Receiver) -> None:
    with receiver.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        sending = threading.Thread(target=drip, args=(connection,))
        sending.start()

        assert ends(connection)
        sending.join()


def drip(connection: socket.socket) -> None:
    """A byte now and then, until the connection is gone."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(500):
            connection.sendall(b"X")
            time.sleep(0.02)


@pytest.mark.usefixtures("impatient")
def test_blank_lines_after_an_answer_do_not_keep_a_connection(receiver: Receiver) -> None:
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver))
        assert read_answer(connection).status == 200
        connection.sendall(b"\r\n")

        assert ends(connection)


@pytest.mark.usefixtures("impatient")
def test_a_body_that_does_not_end_is_cut_off(receiver: Receiver) -> None:
    before = receiver.parts.log.last_seq
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver, "POST", "Content-Length: 9") + b"callid")

        assert ends(connection)
    assert receiver.parts.log.last_seq == before


@pytest.mark.parametrize(("headers", "said"), [((), None), (("Connection: close",), "close")])
def test_a_connection_that_ends_is_said_to_end(
    receiver: Receiver, headers: tuple[str, ...], said: str | None
) -> None:
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver, "GET", *headers))
        assert read_answer(connection).headers.get("connection") == said
        if said is None:
            connection.sendall(hangup(receiver, "GET", "Connection: close"))
            assert read_answer(connection).status == 200

        assert ends(connection)


def test_a_connection_that_has_gone_is_not_waited_for(receiver: Receiver) -> None:
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver))
        assert read_answer(connection).status == 200
        assert receiver.connections

    wait_for(lambda: receiver.connections == 0, 10, every_s=0.01)


@pytest.mark.usefixtures("impatient")
def test_a_connection_may_rest_between_requests(receiver: Receiver) -> None:
    with receiver.connect() as connection:
        for _ in range(2):
            connection.sendall(hangup(receiver))
            assert read_answer(connection).status == 200
            time.sleep(2 * SOON_S)
        connection.sendall(hangup(receiver))

        assert read_answer(connection).status == 200


@pytest.mark.usefixtures("impatient")
def test_an_early_answer_is_seen_and_the_rest_is_not_waited_for(receiver: Receiver) -> None:
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver, "POST", "Content-Length: 1000000") + b"x" * 1000)
        assert read_answer(connection).status == 413

        assert ends(connection)


def test_a_connection_goes_on_when_the_rest_comes_after_an_early_answer(
    receiver: Receiver,
) -> None:
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver, "POST", "Content-Length: 100000"))
        assert read_answer(connection).status == 413
        connection.sendall(b"x" * 100_000 + hangup(receiver))

        assert read_answer(connection).status == 200


def test_a_body_has_a_deadline_of_its_own(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", SOON_S)
    with receiver.connect() as connection:
        connection.sendall(hangup(receiver, "POST", "Content-Length: 8"))
        time.sleep(2 * SOON_S)
        connection.sendall(b"callid=a")

        assert read_answer(connection).status == 200


def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(receiver: Receiver) -> None:
    for endless in (b"X: a\r\n" * 4_000, b"X: " + b"a" * 24_000):
        assert receiver.exchange(b"GET / HTTP/1.1\r\n" + endless).status == 400


def large(receiver: Receiver, size: int) -> Answer:
    return receiver.exchange(hangup(receiver, "GET", "X: " + "a" * size))


def test_heads_up_to_sixteen_kibibytes_are_taken(receiver: Receiver) -> None:
    assert large(receiver, 15_000).status == 200
    assert large(receiver, 20_000).status == 400


def test_large_heads_are_counted_where_unparsable_ones_are(receiver: Receiver) -> None:
    before = receiver.parts.journal.unparsable.total
    large(receiver, 20_000)
    receiver.exchange(b"nonsense\r\n\r\n")

    assert receiver.parts.journal.unparsable.total == before + 2
    assert receiver.parts.journal.unparsable.newest()[0][0] == "127.0.0.1"


def test_a_wish_for_another_protocol_is_overheard(receiver: Receiver) -> None:
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA")

    assert receiver.exchange(hangup(receiver, "GET", *wish)).status == 200


def test_strangers_do_not_fill_the_log(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.exchange(b"nonsense\r\n\r\n")

    assert caplog.text == ""


@pytest.mark.parametrize("name", ["uvloop", "httptools", "websockets"])
def test_a_missing_part_is_named_at_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == name else find(n))

    with pytest.raises(MissingPart, match=name):
        server_config(lambda: None)


def test_nothing_secret_is_logged_and_no_proxy_is_believed() -> None:
    config = server_config(lambda: None)

    assert not config.access_log
    assert not config.proxy_headers
    assert config.ws_max_size <= 65536
    assert logging.getLogger("uvicorn.error").level >= logging.WARNING
