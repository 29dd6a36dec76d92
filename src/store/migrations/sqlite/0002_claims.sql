-- What the token that a delivery was authenticated by said of its sender, as JSON; null where there
-- was none. The token itself is never kept.
ALTER TABLE deliveries ADD COLUMN claims TEXT;
