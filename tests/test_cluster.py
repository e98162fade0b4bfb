"""A whole installation of several machines, struck a few times; `make chaos-cluster` is longer."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.cluster.chaos import endure

pytestmark = pytest.mark.skipif(
    shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None,
    reason="nginx is not installed",
)


def test_nothing_acknowledged_is_lost_doubled_or_moved_when_servers_and_nodes_die(tmp_path: Path):
    ordeal = asyncio.run(endure(tmp_path, kills=3, rate=60, count=2, seed=3))

    assert {blow.kind for blow in ordeal.blows} == {"node", "server"}
    assert ordeal.judged.acknowledged > 500
    assert ordeal.judged.is_good, str(ordeal.judged)
    # No more is asked of the time here: other tests run beside this one.
    assert all(blow.still_s < 30 for blow in ordeal.blows), ordeal.blows
