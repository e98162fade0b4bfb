"""Behind a proxy: whose address counts, and that nobody can choose it themselves."""

import asyncio
from ipaddress import ip_network

import pytest

from app.web.forwarded import ClientAddress

PROXIES = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
PROXY, CLIENT = "127.0.0.1", "203.0.113.5"


def client_seen(peer: str, *told: str, kind: str = "http", proxies=PROXIES) -> str:
    """What a handler sees as the client's address; `told` are X-Forwarded-For headers."""
    seen: list[tuple[str, int]] = []

    async def app(scope, receive, send):
        seen.append(scope["client"])

    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in told]
    scope = {"type": kind, "client": (peer, 4711), "headers": headers}
    asyncio.run(ClientAddress(app, proxies)(scope, None, None))  # type: ignore[arg-type]
    return seen[0][0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_proxy_of_ours_is_believed(kind):
    assert client_seen(PROXY, CLIENT, kind=kind) == CLIENT


def test_nobody_else_is():
    assert client_seen("198.51.100.9", CLIENT) == "198.51.100.9"


def test_without_proxies_no_header_counts():
    assert client_seen(PROXY, CLIENT, proxies=()) == PROXY


@pytest.mark.parametrize(
    ("told", "client"),
    [
        # What a client writes itself stands on the left of what our proxy adds.
        (["192.0.2.7, 203.0.113.5"], CLIENT),
        (["192.0.2.7", "203.0.113.5"], CLIENT),
        (["203.0.113.5, 10.1.2.3"], CLIENT),
        (["10.1.2.3, 10.3.2.1"], "10.1.2.3"),
        (["  203.0.113.5  "], CLIENT),
        (["::ffff:203.0.113.5"], CLIENT),
        (["2001:db8::5"], "2001:db8::5"),
        # What can't be read ends the chain: nothing left of it is believed.
        (["203.0.113.5, unknown"], PROXY),
        (["203.0.113.5, nonsense, 10.1.2.3"], "10.1.2.3"),
        (["203.0.113.5:1234"], PROXY),
        ([""], PROXY),
        ([], PROXY),
        (["\xff"], PROXY),
        ([",".join([CLIENT] * 5000)], CLIENT),
    ],
)
def test_the_right_most_hop_that_is_no_proxy_is_the_client(told, client):
    assert client_seen(PROXY, *told) == client


def test_a_unix_socket_has_no_address():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["client"])

    scope: dict[str, object] = {"type": "http", "client": None, "headers": []}
    asyncio.run(ClientAddress(app, PROXIES)(scope, None, None))  # type: ignore[arg-type]

    assert seen == [None]


def name_seen(peer: str, *told: bytes) -> str | None:
    """What the receiver takes as the request's name; `told` are X-Pitwall-Request headers."""
    seen: list[str | None] = []

    async def app(scope, receive, send):
        seen.append(scope.get("pitwall.request"))

    headers = [(b"x-pitwall-request", value) for value in told]
    scope = {"type": "http", "client": (peer, 4711), "headers": headers}
    asyncio.run(ClientAddress(app, PROXIES)(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


def test_a_proxy_of_ours_may_name_a_request_so_that_it_is_stored_once():
    assert name_seen(PROXY, b"5f0c1a") == "5f0c1a"


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        (CLIENT, [b"5f0c1a"]),
        (PROXY, []),
        (PROXY, [b""]),
        (PROXY, [b"one", b"two"]),
        (PROXY, [b"with a space"]),
        (PROXY, [b"\xc3\xa9"]),
    ],
)
def test_a_name_from_anybody_else_or_that_is_none_counts_for_nothing(peer, told):
    assert name_seen(peer, *told) is None
