"""One function per part of the report: measure, and set the figures beside the goals."""

from dataclasses import dataclass

from bench import (
    browser,
    cluster_section,
    fanout,
    floor_size,
    freshness,
    headroom,
    ingest,
    peers,
    start,
)
from bench.goals import Goal, Section, number, table


@dataclass(frozen=True)
class Scale:
    """How much is measured: `quick` shows that it works, the other what is true."""

    rounds: int
    webhooks: int
    seconds: float
    viewers: tuple[int, ...]
    sizes: tuple[int, ...]
    floors: tuple[int, ...]
    sustained_s: float
    stored: int
    # Half a minute is waited until they are gone.
    stuck: bool


QUICK = Scale(2, 1500, 3.0, (200,), (1_000, 8_000), (100, 1000), 5.0, 60_000, stuck=False)
FULL = Scale(
    5,
    4000,
    6.0,
    (200, 1000, 5000),
    (1_000, 8_000, 30_000),
    (100, 1000, 5000),
    30.0,
    10**6,
    stuck=True,
)


async def measure_ingest(scale: Scale) -> Section:
    costs = await ingest.compare(scale.rounds, scale.webhooks)
    answers = await ingest.answer_ms(200.0, scale.seconds)
    section = Section("Ingest: a webhook that is on disk when it is answered")
    for name, bound in (("keep-alive", 60), ("a connection each", 60)):
        share = 100 * costs[name]["empty"] / costs[name]["receiver"]
        what = f"share of the empty route's webhooks per CPU second, {name}"
        section.goals.append(Goal(what, share, bound, "least", " %"))
    later = answers["receiver"][1] - answers["empty"][1]
    what = "answer at 200/s, p99 later than the empty route's"
    section.goals.append(Goal(what, later, 10.0, unit=" ms"))
    rows = [
        [part, *(f"{costs[name][part]:.1f}" for name in costs)]
        + [f"{ms:.2f}" for ms in answers[part]]
        for part in ingest.PARTS
    ]
    head = ["µs of CPU per webhook", *costs, "answer p50 ms", "p99 ms"]
    section.lines += table(head, rows)
    section.lines.append(
        "`receiver` is the hook, the log (FULL) and its journal: all that must happen before the "
        "answer. `whole` also applies, draws, keeps the history and judges alarms."
    )
    return section


async def measure_fanout(scale: Scale) -> list[Section]:
    sections = []
    for count in scale.viewers:
        sizes = scale.sizes if count < 5000 else scale.sizes[:1]
        rounds = min(scale.rounds, 3 if count < 5000 else 2)
        found = await fanout.compare(count, sizes, rounds, scale.seconds / 4)
        sections.append(_fanout_section(count, found))
    if scale.stuck:
        sections.append(await _measure_stuck(scale))
    return sections


async def _measure_stuck(scale: Scale) -> Section:
    stuck = await fanout.with_stuck_viewers(min(scale.seconds, 5.0))
    section = Section("Fan-out: 20 viewers, of whom five stop reading")
    share = 100 * stuck["share_of_frames"]
    section.goals.append(Goal("frames that the others got", share, 95.0, "least", " %"))
    section.goals.append(Goal("stuck viewers left after 33 s", stuck["stuck_left"], 0))
    grown = stuck["grown_kib"] / 1024 / 5
    section.goals.append(Goal("memory for each of them", grown, 2.0, unit=" MiB"))
    return section


def _fanout_section(count: int, found: dict[int, dict[str, fanout.Cost]]) -> Section:
    section = Section(f"Fan-out: {count:,} viewers")
    rows = []
    for size, costs in found.items():
        ours, once = costs["ours"], costs["ours, compressed once"]
        plain, alike = costs["broadcast()"], costs["broadcast(), acknowledged"]
        deflated = costs["broadcast(), compressed"]
        name = f"{size // 1000} KB"
        section.goals += [
            Goal(f"{name}: CPU beside broadcast(), which hears no answers",
                 ours.cpu_us / plain.cpu_us, 1.0, unit=" ×"),
            Goal(f"{name}: CPU beside broadcast() that hears the same answers",
                 ours.cpu_us / alike.cpu_us, 1.0, unit=" ×"),
            Goal(f"{name}, compressed: CPU beside broadcast() with compression",
                 once.cpu_us / deflated.cpu_us, 0.35, unit=" ×"),
            Goal(f"{name}, compressed: bytes beside plain",
                 once.wire_bytes / ours.wire_bytes, 0.2, unit=" ×"),
        ]  # fmt: skip
        rows += [
            [f"{name}, {way}", f"{cost.cpu_us:.1f}", f"{cost.wire_bytes:,.0f}"]
            for way, cost in costs.items()
        ]
    first = next(iter(found.values()))
    section.goals.append(
        Goal("memory per viewer", first["ours, compressed once"].memory_kib, 40.0, unit=" KiB")
    )
    section.lines += table(["frame and way", "µs of CPU per viewer and frame", "bytes"], rows)
    return section


async def measure_freshness(scale: Scale) -> Section:
    calm = await freshness.measure(20.0, 1000, max(8.0, scale.seconds))
    section = Section("Freshness: from a webhook to the slowest of 200 viewers")
    section.goals.append(Goal("20 events/s, 1,000 agents: p50", calm.p50_ms, 15.0, unit=" ms"))
    section.lines.append(
        f"At 20 events/s: p99 {calm.p99_ms:.0f} ms, the webhook's own answer "
        f"{calm.answer_p50_ms:.1f} ms at the median, {calm.frames_per_s:.1f} frames/s, "
        f"{calm.bytes_per_viewer_s / 1024:.1f} KiB/s per viewer, {calm.cores * 100:.0f} % of a "
        "core. Events come as a PBX says them: the end of a call (3), a ring (1), an answer (2), "
        "at random moments."
    )
    return section


