-- What tells a delivery from another one of the same id, and what became of it afterwards.
ALTER TABLE deliveries
    ADD COLUMN digest      bytea,   -- of its content; null: kept by an older program
    ADD COLUMN same_id_as  uuid,    -- the delivery whose id it has, with other content
    ADD COLUMN repeated_at bigint,  -- when the last repeat came
    ADD COLUMN erased_at   bigint,  -- when a person had its content erased
    ADD COLUMN erased_by   text;

-- Where `deploy/postgres/roles.sql` was applied, processes that accept go on recognizing repeats.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cdsw_gateway_ingest') THEN
        IF has_column_privilege('cdsw_gateway_ingest', 'deliveries', 'repeats', 'UPDATE') THEN
            GRANT SELECT (digest, erased_at), UPDATE (repeated_at) ON deliveries TO cdsw_gateway_ingest;
        END IF;
    END IF;
END $$;
