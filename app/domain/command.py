"""One command to the PBX as the floor knows it; plain data, a part of the floor's state."""

from dataclasses import dataclass


@dataclass(slots=True)
class Conclusion:
    """How a command ended; as in `CommandResult`; another kind is `withdrawn`."""

    done: bool = False
    kind: str = ""
    sentence: str = ""
    unknown: bool = False


@dataclass(slots=True)
class Command:
    """What was asked of the PBX on this floor. `claimed`: the epoch of the owner that does it.

    The rest as in `CommandRequested`; after `expires_at` nobody may claim it any more.
    """

    action: str
    requested_at: int
    expires_at: int
    agent: str = ""
    supervisor: str = ""
    mode: str = ""
    direction: str = ""
    phone: str = ""
    paused: bool = False
    claimed: int = 0
    conclusion: Conclusion | None = None
