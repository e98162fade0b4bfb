"""What a page's scripts keep in memory, apart from the code that the browser compiles for them.

V8 counts both as one heap. Of the board's megabyte and a half a quarter is code, which grows for
minutes while the browser learns the page; a leak would be in the rest.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from playwright.async_api import CDPSession

# Elements, counted apart; V8's own roots, which have no size.
NOT_SCRIPTS, CODE = ("native", "synthetic"), "code"
CHUNK = "HeapProfiler.addHeapSnapshotChunk"


@dataclass(frozen=True)
class Heap:
    """Bytes of objects, strings and closures; bytes of code, compiled or not."""

    kept: int
    code: int


async def heap_of(tools: CDPSession) -> Heap:
    """What is left after a garbage collection. It takes two seconds, in which the page waits."""
    pieces: list[str] = []

    def hear(told: dict[str, str]) -> None:
        pieces.append(told["chunk"])

    tools.on(CHUNK, hear)
    await tools.send("HeapProfiler.collectGarbage")
    await tools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    tools.remove_listener(CHUNK, hear)
    # Until then it follows every object that is moved, which slows the page down.
    await tools.send("HeapProfiler.disable")
    return heap_in(msgspec.json.decode("".join(pieces)))


def heap_in(told: dict[str, Any]) -> Heap:
    """The sum of a snapshot as V8 writes it: numbers in a row, so many for each thing it found."""
    meta, nodes = told["snapshot"]["meta"], told["nodes"]
    fields, kinds = meta["node_fields"], meta["node_types"][0]
    each = len(fields)
    kind_at, size_at = fields.index("type"), fields.index("self_size")
    sizes = dict.fromkeys(kinds, 0)
    for first in range(0, len(nodes), each):
        sizes[kinds[nodes[first + kind_at]]] += nodes[first + size_at]
    kept = sum(size for kind, size in sizes.items() if kind not in (*NOT_SCRIPTS, CODE))
    return Heap(kept, sizes[CODE])
