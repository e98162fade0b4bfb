"""An application served by the program that measures it, or by one that it starts."""

import asyncio

import uvicorn


async def started(config: uvicorn.Config) -> tuple[uvicorn.Server, "asyncio.Task[None]"]:
    """The server, which listens, and its task, which ends when the server is told to."""
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    return server, running
