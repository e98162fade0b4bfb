"""A bad cable between two network devices: each frame comes later, some do not come.

`python -m tests.cluster.cut_relay FROM TO DELAY_MS LOST`, as root; says "ready", runs until ended.
What Linux has for this (netem) is not in every kernel.
"""

import random
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field

ALL_FRAMES = 3
SOL_PACKET, PACKET_VNET_HDR, OUTGOING = 263, 15, 4
# A frame may be many segments that no device has cut up yet, and says so in a header of its own.
LARGEST = 80_000
MOST_WAITING = 20_000


@dataclass
class Way:
    """One direction. Frames leave `delay_s` after they came, in order; `lost` of them never."""

    source: socket.socket
    sink: socket.socket
    delay_s: float
    lost: float
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)

    def take(self) -> None:
        try:
            frame, (_, _, kind, *_) = self.source.recvfrom(LARGEST)
        except OSError:
            return
        is_lost = random.random() < self.lost or len(self.waiting) >= MOST_WAITING
        if kind != OUTGOING and not is_lost:
            self.waiting.append((time.monotonic() + self.delay_s, frame))

    def pass_on(self) -> None:
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            try:
                self.sink.send(self.waiting.popleft()[1])
            except OSError:
                # As on any cable: what can't be sent is lost.
                continue


def device(name: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES))
    made.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    made.bind((name, ALL_FRAMES))
    made.setblocking(False)
    return made


def relay(near: socket.socket, far: socket.socket, delay_s: float, lost: float) -> None:
    """For ever."""
    ways = {near: Way(near, far, delay_s, lost), far: Way(far, near, delay_s, 0.0)}
    while True:
        due = [way.waiting[0][0] for way in ways.values() if way.waiting]
        patience = max(0.0, min(due) - time.monotonic()) if due else None
        for source in select.select(list(ways), [], [], patience)[0]:
            ways[source].take()
        for way in ways.values():
            way.pass_on()


def main() -> None:
    near, far, delay_ms, lost = sys.argv[1:]
    devices = device(near), device(far)
    print("ready", flush=True)
    relay(*devices, int(delay_ms) / 1000, float(lost))


if __name__ == "__main__":
    main()
