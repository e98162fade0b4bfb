"""Five minutes' outage of a 10,000-agent site, made good in one: 2,000 events/s, 200 viewers.

Both cores are the server's, and the sender's and the viewers' as well: an honest two-core machine.
"""

from bench.freshness import Fresh, measure

RATE = 2000.0
AGENTS = 5000


async def sustained(seconds: float) -> Fresh:
    """So long at that rate."""
    return await measure(RATE, AGENTS, seconds)
