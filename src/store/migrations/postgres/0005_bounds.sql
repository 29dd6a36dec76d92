-- Numbers and lengths that a reader can rely on, whoever writes: no row makes another process stop, and none fills
-- its memory. Rows that are there are not read again.
ALTER TABLE runs
    ADD CONSTRAINT runs_are_counted CHECK (part >= 0 AND attempts >= 0 AND stands_for BETWEEN 1 AND 1000000000)
        NOT VALID,
    ADD CONSTRAINT runs_are_bounded CHECK (octet_length(route) <= 1000 AND octet_length(job) <= 1000
        AND octet_length(latest_per) <= 4000 AND octet_length(environment) <= 16000000) NOT VALID;
-- Retention believes `stored`.
ALTER TABLE deliveries
    ADD CONSTRAINT deliveries_are_counted CHECK (size >= 0 AND repeats >= 0 AND stored >= 0
        AND stored <= octet_length(headers) + octet_length(explanation) + octet_length(body) + 65536::bigint)
        NOT VALID;
