"""The PBX client as tests use it: in haste, with a key full of awkward characters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date
from typing import Any

import pytest

from app.pbx import PbxError
from app.pbx.exchange import Patience
from app.pbx.secret import Secret
from app.pbx.voicecloud_api import Account, VoiceCloud
from tests.fake_pbx import FakePbx, running_pbx

KEY = "k/1+2 %ü=="
NOW = 1_700_000_000_000
TODAY = date(2023, 11, 14)
HASTE = Patience(total_s=1.2, connect_s=1.0, silence_s=0.6)

RECORD = {
    "callid": "c-1",
    "direction": "Inbound",
    "callerid": '"Ann" <0901234567>',
    "destination": "101",
    "calldate": "2023-11-14 08:00:00",
    "duration": "50",
    "billsec": 37,
    "status": "ANSWERED",
    "recordingpath": "https://pbx.example.com/rec/1.wav",
}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def client_of(url: str, **known: Any) -> AsyncIterator[VoiceCloud]:
    known = {"zone": UTC, "now": lambda: NOW, "patience": HASTE, **known}
    domain, key = known.pop("domain", "acme.example"), Secret(known.pop("key", KEY))
    client = VoiceCloud(Account(url, known.pop("data_url", url), domain, key), **known)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def pbx_and_client(**known: Any) -> AsyncIterator[tuple[FakePbx, VoiceCloud]]:
    async with running_pbx(**known) as pbx, client_of(pbx.url) as client:
        yield pbx, client


async def failure_of(work: Any) -> PbxError:
    with pytest.raises(PbxError) as caught:
        await work
    return caught.value
