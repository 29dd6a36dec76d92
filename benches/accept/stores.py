"""Stores: a PostgreSQL server, the time of one commit on this disk, and a full store."""

import contextlib
import os
import random
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from cases import KEPT, WAITING
from processes import lines, start, stop
from shared import PATIENCE, ROOT, Broken, say


class Postgres:
    """A temporary server; each gateway has its own database on it."""

    def __init__(self):
        say("starting PostgreSQL")
        self.process = start([ROOT / "tests/postgres.sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # It may have to be installed first.
        _, self.url, self.programs, _ = lines(self.process, 1, 300)[0].split()
        self.server = self.url.rsplit("/", 1)[0]
        self.databases = 0

    def psql(self, text, url=None):
        done = subprocess.run(
            [f"{self.programs}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url or self.url],
            input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode:
            raise Broken(f"psql: {done.stderr}")
        return done.stdout

    def new(self):
        self.databases += 1
        # Pages of earlier cases must not be written while this case is measured.
        self.psql(f"CHECKPOINT; CREATE DATABASE case_{self.databases};")
        return f"{self.server}/case_{self.databases}"

    def drop(self, url):
        self.psql(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE);")

    def stop(self):
        # The script ends when its standard input is closed.
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.stdin = None
        stop(self.process)


class SqliteCommits:
    """Measures one commit on SQLite: a transaction with one row of 2 kB, flushed."""

    def __init__(self, work):
        self.connection = sqlite3.connect(Path(tempfile.mkdtemp(dir=work)) / "commits.db", isolation_level=None)
        for text in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                     "CREATE TABLE rows (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"):
            self.connection.execute(text)
        # While the write-ahead log still grows, a commit also writes the file system's journal.
        self.measure(600)

    def measure(self, count=300):
        row, took = os.urandom(2048), []
        for _ in range(count):
            begin = time.perf_counter()
            self.connection.execute("INSERT INTO rows (bytes) VALUES (?)", (row,))
            took.append((time.perf_counter() - begin) * 1000)
        return statistics.median(took)

    def close(self):
        self.connection.close()


class PostgresCommits:
    """Measures one commit on PostgreSQL: a row of 2 kB each, with the times that psql prints."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.postgres.psql("CREATE TABLE commits (seq bigserial PRIMARY KEY, bytes text NOT NULL);")
        self.measure()

    def measure(self, count=300):
        insert = f"INSERT INTO commits (bytes) VALUES ('{os.urandom(1024).hex()}');\n"
        told = self.postgres.psql("\\timing on\n" + insert * count)
        return statistics.median(float(took) for took in re.findall(r"^Time: ([\d.]+) ms", told, re.M))

    def close(self):
        self.postgres.psql("DROP TABLE commits;")


def fill(database):
    """Fills a store with copies of the one delivery in it, while the gateway is stopped.

    The waiting runs belong to a job that is paused, so that the dispatcher has no more to start than
    on an empty store.
    """
    now = int(time.time() * 1000)
    # All are received within the time in which repeats are recognized, so that all their keys are kept, too.
    since, step = now - 6 * 86_400_000, 6 * 86_400_000 // KEPT
    chance = random.Random(2)

    def name(at):
        """A version 7 UUID, as bytes."""
        return at.to_bytes(6, "big") + (0x7000 | chance.getrandbits(12)).to_bytes(2, "big") + (
            1 << 63 | chance.getrandbits(62)).to_bytes(8, "big")

    store = sqlite3.connect(database, isolation_level=None)
    store.create_function("name", 1, name)
    for text in ("PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -262144", "BEGIN"):
        store.execute(text)
    with contextlib.closing(store):
        copied = ("source, provider, kind, name", "handshake",
                  "remote, query, size, headers, explanation, body, claims")
        part = KEPT // 10
        for first in range(0, KEPT, part):
            say(f"  filling: {first:,} of {KEPT:,} deliveries", end="\r")
            store.execute(
                "WITH RECURSIVE numbers (n) AS "
                "  (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :end) "
                f"INSERT INTO deliveries (id, {copied[0]}, delivery_key, {copied[1]}, received_at, {copied[2]}) "
                f"SELECT name(:since + n * :step), {copied[0]}, lower(hex(randomblob(16))), {copied[1]}, "
                f"  :since + n * :step, {copied[2]} "
                "FROM numbers, (SELECT * FROM deliveries WHERE seq = 1)",
                {"first": first, "end": min(first + part, KEPT), "since": since, "step": step})
        say(f"  filling: {KEPT:,} deliveries; their runs and keys  ")
        store.execute(
            "INSERT INTO claims (source, delivery_key, delivery, expires_at) "
            "SELECT source, delivery_key, seq, received_at + 7 * 86400000 FROM deliveries WHERE seq > 1 "
            "ORDER BY source, delivery_key")
        store.execute(
            "INSERT INTO runs (id, delivery, route, job, part, state, environment, engine_id, attempts, "
            "  accepted_at, changed_at, due_at, deadline_at) "
            "SELECT name(received_at), seq, 'retrain-on-push', iif(waits, 'resting', 'retrain'), 0, "
            "  iif(waits, 'queued', 'started'), (SELECT environment FROM runs WHERE seq = 1), "
            "  iif(waits, NULL, 'engine'), NOT waits, received_at, received_at, received_at, :later "
            "FROM (SELECT seq, received_at, seq > :kept - :waiting + 1 AS waits FROM deliveries WHERE seq > 1)",
            {"kept": KEPT, "waiting": WAITING, "later": now + 30 * 86_400_000})
        store.execute(
            "INSERT INTO attempts (run, number, begun_at, outcome, status, reason, took_ms) "
            "SELECT seq, 1, accepted_at, 'started', 200, 'started as engine', 3 FROM runs "
            "WHERE state = 'started' AND seq > 1")
        store.execute("INSERT INTO pauses (kind, name, since, who) VALUES ('job', 'resting', ?, 'bench')", (now,))
        store.execute("COMMIT")
    # Write it to disk now, and not while something is measured.
    os.sync()
