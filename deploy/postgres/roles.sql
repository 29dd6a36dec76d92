-- Grants each role of the gateway the rights that it needs in the database, and no others.
--
-- Run it as the user that owns the tables: after the first `cdsw-gateway migrate`, and at each upgrade once every
-- process runs the new version. Until then the rights of the version before do. If the tables are in a schema of
-- their own, the roles also need USAGE on that schema:
--
--   psql --set ON_ERROR_STOP=1 --file deploy/postgres/roles.sql postgres://owner@host/gateway
--
-- Then make a user for each kind of process, and grant it its role:
--
--   CREATE ROLE gateway_edge LOGIN PASSWORD '…' CONNECTION LIMIT 20 IN ROLE cdsw_gateway_ingest;
--   CREATE ROLE gateway_inside LOGIN PASSWORD '…' IN ROLE cdsw_gateway_dispatch;
--   CREATE ROLE gateway LOGIN PASSWORD '…' IN ROLE cdsw_gateway_ingest, cdsw_gateway_dispatch;  -- role `all`
--
-- A user per ingest process keeps each from ending the sessions of the others. What this file cannot hold, since the
-- server lets every user do it (advisory locks, LISTEN and NOTIFY, long transactions, temporary tables), is in
-- docs/security.md with what bounds it.
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
        -- Where they are there already, the owner needs no right to make roles.
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- roles belong to the whole server; it was made for another database
        END;
    END LOOP;
END $$;

-- What an earlier version of this file granted, and this one does not.
REVOKE ALL ON probe, claims, deliveries, runs, pauses, audit FROM cdsw_gateway_ingest;
REVOKE ALL ON probe, claims FROM cdsw_gateway_dispatch;

GRANT SELECT ON cdsw_gateway_schema TO cdsw_gateway_ingest, cdsw_gateway_dispatch;
-- To check that a commit can be made.
-- Each zone has a row of its own, which the other
-- one cannot lock; processes of the version before that start jobs still use `probe`.
GRANT SELECT, INSERT, UPDATE (at) ON probe TO cdsw_gateway_ingest, cdsw_gateway_dispatch;
GRANT SELECT, INSERT, UPDATE (at) ON dispatch_probe TO cdsw_gateway_dispatch;

-- `ingest` keeps deliveries with their runs, and recognizes repeats. It cannot read the body, a header or a
-- variable of a kept delivery. The triggers below say which rows it may write.
GRANT SELECT, INSERT, UPDATE (delivery, expires_at) ON claims TO cdsw_gateway_ingest;
GRANT SELECT (id, source, delivery_key, repeats, digest, erased_at),
      INSERT (id, source, provider, kind, name, delivery_key, handshake, received_at, remote, query, size, stored,
              headers, explanation, body, claims, digest, same_id_as),
      UPDATE (repeats, repeated_at)
    ON deliveries TO cdsw_gateway_ingest;
GRANT SELECT (seq, id, delivery, route, job, part, state, reason, engine_id, attempts, accepted_at,
              changed_at, due_at, deadline_at, blocked, mapped, latest_per, burst, burst_at, stands_for),
      INSERT (id, delivery, route, job, part, state, reason, environment, accepted_at, changed_at,
              due_at, deadline_at, blocked, latest_per, burst, burst_at, stands_for),
      UPDATE (state, reason, environment, changed_at, due_at, deadline_at, blocked, burst)
    ON runs TO cdsw_gateway_ingest;
GRANT SELECT (kind, name) ON pauses TO cdsw_gateway_ingest;
-- For how long claims may last.
GRANT SELECT (version, windows) ON configurations TO cdsw_gateway_ingest;
GRANT SELECT (version) ON replicas TO cdsw_gateway_ingest;
-- The last good versions of files of routes.d, which stay in force across a restart. Only `dispatch` writes them.
GRANT SELECT ON route_files TO cdsw_gateway_ingest;
-- Who reloaded its configuration.
GRANT INSERT (at, who, origin, act, kind, name, note) ON audit TO cdsw_gateway_ingest;

