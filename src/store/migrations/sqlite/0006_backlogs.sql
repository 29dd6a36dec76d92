-- How many runs a backlog had when its release began, and when that was; its pace follows the size. A backlog that
-- is being released now has what is left of it.
ALTER TABLE backlogs ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backlogs ADD COLUMN since INTEGER;
UPDATE backlogs SET size = (SELECT count(*) FROM runs
    WHERE runs.state = 'queued' AND runs.job = backlogs.job AND runs.seq <= backlogs.up_to);
-- Finds the runs that failed lately.
CREATE INDEX runs_failed ON runs (changed_at, job) WHERE state = 'failed';
-- The last version without faults of each file of routes.d, so that it stays in force across a restart.
CREATE TABLE route_files (
    name    TEXT    NOT NULL PRIMARY KEY,
    text    TEXT    NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
