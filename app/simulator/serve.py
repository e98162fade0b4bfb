"""A live run: the simulation, its webhooks and its API, from the command line to Ctrl-C."""

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from app.simulator.api import PbxApi
from app.simulator.control import Control
from app.simulator.faults import Faults
from app.simulator.live import Simulation
from app.simulator.options import faults_of, plan_of
from app.simulator.trace import TraceWriter
from app.simulator.truth import truth
from app.simulator.webhooks import Pusher
from app.simulator.world import World


async def serve(options: argparse.Namespace) -> None:
    """Runs until it is interrupted, or for --hours and to the end of the last call."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    world, faults = World(plan_of(options)), faults_of(options)
    plan_silence(options, world, faults)
    async with AsyncExitStack() as stack:
        pusher = await stack.enter_async_context(pusher_of(options))
        simulation = Simulation(world, faults, pusher, speed=options.speed)
        simulation.trace = stack.enter_context(trace_of(options))
        await stack.enter_async_context(listening(simulation, options))
        announce(options, world)
        await somebody_listens(options.target, options.wait, stopped)
        await run(simulation, options, stopped)
    write_truth(options, world)
    print("Stopped.", dict(pusher.counts))


async def run(simulation: Simulation, options: argparse.Namespace, stopped: asyncio.Event) -> None:
    if options.hours is not None:
        simulation.world.close_after(options.hours)
    running = asyncio.create_task(simulation.run())
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait({running, waiting})
    if not running.cancelled():
        # What it raised is a bug, and must be seen.
        running.result()
    await simulation.pusher.drain(2.0)


async def somebody_listens(target: str, seconds: float, stopped: asyncio.Event) -> None:
    """Wait for the target to start, but not for longer than that: then it misses something."""
    place = urlsplit(target)
    port = place.port or (443 if place.scheme == "https" else 80)
    for _ in range(int(seconds / 0.1)):
        if stopped.is_set():
            return
        try:
            _, writer = await asyncio.open_connection(place.hostname, port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


def application(simulation: Simulation, key: str) -> web.Application:
    """The PBX's API and /sim."""
    api = PbxApi(simulation, key)
    made = web.Application()
    made.add_routes([*api.routes(), *Control(simulation, api).routes()])
    return made


def listening(simulation: Simulation, options: argparse.Namespace) -> "Listening":
    return Listening(application(simulation, options.key), options.host, options.port)


class Listening:
    """The HTTP server, for as long as the `async with` lasts."""

    def __init__(self, served: web.Application, host: str, port: int) -> None:
        self._runner = web.AppRunner(served, access_log=None, shutdown_timeout=1.0)
        self._host, self._port = host, port

    async def __aenter__(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


def pusher_of(options: argparse.Namespace) -> Pusher:
    return Pusher(
        options.target,
        style=options.push,
        connections=options.connections,
        keep_alive=not options.no_keep_alive,
    )


@contextmanager
def trace_of(options: argparse.Namespace) -> Iterator[TraceWriter | None]:
    if options.trace_out is None:
        yield None
        return
    method = "GET" if options.push == "get" else "POST"
    with Path(options.trace_out).open("w", encoding="utf-8") as file:
        yield TraceWriter(file, method)


def plan_silence(options: argparse.Namespace, world: World, faults: Faults) -> None:
    if options.silent_from is not None:
        engine = world.exchange.engine
        begin = engine.now + options.silent_from
        engine.at(begin, lambda: faults.change({"silent": 1.0}))
        engine.at(begin + options.silent_for, lambda: faults.change({"silent": 0.0}))


def write_truth(options: argparse.Namespace, world: World) -> None:
    if options.truth_file:
        text = json.dumps(truth(world.exchange), indent=1, ensure_ascii=False)
        Path(options.truth_file).write_text(text + "\n", encoding="utf-8")


def announce(options: argparse.Namespace, world: World) -> None:
    # Only where it pushes to: the rest of that address is a secret.
    target = urlsplit(options.target)
    queues = list(world.exchange.switch.queues.values())
    named = ", ".join(f"{queue.name} {queue.number}" for queue in queues[:3])
    print(
        f"Simulated PBX: {options.agents} agents, {len(queues)} queues ({named}"
        f"{' …' if len(queues) > 3 else ''}), speed {options.speed:g}, seed {options.seed}.\n"
        f"Webhooks go to {target.scheme}://{target.hostname}:{target.port or 80}; "
        f"the PBX's API and /sim are at http://{options.host}:{options.port}. Ctrl-C stops it.",
        flush=True,
    )
