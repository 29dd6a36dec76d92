-- What a process of role `ingest` may not disturb, or must be bounded in.

-- As `probe`, for the processes that start jobs. An ingest process can lock the row of `probe`, and not this one.
CREATE TABLE dispatch_probe (
    one integer PRIMARY KEY CHECK (one = 1),
    at  bigint  NOT NULL
);

-- For how long each source's deliveries are known where that is more than a week: a JSON object of milliseconds by
-- the source's name.
ALTER TABLE configurations ADD COLUMN windows text NOT NULL DEFAULT '{}';

-- The claim up to which retention has looked for claims that last too long, or whose delivery is not there.
ALTER TABLE usage
    ADD COLUMN claims_source text,
    ADD COLUMN claims_key    text;

-- Where `deploy/postgres/roles.sql` was applied, processes that start jobs go on with what they need now.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cdsw_gateway_dispatch') THEN
        IF has_table_privilege('cdsw_gateway_dispatch', 'claims', 'DELETE') THEN
            GRANT SELECT, INSERT, UPDATE (at) ON dispatch_probe TO cdsw_gateway_dispatch;
            GRANT UPDATE (expires_at) ON claims TO cdsw_gateway_dispatch;
        END IF;
    END IF;
END $$;
