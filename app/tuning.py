"""How Python and the C library look after memory: set once, when the process starts."""

import ctypes
import gc
from contextlib import suppress

# Of glibc's mallopt(3).
M_MMAP_THRESHOLD = -3
MAPPED_FROM_BYTES = 256 * 1024


def tune_memory() -> None:
    """For a process of many small things that live long, and large ones that come and go."""
    tune_collector()
    give_back_large_buffers()


def tune_collector() -> None:
    """Look for garbage less often than Python would.

    A floor is many small objects that live long and seldom form cycles; going through them all
    after every few thousand new ones took a sixth of a start and held frames up.
    """
    gc.set_threshold(20_000, 20, 50)


def give_back_large_buffers() -> None:
    """Map every large buffer apart from the heap, as glibc does until the first one is freed.

    From then on it takes buffers of that size from the heap, up to 32 MiB. Snapshots and pages so
    tore 50 MiB of holes into it within three hours of a busy floor. Other C libraries do not.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES)
