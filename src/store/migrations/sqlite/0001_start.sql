-- Times are milliseconds since 1970-01-01 UTC. Ids are the 16 bytes of a version 7 UUID.
-- `seq` is the order of acceptance.

CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE,
    source       TEXT    NOT NULL,
    provider     TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    name         TEXT,
    delivery_key TEXT    NOT NULL,
    handshake    INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    remote       TEXT,
    query        TEXT    NOT NULL,
    size         INTEGER NOT NULL,
    repeats      INTEGER NOT NULL DEFAULT 0,
    stripped     INTEGER NOT NULL DEFAULT 0, -- 1: its content was given up to keep the size bound
    headers      BLOB    NOT NULL, -- JSON pairs, LZ4 block with its size in front
    explanation  BLOB    NOT NULL, -- JSON, compressed likewise
    body         BLOB    NOT NULL  -- raw bytes, compressed likewise
) STRICT;

CREATE INDEX deliveries_whole ON deliveries (seq) WHERE stripped = 0;

-- What names a delivery at its sender's side. Apart from `deliveries`, so that it can be claimed
-- in one statement and outlives neither its window nor its delivery.
CREATE TABLE claims (
    source       TEXT    NOT NULL,
    delivery_key TEXT    NOT NULL,
    delivery     INTEGER NOT NULL REFERENCES deliveries (seq) ON DELETE CASCADE,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (source, delivery_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_delivery ON claims (delivery);

CREATE TABLE runs (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE,
    delivery    INTEGER NOT NULL REFERENCES deliveries (seq) ON DELETE CASCADE,
    route       TEXT    NOT NULL,
    job         TEXT    NOT NULL,
    part        INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'sending', 'started', 'held', 'failed')),
    reason      TEXT,
    environment TEXT,              -- JSON object; null when the mapping failed
    engine_id   TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    accepted_at INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    lease_until INTEGER,           -- while sending
    CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CHECK ((state = 'started') = (engine_id IS NOT NULL)),
    CHECK (environment IS NOT NULL OR state = 'failed')
) STRICT;
CREATE INDEX runs_by_delivery ON runs (delivery);
-- Partial, so that they cost nothing for runs that are over.
CREATE INDEX runs_due ON runs (job, due_at, seq) WHERE state = 'queued';
CREATE INDEX runs_overdue ON runs (deadline_at) WHERE state = 'queued';
CREATE INDEX runs_sending ON runs (lease_until) WHERE state = 'sending';
CREATE INDEX runs_held ON runs (seq) WHERE state = 'held';

CREATE TABLE attempts (
    run      INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    outcome  TEXT CHECK (outcome IN ('started', 'not-started-for-now', 'not-started-for-good', 'unknown')),
    status   INTEGER,
    reason   TEXT,
    reply    TEXT,
    took_ms  INTEGER,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- What people did with runs.
CREATE TABLE acts (
    seq  INTEGER PRIMARY KEY,
    run  INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    at   INTEGER NOT NULL,
    who  TEXT    NOT NULL,
    act  TEXT    NOT NULL,
    note TEXT
) STRICT;
CREATE INDEX acts_by_run ON acts (run);

-- A row that is written to prove that the store can keep something.
CREATE TABLE probe (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at  INTEGER NOT NULL
) STRICT;