-- `dispatch` takes runs, records their outcomes, shows what is kept, does what people command, and removes
-- what is old. It can add rows to the audit log, and neither change nor delete them.
GRANT SELECT, UPDATE, DELETE ON deliveries TO cdsw_gateway_dispatch;
GRANT SELECT, DELETE, UPDATE (expires_at) ON claims TO cdsw_gateway_dispatch;
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
    -- A failed run that stays failed had no variables, and so no attempt whose reason could be hidden.
    AND CASE WHEN NEW.state = 'failed'
        THEN NEW.due_at = OLD.due_at AND NEW.deadline_at = OLD.deadline_at
             AND OLD.environment IS NULL AND NEW.environment IS NULL
        ELSE NEW.due_at = NEW.changed_at END
    OR NEW.latest_per IS NOT NULL
    AND NEW.due_at = OLD.due_at AND NEW.deadline_at = OLD.deadline_at
    AND CASE WHEN NEW.state = OLD.state
        THEN OLD.state IN ('waiting', 'queued', 'superseded') AND NEW.burst IS NOT NULL
             AND NEW.blocked = OLD.blocked AND NEW.changed_at = OLD.changed_at
             AND NEW.reason IS NOT DISTINCT FROM OLD.reason
        ELSE OLD.state IN ('waiting', 'queued') AND NEW.state = 'superseded' AND NEW.burst IS NOT NULL END
    AND NEW.environment IS NOT DISTINCT FROM OLD.environment
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not(
    'an ingest process only queues failed runs again and supersedes runs that wait; what is held, cancelled, sent or ended is a matter of the dispatch side');

-- A run is superseded by a newer one of its route and its `latest_per` text, which waits or is queued when the
-- transaction commits. A run whose burst has changed is superseded by then.
CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_supersedes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    stands boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I AS newer WHERE newer.route = $1 AND newer.latest_per = $2 '
                   'AND newer.latest_per IS NOT NULL AND newer.state IN (''queued'', ''waiting'') '
                   'AND newer.seq > $3 AND newer.burst = $4) AND EXISTS (SELECT 1 FROM %I.%I AS older '
                   'WHERE older.seq = $3 AND older.state = ''superseded'')',
                   TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO stands USING NEW.route, NEW.latest_per, NEW.seq, NEW.burst;
    IF NOT stands THEN
        RAISE EXCEPTION 'an ingest process supersedes a run only with a newer one that stands for it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS ingest_supersedes_with_a_newer_run ON runs;
CREATE CONSTRAINT TRIGGER ingest_supersedes_with_a_newer_run AFTER UPDATE OF state, burst ON runs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN ((NEW.state = 'superseded' AND OLD.state <> 'superseded' OR NEW.burst IS DISTINCT FROM OLD.burst)
    AND NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE'))
EXECUTE FUNCTION cdsw_gateway_ingest_supersedes();

-- A delivery was received now, its id says so too, and it has no repeats yet. It has a digest: one without counts as
-- the same as whatever comes with its id. Each repeat counts one, and comes now.
CREATE OR REPLACE TRIGGER ingest_inserts_new_deliveries BEFORE INSERT ON deliveries FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    NEW.repeats = 0 AND NOT NEW.stripped AND octet_length(NEW.digest) = 16
    AND to_timestamp((NEW.received_at / 1000)::float8)
        BETWEEN now() - interval '1 day' AND now() + interval '1 day'
    AND left(replace(NEW.id::text, '-', ''), 12) = lpad(to_hex(NEW.received_at), 12, '0')
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not(
    'an ingest process inserts deliveries with a digest, received within a day of the database''s clock; processes of a version that keeps no digests must be replaced before roles.sql is applied');
CREATE OR REPLACE TRIGGER ingest_counts_repeats BEFORE UPDATE ON deliveries FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE')
    AND (NEW.repeats = OLD.repeats + 1
         AND (NEW.repeated_at IS NOT DISTINCT FROM OLD.repeated_at
              OR to_timestamp((NEW.repeated_at / 1000)::float8)
                  BETWEEN now() - interval '1 day' AND now() + interval '1 day')) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not('an ingest process counts one repeat at a time, as of now');

-- A claim begins now. It belongs to a delivery of its source and its key, which is there at the end of the statement.
CREATE OR REPLACE TRIGGER ingest_claims BEFORE INSERT ON claims FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE')
    AND (NEW.expires_at > (extract(epoch FROM now()) * 1000)::bigint - 86400000) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_may_not('an ingest process claims a delivery from now on');

-- Made with the names of the tables in it, so that its statements are planned once a session. An index finds the
-- delivery, however few there were when it was planned.
DO $$ BEGIN
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_claims_for_a_delivery() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS
        $body$
        BEGIN
            IF EXISTS (SELECT 1 FROM claimed WHERE NOT EXISTS (SELECT 1 FROM %s AS kept
                    WHERE kept.id = claimed.delivery AND kept.source = claimed.source
                    AND kept.delivery_key = claimed.delivery_key)) THEN
                RAISE EXCEPTION 'an ingest process claims a key for a delivery that has it'
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END $body$ $f$,
        (SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE pg_class.oid = 'deliveries'::regclass));
