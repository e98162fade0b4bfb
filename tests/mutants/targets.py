"""Which modules are broken, and the tests that must see it, the quickest first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Modules (globs below the project) and the test files of them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


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
            "test_alarm_scope",
            "test_agreement",
            "test_standing",
            "test_board_view",
            "test_diary",
            "test_replay",
            "test_orders",
            "test_traces",
            "test_disorder",
        ),
    ),
    Target(
        "log",
        ("app/log/*.py", "app/database.py"),
        (
            "test_commits",
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
            "test_admin",
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
        ("app/protocol.py", "app/admission.py", "app/peers.py", "app/web/viewer.py"),
        ("test_admission", "test_viewer", "test_protocol", "test_bad_sockets"),
    ),
)