async def measure_headroom(scale: Scale) -> Section:
    much = await headroom.sustained(scale.sustained_s)
    section = Section(
        f"Headroom: 2,000 events/s for {scale.sustained_s:.0f} s, "
        "5,000 agents, 200 viewers, two cores"
    )
    section.goals += [
        Goal("webhooks sent and not stored", much.sent - much.stored, 0),
        Goal("webhook to the slowest viewer: p99", much.p99_ms, 250.0, unit=" ms"),
        Goal("the same in the last third: it does not fall behind", much.late_p99_ms, 250.0,
             unit=" ms"),
    ]  # fmt: skip
    section.lines.append(
        f"p50 {much.p50_ms:.0f} ms; {much.cores:.2f} cores of CPU for {much.sent:,} events "
        f"({much.cores * 1e6 / headroom.RATE:.0f} µs each, viewers included); "
        f"{much.frames_per_s:.1f} frames/s and {much.bytes_per_viewer_s / 1024:.0f} KiB/s per "
        f"viewer; {much.memory_mib:.0f} MiB. The sender and all viewers share the two cores."
    )
    return section


async def measure_floor_size(scale: Scale) -> Section:
    costs = await floor_size.event_us(scale.floors, max(2, scale.rounds // 2), scale.seconds)
    page = await floor_size.page_ms(1000, 10)
    section = Section("The size of the floor")
    smallest, largest = scale.floors[0], scale.floors[-1]
    ratio = costs[largest] / costs[smallest]
    what = f"CPU per event, {largest:,} agents beside {smallest:,}"
    section.goals.append(Goal(what, ratio, 1.2, unit=" ×"))
    what = "a board of 1,000 agents opened by the first of its audience, CPU"
    section.goals.append(Goal(what, page.first_ms, 100.0, unit=" ms"))
    rows = [[f"{agents:,}", f"{cost:.0f}"] for agents, cost in costs.items()]
    section.lines += table(["agents", "µs of CPU per event at 500/s, 10 viewers"], rows)
    section.lines.append(
        f"Everybody after the first pays {page.next_ms:.1f} ms for the same page of "
        f"{page.page_kib:,.0f} KiB."
    )
    return section


async def measure_start(scale: Scale) -> Section:
    found, sizes = await start.measure(scale.stored), await start.sizes()
    section = Section(f"Start, with {found.events:,} events stored")
    section.goals += [
        Goal("events replayed per CPU second", found.events_per_s, 50_000, "least"),
        Goal("from the command to an answer, from a snapshot", found.ready_s, 5.0, unit=" s"),
    ]
    section.lines.append(
        f"The snapshot has {found.snapshot_mib:.1f} MiB, an event {found.disk_bytes_per_event:.0f} "
        f"bytes on disk. An agent with a call takes {sizes['agent_kib']:.1f} KiB of memory, a "
        f"remembered call {sizes['call_kib']:.1f} KiB; the process {found.memory_mib:.0f} MiB."
    )
    return section


async def measure_browser(scale: Scale) -> Section:
    section = Section("Browser: Chromium with 1,000 cards, about fifty changed in a frame")
    found = await browser.measure(scale.seconds)
    if found is None:
        section.lines.append("Not measured: there is no Chromium on this machine.")
        return section
    before, after = found.heap
    section.goals += [
        Goal("frame received to page updated: p99", found.spent_p99, 50.0, unit=" ms"),
        Goal("frames a second that the page is painted", found.fps, 50.0, "least"),
        Goal("growth of what scripts keep in the heap", 100 * (after.kept / before.kept - 1), 1.0,
             unit=" %"),
        Goal("growth of the number of nodes", found.nodes[1] - found.nodes[0], 200),
        Goal("CPU slowed down 6 ×: how old what is shown is, p99", found.slow_behind_p99, 500.0,
             unit=" ms"),
    ]  # fmt: skip
    section.lines.append(
        f"{found.cards} cards; {found.frames_per_s:.1f} frames/s with {found.changed:.0f} changed "
        f"cards and tiles each; updating took {found.spent_p50:.0f} ms at the median, "
        f"{number(found.slow_spent_p50)} ms slowed down, where the page then took "
        f"{found.slow_frames_per_s:.1f} frames/s. What is updated is what is in sight; the rest "
        "follows, a share with each frame. The floor is driven within one process, without "
        "webhooks, so that the browser has nearly all of the two cores. Scripts keep "
        f"{after.kept / 1000:.0f} kB of objects, strings and closures; besides there is code, "
        "which the browser compiles as it learns the page: "
        f"{before.code / 1000:.0f} kB, at the end {after.code / 1000:.0f} kB."
    )
    return section


async def measure_peers(scale: Scale) -> Section:
    seconds = max(6.0, scale.seconds)
    minutes = {
        "Pitwall: what changed": await peers.ours(seconds),
        "a poll of everything each 5 s (QPanel's design)": await peers.polling(seconds),
        "everything twice a second (OpDesk's design)": await peers.whole_state(seconds),
    }
    section = Section("Peers: a viewer's minute on 10 queues of 100 agents, 20 events/s")
    rows = [[name, f"{m.cpu_ms:.1f}", f"{m.wire_kib:,.0f}"] for name, m in minutes.items()]
    section.lines += table(["design", "ms of CPU", "KiB"], rows)
    return section


async def measure_cluster(scale: Scale) -> Section:
    quick = scale is QUICK
    return await cluster_section.measure(cluster_section.QUICK if quick else cluster_section.FULL)