END $$;
CREATE OR REPLACE TRIGGER ingest_claims_for_a_delivery AFTER INSERT ON claims
REFERENCING NEW TABLE AS claimed FOR EACH STATEMENT
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE'))
EXECUTE FUNCTION cdsw_gateway_ingest_claims_for_a_delivery();
CREATE OR REPLACE TRIGGER ingest_takes_claims_for_a_delivery AFTER UPDATE ON claims
REFERENCING NEW TABLE AS claimed FOR EACH STATEMENT
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE'))
EXECUTE FUNCTION cdsw_gateway_ingest_claims_for_a_delivery();

-- It lasts for a week at most, or for the window that the configuration of a running dispatch process gives its source.
-- What is longer is cut, not refused: the process may have loaded a newer configuration than the others. The minute is
-- for clocks that differ.
CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_claims_for_a_window() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    longest bigint;
BEGIN
    EXECUTE format('SELECT max((configurations.windows::jsonb ->> $1)::bigint) FROM %I.configurations '
                   'WHERE EXISTS (SELECT 1 FROM %I.replicas WHERE replicas.version = configurations.version)',
                   TG_TABLE_SCHEMA, TG_TABLE_SCHEMA)
        INTO longest USING NEW.source;
    longest := greatest(coalesce(longest, 0), 604800000);
    NEW.expires_at := least(NEW.expires_at, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + longest);
    IF TG_OP = 'UPDATE' AND NEW.delivery = OLD.delivery THEN
        NEW.expires_at := greatest(NEW.expires_at, OLD.expires_at);
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ingest_claims_for_a_window BEFORE INSERT OR UPDATE ON claims FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE')
    AND NEW.expires_at > (extract(epoch FROM now()) * 1000)::bigint + 604860000)
EXECUTE FUNCTION cdsw_gateway_ingest_claims_for_a_window();

-- It takes over a claim that has expired, or whose delivery is not there. One that has not is prolonged when its id
-- comes with other content. Clocks differ by a minute at most.
CREATE OR REPLACE FUNCTION cdsw_gateway_ingest_takes_claims() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    is_there boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.deliveries WHERE deliveries.id = $1)', TG_TABLE_SCHEMA)
        INTO is_there USING OLD.delivery;
    IF is_there THEN
        RAISE EXCEPTION 'an ingest process takes over a claim that has expired or whose delivery is gone, and ends none'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ingest_takes_expired_claims BEFORE UPDATE ON claims FOR EACH ROW
WHEN (NOT pg_has_role('cdsw_gateway_dispatch', 'USAGE') AND pg_has_role('cdsw_gateway_ingest', 'USAGE') AND (
    (to_timestamp((OLD.expires_at / 1000)::float8) <= now() + interval '1 minute' OR NEW.delivery = OLD.delivery)
    AND NEW.expires_at >= OLD.expires_at
) IS NOT TRUE)
EXECUTE FUNCTION cdsw_gateway_ingest_takes_claims();

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
