"""The VoiceCloud dialect, inbound: one webhook in, one event out. Pure: no I/O, no clock.

To add a webhook: one function and one row in WEBHOOKS.
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo

from app.domain.events import (
    CallAbandoned,
    CallAnswered,
    CallEnded,
    CallRecorded,
    CallRinging,
    Event,
    OutboundAnswered,
    OutboundRinging,
    PhoneReported,
    RingMissed,
)
from app.pbx import WebhookError
from app.pbx.fields import Fields


class UnknownWebhook(WebhookError):
    """The path names no webhook of this dialect: the PBX is set up wrongly."""


def call_in(fields: Fields) -> Event:
    callid = fields.callid()
    if fields.event() == "RING":
        return CallRinging(
            callid=callid,
            extension=fields.extension(required=False),
            queue=fields.queue(),
            phone=fields.phone(),
            did=fields.optional_phone("did"),
            flags=fields.flags,
        )
    return CallAnswered(
        callid=callid,
        extension=fields.extension(),
        queue=fields.queue(),
        phone=fields.phone(),
        did=fields.optional_phone("did"),
        flags=fields.flags,
    )


def hangup(fields: Fields) -> Event:
    return CallEnded(callid=fields.callid())


def calldata(fields: Fields) -> Event:
    """Three messages share this path. Without a queue a ring that was missed ended the call."""
    callid, status = fields.callid(), fields.call_status()
    if status == "ABANDON":
        return _abandoned(fields, callid)
    queue = fields.queue()
    if status == "NOANSWER" and queue:
        return _missed(fields, callid, queue)
    return _recorded(fields, callid, status)


def init(fields: Fields) -> Event:
    callid, event, extension = fields.callid(), fields.event(), fields.extension()
    kind = OutboundAnswered if event == "ANSWER" else OutboundRinging
    return kind(callid=callid, extension=extension, phone=fields.phone(), flags=fields.flags)


def change_status(fields: Fields) -> Event:
    return PhoneReported(extension=fields.extension(), status=fields.phone_status())


def _abandoned(fields: Fields, callid: str) -> Event:
    holdtime = fields.seconds("holdtime")
    return CallAbandoned(
        callid=callid,
        queue=fields.queue(required=True),
        phone=fields.optional_phone("phone"),
        extension=fields.extension(required=False),
        holdtime=holdtime,
        started=fields.started(holdtime),
        flags=fields.flags,
    )


def _missed(fields: Fields, callid: str, queue: str) -> Event:
    return RingMissed(
        callid=callid,
        extension=fields.extension(),
        queue=queue,
        phone=fields.optional_phone("phone"),
        flags=fields.flags,
    )


def _recorded(fields: Fields, callid: str, status: str) -> Event:
    duration = fields.seconds("duration")
    # Read for its flag only: a record has no place for it.
    fields.seconds("holdtime")
    return CallRecorded(
        callid=callid,
        status=status,
        extension=fields.extension(required=False),
        phone=fields.optional_phone("phone"),
        did=fields.optional_phone("did"),
        direction=fields.direction(),
        started=fields.started(duration),
        duration=duration,
        billsec=fields.billsec(duration),
        recording=fields.recording(),
        flags=fields.flags,
    )


WEBHOOKS: dict[str, Callable[[Fields], Event]] = {
    "/api/callcenter/call_in": call_in,
    "/api/callcenter/hangup": hangup,
    "/api/callcenter/calldata": calldata,
    "/api/callcenter/init": init,
    "/api/agent/changestatus": change_status,
}


def webhook_at(path: str) -> Callable[[Fields], Event]:
    """The row for a path, whatever its letter case and slashes. Raises UnknownWebhook."""
    row = WEBHOOKS.get(path)
    if row is None:
        plain = "/" + "/".join(part for part in path.lower().split("/") if part)
        row = WEBHOOKS.get(plain)
    if row is None:
        raise UnknownWebhook("there is no such webhook")
    return row


def decode(path: str, params: Mapping[str, str], *, now: int, zone: tzinfo) -> Event:
    """The event that a webhook tells.

    `path` is what follows the hook prefix, `params` as `parameters` reads them, `now` the receipt
    in ms since the epoch, `zone` the PBX's clock. Raises WebhookError: nothing of it applies.
    """
    return webhook_at(path)(Fields(params, now, zone))
