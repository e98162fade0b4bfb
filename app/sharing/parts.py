"""The parts of the app whose tables all nodes of a site share; those not named are each node's own.

What is made from the log of events (calls, days, looking back) each node makes for itself, and the
journal of refused webhooks tells of the node that refused them.
"""

from collections.abc import Mapping, Sequence

from app import webhook_tokens
from app.access import api_tokens, identities, links, rows, sessions, walls
from app.alerting import channels
from app.audit import rows as audit_rows

SHARED: Mapping[str, Sequence[str]] = {
    "accounts": rows.STEPS,
    "sessions": sessions.STEPS,
    "links": links.STEPS,
    "walls": walls.STEPS,
    "api_tokens": api_tokens.STEPS,
    "oidc": identities.STEPS,
    "audit": audit_rows.STEPS,
    "webhook_token": webhook_tokens.STEPS,
    "alarm_channel": channels.STEPS,
}
