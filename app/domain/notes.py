"""What people and the reconciler add to the floor: names, reasons, listening, call-backs."""

from app.domain import events
from app.domain.agents import agent_of
from app.domain.books import queue_of
from app.domain.callers import called_back
from app.domain.model import Listening
from app.domain.states import Status
from app.domain.table_changes import TablesChanged
from app.domain.turn import Turn


def pbx_asked(turn: Turn, event: events.PbxAsked) -> None:
    reconciled = turn.state.reconciled
    reconciled.at, reconciled.error = turn.at, event.error
    if not event.error:
        reconciled.agreed_at, reconciled.phones = turn.at, event.phones
    turn.changes.totals = True


def agent_named(turn: Turn, event: events.AgentNamed) -> None:
    agent = agent_of(turn, event.extension)
    agent.name, agent.team, agent.never_listen = event.name, event.team, event.never_listen
    agent.told = True
    turn.changes.roster = True


def queue_named(turn: Turn, event: events.QueueNamed) -> None:
    queue = queue_of(turn, event.queue)
    queue.name, queue.variant, queue.told = event.name, event.variant, True
    queue.service_level_s, queue.short_abandon_s = event.service_level_s, event.short_abandon_s
    turn.changes.roster = turn.changes.totals = True


def pause_noted(turn: Turn, event: events.PauseNoted) -> None:
    agent = agent_of(turn, event.extension)
    agent.pause_reason, agent.pause_until, agent.pause_by = event.reason, event.until, event.by
    if agent.status not in {Status.TALK, Status.RING}:
        return
    if event.paused:
        agent.mode = Status.PAUSE
    elif event.paused is False and agent.mode is Status.PAUSE:
        agent.mode = Status.ON


def pause_wanted(turn: Turn, event: events.PauseWanted) -> None:
    agent = agent_of(turn, event.extension)
    agent.pause_wanted = event.wanted
    if event.wanted:
        agent.pause_reason, agent.pause_until, agent.pause_by = event.reason, event.until, event.by


def listen_started(turn: Turn, event: events.ListenStarted) -> None:
    agent = agent_of(turn, event.extension)
    others = [one for one in agent.listeners if one.supervisor != event.supervisor]
    listening = Listening(event.supervisor, event.callid, event.mode, turn.at, event.phone)
    agent.listeners = [*others, listening]


def listen_ended(turn: Turn, event: events.ListenEnded) -> None:
    agent = agent_of(turn, event.extension)
    agent.listeners = [one for one in agent.listeners if one.supervisor != event.supervisor]


def abandon_claimed(turn: Turn, event: events.AbandonClaimed | events.AbandonReleased) -> None:
    """Who takes on whom is the worklist's business; those who look at it hear of it."""
    turn.changes.abandons = True


def call_back_placed(turn: Turn, event: events.CallBackPlaced | events.AbandonClosed) -> None:
    """Somebody calls back, or nobody needs to any more: either way it is dealt with."""
    called_back(turn, event.callid)


def no_concern(turn: Turn, event: TablesChanged) -> None:
    """Tables are in a stream of their own; a floor that meets such a change leaves it alone."""


def ownership_taken(turn: Turn, event: events.OwnershipTaken) -> None:
    turn.state.owner = event.holder
