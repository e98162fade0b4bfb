"""Which modules are broken, and the tests that must see it, the quickest first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Modules (globs below the project) and the test files of them.

    At most `most` breaks are tried, however many are asked for: where servers are started.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    most: int = 10_000


def log_modules(*names: str) -> tuple[str, ...]:
    return tuple(f"app/log/{name}.py" for name in names)


TARGETS = (
    Target(
        "domain",
        ("app/domain/*.py",),
        (
            "test_floor",
            "test_caps",
            "test_day_change",
            "test_zones",
            "test_figures",
            "test_agents",
            "test_visits",
            "test_billing",
            "test_doubt",
            "test_second_look",
            "test_alarms",
            "test_alarm_view",
            "test_alarm_scope",
            "test_agreement",
            "test_standing",
            "test_board_view",
            "test_diary",
            "test_replay",
            "test_command_rules",
            "test_ownership",
            "test_orders",
            "test_traces",
            "test_disorder",
        ),
    ),
    Target(
        "log",
        (
            *log_modules("__init__", "codec", "commits", "memory", "open", "receipts"),
            *log_modules("sqlite", "tail"),
            "app/database.py",
            "app/packing.py",
        ),
        (
            "test_commits",
            "test_packing",
            "test_codec",
            "test_log",
            "test_log_sqlite",
            "test_database",
            "test_database_file",
            "test_migrations",
        ),
    ),
    Target(
        "pbx",
        ("app/pbx/*.py",),
        (
            "test_voicecloud",
            "test_pbx_answers",
            "test_pbx_breaker",
            "test_pbx_checkup",
            "test_voicecloud_api",
            "test_redaction",
            "test_suspicion",
            "test_reconciler_names",
            "test_pbx_faults",
            "test_key_canary",
            "test_bad_inputs",
        ),
    ),
    Target(
        "screen",
        ("app/screen.py", "app/web/frames.py", "app/web/words.py"),
        ("test_screen", "test_frames", "test_words", "test_projector", "test_live_protocol"),
    ),
    Target(
        "guard",
        ("app/web/guard.py", "app/web/csrf.py", "app/web/origin.py", "app/rights.py"),
        (
            "test_rights",
            "test_guard",
            "test_auth_pages",
            "admin/test_access",
            "admin/test_agents",
            "admin/test_queues",
            "admin/test_secrets",
            "admin/test_pbx",
            "test_matrix",
            "test_bad_access",
            "test_walls",
        ),
    ),
    Target(
        "access",
        ("app/access/*.py", "app/audit/*.py"),
        (
            "test_accounts",
            "test_api_tokens",
            "test_sessions",
            "test_passwords",
            "test_walls",
            "test_audit",
            "test_auth_pages",
            "test_oidc",
            "test_bad_access",
        ),
    ),
    Target(
        "protocol",
        (
            "app/protocol.py",
            "app/admission.py",
            "app/leaving.py",
            "app/peers.py",
            "app/web/viewer.py",
        ),
        (
            "test_admission",
            "test_leaving",
            "test_viewer",
            "test_live_protocol",
            "test_hooks",
            "test_protocol",
            "test_trailers",
            "test_bad_sockets",
        ),
    ),
    Target(
        "streams",
        (
            *log_modules("address", "chain", "cluster", "credentials", "jetstream", "layout"),
            *log_modules("lease", "marks", "message", "outgoing", "partition", "places", "pull"),
            *log_modules("seen", "servers", "snapshots", "stream"),
        ),
        (
            "test_log_address",
            "test_log_jetstream",
            "test_log_sites",
            "test_log_ages",
            "test_log_credentials",
            "test_log_damage",
            "test_log_lease",
        ),
        most=10,
    ),
    Target(
        "sharing",
        ("app/sharing/*.py",),
        (
            "test_news",
            "test_sharing",
            "test_sharing_changes",
            "test_sharing_nodes",
            "test_sharing_chance",
            "test_sharing_access",
        ),
        most=15,
    ),
    Target(
        "owners",
        ("app/ownership/*.py", "app/commanding/*.py"),
        ("test_command_rules", "test_ownership", "test_commanding", "test_command_owners"),
        most=15,
    ),
)
