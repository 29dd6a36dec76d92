-- Times are milliseconds since 1970-01-01 UTC. Ids are version 7 UUIDs, so that they sort by time.
-- There are no foreign keys: a delivery and all that belongs to it are written by one statement and
-- removed by one statement, and checking each row again would cost the accept path a tenth.

CREATE TABLE deliveries (
    id           uuid    PRIMARY KEY,
    source       text    NOT NULL,
    provider     text    NOT NULL,
    kind         text    NOT NULL,
    name         text,
    delivery_key text    NOT NULL,
    handshake    boolean NOT NULL,
    received_at  bigint  NOT NULL,
    remote       text,
    query        text    NOT NULL,
    size         bigint  NOT NULL,
    stored       bigint  NOT NULL,               -- bytes that its content takes up here
    repeats      bigint  NOT NULL DEFAULT 0,
    stripped     boolean NOT NULL DEFAULT false, -- its content was given up to keep the size bound
    headers      bytea   NOT NULL,               -- JSON pairs, LZ4 block with its size in front
    explanation  bytea   NOT NULL,               -- JSON, compressed likewise
    body         bytea   NOT NULL,               -- raw bytes, compressed likewise
    claims       text                            -- what the sender's token claimed, as JSON
);
-- Compressed already; trying again would cost time and gain nothing.
ALTER TABLE deliveries ALTER COLUMN headers SET STORAGE EXTERNAL;
ALTER TABLE deliveries ALTER COLUMN explanation SET STORAGE EXTERNAL;
ALTER TABLE deliveries ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX deliveries_whole ON deliveries (id) WHERE NOT stripped;

-- What names a delivery at its sender's side.
CREATE TABLE claims (
    source       text   NOT NULL,
    delivery_key text   NOT NULL,
    delivery     uuid   NOT NULL,
    expires_at   bigint NOT NULL,
    PRIMARY KEY (source, delivery_key)
);

CREATE TABLE runs (
    seq         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of acceptance
    id          uuid    NOT NULL UNIQUE,
    delivery    uuid    NOT NULL,
    route       text    NOT NULL,
    job         text    NOT NULL,
    part        integer NOT NULL,
    state       text    NOT NULL CHECK (state IN ('waiting', 'queued', 'sending', 'started', 'held',
                                                  'failed', 'superseded', 'cancelled')),
    reason      text,
    environment text,             -- JSON object; null when the mapping failed
    -- The same question for whoever may not read the variables.
    mapped      boolean GENERATED ALWAYS AS (environment IS NOT NULL) STORED,
    engine_id   text,
    attempts    integer NOT NULL DEFAULT 0,
    accepted_at bigint  NOT NULL,
    changed_at  bigint  NOT NULL,
    due_at      bigint  NOT NULL,
    deadline_at bigint  NOT NULL,
    lease_until bigint,           -- while sending; by the database's clock
    -- 0: may be sent; 1: not before due_at; 2: its route is paused
    blocked     smallint NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1, 2)),
    passed      boolean NOT NULL DEFAULT false, -- a person let it go, so no brake holds it again
    latest_per  text,             -- runs of one route with the same text: only the newest is sent
    burst       bigint,           -- the first of the runs that this one stands for, itself included
    burst_at    bigint,           -- when that one was accepted
    stands_for  bigint  NOT NULL DEFAULT 1,
    CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CHECK ((state = 'started') = (engine_id IS NOT NULL)),
    CHECK (environment IS NOT NULL OR state = 'failed'),
    CHECK (state <> 'waiting' OR blocked = 1),
    CHECK (blocked = 0 OR state IN ('waiting', 'queued'))
);
-- A run's life is what `model/run.rs` says, whoever writes; a test holds this list against it.
CREATE FUNCTION a_run_cannot_move_like_that() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a % run cannot become %', OLD.state, NEW.state; END $$;
CREATE TRIGGER runs_move_lawfully BEFORE UPDATE OF state ON runs FOR EACH ROW
WHEN (OLD.state <> NEW.state AND (OLD.state || ' ' || NEW.state) <> ALL (ARRAY[
    'waiting queued', 'waiting failed', 'waiting superseded', 'waiting cancelled',
    'queued sending', 'queued held', 'queued failed', 'queued superseded', 'queued cancelled',
    'sending started', 'sending queued', 'sending held', 'sending failed',
    'held started', 'held queued', 'held failed', 'held cancelled',
    'failed queued', 'failed held', 'cancelled queued', 'cancelled held']))
