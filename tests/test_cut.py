"""Whether what judges the cut network would see that something is wrong."""

import socket
from pathlib import Path
from time import monotonic, time

import pytest

from tests.cluster.cut_network import Machine
from tests.cluster.cut_relay import Way
from tests.cluster.cut_trials import Trial
from tests.cluster.cut_witness import (
    LIVE,
    STALE,
    UNSAVED,
    Answer,
    Owners,
    Page,
    last_said_s,
    longest_gap_s,
    statuses,
)
from tests.cluster.installation import Node, Tenant
from tests.live_viewer import Viewer

pytestmark = pytest.mark.anyio


def test_time_without_a_good_answer_counts_up_to_the_edges():
    answers = [Answer(0, 3, 200), Answer(0, 4, 503), Answer(0, 5, 200)]

    assert longest_gap_s(answers, 1, 10) == 5
    assert longest_gap_s(answers, 1, 5.5) == 2
    assert longest_gap_s([], 1, 10) == 9


def test_answers_count_by_when_they_were_asked_for():
    answers = [Answer(1, 9, 200), Answer(2, 3, 503), Answer(5, 6, 0)]

    assert statuses(answers, 2, 6) == {503: 1, 0: 1}


async def page(tick: int, html: bytes = b"") -> Page:
    found = Page(Machine("a", "10.0.0.1"), Tenant("acme", "t"), "")
    found.viewer = Viewer(1, "")
    found.viewer.is_open = True
    beat = b'<i id="beat" hidden data-version="1" data-now="%d" data-tick="%d"' % (tick, tick)
    found._hear(beat + html + b"></i>", monotonic())
    return found


async def test_a_page_is_live_only_with_a_fresh_tick_a_socket_and_a_log():
    now = round(time() * 1000)
    alone = await page(now)
    alone.viewer = None

    assert (await page(now)).word() == LIVE
    assert (await page(now - 11_000)).word() == STALE
    assert (await page(now, b' data-counts="" data-build="" data-unsaved="5"')).word() == UNSAVED
    assert alone.word() == STALE


async def test_the_last_moment_at_which_a_page_said_something_is_found():
    one = await page(1)
    one.said = [(1.0, LIVE), (4.0, LIVE), (5.0, STALE), (99.0, LIVE)]

    assert last_said_s([one], LIVE, 1.0, 50.0) == 3.0
    assert last_said_s([one], UNSAVED, 1.0, 50.0) == 0.0


def test_owners_are_told_from_what_nodes_write(tmp_path: Path):
    nodes = [Node(name, 1, tmp_path / name, {}) for name in ("node-a", "node-b")]
    for node in nodes:
        node.folder.mkdir()
    (tmp_path / "node-a" / "output.txt").write_text("INFO vm:1 owns “p3” (epoch 1).\n")
    (tmp_path / "node-b" / "output.txt").write_text("")
    owners = Owners(nodes)
    owners.look()
    assert owners.of(3) == "node-a"

    with (tmp_path / "node-a" / "output.txt").open("a") as output:
        output.write("INFO vm:1 has the lease cluster.lease.p3 no more.\n")
    (tmp_path / "node-b" / "output.txt").write_text("INFO vm:2 owns “p3” (epoch 9).\n")
    owners.look()

    assert owners.of(3) == "node-b"
    assert owners.ended(3, "node-a", 0) is not None
    assert owners.ended(3, "node-b", 0) is None
    assert [name for _, name in owners.taken(3, 0)] == ["node-a", "node-b"]


def test_a_bad_cable_keeps_frames_for_a_while_and_loses_some():
    near, source = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    sink, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    class Device:
        def recvfrom(self, most: int) -> tuple[bytes, tuple[str, int, int]]:
            return source.recv(most), ("eth0", 0, 0)

    slow, dead = (Way(Device(), sink, 0.05, lost) for lost in (0.0, 1.0))  # type: ignore[arg-type]
    for way in (slow, dead):
        near.send(b"frame")
        way.take()
        way.pass_on()

    assert [len(way.waiting) for way in (slow, dead)] == [1, 0]
    while slow.waiting:
        slow.pass_on()
    assert far.recv(100) == b"frame"
    for each in (near, source, sink, far):
        each.close()


def test_a_demand_that_is_not_met_is_a_fault():
    trial = Trial("a failure", "what was done")
    trial.demand(True, "fine")
    trial.demand(False, "not fine")

    assert trial.faults == ["not fine"]
