"""Whether the nodes have the same afterwards, and keep one site's secrets from another site's."""

import asyncio
import json
from collections.abc import Sequence
from time import monotonic
from typing import Any

import aiosqlite

from app.clock import wall_ms
from app.domain.events import OwnershipTaken
from app.log.address import Address
from app.log.cluster import Cluster
from app.sharing.content import digest_of, version_of
from app.sharing.parts import SHARED
from app.sharing.schema import tables_of
from tests.cluster.cut_network import Machine
from tests.cluster.cut_world import API_TOKEN, PORT, ask
from tests.cluster.installation import Installation, Tenant
from tests.cluster.judge import records_of

AGREE_S = 20.0
# Spans grow while we ask one node after the other, and each node counts what it refused itself.
OWN = {"as_of", "rejected"}


async def disagreements(installation: Installation, machines: Sequence[Machine]) -> list[str]:
    """In what the nodes differ, in words. Senders must have stopped; ticks may go on."""
    found = []
    for site in installation.sites:
        if not await _becomes_one(lambda site=site: _floors(machines, site)):
            found.append(f"the floors of {site.name} differ")
        if not await _becomes_one(lambda site=site: _tables(installation, site)):
            found.append(f"the shared tables of {site.name} differ")
    return found


async def _becomes_one(ask_all: Any) -> bool:
    deadline = monotonic() + AGREE_S
    while len(set(await ask_all())) != 1:
        if monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


async def _floors(machines: Sequence[Machine], site: Tenant) -> list[str]:
    token = {"Authorization": f"Bearer {site.name}-{API_TOKEN}"}
    asked = (ask(one, site, "GET /api/v1/floor", token) for one in machines)
    answers = await asyncio.gather(*asked)
    assert {said.status for said in answers} == {200}, answers
    return [json.dumps(_lasting(json.loads(said.body))) for said in answers]


def _lasting(value: Any) -> Any:
    """Without what is counted up to the moment of asking."""
    if isinstance(value, dict):
        return {
            key: _lasting(each)
            for key, each in value.items()
            if key not in OWN and not key.endswith("_s") and not isinstance(each, float)
        }
    return [_lasting(each) for each in value] if isinstance(value, list) else value


async def _tables(installation: Installation, site: Tenant) -> list[tuple[int, str]]:
    """Each node's place in the changes, and the digest of its shared tables."""
    tables, found = tables_of(SHARED), []
    for node in installation.nodes:
        path = node.folder / "data" / "sites" / site.name / "pitwall.db"
        async with aiosqlite.connect(f"file:{path}?mode=ro", uri=True) as connection:
            await connection.execute("BEGIN")
            found.append((await version_of(connection), await digest_of(connection, tables)))
    return found


async def epochs(url: str, site: str) -> tuple[list[int], int]:
    """Of the owners that the site's log names, in order; and how many records came too late."""
    cluster = await Cluster.open(Address.parse(url), wall_ms)
    try:
        records = await records_of(cluster, site)
    finally:
        await cluster.close()
    taken, void = [0], 0
    for record in records:
        if isinstance(record.event, OwnershipTaken):
            taken.append(record.event.epoch)
        elif 0 < record.event.epoch < max(taken):
            void += 1
    return taken[1:], void


async def openings(machines: Sequence[Machine], sites: Sequence[Tenant], cookie: str) -> list[str]:
    """What the first site's credentials (`cookie` is of a session there) open at the second."""
    own, other = sites[0], sites[1]
    path = "/api/callcenter/call_in?callid=stolen&event=RING&queue=sales&extension=101"
    found = []
    for machine in machines:
        for what, words, theirs, strange in (
            ("webhook", f"GET /hook/{own.token}{path}", {}, {}),
            ("token", "GET /api/v1/floor", {"Authorization": f"Bearer {own.name}-{API_TOKEN}"}, {}),
            ("board", "GET /", {"Cookie": cookie}, {}),
            ("alive", "GET /alive", {"Cookie": cookie}, {}),
            ("live", "GET /live", _socket(other) | {"Cookie": cookie}, _socket(other)),
        ):
            as_stranger = words.replace(own.token, "x" * 45)
            one = await ask(machine, other, words, theirs)
            two = await ask(machine, other, as_stranger, strange)
            if (one.status, one.body) != (two.status, two.body) or one.status in (101, 200):
                found.append(f"{what} at {machine.name}: {one.status}, a stranger {two.status}")
    return found


def _socket(site: Tenant) -> dict[str, str]:
    """The headers of a board's WebSocket."""
    return {
        "Origin": f"http://{site.host(PORT)}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
    }
