"""A small simulated exchange that does only what the test tells it to."""

from collections.abc import Iterable

from app.simulator.exchange import Exchange
from app.simulator.model import Agent, Queue
from app.simulator.wire import Webhook

START = 1_772_438_400.0


class Floor:
    """Three agents in 901; `take` runs so many seconds and returns what was pushed."""

    def __init__(self, *, seed: int = 1, **queue: object) -> None:
        self.exchange = Exchange(START, seed)
        self.exchange.add_queue(Queue("902", "Other", "02800000902", strategy="round-robin"))
        self.queue = Queue("901", "Sales", "02800000901", timeout=8.0, retry=2.0)
        for name, value in queue.items():
            setattr(self.queue, name, value)
        self.exchange.add_queue(self.queue)
        self.one, self.two, self.three = (
            self.exchange.add_agent(Agent(extension, f"Agent {extension}", ("901",)))
            for extension in ("101", "102", "103")
        )
        self.other = self.exchange.add_agent(Agent("104", "Agent 104", ("902",)))
        self.supervisor = self.exchange.add_agent(Agent("900", "Boss", answers_by_itself=True))

    def log_in(self, *agents: Agent) -> None:
        for agent in agents:
            self.exchange.log_in(agent)
        self.take(1.0)

    def take(self, seconds: float = 0.0) -> list[Webhook]:
        return self.exchange.run_until(self.exchange.engine.now + seconds)


def said(webhooks: Iterable[Webhook]) -> list[str]:
    """Each webhook in short: `RING 101`, `talk 101`, `ABANDON`, `hangup` …"""
    return [short(webhook) for webhook in webhooks]


def short(webhook: Webhook) -> str:
    params = webhook.params
    place = params.get("extension", "")
    word = params.get("event") or params.get("status") or "hangup"
    kind = {"init": "init ", "calldata": "record "}.get(webhook.path.rpartition("/")[2], "")
    return f"{kind}{word} {place}".strip()
