-- What the first version left: a delivery with runs in every state that there was then.
PRAGMA application_id = 1128551239;
PRAGMA user_version = 1;
INSERT INTO deliveries (seq, id, source, provider, kind, delivery_key, handshake, received_at, query,
    size, headers, explanation, body)
VALUES (1, x'0195513e0c007000800000000000d001', 'github', 'github', 'push', 'one', 0, 1772366400000, '',
    0, x'', x'', x'');
INSERT INTO runs (seq, id, delivery, route, job, part, state, environment, engine_id, attempts,
    accepted_at, changed_at, due_at, deadline_at, lease_until)
VALUES
    (1, x'0195513e0c0070008000000000000001', 1, 'r', 'train', 0, 'queued', '{}', NULL, 1, 1772366400000, 1772366400000, 1772366400000, 1772370000000, NULL),
    (2, x'0195513e0c0070008000000000000002', 1, 'r', 'train', 1, 'queued', '{}', NULL, 1, 1772366400000, 1772366400000, 1772366900000, 1772370000000, NULL),
    (3, x'0195513e0c0070008000000000000003', 1, 'r', 'train', 2, 'sending', '{}', NULL, 1, 1772366400000, 1772366400000, 1772366400000, 1772370000000, 1772366460000),
    (4, x'0195513e0c0070008000000000000004', 1, 'r', 'train', 3, 'started', '{}', 'e1', 1, 1772366400000, 1772366400000, 1772366400000, 1772370000000, NULL),
    (5, x'0195513e0c0070008000000000000005', 1, 'r', 'train', 4, 'held', '{}', NULL, 1, 1772366400000, 1772366400000, 1772366400000, 1772370000000, NULL),
    (6, x'0195513e0c0070008000000000000006', 1, 'r', 'train', 5, 'failed', NULL, NULL, 0, 1772366400000, 1772366400000, 1772366400000, 1772370000000, NULL);
INSERT INTO attempts (run, number, begun_at, outcome) VALUES
    (1, 1, 1772366400000, 'not-started-for-now'),
    (3, 1, 1772366400000, NULL);
