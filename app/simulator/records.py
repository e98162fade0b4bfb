"""Call detail records: what the PBX keeps of a call that is over, and pushes as `calldata`."""

from collections import deque
from datetime import datetime, tzinfo

from app.simulator.engine import Engine
from app.simulator.model import Call, Segment
from app.simulator.wire import CALLDATA, Wire

RECORDING_URL = "https://pbx.invalid/rec/"
RECORDS_KEPT = 20_000


class Records:
    def __init__(self, engine: Engine, wire: Wire, zone: tzinfo | None) -> None:
        self._engine = engine
        self._wire = wire
        self._zone = zone
        self.kept: deque[dict[str, str]] = deque(maxlen=RECORDS_KEPT)

    def note(
        self, call: Call, status: str, part: Segment, billed_from: float | None = None
    ) -> None:
        """Keep and push the record of one part of a call; without `billed_from` nobody talked."""
        record = self._record(call, status, part, billed_from)
        self.kept.append(record)
        self._wire.say(CALLDATA, self._params(call, record, part.extension), "Cdr")

    def _record(
        self, call: Call, status: str, part: Segment, billed_from: float | None
    ) -> dict[str, str]:
        end = self._engine.now if part.end is None else part.end
        billsec = 0.0 if billed_from is None else end - billed_from
        outbound = call.direction == "Outbound"
        return {
            "callid": call.callid,
            "direction": call.direction,
            "callerid": part.extension if outbound else call.phone,
            "destination": call.phone if outbound else part.extension,
            "calldate": self._local_time(part.start),
            "duration": str(int(end - part.start)),
            "billsec": str(int(billsec)),
            "status": status,
            "recordingpath": "" if billed_from is None else self._recording_of(call),
        }

    def keep_abandoned(self, call: Call) -> None:
        """A caller who gave up is in the report too; what is pushed of it is another message."""
        self.kept.append(self._record(call, "ABANDON", Segment("", call.started, None), None))

    def note_talk(self, call: Call) -> None:
        """The record of an answered call, or one for each stretch after a transfer."""
        # A queue itself takes the call, so its record counts the wait as talk.
        billed_from = call.started if call.queue else call.answered
        first, *others = call.segments
        whole = Segment(first.extension, call.started, first.end if others else None)
        self.note(call, "ANSWER", whole, billed_from)
        for segment in others:
            self.note(call, "ANSWER", segment, segment.start)

    def _local_time(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _recording_of(self, call: Call) -> str:
        day = datetime.fromtimestamp(call.started, self._zone).strftime("%Y%m%d")
        place = f"out-{call.agent}" if call.direction == "Outbound" else call.queue or "direct"
        return f"{RECORDING_URL}{place}-{call.phone}-{day}-{call.callid[:8]}.wav"

    def _params(self, call: Call, record: dict[str, str], extension: str) -> dict[str, str]:
        params = {
            "callid": call.callid,
            "calldate": record["calldate"],
            "duration": record["duration"],
            "billsec": record["billsec"],
            "status": record["status"],
            "did": call.did,
            "extension": extension,
            "phone": call.phone,
            "direction": call.direction,
        }
        if record["recordingpath"]:
            params["recordingfile"] = record["recordingpath"]
        return params
