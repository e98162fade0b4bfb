"""Commands to the PBX as the log tells of them: requested, claimed by the owner, concluded.

The log's order decides: the first claim counts, the first conclusion counts, nothing after either
changes it, and a claim that comes late counts as none.
"""

from itertools import takewhile

from app.domain import events
from app.domain.command import Command, Conclusion
from app.domain.turn import SECOND, Turn

MOST = 2_000
REMEMBERED = 60 * SECOND


def requested(turn: Turn, event: events.CommandRequested) -> None:
    """One that there is no room for is not taken up, and can't be claimed."""
    commands = turn.state.commands
    if event.command in commands or len(commands) >= MOST:
        return
    commands[event.command] = Command(
        action=event.action,
        requested_at=turn.at,
        expires_at=turn.at + event.valid_s * SECOND,
        agent=event.agent,
        supervisor=event.supervisor,
        mode=event.mode,
        direction=event.direction,
        phone=event.phone,
        paused=event.paused,
    )


def claimed(turn: Turn, event: events.CommandClaimed) -> None:
    command = turn.state.commands.get(event.command)
    if command is None or command.claimed or command.conclusion is not None:
        return
    if turn.at <= command.expires_at:
        command.claimed = event.epoch


def concluded(turn: Turn, event: events.CommandResult) -> None:
    """Only the owner knows how it ended."""
    command = turn.state.commands.get(event.command)
    if command is not None and command.conclusion is None and event.epoch:
        command.conclusion = Conclusion(event.done, event.kind, event.sentence, event.unknown)


def withdrawn(turn: Turn, event: events.CommandWithdrawn) -> None:
    """Too late where it was claimed: then the owner has to conclude it."""
    command = turn.state.commands.get(event.command)
    if command is not None and command.conclusion is None and not command.claimed:
        command.conclusion = Conclusion(kind="withdrawn")


def expire(turn: Turn) -> None:
    """Close what nobody claimed in time, forget what is older than a minute."""
    commands = turn.state.commands
    for command in commands.values():
        if command.conclusion is None and not command.claimed and turn.at > command.expires_at:
            command.conclusion = Conclusion(kind="expired")
    # Insertion order is order of time, so the oldest come first.
    old = takewhile(lambda row: turn.at - row[1].requested_at > REMEMBERED, list(commands.items()))
    for name, _ in old:
        del commands[name]
