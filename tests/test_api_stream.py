"""The stream for programs, over a real connection that lasts."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse

from tests.served import Served


@contextmanager
def streamed(served: Served, token: str) -> Iterator[HTTPResponse]:
    """The stream from its beginning."""
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=10)) as connection:
        connection.request("GET", "/api/v1/stream", headers={"Authorization": f"Bearer {token}"})
        with connection.getresponse() as stream:
            yield stream


def event_in(stream: HTTPResponse) -> str:
    """The name of the next event, with all of it read; "" at the end."""
    name = stream.readline().decode().removeprefix("event: ").strip()
    while stream.readline().strip():
        pass
    return name


def ring(served: Served, callid: str) -> None:
    event = {"callid": callid, "phone": "0938363739", "queue": "999", "event": "RING"}
    assert served.hook("/callcenter/call_in", **event) == 200


def test_a_stream_ends_when_its_token_is_removed(tmp_path):
    with Served(tmp_path) as served:
        tokens = served.parts.access.tokens
        text = served.call(tokens.add("Grafana", "Ann"))
        ring(served, "c1")
        with streamed(served, text) as stream:
            assert event_in(stream) in ("floor", "changes")

            [token] = tokens.all()
            served.call(tokens.remove(token.token_id))
            ring(served, "c2")
            # What was sent before the removal is still read.
            assert "" in [event_in(stream) for _ in range(3)]
