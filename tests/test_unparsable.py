"""Requests that are no HTTP: an administrator sees how they began, and nothing secret of them."""

import re
import ssl
from http.client import HTTPConnection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rights import Role
from app.unparsable import told
from tests.receiver import Receiver, read_answer
from tests.served import TOKEN, Served

SECRET = "Zk3-x_9sQvT7uWyL1mNoPqRsTuVwXyZ0123456789AB"
PHONE = "0938363739"


def test_a_space_in_a_webhooks_query_is_shown_with_its_masked_beginning(tmp_path):
    with Served(tmp_path) as served:
        request = f"GET /hook/{TOKEN}?phone=09 38363739&queue=900 HTTP/1.1\r\nHost: x\r\n\r\n"
        assert served.exchange(request.encode()).status == 400
        page = diagnostics(served)

    assert "<code>GET /hook/…?phone=•• •••••739&amp;queue=900 HTTP/1.1</code>" in page
    assert TOKEN not in page
    assert "38363739" not in page


def diagnostics(served: Served) -> str:
    asking = HTTPConnection("127.0.0.1", served.port, timeout=10)
    asking.request("GET", "/diagnostics", headers={"Cookie": served.cookie("boss", Role.ADMIN)})
    page = asking.getresponse().read().decode()
    asking.close()
    return page


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("GET /hook/{t}/api/callcenter/call_in?callid=c1&phone={p} HTTP/1.1",
         "GET /hook/…/api/callcenter/call_in?callid=c1&phone=•••••••739 HTTP/1.1"),
        ("GET /hook/{t}/api/callcenter/calldata?calldate=2026-03-02 10:00:00 HTTP/1.1",
         "GET /hook/…/api/callcenter/calldata?calldate=2026-03-02 10:00:00 HTTP/1.1"),
        ("GET /hook/{t} /Api/Agent/changestatus HTTP/1.1",
         "GET /hook/… /Api/Agent/changestatus HTTP/1.1"),
        ("GET  /hook/{t}?queue=09 38 36 37 39", "GET  /hook/…?queue=•• •• •• •7 39"),
        ("GET /hook/{t}?phone=%30%39%33%38363739", "GET /hook/…?phone=%••%••%••%•••••739"),
        ("GET /hook/{t}?name=Bán hàng&password=x&{t}&queue=Bán",
         "GET /hook/…?name=… …&password=…&…&queue=Bán"),
        ("GET /hook/{t}?callid={t}&status=ring ", "GET /hook/…?callid=***&status=ring "),
        ("GET /setup/{t}?x HTTP/1.1", "GET /…/…?… HTTP/1.1"),
        ("POST http://x/hook/{t}", "POST …//…/hook/…"),
        ("ssword={t}&phone={p}", None),
        ("Cookie: sid={t}", None),
        ("\x16\x03\x01{p}", None),
    ],
)  # fmt: skip
def test_what_is_told_of_a_request_line(line: str, shown: str | None) -> None:
    begun = f"\r\n{line.format(t=SECRET, p=PHONE)}\r\nCookie: sid={SECRET}".encode()
    seen = told(begun[:200])

    assert seen == shown if shown is not None else not re.search(r"\w", seen)


@given(st.binary(max_size=200))
def test_whatever_came_can_be_told(begun: bytes) -> None:
    assert len(told(begun).splitlines()) <= 1


@pytest.mark.parametrize("cut", range(0, 120, 7))
@pytest.mark.parametrize(
    "line", ["GET /hook/{t}?phone={p}&x={t}", "GET /{t}/hook {t}", "{t} /api/{t}", "{p} {t}"]
)
def test_wherever_it_is_cut_neither_token_nor_number_is_told(line: str, cut: int) -> None:
    whole = line.format(t=SECRET, p=PHONE).encode()
    seen = told(whole[:cut]) + told(whole[cut:])

    assert PHONE not in seen
    assert not any(SECRET[at : at + 4] in seen for at in range(len(SECRET) - 4))


def test_of_requests_on_one_connection_the_refused_one_is_told(receiver: Receiver) -> None:
    path = f"GET /hook/{receiver.token}/api/callcenter"
    with receiver.connect() as connection:
        connection.sendall(f"{path}/hangup?callid=a HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert read_answer(connection).status == 200
        connection.sendall(f"{path}/init?callid=b ".encode())
        connection.sendall(b"c HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(connection).status == 400

    assert sample(receiver).startswith("GET /hook/…/api/callcenter/init?callid=b")


def test_who_speaks_tls_to_a_plain_port_is_told_of_without_a_letter(receiver: Receiver) -> None:
    with receiver.connect() as connection, pytest.raises((ssl.SSLError, OSError)):
        ssl.create_default_context().wrap_socket(connection, server_hostname="pbx.example")

    assert sample(receiver).startswith("�")
    assert not re.search(r"[A-Za-z]", sample(receiver))


def sample(receiver: Receiver) -> str:
    return receiver.parts.journal.unparsable.newest()[0][1].sample


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as running:
        yield running
