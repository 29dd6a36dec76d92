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

GRANT SELECT ON cdsw_gateway_schema TO cdsw_gateway_ingest, cdsw_gateway_dispatch;
-- To check that a commit can be made.
GRANT SELECT, INSERT, UPDATE ON probe TO cdsw_gateway_ingest, cdsw_gateway_dispatch;

-- `ingest` keeps deliveries with their runs, and recognizes repeats. It cannot read the body, a header or a
-- variable of a kept delivery.
GRANT SELECT, INSERT, UPDATE (delivery, expires_at) ON claims TO cdsw_gateway_ingest;
GRANT SELECT (id, repeats, digest, erased_at), INSERT, UPDATE (repeats, repeated_at) ON deliveries
    TO cdsw_gateway_ingest;
GRANT SELECT (seq, id, delivery, route, job, part, state, reason, engine_id, attempts, accepted_at,
              changed_at, due_at, deadline_at, blocked, mapped, latest_per, burst, burst_at, stands_for),
      INSERT,
      UPDATE (state, reason, environment, changed_at, due_at, deadline_at, blocked, burst)
    ON runs TO cdsw_gateway_ingest;
GRANT SELECT (kind, name) ON pauses TO cdsw_gateway_ingest;
GRANT INSERT ON audit TO cdsw_gateway_ingest; -- who reloaded its configuration

-- `dispatch` takes runs, records their outcomes, shows what is kept, does what people command, and removes
-- what is old. It can add rows to the audit log, and neither change nor delete them.
GRANT SELECT, UPDATE, DELETE ON deliveries TO cdsw_gateway_dispatch;
GRANT SELECT, DELETE ON claims TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT, UPDATE, DELETE ON runs, attempts, starts, pauses, backlogs, configurations, replicas,
    rests TO cdsw_gateway_dispatch;
GRANT USAGE ON SEQUENCE configurations_number_seq TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT, DELETE ON acts TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT, UPDATE ON gates TO cdsw_gateway_dispatch;
GRANT SELECT, INSERT ON audit TO cdsw_gateway_dispatch;
GRANT SELECT, UPDATE ON usage TO cdsw_gateway_dispatch;
