"""The alarms that a new board has: what a supervisor expects is on, the rest waits to be chosen.

They are written into the log once, at the first start; a later version that ships others changes
nothing on a board that has its rules.
"""

from app.domain.rules import AlarmRule

MINUTE_S = 60
WORKDAYS = (1, 2, 3, 4, 5, 6)
EIGHT, SIX_IN_THE_EVENING = 8 * 60, 18 * 60

DEFAULTS: tuple[AlarmRule, ...] = (
    AlarmRule(
        "default-wait",
        "longest_wait",
        warning=60,
        critical=120,
        off_delay_s=10,
        repeat_s=3 * MINUTE_S,
    ),
    # Its delay lets a board that was down itself hear from the PBX first.
    AlarmRule(
        "default-silence",
        "no_webhook",
        warning=10 * MINUTE_S,
        critical=20 * MINUTE_S,
        on_delay_s=30,
        repeat_s=10 * MINUTE_S,
        active_from=EIGHT,
        active_to=SIX_IN_THE_EVENING,
        weekdays=WORKDAYS,
    ),
    AlarmRule("default-overrun", "pause_overrun", warning=MINUTE_S, critical=10 * MINUTE_S),
    AlarmRule("default-ringing", "ringing", warning=40),
    AlarmRule(
        "default-level",
        "service_level",
        warning=80,
        critical=60,
        dead_band=2,
        on_delay_s=MINUTE_S,
        off_delay_s=MINUTE_S,
        least=20,
        enabled=False,
    ),
    AlarmRule(
        "default-abandons",
        "abandon_rate",
        warning=5,
        critical=10,
        dead_band=1,
        on_delay_s=MINUTE_S,
        off_delay_s=MINUTE_S,
        least=20,
        enabled=False,
    ),
    AlarmRule("default-waiting", "waiting", warning=5, critical=10, dead_band=2, enabled=False),
    AlarmRule("default-free", "free_agents", warning=1, on_delay_s=30, enabled=False),
    AlarmRule("default-talk", "talking", warning=20 * MINUTE_S, enabled=False),
    AlarmRule("default-pause", "paused", warning=30 * MINUTE_S, enabled=False),
    AlarmRule("default-repairs", "repairs", warning=20, enabled=False),
)
