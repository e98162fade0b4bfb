"""What comes after a body is nobody's: header lines there are not believed, and are not kept."""

import socket
from collections.abc import Iterator

import pytest

from tests.served import TOKEN, Served
from tests.test_bad_inputs import MEBIBYTE, resident_bytes

API_TOKEN = "what-a-program-of-theirs-has"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("trailers")
    with Served(folder, PITWALL_API_TOKEN=API_TOKEN) as running:
        yield running


def chunked(path: str, *trailers: str, method: str = "GET", body: str = "") -> bytes:
    """A request whose header lines come, as HTTP allows, after its body."""
    chunk = f"{len(body):x}\r\n{body}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return (head + chunk + "0\r\n" + "".join(f"{line}\r\n" for line in trailers) + "\r\n").encode()


def test_a_key_in_a_trailer_opens_nothing(served: Served) -> None:
    key = f"Authorization: Bearer {API_TOKEN}"

    assert served.exchange(chunked("/api/v1/floor", key)).status == 401


def test_a_webhook_with_a_trailer_is_stored(served: Served) -> None:
    before = served.parts.log.last_seq
    hook = f"/hook/{TOKEN}/api/callcenter/hangup"
    sent = chunked(hook, "Checksum: 7", method="POST", body='{"callid": "a"}')

    assert served.exchange(sent).status == 200
    assert served.parts.log.last_seq > before


# How it begins, and what then comes again and again.
ENDLESS = {
    "trailers": (b"0\r\n", b"X: " + b"a" * 97 + b"\r\n"),
    "one trailer": (b"0\r\nX: ", b"a" * 100),
    "an extension": (b"5;", b"a" * 100),
}


def is_cut_off(connection: socket.socket, data: bytes) -> bool:
    """Whether the other end gives up before it has had 200 times the data."""
    try:
        for _ in range(200):
            connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


@pytest.mark.parametrize("shape", ENDLESS)
@pytest.mark.parametrize("path", ["/api/v1/floor", "/live"])
def test_what_does_not_end_after_the_head_is_cut_off(served: Served, shape: str, path: str) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n" if path == "/live" else b""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n".encode()
    first, more = ENDLESS[shape]
    before = resident_bytes()
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        connection.sendall(head + upgrade + b"\r\n" + first)
        assert is_cut_off(connection, more * 1000)

    assert resident_bytes() - before < 5 * MEBIBYTE
