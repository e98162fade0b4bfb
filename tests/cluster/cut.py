"""`make chaos-cluster`, second part: pulls the cables between three machines, and judges.

`python -m tests.cluster.cut [--rate N] [--only NAME] [--note FILE]`, as root: each machine is a
network namespace with a NATS server, a node, senders and boards. Four minutes.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.cluster.cut_agree import openings
from tests.cluster.cut_network import Machine, network, why_not
from tests.cluster.cut_trials import TRIALS, Street, Trial, run_trial
from tests.cluster.cut_witness import Witness
from tests.cluster.cut_world import installed, running_exchange, tenants

HEAD = "| failure | what was done | what was seen |\n|---|---|---|"


async def endure(
    folder: Path, machines: list[Machine], rate: float, only: list[str]
) -> list[Trial]:
    """Every trial after the other on one installation."""
    sites = tenants("acme", "bravo")
    async with running_exchange() as exchange:
        with installed(folder, machines, sites) as installation:
            witness = await Witness.of(installation, machines)
            witness.open()
            street = Street(installation, machines, witness, exchange, rate)
            for name, failure, done, job in TRIALS:
                if not only or name in only:
                    await run_trial(street, Trial(failure, done), job)
                    tell(street.trials[-1])
            strangers = Trial("one site's credentials at another", "webhook, board, socket, API")
            found = await openings(machines, sites, witness.pages[0].cookie)
            strangers.faults += found
            strangers.seen.append("as a stranger, at every node")
            street.trials.append(strangers)
            tell(strangers)
            await witness.close()
    return street.trials


def tell(trial: Trial) -> None:
    print(trial.row, flush=True)
    for fault in trial.faults:
        print(f"FAULT: {fault}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.cut")
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--only", default=[], nargs="*", choices=[name for name, *_ in TRIALS])
    parser.add_argument("--note", type=Path)
    options = parser.parse_args()
    if reason := why_not():
        print(f"SKIPPED: the network between machines is not cut, for {reason}.")
        return 0
    with network(["a", "b", "c"]) as machines, tempfile.TemporaryDirectory() as folder:
        trials = asyncio.run(endure(Path(folder), machines, options.rate, options.only))
    if options.note is not None:
        rows = "\n".join(trial.row for trial in trials)
        options.note.write_text(f"{HEAD}\n{rows}\n", encoding="utf-8")
    return 1 if any(trial.faults for trial in trials) else 0


if __name__ == "__main__":
    sys.exit(main())