EXECUTE FUNCTION a_run_cannot_move_like_that();
CREATE INDEX runs_by_delivery ON runs (delivery);
-- Partial, so that they cost nothing for runs that are over.
CREATE INDEX runs_queue ON runs (job, blocked, seq) WHERE state = 'queued';
CREATE INDEX runs_later ON runs (due_at) WHERE blocked = 1;
CREATE INDEX runs_paused ON runs (route) WHERE blocked = 2;
CREATE INDEX runs_overdue ON runs (deadline_at) WHERE state IN ('queued', 'waiting');
CREATE INDEX runs_sending ON runs (job) WHERE state = 'sending';
CREATE INDEX runs_held ON runs (seq) WHERE state = 'held';
CREATE INDEX runs_latest ON runs (route, latest_per)
    WHERE latest_per IS NOT NULL AND state IN ('queued', 'waiting');
CREATE INDEX runs_by_burst ON runs (burst, seq) WHERE burst IS NOT NULL;

CREATE TABLE attempts (
    run      uuid    NOT NULL,
    number   integer NOT NULL,
    begun_at bigint  NOT NULL,
    outcome  text CHECK (outcome IN ('started', 'not-started-for-now', 'not-started-for-good', 'unknown')),
    status   integer,
    reason   text,
    reply    text,
    took_ms  bigint,
    PRIMARY KEY (run, number)
);

-- What people did with runs.
CREATE TABLE acts (
    seq  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run  uuid   NOT NULL,
    at   bigint NOT NULL,
    who  text   NOT NULL,
    act  text   NOT NULL,
    note text
);
CREATE INDEX acts_by_run ON acts (run);

-- One row a job: whoever takes runs of it holds the row, so that its limits hold for all replicas.
CREATE TABLE gates (
    job text PRIMARY KEY
);

-- Starts of jobs that have a limit over time; rows older than the longest window are removed.
CREATE TABLE starts (
    job   text    NOT NULL,
    at    bigint  NOT NULL,
    first boolean NOT NULL        -- a run's first attempt
);
CREATE INDEX starts_by_job ON starts (job, at);

-- What rests until somebody lets it go on: everything, a job, a route, an API key.
CREATE TABLE pauses (
    kind  text   NOT NULL CHECK (kind IN ('all', 'job', 'route', 'key')),
    name  text   NOT NULL,
    since bigint NOT NULL,
    who   text   NOT NULL,
    note  text,
    mark  bytea,                  -- of a key: tells whether it is still the one that was refused
    PRIMARY KEY (kind, name)
);

-- Jobs whose backlog, up to a run, is let go at a pace.
CREATE TABLE backlogs (
    job   text   PRIMARY KEY,
    up_to bigint NOT NULL
);

-- Every act of a person or token. Nothing in it is ever changed.
CREATE TABLE audit (
    seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     bigint NOT NULL,
    who    text   NOT NULL,
    origin text,                  -- the address that it came from
    act    text   NOT NULL,
    kind   text   NOT NULL,       -- what it was done to: run, delivery, job, route, key, all, configuration
    name   text   NOT NULL,
    note   text
);
CREATE FUNCTION the_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION the_audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION the_audit_is_append_only();

-- A row that is written to prove that the database can keep something.
CREATE TABLE probe (
    one integer PRIMARY KEY CHECK (one = 1),
    at  bigint  NOT NULL
);

-- Bytes that deliveries take up, counted up to one of them. Written by retention alone.
CREATE TABLE usage (
    one   integer PRIMARY KEY CHECK (one = 1),
    up_to uuid    NOT NULL,
    bytes bigint  NOT NULL
);
INSERT INTO usage (one, up_to, bytes) VALUES (1, '00000000-0000-0000-0000-000000000000', 0);

-- Rows come and go at the front of these all day. Their space is to be used again soon, before they grow.
ALTER TABLE runs SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE attempts SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE claims SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE starts SET (autovacuum_vacuum_scale_factor = 0.02);
