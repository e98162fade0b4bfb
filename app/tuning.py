"""What the process asks of Python, the C library and the kernel, once, when it starts."""

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from enum import EnumType

# Of glibc's mallopt(3).
M_MMAP_THRESHOLD = -3
MAPPED_FROM_BYTES = 256 * 1024
HAND_OVER_S = 0.0005


def tune_process() -> None:
    """For a process of many small things that live long, and large ones that come and go."""
    tune_collector()
    give_back_large_buffers()
    quicken_enums()
    hand_over_soon()


def tune_collector() -> None:
    """Look for garbage less often than Python would.

    A floor is many small objects that live long and seldom form cycles; going through them all
    after every few thousand new ones took a sixth of a start and held frames up. Those that are new
    are gone through while they are few: 100,000 at once stopped everything for 160 ms.
    The 0: every second look takes what the one before it left.
    """
    gc.set_threshold(10_000, 0, 1_000)


def give_back_large_buffers() -> None:
    """Map every large buffer apart from the heap, as glibc does until the first one is freed.

    From then on it takes buffers of that size from the heap, up to 32 MiB. Snapshots and pages so
    tore 50 MiB of holes into it within three hours of a busy floor. Other C libraries do not.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES)


def quicken_enums() -> None:
    """Let Python 3.11 look up `Status.TALK` as it does any name of a class.

    Its enums ask a fallback for names they don't know, and because there is one every known name
    takes four times as long as well: a tenth of what an event costs. Members have been plain names
    of their class since 3.11, so nothing needs the fallback, and 3.12 has none.
    """
    with suppress(AttributeError):
        del EnumType.__getattr__  # type: ignore[attr-defined]


def hand_over_soon() -> None:
    """Let the thread of the database wait less for its turn where the loop is never idle.

    SQLite gives Python's lock back before each step and needs it after; while the loop has it a
    thread waits this long before it may ask, by default 5 ms. A transaction of a thousand steps
    took seconds beside a flood.
    """
    sys.setswitchinterval(HAND_OVER_S)


def allow_connections() -> None:
    """As many descriptors as the machine lets this user have.

    Most begin with 1,024, for the sake of programs that can't count further. Where they run out new
    connections wait, and nothing says so.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A kernel may name more than it gives.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
