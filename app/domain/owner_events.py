"""What happens where several nodes serve a site, of which one owns it and does what others ask."""

from dataclasses import dataclass

from app.domain.event import Event


@dataclass(frozen=True, kw_only=True)
class OwnershipTaken(Event):
    """The node of that name does from now on what one node alone does for the site."""

    holder: str = ""


@dataclass(frozen=True, kw_only=True)
class CommandRequested(Event):
    """Somebody wants this done at the PBX, within `valid_s` seconds or not at all.

    spy: connect the phone `supervisor` to the call of `agent`, by `mode` and `direction`;
    dial: ring `supervisor`, then `phone`; pause: take `agent` out of the queues, or put it back.
    """

    command: str
    action: str
    agent: str = ""
    supervisor: str = ""
    mode: str = ""
    direction: str = ""
    phone: str = ""
    paused: bool = False
    valid_s: int = 10


@dataclass(frozen=True, kw_only=True)
class CommandClaimed(Event):
    """The owner (see `epoch`) will ask the PBX, once; nobody else may."""

    command: str


@dataclass(frozen=True, kw_only=True)
class CommandWithdrawn(Event):
    """Whoever requested it waits no longer: it must not be done, unless it was claimed before."""

    command: str


@dataclass(frozen=True, kw_only=True)
class CommandResult(Event):
    """How it ended: done, or why not. `unknown`: the PBX may have done it all the same.

    `kind` as in PbxError, or expired, orphaned, strange; `sentence` as `sentences.packed` makes it.
    """

    command: str
    done: bool = False
    kind: str = ""
    sentence: str = ""
    unknown: bool = False
