"""Who keeps rows in memory is told of changes; nobody waits for that, not even the end."""

import asyncio

import pytest

from app.sharing.news import News

pytestmark = pytest.mark.anyio


async def test_closing_waits_for_nobody_who_is_being_told():
    news, is_told = News(), asyncio.Event()

    async def refresh() -> None:
        is_told.set()
        await asyncio.Event().wait()

    news.subscribe(["thing"], refresh)
    news.tell(["thing"])
    await is_told.wait()

    await asyncio.wait_for(news.close(), 1)
