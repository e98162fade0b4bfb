"""What tiles and totals count, kept up to date from changes instead of counted anew each time.

So a tile costs the same on a floor of a hundred agents and of five thousand. `board` says what the
counts mean; a test holds that both always agree. Not part of the state: built from it when asked.
"""

from collections import Counter, defaultdict

from app.domain import board
from app.domain.figures import Counted, counted, figures_from, variant_of
from app.domain.model import Agent, FloorState
from app.domain.states import Status
from app.domain.turn import Changes
from app.domain.view import Figures, QueueTile, Totals, WaitingRow

# What an agent counts as: the queues served, the status shown, whether that is in doubt.
Place = tuple[tuple[str, ...], Status, bool]


class Standing:
    """The counts of one floor. `note` what changed before they are read again."""

    def __init__(self, state: FloorState) -> None:
        self.state = state
        self._places: dict[str, Place] = {}
        # Agents who serve the same queues count together: {queues: {(status, in doubt): agents}}.
        self._groups: dict[tuple[str, ...], Counter[tuple[Status, bool]]] = {}
        self._serving: dict[str, Counter[Status]] = defaultdict(Counter)
        self._waiting: dict[str, WaitingRow] = {}
        self._rows: list[WaitingRow] | None = None
        # Answered calls by the queue they came from, and how many came from each.
        self._talking: dict[str, str] = {}
        self._talks: Counter[str] = Counter()
        self._figures: dict[str, tuple[Counted, Figures]] = {}
        self.note(Changes(agents=set(state.agents), calls=set(state.calls)))

    def note(self, changes: Changes) -> None:
        """These agents, calls and queues may count differently now."""
        for extension in changes.agents:
            self._note_agent(extension, self.state.agents.get(extension))
        for callid in changes.calls:
            self._note_call(callid)
        if changes.roster:
            self._figures.clear()
        for queue in changes.queues:
            self._figures.pop(queue, None)

    def waiting_rows(self) -> list[WaitingRow]:
        """The callers who wait, the longest first."""
        if self._rows is None:
            self._rows = board.longest_first(self._waiting.values())
        return self._rows

    def tiles(self, queues: set[str]) -> list[QueueTile]:
        """These queues, by id, as far as the floor knows them."""
        known = [queue for queue in queues if queue and queue in self.state.queues]
        waits: dict[str, list[int]] = defaultdict(list)
        for row in self.waiting_rows():
            waits[row.queue].append(row.since)
        return [
            QueueTile(
                queue=queue,
                name=self.state.queues[queue].name,
                waiting=len(waits[queue]),
                oldest=min(waits[queue], default=None),
                talking=self._talks[queue],
                agents={status: self._serving[queue][status] for status in Status},
                today=self._counted(queue)[1],
            )
            for queue in sorted(known, key=board.extension_order)
        ]

    def totals(self, scope: frozenset[str] | None) -> Totals:
        """The whole floor, or these queues of it; a person in two queues counts once."""
        agents, in_doubt = dict.fromkeys(Status, 0), 0
        for queues, counts in self._groups.items():
            if scope is None or not scope.isdisjoint(queues):
                for (status, doubted), count in counts.items():
                    agents[status] += count
                    in_doubt += count if doubted else 0
        return board.totals_of(
            self.state,
            scope,
            rows=self.waiting_rows(),
            talking=sum(n for queue, n in self._talks.items() if board.within(scope, queue)),
            agents=agents,
            in_doubt=in_doubt,
            today=self._today(scope),
        )

    def _today(self, scope: frozenset[str] | None) -> Figures:
        names = [queue for queue in self.state.queues if board.within(scope, queue)]
        variant, limit = variant_of(self.state.queues[queue] for queue in names)
        return figures_from([self._counted(queue)[0] for queue in names], variant, limit)

    def _counted(self, name: str) -> tuple[Counted, Figures]:
        known = self._figures.get(name)
        if known is None:
            queue = self.state.queues[name]
            counts = counted(queue.today, queue.service_level_s, queue.short_abandon_s)
            figures = figures_from([counts], queue.variant, queue.service_level_s)
            known = self._figures[name] = (counts, figures)
        return known

    def _note_agent(self, extension: str, agent: Agent | None) -> None:
        before = self._places.get(extension)
        now = (tuple(agent.queues), agent.status, agent.in_doubt) if agent is not None else None
        if now == before:
            return
        if before is not None:
            self._count(before, -1)
        if now is not None:
            self._count(now, 1)
            self._places[extension] = now

    def _count(self, place: Place, step: int) -> None:
        queues, status, in_doubt = place
        self._groups.setdefault(queues, Counter())[status, in_doubt] += step
        for queue in queues:
            self._serving[queue][status] += step

    def _note_call(self, callid: str) -> None:
        call = self.state.calls.get(callid)
        if self._waiting.pop(callid, None) is not None:
            self._rows = None
        talked_in = self._talking.pop(callid, None)
        if talked_in is not None:
            self._talks[talked_in] -= 1
        if call is None or call.settled:
            return
        if board.is_waiting(call):
            self._waiting[callid], self._rows = board.waiting_row(call), None
        talks_in = board.talking_queue(call)
        if talks_in is not None:
            self._talking[callid] = talks_in
            self._talks[talks_in] += 1
