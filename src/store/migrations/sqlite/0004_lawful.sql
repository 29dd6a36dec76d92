-- A run's life is what `model/run.rs` says, whoever writes; a test holds this list against it.
UPDATE runs SET blocked = 0 WHERE blocked <> 0 AND state NOT IN ('waiting', 'queued');
CREATE TRIGGER runs_move_lawfully BEFORE UPDATE OF state ON runs
WHEN OLD.state <> NEW.state AND (OLD.state || ' ' || NEW.state) NOT IN (
    'waiting queued', 'waiting failed', 'waiting superseded', 'waiting cancelled',
    'queued sending', 'queued held', 'queued failed', 'queued superseded', 'queued cancelled',
    'sending started', 'sending queued', 'sending held', 'sending failed',
    'held started', 'held queued', 'held failed', 'held cancelled',
    'failed queued', 'failed held', 'cancelled queued', 'cancelled held')
BEGIN SELECT RAISE(ABORT, 'a run cannot move like that'); END;
CREATE TRIGGER runs_are_blocked_lawfully BEFORE UPDATE OF blocked, state ON runs
WHEN NEW.blocked <> 0 AND NEW.state NOT IN ('waiting', 'queued')
BEGIN SELECT RAISE(ABORT, 'only a run that waits can be kept from being sent'); END;

-- `INSERT OR REPLACE` fires no trigger for what it replaces.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
