"""What is cut, and what must be seen then. Each demand that is not met is a fault, in words."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from app.log.layout import partition_of
from tests.cluster.cut_agree import disagreements, epochs
from tests.cluster.cut_network import Machine
from tests.cluster.cut_witness import (
    LIVE,
    Answer,
    Page,
    Senders,
    Witness,
    last_said_s,
    longest_gap_s,
    statuses,
    words,
)
from tests.cluster.cut_world import Exchange, pause
from tests.cluster.installation import Installation, Tenant
from tests.cluster.judge import judge
from tests.cluster.load import Acknowledged
from tests.senders import quantile

CUT_S, ALL_CUT_S = 25.0, 15.0
STALL_S, BACK_S, TOLD_S = 10.0, 15.0, 15.0
# A holder notices between two looks that its lease is over; nothing is done in between.
NOTICED_S = 1.5
# An answer that was on its way is noted a little later than it left.
IN_FLIGHT_S = 0.3
BEFORE_S, AFTER_S = 5.0, 4.0


@dataclass
class Trial:
    """One failure."""

    failure: str
    done: str
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def demand(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.faults.append(otherwise)

    @property
    def row(self) -> str:
        return f"| {self.failure} | {self.done} | {'; '.join(self.seen)} |"


@dataclass
class Street:
    """The running installation, and who is there."""

    installation: Installation
    machines: list[Machine]
    witness: Witness
    exchange: Exchange
    rate: float
    senders: list[Senders] = field(default_factory=list)
    acknowledged: dict[str, list[Acknowledged]] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)

    @property
    def site(self) -> Tenant:
        return self.installation.sites[0]

    @property
    def partition(self) -> int:
        return partition_of(self.site.name, 32)

    @property
    def owner(self) -> Machine:
        return self.machine_of(self.witness.owners.of(self.partition))

    def machine_of(self, node: str) -> Machine:
        return next(each for each in self.machines if node == f"node-{each.name}")

    def others(self, victim: Machine) -> list[Machine]:
        return [each for each in self.machines if each is not victim]

    def answers(self, machines: Sequence[Machine]) -> list[Answer]:
        return [one for each in self.senders if each.machine in machines for one in each.answers]

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Senders in every machine; afterwards, what was acknowledged is kept to be judged."""
        name, rate = f"t{len(self.trials)}", self.rate / len(self.machines)
        self.senders = [Senders(self.installation, each, rate, name) for each in self.machines]
        tasks = [asyncio.create_task(each.run()) for each in self.senders]
        try:
            await asyncio.sleep(BEFORE_S)
            yield
            await asyncio.sleep(AFTER_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in self.senders:
                await each.finish()
                for site, some in each.acknowledged.items():
                    self.acknowledged.setdefault(site, []).extend(some)

    async def back_s(self, healed: float, patience_s: float = 40) -> float:
        """How long after that every page was live and each node had acknowledged something new."""
        while monotonic() < healed + patience_s:
            every = [self.answers([each]) for each in self.machines]
            some = all(any(one.sent > healed and one.status == 200 for one in e) for e in every)
            if some and await self.witness.all_live(0):
                break
            await asyncio.sleep(0.05)
        return monotonic() - healed


async def run_trial(
    street: Street, trial: Trial, job: Callable[[Street, Trial], Awaitable[None]]
) -> None:
    """Under load; what must hold after every failure is looked at here."""
    street.trials.append(trial)
    for page in street.witness.pages:
        page.longest_s = page.oldest_live_s = page.frame_at = 0.0
    trial.demand(await street.witness.all_live(60), "the boards were not live before it began")
    async with street.load():
        await job(street, trial)
    oldest = max(page.oldest_live_s for page in street.witness.pages)
    trial.demand(oldest < 11, f"a board called itself live with a tick {oldest:.1f} s old")
    for found in await disagreements(street.installation, street.machines):
        trial.demand(False, found)
    judged = await judge(street.installation.servers.url("cluster"), street.acknowledged)
    trial.demand(judged.is_good, str(judged))
    taken, void = await epochs(street.installation.servers.url("cluster"), street.site.name)
    trial.demand(taken == sorted(set(taken)), f"epochs do not grow: {taken}")
    trial.seen.append(f"{judged}; floors and shared tables equal" + f"; {void} void" * bool(void))


async def machine_cut(street: Street, trial: Trial) -> None:
    """The owner's machine alone, the other two together."""
    victim = street.owner
    await asyncio.to_thread(victim.pull)
    cut = monotonic()
    healed = await lonely(street, trial, victim, cut, victim.plug)
    trial.demand(
        not street.exchange.asked_by(victim, street.site, cut, healed),
        "the machine that was cut off reached the PBX: it was not cut off",
    )


async def node_cut(street: Street, trial: Trial) -> None:
    """The owner's node sends nothing to any NATS server; its PBX still hears it."""
    victim = street.owner
    await asyncio.to_thread(victim.forbid, 4222)
    cut = monotonic()
    healed = await lonely(street, trial, victim, cut, lambda: victim.allow(4222))
    until = [street.exchange.asked_by(each, street.site, cut, healed) for each in street.machines]
    own = street.exchange.asked_by(victim, street.site, cut, healed)
    later = min((min(one) for one in until if one and one is not own and one != own), default=None)
    trial.demand(later is not None, "no new owner asked the PBX")
    if own and later is not None:
        trial.demand(max(own) < later, "the old owner asked the PBX after the new one")


async def lonely(
    street: Street, trial: Trial, victim: Machine, cut: float, heal: Callable[[], None]
) -> float:
    """One node can store nothing, the others can; when it was healed (monotonic seconds)."""
    page = street.witness.at([victim])[0]
    clicks = [asyncio.create_task(_click(victim, page, after)) for after in (2.0, 12.0)]
    await asyncio.sleep(max(0.0, cut + CUT_S - monotonic()))
    healed = monotonic()
    heal()
    back = await street.back_s(healed)
    _answers(street, trial, victim, cut, healed)
    _boards(street, trial, victim, cut, healed)
    _ownership(street, trial, victim, cut, healed)
    for click in clicks:
        status, said = await click
        trial.demand(not said["ok"] and bool(said["message"]), f"a click was answered {said}")
        trial.seen.append(f"a click there: {status}, “{said['message']}”")
    trial.demand(back <= BACK_S, f"all was live only {back:.1f} s after it was healed")
    trial.seen.append(f"all live {back:.1f} s after")
    return healed


async def _click(machine: Machine, page: Page, after_s: float) -> tuple[int, dict[str, object]]:
    await asyncio.sleep(after_s)
    said = await pause(machine, page.site, page.cookie)
    return said.status, json.loads(said.body)


def _answers(street: Street, trial: Trial, victim: Machine, cut: float, healed: float) -> None:
    own, others = street.answers([victim]), street.answers(street.others(victim))
    early = [one for one in own if one.status == 200 and cut + IN_FLIGHT_S < one.came < healed]
    late = max((one.came - cut for one in early), default=0.0)
    trial.demand(not early, f"{len(early)} webhooks were acknowledged {late:.1f} s after the cut")
    refused = statuses([one for one in own if one.came < healed], cut, healed)
    trial.demand(set(refused) == {503}, f"the node that was cut off answered {dict(refused)}")
    gap = longest_gap_s(others, cut, healed)
    trial.demand(gap <= STALL_S, f"the others acknowledged nothing for {gap:.1f} s")
    trial.seen.append(f"the others stood still for {gap:.1f} s")
    trial.seen.append(f"it answered {refused[503]} webhooks 503 and none 200")


def _boards(street: Street, trial: Trial, victim: Machine, cut: float, healed: float) -> None:
    pages = street.witness.at([victim])
    last = last_said_s(pages, LIVE, cut, healed)
    trial.demand(last <= TOLD_S, f"its boards called themselves live for {last:.1f} s")
    told = words(pages, cut + TOLD_S, healed)
    trial.demand(bool(told), "nobody looked at the boards")
    trial.seen.append(f"its boards said after {last:.1f} s “{' / '.join(sorted(told))}”")
    still = max(page.longest_s for page in street.witness.at(street.others(victim)))
    trial.seen.append(f"the others' boards had no frame for {still:.1f} s")


def _ownership(street: Street, trial: Trial, victim: Machine, cut: float, healed: float) -> None:
    owners = street.witness.owners
    ended = owners.ended(street.partition, f"node-{victim.name}", cut)
    taken = [
        at for at, node in owners.taken(street.partition, cut) if node != f"node-{victim.name}"
    ]
    trial.demand(bool(taken), "nobody else became the owner")
    trial.demand(ended is not None, "the owner did not notice that it is owner no more")
    if taken and ended is not None:
        trial.demand(ended <= taken[0] + NOTICED_S, "there were two owners")
        trial.seen.append(f"the next owner began after {taken[0] - cut:.1f} s")
        trial.seen.append(f"it had noticed by {ended - cut:.1f} s that it is none")


async def all_cut(street: Street, trial: Trial) -> None:
    """No machine reaches another: no majority anywhere."""
    for machine in street.machines:
        await asyncio.to_thread(machine.pull)
    cut = monotonic()
    await asyncio.sleep(ALL_CUT_S)
    healed = monotonic()
    for machine in street.machines:
        machine.plug()
    back = await street.back_s(healed)
    every = street.answers(street.machines)
    early = [one for one in every if one.status == 200 and cut + IN_FLIGHT_S < one.came < healed]
    trial.demand(not early, f"{len(early)} webhooks were acknowledged without a majority")
    refused = statuses([one for one in every if one.came < healed], cut, healed)
    trial.demand(set(refused) == {503}, f"the nodes answered {dict(refused)}")
    last = last_said_s(street.witness.pages, LIVE, cut, healed)
    trial.demand(last <= ALL_CUT_S - 1, f"a board called itself live for {last:.1f} s")
    trial.demand(back <= BACK_S, f"all was live only {back:.1f} s after it was healed")
    trial.seen.append(f"{refused[503]} webhooks 503 and none 200")
    trial.seen.append(f"boards said so after {last:.1f} s; all live {back:.1f} s after")


async def slow(street: Street, trial: Trial) -> None:
    """One machine is far away."""
    victim = street.owner
    await asyncio.to_thread(victim.worsen, 150)
    began = monotonic()
    await asyncio.sleep(CUT_S)
    ended = monotonic()
    await asyncio.to_thread(victim.mend)
    every = street.answers(street.machines)
    trial.demand(
        set(statuses(every, began, ended)) == {200},
        f"webhooks were answered {dict(statuses(every, began, ended))}",
    )
    gap = longest_gap_s(every, began, ended)
    trial.demand(gap <= STALL_S, f"nothing was acknowledged for {gap:.1f} s")
    told = words(street.witness.pages, began, ended)
    trial.seen.append(f"every webhook 200, none waited for longer than {_slowest(every):.1f} s")
    for name, some in (("there", [victim]), ("elsewhere", street.others(victim))):
        took = [one.came - one.sent for one in street.answers(some) if began < one.sent < ended]
        trial.seen.append(f"half of them {name} within {quantile(took, 0.5) * 1000:.0f} ms")
    trial.demand(set(told) == {LIVE}, f"boards said {dict(told)}")
    trial.seen.append("boards stayed live")


async def lossy(street: Street, trial: Trial) -> None:
    """What one machine sends is lost now and then; what it receives is not."""
    victim = street.owner
    await asyncio.to_thread(victim.worsen, 200, 0.3)
    began = monotonic()
    await asyncio.sleep(CUT_S)
    ended = monotonic()
    await asyncio.to_thread(victim.mend)
    back = await street.back_s(ended)
    others = street.answers(street.others(victim))
    gap = longest_gap_s(others, began, ended)
    trial.demand(gap <= CUT_S - 5, f"the others acknowledged nothing for {gap:.1f} s")
    trial.demand(back <= BACK_S, f"all was live only {back:.1f} s after it was healed")
    told = statuses(others, began, ended)
    own = statuses(street.answers([victim]), began, ended)
    trial.seen.append(f"the others stood still for {gap:.1f} s (answers {dict(told)})")
    trial.seen.append(f"its own answers {dict(own)}; all live {back:.1f} s after")


def _slowest(answers: Sequence[Answer]) -> float:
    return max(one.came - one.sent for one in answers)


TRIALS: tuple[tuple[str, str, str, Callable[[Street, Trial], Awaitable[None]]], ...] = (
    ("slow", "one machine far away", "150 ms more each way, for 25 s", slow),
    ("machine", "a machine cut off", "its cable pulled for 25 s", machine_cut),
    (
        "node",
        "a node cut off from NATS alone",
        "what it sends to port 4222 dropped, 25 s",
        node_cut,
    ),
    ("lossy", "a bad cable", "200 ms more each way, 30 % of what it sends lost, 25 s", lossy),
    ("all", "all machines cut off from each other", "all cables pulled for 15 s", all_cut),
)
