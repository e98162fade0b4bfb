"""The words of the floor and the tables of which state follows which.

Rule of this file: "which state next" is data. The joint rules between the machines are in `floor`.
"""

from enum import StrEnum


class Status(StrEnum):
    """An agent's five statuses, in the PBX's own words."""

    OFF = "off"
    ON = "on"
    PAUSE = "pause"
    RING = "ring"
    TALK = "talk"


class CallState(StrEnum):
    """A call's way: nobody has answered; somebody has; it is over."""

    WAITING = "waiting"
    ANSWERED = "answered"
    ENDED = "ended"


class LegState(StrEnum):
    """One agent's part in one call."""

    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"


class Direction(StrEnum):
    """Who called whom, seen from the call centre."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Outcome(StrEnum):
    """What became of a caller's stay in a queue; `open` is in no figure but "waiting"."""

    OPEN = "open"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    OTHERWISE = "otherwise"
