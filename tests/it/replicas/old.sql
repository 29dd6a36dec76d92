-- What a first version left behind: a run in each state that it may be found in.
INSERT INTO deliveries (id, source, provider, kind, delivery_key, handshake, received_at, query, size, stored,
    headers, explanation, body)
VALUES ('0193a6f2-2097-73fe-ac93-b02f05d484a1', 'github', 'github', 'push', 'old', false, 1790000000000, '', 2, 2,
    '', '', '');
INSERT INTO runs (id, delivery, route, job, part, state, reason, environment, engine_id, attempts, accepted_at,
    changed_at, due_at, deadline_at, lease_until)
SELECT run.id::uuid, '0193a6f2-2097-73fe-ac93-b02f05d484a1', 'retrain', 'retrain', place, run.state, run.reason,
    '{"GIT_SHA":"abc"}', run.engine, run.attempts, 1790000000000, 1790000000000, 1790000000000, 4000000000000, NULL
FROM (VALUES
    (0, '0193a6f2-2097-73fe-ac93-b02f05d484b1', 'started', NULL, 'e1', 1),
    (1, '0193a6f2-2097-73fe-ac93-b02f05d484b2', 'held', 'who knows', NULL, 1),
    (2, '0193a6f2-2097-73fe-ac93-b02f05d484b3', 'failed', 'refused', NULL, 1),
    (3, '0193a6f2-2097-73fe-ac93-b02f05d484b4', 'queued', NULL, NULL, 0))
    AS run (place, id, state, reason, engine, attempts);
INSERT INTO attempts (run, number, begun_at, outcome)
VALUES ('0193a6f2-2097-73fe-ac93-b02f05d484b1', 1, 1790000000000, 'started'),
       ('0193a6f2-2097-73fe-ac93-b02f05d484b2', 1, 1790000000000, 'unknown'),
       ('0193a6f2-2097-73fe-ac93-b02f05d484b3', 1, 1790000000000, 'not-started-for-good');
