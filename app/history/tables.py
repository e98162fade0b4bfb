"""The tables of the history, as numbered steps. Times are ms since the epoch; spans end in _ms."""

STEPS = (
    """
    CREATE TABLE history_progress (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        began INTEGER
    ) STRICT;
    INSERT INTO history_progress VALUES (1, 0, 0, NULL);

    CREATE TABLE call (
        first_seen INTEGER NOT NULL,
        callid TEXT NOT NULL,
        direction TEXT NOT NULL,
        outcome TEXT NOT NULL,
        phone TEXT NOT NULL,
        caller TEXT NOT NULL,
        backwards TEXT NOT NULL,
        did TEXT NOT NULL,
        queues TEXT NOT NULL,
        agent TEXT NOT NULL,
        started INTEGER,
        answered_at INTEGER,
        left_at INTEGER,
        ended_at INTEGER,
        wait_ms INTEGER,
        talk_ms INTEGER,
        recording TEXT NOT NULL,
        exact INTEGER NOT NULL,
        inferred INTEGER NOT NULL,
        lost INTEGER NOT NULL,
        PRIMARY KEY (first_seen, callid)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX call_callid ON call (callid);
    CREATE INDEX call_backwards ON call (backwards);
    CREATE INDEX call_caller ON call (caller, first_seen);
    CREATE INDEX call_abandoned ON call (first_seen, callid, caller, left_at, wait_ms, outcome)
        WHERE outcome = 'abandoned';
    CREATE INDEX call_got_through ON call (caller, first_seen, outcome)
        WHERE outcome IN ('answered', 'reached');

    CREATE TABLE visit (
        first_seen INTEGER NOT NULL,
        callid TEXT NOT NULL,
        n INTEGER NOT NULL,
        queue TEXT NOT NULL,
        seen_at INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        wait_ms INTEGER,
        talk_ms INTEGER,
        agent TEXT NOT NULL,
        exact INTEGER NOT NULL,
        inferred INTEGER NOT NULL,
        counted INTEGER NOT NULL,
        PRIMARY KEY (first_seen, callid, n)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX visit_counted
        ON visit (seen_at, queue, outcome, wait_ms, talk_ms, agent, counted)
        WHERE counted = 1;
    CREATE INDEX visit_agent ON visit (agent, seen_at) WHERE agent <> '';

    CREATE TABLE leg (
        first_seen INTEGER NOT NULL,
        callid TEXT NOT NULL,
        extension TEXT NOT NULL,
        queue TEXT NOT NULL,
        since INTEGER NOT NULL,
        answered_at INTEGER,
        ended_at INTEGER,
        missed INTEGER NOT NULL,
        PRIMARY KEY (first_seen, callid, extension)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX leg_agent ON leg (extension, since);

    CREATE TABLE agent_span (
        extension TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER,
        status TEXT NOT NULL,
        paused INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (extension, since)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE gap (
        began INTEGER NOT NULL,
        kind TEXT NOT NULL,
        ended INTEGER NOT NULL,
        PRIMARY KEY (began, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE call_event (
        callid TEXT NOT NULL,
        seq INTEGER NOT NULL,
        changed TEXT NOT NULL,
        PRIMARY KEY (callid, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE agent_event (
        extension TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (extension, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE abandon_deed (
        seq INTEGER PRIMARY KEY,
        callid TEXT NOT NULL,
        caller TEXT NOT NULL,
        at INTEGER NOT NULL,
        deed TEXT NOT NULL,
        who TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX abandon_deed_caller ON abandon_deed (caller, at);

    CREATE TABLE floor_checkpoint (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX floor_checkpoint_at ON floor_checkpoint (at, seq);
    """,
)

# All of it but the progress, which is set back; with the column that says how new a row is.
DERIVED = {
    "call": "first_seen",
    "visit": "first_seen",
    "leg": "first_seen",
    "agent_span": "since",
    "gap": "began",
    "call_event": "seq",
    "agent_event": "seq",
    "abandon_deed": "seq",
    "floor_checkpoint": "seq",
}
