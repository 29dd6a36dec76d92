-- What tells a delivery from another one of the same id, and what became of it afterwards.
ALTER TABLE deliveries ADD COLUMN digest      BLOB;    -- of its content; null: kept by an older program
ALTER TABLE deliveries ADD COLUMN same_id_as  BLOB;    -- the delivery whose id it has, with other content
ALTER TABLE deliveries ADD COLUMN repeated_at INTEGER; -- when the last repeat came
ALTER TABLE deliveries ADD COLUMN erased_at   INTEGER; -- when a person had its content erased
ALTER TABLE deliveries ADD COLUMN erased_by   TEXT;
