-- Flow control: more states, runs that stand for others, windows, pauses, the book of acts.
-- The table is written anew, since SQLite cannot change a CHECK in place.

CREATE TABLE runs_new (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE,
    delivery    INTEGER NOT NULL REFERENCES deliveries (seq) ON DELETE CASCADE,
    route       TEXT    NOT NULL,
    job         TEXT    NOT NULL,
    part        INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'queued', 'sending', 'started', 'held',
                                                  'failed', 'superseded', 'cancelled')),
    reason      TEXT,
    environment TEXT,              -- JSON object; null when the mapping failed
    engine_id   TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    accepted_at INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    lease_until INTEGER,           -- while sending
    -- 0: may be sent; 1: not before due_at; 2: its route is paused
    blocked     INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1, 2)),
    passed      INTEGER NOT NULL DEFAULT 0, -- 1: a person let it go, so no brake holds it again
    latest_per  TEXT,              -- runs of one route with the same text: only the newest is sent
    burst       INTEGER,           -- the first of the runs that this one stands for, itself included
    burst_at    INTEGER,           -- when that one was accepted
    stands_for  INTEGER NOT NULL DEFAULT 1,
    CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CHECK ((state = 'started') = (engine_id IS NOT NULL)),
    CHECK (environment IS NOT NULL OR state = 'failed'),
    CHECK (state <> 'waiting' OR blocked = 1)
) STRICT;
INSERT INTO runs_new (seq, id, delivery, route, job, part, state, reason, environment, engine_id,
    attempts, accepted_at, changed_at, due_at, deadline_at, lease_until, blocked)
SELECT seq, id, delivery, route, job, part, state, reason, environment, engine_id,
    attempts, accepted_at, changed_at, due_at, deadline_at, lease_until, state = 'queued'
FROM runs;
DROP TABLE runs;
ALTER TABLE runs_new RENAME TO runs;

CREATE INDEX runs_by_delivery ON runs (delivery);
-- Partial, so that they cost nothing for runs that are over.
CREATE INDEX runs_queue ON runs (job, blocked, seq) WHERE state = 'queued';
CREATE INDEX runs_later ON runs (due_at) WHERE blocked = 1;
CREATE INDEX runs_overdue ON runs (deadline_at) WHERE state IN ('queued', 'waiting');
CREATE INDEX runs_sending ON runs (lease_until) WHERE state = 'sending';
CREATE INDEX runs_held ON runs (seq) WHERE state = 'held';
CREATE INDEX runs_latest ON runs (route, latest_per)
    WHERE latest_per IS NOT NULL AND state IN ('queued', 'waiting');
CREATE INDEX runs_by_burst ON runs (burst, seq) WHERE burst IS NOT NULL;

-- Starts of jobs that have a limit over time; rows older than the longest window are removed.
CREATE TABLE starts (
    seq   INTEGER PRIMARY KEY,
    job   TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    first INTEGER NOT NULL        -- 1 for a run's first attempt
) STRICT;
CREATE INDEX starts_by_job ON starts (job, at);

-- What rests until somebody lets it go on: everything, a job, a route, an API key.
CREATE TABLE pauses (
    kind  TEXT    NOT NULL CHECK (kind IN ('all', 'job', 'route', 'key')),
    name  TEXT    NOT NULL,
    since INTEGER NOT NULL,
    who   TEXT    NOT NULL,
    note  TEXT,
    mark  BLOB,                   -- of a key: tells whether it is still the one that was refused
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Jobs whose backlog, up to a run, is let go at a pace.
CREATE TABLE backlogs (
    job      TEXT    NOT NULL PRIMARY KEY,
    up_to    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every act of a person or token. Nothing in it is ever changed.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    origin TEXT,                  -- the address that it came from
    act    TEXT    NOT NULL,
    kind   TEXT    NOT NULL,      -- what it was done to: run, delivery, job, route, key, all, configuration
    name   TEXT    NOT NULL,
    note   TEXT
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
