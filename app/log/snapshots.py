"""A site's two snapshots in the servers' object store: the newest, and the one before it.

There are two places, and a new snapshot takes that of the older one: a save that breaks off harms
no good one. What was only half written is refused by its digest.
"""

import asyncio
import logging
from collections.abc import Iterable

from nats.js import JetStreamContext, api
from nats.js.errors import BucketNotFoundError, NotFoundError
from nats.js.object_store import ObjectStore

from app.ending import heeding
from app.log import LogUnavailable, Snapshot
from app.log.stream import BROKEN
from app.sentences import Sentence

PLACES = ("a", "b")
# A floor takes some milliseconds; an election of the servers up to nine seconds.
PATIENCE_S = 20.0

logger = logging.getLogger(__name__)


class Bucket:
    """The object store `name`, which the sites of a stream share; made with the first snapshot."""

    def __init__(self, js: JetStreamContext, name: str, replicas: int) -> None:
        self._js = js
        self._name = name
        self._replicas = replicas
        self._store: ObjectStore | None = None

    async def found(self) -> ObjectStore | None:
        """The store, if it has been made."""
        if self._store is None:
            try:
                self._store = await self._js.object_store(self._name)
            except BucketNotFoundError:
                return None
        return self._store

    async def made(self) -> ObjectStore:
        """The store, made now if it was not there."""
        if (store := await self.found()) is not None:
            return store
        config = api.ObjectStoreConfig(storage=api.StorageType.FILE, replicas=self._replicas)
        self._store = await self._js.create_object_store(self._name, config)
        return self._store


class Snapshots:
    """Those of one site."""

    def __init__(self, bucket: Bucket, site: str) -> None:
        self._bucket = bucket
        self._places = tuple(f"{site}.{place}" for place in PLACES)

    @heeding
    async def save(self, snapshot: Snapshot) -> None:
        """Keep it in place of one of the same seq, or else of the older one.

        Raises LogUnavailable.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                store = await self._bucket.made()
                kept = await self._kept(store)
                place = min(self._places, key=lambda name: (kept[name] != snapshot.seq, kept[name]))
                meta = api.ObjectMeta(description=str(snapshot.seq))
                await store.put(place, snapshot.body, meta)
        except BROKEN as error:
            raise LogUnavailable(
                Sentence("The snapshot could not be saved: the log's servers do not answer.")
            ) from error

    @heeding
    async def latest(self, seqs: range) -> Snapshot | None:
        """The newest readable one with a seq in `seqs`. Raises LogUnavailable."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                store = await self._bucket.found()
                if store is None:
                    return None
                kept = {seq: name for name, seq in (await self._kept(store)).items()}
                newest = sorted((seq for seq in kept if seq in seqs), reverse=True)
                return await self._first_whole(store, ((seq, kept[seq]) for seq in newest))
        except BROKEN as error:
            raise LogUnavailable(
                Sentence("The snapshot could not be read: the log's servers do not answer.")
            ) from error

    async def _first_whole(
        self, store: ObjectStore, places: Iterable[tuple[int, str]]
    ) -> Snapshot | None:
        for seq, name in places:
            try:
                # The client waits for ever for a chunk that is gone.
                async with asyncio.timeout(PATIENCE_S / 4):
                    found = await store.get(name)
            except BROKEN as error:
                logger.warning("The snapshot of record %d can't be read: %r", seq, error)
            else:
                return Snapshot(seq, bytes(found.data or b""))
        return None

    async def _kept(self, store: ObjectStore) -> dict[str, int]:
        """Each place's seq, 0 for an empty one."""
        kept = {}
        for name in self._places:
            try:
                told = (await store.get_info(name)).description
            except NotFoundError:
                told = None
            kept[name] = int(told) if told and told.isdigit() else 0
        return kept
