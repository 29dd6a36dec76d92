-- Grants each role of the gateway the rights that it needs in the database, and no others.
--
-- Run it after each `cdsw-gateway migrate`, as the user that owns the tables. If the tables are in a
-- schema of their own, the roles also need USAGE on that schema:
--
--   psql --set ON_ERROR_STOP=1 --file deploy/postgres/roles.sql postgres://owner@host/gateway
--
-- Then make a user for each kind of process, and grant it its role:
--
--   CREATE ROLE gateway_edge LOGIN PASSWORD '…' IN ROLE cdsw_gateway_ingest;
--   CREATE ROLE gateway_inside LOGIN PASSWORD '…' IN ROLE cdsw_gateway_dispatch;
--   CREATE ROLE gateway LOGIN PASSWORD '…' IN ROLE cdsw_gateway_ingest, cdsw_gateway_dispatch;  -- role `all`
--
-- Behind a pooler in transaction mode, set the time-outs on the users:
--
--   ALTER ROLE gateway SET statement_timeout = '15s';
--   ALTER ROLE gateway SET lock_timeout = '5s';
--   ALTER ROLE gateway SET idle_in_transaction_session_timeout = '15s';

BEGIN;
SET LOCAL lock_timeout = '10s';

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['cdsw_gateway_ingest', 'cdsw_gateway_dispatch'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- roles belong to the whole server; it was made for another database
        END;
    END LOOP;
END $$;

-- What an earlier version of this file granted, and this one does not.
REVOKE ALL ON probe, claims, deliveries, runs, pauses, audit FROM cdsw_gateway_ingest;
REVOKE ALL ON probe FROM cdsw_gateway_dispatch;

GRANT SELECT ON cdsw_gateway_schema TO cdsw_gateway_ingest, cdsw_gateway_dispatch;
-- To check that a commit can be made.
GRANT SELECT, INSERT, UPDATE (at) ON probe TO cdsw_gateway_ingest, cdsw_gateway_dispatch;

-- `ingest` keeps deliveries with their runs, and recognizes repeats. It cannot read the body, a header or a
-- variable of a kept delivery. The triggers below say which rows it may write.
GRANT SELECT, INSERT, UPDATE (delivery, expires_at) ON claims TO cdsw_gateway_ingest;
GRANT SELECT (id, repeats, digest, erased_at), INSERT, UPDATE (repeats, repeated_at) ON deliveries
    TO cdsw_gateway_ingest;
GRANT SELECT (seq, id, delivery, route, job, part, state, reason, engine_id, attempts, accepted_at,
              changed_at, due_at, deadline_at, blocked, mapped, latest_per, burst, burst_at, stands_for),
      INSERT (id, delivery, route, job, part, state, reason, environment, accepted_at, changed_at,
              due_at, deadline_at, blocked, latest_per, burst, burst_at, stands_for),
      UPDATE (state, reason, environment, changed_at, due_at, deadline_at, blocked, burst)
    ON runs TO cdsw_gateway_ingest;
GRANT SELECT (kind, name) ON pauses TO cdsw_gateway_ingest;
-- The last good versions of files of routes.d, which stay in force across a restart. Only `dispatch` writes them.
GRANT SELECT ON route_files TO cdsw_gateway_ingest;
-- Who reloaded its configuration.
GRANT INSERT (at, who, origin, act, kind, name, note) ON audit TO cdsw_gateway_ingest;

-- `dispatch` takes runs, records their outcomes, shows what is kept, does what people command, and removes
-- what is old. It can add rows to the audit log, and neither change nor delete them.
GRANT SELECT, UPDATE, DELETE ON deliveries TO cdsw_gateway_dispatch;
GRANT SELECT, DELETE ON claims TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT, UPDATE, DELETE ON runs, attempts, starts, pauses, backlogs, configurations, replicas,
    rests, route_files TO cdsw_gateway_dispatch;
GRANT USAGE ON SEQUENCE configurations_number_seq TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT, DELETE ON acts TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT, UPDATE ON gates TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT ON audit TO cdsw_gateway_dispatch;
GRANT SELECT, UPDATE ON usage TO cdsw_gateway_dispatch;

-- The rows that `ingest` may write. Each trigger applies to users in the role `cdsw_gateway_ingest` that are not in
-- `cdsw_gateway_dispatch`. Its condition says what is lawful; the function is called for what is not.

CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_may_not() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation'; END $$;

-- A new run waits, is queued, is held or has failed. It had no attempt, and was accepted now. Only a run with
-- `latest_per` waits for a newer one or stands for older ones.
CREATE OR REPLACE TRIGGER ingest_inserts_new_runs BEFORE INSERT ON runs FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    NEW.state IN ('waiting', 'queued', 'held', 'failed')
    AND NEW.attempts = 0 AND NEW.engine_id IS NULL AND NEW.lease_until IS NULL AND NOT NEW.passed
    AND to_timestamp((NEW.accepted_at / 1000)::float8)
        BETWEEN now() - interval '1 day' AND now() + interval '1 day'
    AND NEW.changed_at = NEW.accepted_at AND NEW.due_at >= NEW.accepted_at
    AND (NEW.latest_per IS NOT NULL
         OR NEW.state <> 'waiting' AND NEW.burst IS NULL AND NEW.stands_for = 1)
    AND (NEW.burst IS NULL OR NEW.burst < NEW.seq)
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not(
    'an ingest process inserts runs that wait, are queued, are held or have failed, without an attempt, and accepted within a day of the database''s clock');

-- It changes a run in three ways: a repeat gives a failed run another try; a newer run supersedes an older one that
-- waits or is queued; and the burst of runs that were superseded earlier becomes that of the newer run.
CREATE OR REPLACE TRIGGER ingest_changes_runs_as_accepting_does BEFORE UPDATE ON runs FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    OLD.state = 'failed' AND NEW.state IN ('queued', 'held', 'failed')
    AND NEW.burst IS NOT DISTINCT FROM OLD.burst
    AND to_timestamp((NEW.changed_at / 1000)::float8)
        BETWEEN now() - interval '1 day' AND now() + interval '1 day'
    AND CASE WHEN NEW.state = 'failed'
        THEN NEW.due_at = OLD.due_at AND NEW.deadline_at = OLD.deadline_at
             AND NEW.environment IS NOT DISTINCT FROM OLD.environment
        ELSE NEW.due_at = NEW.changed_at END
    OR NEW.latest_per IS NOT NULL
    AND NEW.due_at = OLD.due_at AND NEW.deadline_at = OLD.deadline_at
    AND CASE WHEN NEW.state = OLD.state
        THEN NEW.blocked = OLD.blocked AND NEW.changed_at = OLD.changed_at
             AND NEW.reason IS NOT DISTINCT FROM OLD.reason
        ELSE OLD.state IN ('waiting', 'queued') AND NEW.state = 'superseded' AND NEW.burst IS NOT NULL END
    AND NEW.environment IS NOT DISTINCT FROM OLD.environment
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not(
    'an ingest process only queues failed runs again and supersedes runs that wait; what is held, cancelled, sent or ended is a matter of the dispatch side');

-- A run is superseded by a newer one of its route and its `latest_per` text, which waits or is queued when the
-- transaction commits.
CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_supersedes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    stands boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I AS newer WHERE newer.route = $1 AND newer.latest_per = $2 '
                   'AND newer.latest_per IS NOT NULL AND newer.state IN (''queued'', ''waiting'') '
                   'AND newer.seq > $3 AND newer.burst = $4)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO stands USING NEW.route, NEW.latest_per, NEW.seq, NEW.burst;
    IF NOT stands THEN
        RAISE EXCEPTION 'an ingest process supersedes a run only with a newer one that stands for it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS ingest_supersedes_with_a_newer_run ON runs;
CREATE CONSTRAINT TRIGGER ingest_supersedes_with_a_newer_run AFTER UPDATE OF state ON runs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (NEW.state = 'superseded' AND OLD.state <> 'superseded'
    AND NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE'))
EXECUTE FUNCTION cdsw_gateway_ingest_supersedes();

-- A delivery was received now, its id says so too, and it has no repeats yet. Each repeat counts one.
CREATE OR REPLACE TRIGGER ingest_inserts_new_deliveries BEFORE INSERT ON deliveries FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    NEW.repeats = 0 AND NOT NEW.stripped
    AND to_timestamp((NEW.received_at / 1000)::float8)
        BETWEEN now() - interval '1 day' AND now() + interval '1 day'
    AND left(replace(NEW.id::text, '-', ''), 12) = lpad(to_hex(NEW.received_at), 12, '0')
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not(
    'an ingest process inserts deliveries that it received within a day of the database''s clock');
CREATE OR REPLACE TRIGGER ingest_counts_repeats BEFORE UPDATE ON deliveries FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE')
    AND (NEW.repeats = OLD.repeats + 1) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not('an ingest process counts one repeat at a time');

-- A claim holds for as long as a source's `repeats` says, which is bounded here by ten years; only one that has
-- expired is taken over. One that has not is prolonged when its id comes with other content. Clocks differ by a day at most.
CREATE OR REPLACE TRIGGER ingest_claims BEFORE INSERT ON claims FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    to_timestamp((NEW.expires_at / 1000)::float8) BETWEEN now() - interval '1 day' AND now() + interval '3660 days'
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not('an ingest process claims a delivery from now on, for ten years at most');
CREATE OR REPLACE TRIGGER ingest_takes_expired_claims BEFORE UPDATE ON claims FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    (to_timestamp((OLD.expires_at / 1000)::float8) <= now() + interval '1 minute' OR NEW.delivery = OLD.delivery)
    AND NEW.expires_at >= OLD.expires_at
    AND to_timestamp((NEW.expires_at / 1000)::float8) <= now() + interval '3660 days'
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not('an ingest process takes over a claim that has expired, and ends none');

-- Its one act is a reload. The database says when and by which of its users; what the process says of itself
-- follows.
CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_acts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    IF (NEW.act = 'reload' AND NEW.kind = 'configuration' AND octet_length(NEW.who) <= 200
        AND octet_length(NEW.name) <= 200 AND octet_length(concat(NEW.origin, NEW.note)) <= 4000) IS NOT TRUE THEN
        RAISE EXCEPTION 'an ingest process records the reloads of its configuration, and no other act'
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.who := concat('database user ', session_user, ': ', NEW.who);
    NEW.at := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ingest_acts_as_itself BEFORE INSERT ON audit FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE'))
EXECUTE FUNCTION cdsw_gateway_ingest_acts();

COMMIT;
