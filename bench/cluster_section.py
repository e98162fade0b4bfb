"""The report's part on several nodes: the log, a node's sites, and ten thousand on paper."""

from dataclasses import dataclass

from bench import cluster, nodes
from bench.goals import Section, table

# The installation that is reckoned: scale.md's, a hosting provider with room for all at once.
SITES, AGENTS_EACH, VIEWERS = 10_000, 50, 100_000
CALLS_PER_AGENT_HOUR, EVENTS_PER_CALL = 10, 10
FRAMES_PER_S, BUSIEST = 4, 0.5
NODE_HEAD = (
    "sites on one node",
    "ms to open one",
    "KiB of each",
    "ms of CPU a second at rest, each",
    "µs of the node, a webhook",
    "µs of the servers",
)


@dataclass(frozen=True)
class Scale:
    """Rates are webhooks a second."""

    rate: float
    seconds: float
    logs: tuple[int, ...]
    nodes: tuple[int, ...]


QUICK = Scale(200, 3.0, (1, 20), (1, 20))
FULL = Scale(300, 8.0, (1, 100, 1000), (1, 100, 1000))


async def measure(scale: Scale, frame_us: float = 20.0) -> Section:
    """`frame_us`: what the fan-out part found for a viewer's frame."""
    found = await cluster.compare(scale.rate, scale.seconds)
    logs = await cluster.sites(scale.logs, scale.rate, scale.seconds)
    held = await nodes.measure(scale.nodes, scale.rate, scale.seconds)
    section = Section("Several nodes: the log on three NATS servers, and sites by the thousand")
    rows = [
        [name, *(f"{value:.1f}" for value in (one.p50_ms, one.p99_ms))]
        + [f"{value:,.0f}" for value in (one.per_s, one.program_us, one.servers_us)]
        for name, one in found.items()
    ]
    head = [f"append at {scale.rate:g}/s", "p50 ms", "p99 ms", "at most a second"]
    section.lines += table([*head, "µs of the program", "µs of the servers"], rows)
    rows = [[f"{one.count:,}", f"{one.open_ms:.1f}", f"{one.program_us:.0f}"] for one in logs]
    section.lines += table(["logs open", "ms to open one", "µs of the program, an append"], rows)
    section.lines += table(list(NODE_HEAD), [_row(one) for one in held])
    section.lines.append(paper(held[-1], found[list(found)[-1]], frame_us))
    return section


def _row(one: nodes.Node) -> list[str]:
    return [
        f"{one.sites:,}",
        f"{one.open_ms:.0f}",
        f"{one.site_kib:,.0f}",
        f"{one.rest_ms_per_s:.2f}",
        f"{one.event_us:,.0f}",
        f"{one.servers_us:,.0f}",
    ]


def paper(node: nodes.Node, log: cluster.Appends, frame_us: float) -> str:
    """What so many sites would take, reckoned from what was measured here."""
    events = SITES * AGENTS_EACH * CALLS_PER_AGENT_HOUR * EVENTS_PER_CALL / 3600
    viewers = VIEWERS * BUSIEST * FRAMES_PER_S * frame_us / 1e6
    ingest = events * node.event_us / 1e6
    resting = SITES * node.rest_ms_per_s / 1e3
    engine = events * max(node.servers_us, log.servers_us) / 1e6
    memory = SITES * node.site_kib / 2**20
    return (
        f"**On paper**, {SITES:,} sites of {AGENTS_EACH} agents with {VIEWERS:,} viewers, half of "
        f"them looking at something that changes {FRAMES_PER_S} times a second: {events:,.0f} "
        f"webhooks a second; {ingest:.0f} cores for them, {resting:.0f} for {SITES:,} sites at "
        f"rest and {viewers:.0f} for the frames, so {2 * (ingest + resting + viewers):.0f} "
        f"processes at half load; {memory:.0f} GiB for one copy of each site; {engine:.0f} cores "
        "of all NATS "
        "servers together. Each figure is one measured above times its number; the servers' is an "
        "upper bound, because they store more at once the busier they are."
    )
