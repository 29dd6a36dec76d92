"""What benches/accept.sh runs; see there for how it is used."""

import argparse
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parent
SECRET = "a-secret-for-measuring-only"
ENVIRONMENT = os.environ | {
    "GITHUB_WEBHOOK_SECRET": SECRET,
    "WORKBENCH_KEY": "a-key-for-measuring-only",
}
# Nothing may wait for longer than this for a program to start, to answer or to end.
PATIENCE = 60
# The store that --full measures.
KEPT, WAITING = 1_000_000, 100_000
STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


class Broken(Exception):
    """Something that makes the figures worthless."""


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------------
# What is run
# ---------------------------------------------------------------------------------------------------


class Case:
    """One gateway under one load."""

    def __init__(self, name, text, connections=64, body="7 kB", branch="main", routes="", runs=1,
                 beside=None, commits=False, drained=False, filled=False):
        self.name, self.text = name, text
        self.connections, self.body = connections, body
        # The configuration: the branch that the route asks for, further routes.
        self.branch, self.routes = branch, routes
        # How many runs a delivery must lead to.
        self.runs = runs
        # A case of the same group that this one is held against.
        self.beside = beside
        # In each round it is also measured what one commit takes.
        self.commits = commits
        # The rate is that of recorded starts, until all are.
        self.drained = drained
        self.filled = filled


def matching(count):
    return "".join(
        f"  retrain-{number}:\n"
        "    on: { source: github, event: push, repository: acme/risk, branch: main }\n"
        "    if: size(body.commits) > 0\n"
        "    job: retrain\n"
        "    env:\n"
        "      GIT_SHA: ${{ git.sha }}\n"
        "      GIT_BRANCH: ${{ git.branch }}\n"
        "      STARTED_BY: push by ${{ git.author }}\n"
        for number in range(count)
    )


def others(count):
    return "".join(
        f"  other-{number}: {{ on: {{ source: github, event: push, repository: acme/other-{number}, "
        'branch: main }, job: retrain, env: { GIT_SHA: "${{ git.sha }}" } }\n'
        for number in range(count)
    )


# The cases of a group are loaded in turn in the same rounds, behind the bare handler under the same
# load, so that they can also be held against each other.
GROUPS = [
    [Case("unmatched", "nothing matched, kept", branch="never", runs=0)],
    [
        Case("one-run", "one run (1 route)"),
        Case("routes-100", "one run, 100 routes", routes=others(99), beside="one-run"),
        Case("routes-10000", "one run, 10,000 routes", routes=others(9_999), beside="one-run"),
    ],
    [Case("ten-runs", "ten runs", routes=matching(9), runs=10)],
    [
        Case("one-connection-unmatched", "nothing matched, one at a time", 1, branch="never", runs=0,
             commits=True),
        Case("one-connection", "one run, one at a time", 1, commits=True),
    ],
    [Case("256-connections", "one run", 256)],
    [Case("1kB", "one run", body="1 kB")],
    [Case("1MB", "one run", body="1 MB")],
    [Case("end-to-end", "accepted, started, recorded", drained=True)],
]
FULL = [
    Case("empty", "one run, empty store"),
    Case("full", "one run, full store", beside="empty", filled=True),
]
# It loads nothing: idle memory, and the time from exec to ready.
IDLE = "idle"


def bodies():
    """GitHub pushes of three sizes; all for the same repository and branch."""
    push = json.loads((BENCHES / "push.json").read_bytes())
    chance = random.Random(1)

    def packed(value):
        return json.dumps(value, separators=(",", ":")).encode()

    def padded(value, commit, size):
        commit["message"] += "." * (size - len(packed(value)))
        return packed(value)

    small = {key: push[key] for key in ("ref", "before", "after", "pusher", "deleted", "forced")}
    small["repository"] = {"id": push["repository"]["id"], "full_name": push["repository"]["full_name"]}
    commit = {key: value for key, value in push["commits"][0].items()
              if key in ("id", "message", "timestamp", "added", "removed", "modified")}
    small["commits"] = [commit]

    # Each commit with ids of its own, as in a real push; equal ones would compress to nothing.
    def another():
        commit = json.loads(packed(push["commits"][0]))
        commit["id"], commit["tree_id"] = (f"{chance.getrandbits(160):040x}" for _ in range(2))
        commit["url"] = f"https://github.com/acme/risk/commit/{commit['id']}"
        commit["modified"] = [f"models/v{chance.randrange(1000)}/train.py" for _ in range(3)]
        return commit

    large = dict(push, commits=[])
    while (size := len(packed(large))) < 999_000:
        large["commits"] += [another() for _ in range(max(1, (999_000 - size) // 1_000))]
    return {
        "1 kB": padded(small, commit, 1_000),
        "7 kB": (BENCHES / "push.json").read_bytes(),
        "1 MB": padded(large, large["commits"][-1], 1_000_000),
    }


# ---------------------------------------------------------------------------------------------------
# Processes
# ---------------------------------------------------------------------------------------------------

started = []


def start(arguments, **options):
    process = subprocess.Popen([str(argument) for argument in arguments], env=ENVIRONMENT, **options)
    started.append(process)
    return process


def stop(process):
    if process.poll() is None:
        # One that stands still does not hear that it is to end.
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    if process in started:
        started.remove(process)


def lines(process, count, patience=PATIENCE):
    """The first lines that a process prints, as soon as they are there."""
    read, end = b"", time.monotonic() + patience
    while read.count(b"\n") < count:
        ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
        part = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not part:
            raise Broken(f"{Path(process.args[0]).name} printed nothing in time, or ended")
        read += part
    return read.decode().splitlines()


def memory(process, field):
    """`VmHWM` or `VmRSS` in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M)[1]) / 1024


class Postgres:
    """A throw-away server; each gateway has a database of its own on it."""

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
        # What earlier cases left to be written must not be written while this one is measured.
        self.psql(f"CHECKPOINT; CREATE DATABASE case_{self.databases};")
        return f"{self.server}/case_{self.databases}"

    def drop(self, url):
        self.psql(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE);")

    def stop(self):
        # The end of its input is what it waits for.
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.stdin = None
        stop(self.process)


class Gateway:
    """A gateway with a configuration and a store of its own."""

    def __init__(self, bench, case, store):
        self.bench, self.case, self.store = bench, case, store
        self.place = Path(tempfile.mkdtemp(dir=bench.work))
        self.url = bench.postgres.new() if store == "postgres" else "sqlite:gateway.db"
        self.config = self.place / "gateway.yaml"
        text = (BENCHES / "gateway.yaml").read_text()
        for name, value in [("WORKBENCH_URL", bench.workbench), ("STORE_URL", self.url), ("BRANCH", case.branch)]:
            text = text.replace(name, value)
        self.config.write_text(text + case.routes)
        self.process = None
        if store == "postgres":
            subprocess.run([bench.gateway, "migrate", "--config", self.config], env=ENVIRONMENT, check=True,
                           stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def start(self):
        """Gives the seconds from exec until the addresses are printed, which is when it is ready."""
        with open(self.place / "log", "ab") as log:
            begin = time.perf_counter()
            self.process = start(
                [self.bench.gateway, "serve", "--config", self.config, "--log-format", "json", "--log", "warn",
                 "--print-addresses"], stdout=subprocess.PIPE, stderr=log)
        try:
            told = dict(line.split() for line in lines(self.process, 2))
        except Broken as fault:
            raise Broken(f"{fault}:\n{(self.place / 'log').read_text()[-2000:]}") from None
        took = time.perf_counter() - begin
        self.hooks, self.admin = told["hooks"], told["admin"]
        return took

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None

    def remove(self):
        self.stop()
        if self.store == "postgres":
            self.bench.postgres.drop(self.url)
        shutil.rmtree(self.place)

    def rest(self):
        if self.process.poll() is not None:
            raise Broken(f"{self.case.name}: the gateway ended:\n{(self.place / 'log').read_text()[-2000:]}")
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def prove(self):
        """One delivery, to see that it leads to what the case says."""
        body = self.bench.bodies[self.case.body]
        connection = http.client.HTTPConnection(self.hooks, timeout=PATIENCE)
        connection.request("POST", "/hooks/github", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push",
            "X-GitHub-Delivery": self.bench.seed(), "X-Hub-Signature-256": sign(body)})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status // 100 != 2 or len(json.loads(answer)["runs"]) != self.case.runs:
            raise Broken(f"{self.case.name}: wanted {self.case.runs} runs; {response.status} {answer[:300]}")

    def metrics(self):
        connection = http.client.HTTPConnection(self.admin, timeout=PATIENCE)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        found = re.findall(r"^cdsw_gateway_(\w+?)(?:_total)?(?:\{(.*)\})? (\d+)$", text, re.M)
        return {(name, labels): int(value) for name, labels, value in found}

    def recorded(self):
        """Runs whose outcome is recorded, and deliveries accepted with runs.

        From the metrics, since asking the store would load it. An attempt is counted once the store
        has committed its outcome.
        """
        metrics = self.metrics()
        started = accepted = 0
        for (name, labels), value in metrics.items():
            if name == "attempts":
                if 'outcome="started"' not in labels:
                    raise Broken(f"{self.case.name}: the simulated workbench did not start a run: {labels}")
                started += value
            if name == "deliveries" and 'verdict="accepted"' in labels:
                accepted += value
        return started, accepted

    def delays(self):
        """p50 and p99 of the milliseconds from accepted to recorded as started, from the store."""
        if self.store == "postgres":
            told = self.bench.postgres.psql(
                "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY took), "
                "percentile_disc(0.99) WITHIN GROUP (ORDER BY took) "
                "FROM (SELECT changed_at - accepted_at AS took FROM runs WHERE state = 'started') AS runs;",
                self.url)
            return [float(value) for value in told.strip().split("|")]
        with contextlib.closing(sqlite3.connect(f"file:{self.place}/gateway.db?mode=ro", uri=True)) as store:
            took = [row[0] for row in store.execute(
                "SELECT changed_at - accepted_at FROM runs WHERE state = 'started' ORDER BY 1")]
        return [float(took[int(len(took) * part)]) for part in (0.5, 0.99)]


def sign(body):
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


# ---------------------------------------------------------------------------------------------------
# What one commit takes on this disk
# ---------------------------------------------------------------------------------------------------


class SqliteCommits:
    """One row of 2 kB in each transaction, flushed."""

    def __init__(self, bench):
        self.connection = sqlite3.connect(Path(tempfile.mkdtemp(dir=bench.work)) / "commits.db",
                                          isolation_level=None)
        for text in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                     "CREATE TABLE rows (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"):
            self.connection.execute(text)
        # Until its log has its size, a commit also writes the file system's own log.
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
    """The same on PostgreSQL; psql itself tells how long each statement took."""

    def __init__(self, bench):
        self.postgres = bench.postgres
        self.postgres.psql("CREATE TABLE commits (seq bigserial PRIMARY KEY, bytes text NOT NULL);")
        self.measure()

    def measure(self, count=300):
        insert = f"INSERT INTO commits (bytes) VALUES ('{os.urandom(1024).hex()}');\n"
        told = self.postgres.psql("\\timing on\n" + insert * count)
        return statistics.median(float(took) for took in re.findall(r"^Time: ([\d.]+) ms", told, re.M))

    def close(self):
        self.postgres.psql("DROP TABLE commits;")


# ---------------------------------------------------------------------------------------------------
# The full store
# ---------------------------------------------------------------------------------------------------


def fill(gateway):
    """Copies the one delivery that is in the store until it is full, while the gateway is stopped.

    The runs that wait are of a job that is paused, so that the dispatcher has no more to start
    than on an empty store.
    """
    now = int(time.time() * 1000)
    # All within the time in which a repeat is known as one, so that all their keys are kept too.
    since, step = now - 6 * 86_400_000, 6 * 86_400_000 // KEPT
    chance = random.Random(2)

    def name(at):
        """A version 7 UUID, as bytes."""
        return at.to_bytes(6, "big") + (0x7000 | chance.getrandbits(12)).to_bytes(2, "big") + (
            1 << 63 | chance.getrandbits(62)).to_bytes(8, "big")

    store = sqlite3.connect(gateway.place / "gateway.db", isolation_level=None)
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
    # Written now, not while something is measured.
    os.sync()


# ---------------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------------


class Load:
    """What wrk told of one load."""

    def __init__(self, line):
        rate, count, p50, p99, errors = line.split()
        self.rate, self.p50, self.p99 = float(rate), float(p50), float(p99)
        self.count, self.errors = int(count), int(errors)


class Bench:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.gateway, self.bare = programs()
        self.bodies = bodies()
        self.files = {}
        for number, (name, body) in enumerate(self.bodies.items()):
            self.files[name] = Path(work) / f"body-{number}.json"
            self.files[name].write_bytes(body)
        self.seeds = random.randrange(1 << 32) << 16
        self.postgres = None
        self.rows, self.targets, self.notes = [], [], []

    def seed(self):
        """No two loads may send the same delivery ids: the second would be repeats."""
        self.seeds += 1
        return str(self.seeds)

    def start(self, stores):
        bare = start([self.bare, SECRET], stdout=subprocess.PIPE)
        self.bare_address = lines(bare, 1)[0].strip()
        simulator = start(
            [self.gateway, "simulate", "--listen", "127.0.0.1:0", "--json", "--job", "alice/risk-analysis/208"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.workbench = json.loads(lines(simulator, 1)[0])["api"]
        if "postgres" in stores:
            self.postgres = Postgres()

    def wrk(self, address, case, seconds):
        options = {"PUSH_BODY": str(self.files[case.body]), "PUSH_SIGNATURE": sign(self.bodies[case.body]),
                   "PUSH_SEED": self.seed()}
        process = subprocess.Popen(
            ["wrk", f"-t{min(2, case.connections)}", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s",
             "-s", BENCHES / "push.lua", f"http://{address}"],
            env=os.environ | options, stdout=subprocess.PIPE)
        started.append(process)
        return process

    def told(self, process):
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Broken("wrk does not end") from None
        stop(process)
        result = re.search(r"^RESULT (.*)$", out.decode(), re.M)
        if process.returncode or not result:
            raise Broken(f"wrk: {out.decode()}")
        return Load(result[1])

    def load(self, address, case, seconds=None):
        return self.told(self.wrk(address, case, seconds or self.options.seconds))

    def load_until_recorded(self, gateway):
        """Loads, and waits until every run that was accepted is started and recorded.

        The rate is that of the runs whose outcome was recorded, over the time from the first delivery
        to the last record: what is accepted faster than it is started does not count before its turn.
        """
        seconds = self.options.seconds
        before, _ = gateway.recorded()
        begin = last = time.monotonic()
        process = self.wrk(gateway.hooks, gateway.case, max(1, seconds // 2))
        done, load = before, None
        while True:
            time.sleep(0.05)
            started, accepted = gateway.recorded()
            now = time.monotonic()
            if started > done:
                done, last = started, now
            if load is None and process.poll() is not None:
                load = self.told(process)
            if load and done >= accepted * gateway.case.runs:
                break
            # Bounded in time: a backlog that takes longer than this gives the same rate.
            if load and now - begin > 3 * seconds:
                last = now
                break
        load.rate = (done - before) / (last - begin)
        return load

    def group(self, cases, store):
        """One bare load and one of each case in each round; all stand still but the one that is loaded."""
        gateways = []
        commits = None
        try:
            for case in cases:
                gateway = Gateway(self, case, store)
                gateways.append(gateway)
                gateway.start()
                gateway.prove()
                if case.filled:
                    gateway.stop()
                    fill(gateway)
                    gateway.start()
                    metrics = gateway.metrics()
                    if metrics["runs", 'state="queued"'] < WAITING or not metrics["pauses", ""]:
                        raise Broken("the store is not filled as it should be")
                if case.drained:
                    self.load_until_recorded(gateway)
                else:
                    self.load(gateway.hooks, case, 1)
                gateway.rest()
            self.load(self.bare_address, cases[0], 1)
            if any(case.commits for case in cases):
                commits = (PostgresCommits if store == "postgres" else SqliteCommits)(self)
            bare, loads, committed = [], {case.name: [] for case in cases}, []
            for pair in range(self.options.pairs):
                say(f" {pair + 1}", end="")
                bare.append(self.load(self.bare_address, cases[0]))
                if commits:
                    committed.append(commits.measure())
                # There and back, so that coming first or last favours none.
                for gateway in gateways if pair % 2 == 0 else reversed(gateways):
                    gateway.go_on()
                    measured = self.load_until_recorded if gateway.case.drained else (
                        lambda gateway: self.load(gateway.hooks, gateway.case))
                    loads[gateway.case.name].append(measured(gateway))
                    gateway.rest()
            say("")
            for gateway in gateways:
                self.row(gateway, bare, loads, committed)
        finally:
            if commits:
                commits.close()
            for gateway in gateways:
                gateway.remove()

    def row(self, gateway, bare, loads, committed):
        case, store = gateway.case, gateway.store
        mine = loads[case.name]
        row = {
            "case": case.name, "text": case.text, "store": store, "connections": case.connections,
            "body": case.body,
            "bare_per_second": median(load.rate for load in bare),
            "per_second": median(load.rate for load in mine),
            "ratio": median(load.rate / other.rate for load, other in zip(mine, bare)),
            "p50_ms": median(load.p50 for load in mine), "p99_ms": median(load.p99 for load in mine),
            "peak_mib": memory(gateway.process, "VmHWM"),
            "errors": sum(load.errors for load in mine), "bare_errors": sum(load.errors for load in bare),
            "rounds": {"bare": [load.rate for load in bare], "case": [load.rate for load in mine]},
        }
        if case.name in ("end-to-end", "one-connection"):
            gateway.go_on()
            # Its last commits are on their way.
            time.sleep(0.3)
            p50, p99 = gateway.delays()
            if case.drained:
                # What wrk saw is the answer alone; the case is about the whole way.
                row["answer_p50_ms"], row["answer_p99_ms"] = row["p50_ms"], row["p99_ms"]
                row["p50_ms"], row["p99_ms"] = p50, p99
            else:
                self.notes.append(f"one run, one at a time, {STORES[store]}: from accepted to recorded as started "
                                  f"p50 {p50:.0f} ms, p99 {p99:.0f} ms")
        self.rows.append(row)

        name = STORES[store]
        least = {
            ("one-run", "sqlite"): 0.45, ("one-run", "postgres"): 0.20, ("unmatched", "sqlite"): 0.50,
            ("end-to-end", "sqlite"): 0.20, ("end-to-end", "postgres"): 0.10,
        }.get((case.name, store))
        if least:
            self.target(f"{case.text}, {case.connections} connections, {name}", row["ratio"], least,
                        "of the bare handler")
        if case.beside in loads:
            row["ratio_beside"] = median(
                load.rate / other.rate for load, other in zip(mine, loads[case.beside]))
            if case.name == "routes-10000":
                self.target(f"10,000 routes on one source, {name}", row["ratio_beside"], 0.9,
                            "of the rate with one route")
            if case.name == "full":
                self.target(f"{KEPT:,} kept deliveries and {WAITING:,} waiting runs, {name}", row["ratio_beside"], 0.8,
                            "of the rate of an empty store")
        if case.commits:
            row["commit_ms"] = median(committed)
            took = median(load.p50 / commit for load, commit in zip(mine, committed))
            self.target(f"{case.text}, 1 connection, {name}", took, 1.5,
                        f"times one commit ({row['p50_ms']:.2f} ms, commit {row['commit_ms']:.2f} ms)", most=True)
        if case.name == "256-connections":
            self.target(f"peak memory, 256 connections, {name}", row["peak_mib"], 100, "MiB", most=True)

    def idle(self, store):
        """What a process takes that has nothing to do, and how soon it is ready, on a store that is there."""
        case = Case(IDLE, IDLE, branch="never", runs=0)
        gateway = Gateway(self, case, store)
        try:
            gateway.start()
            gateway.prove()
            self.load(gateway.hooks, case, 1)
            gateway.stop()
            took, used = [], []
            for number in range(5):
                say(f" {number + 1}", end="")
                took.append(gateway.start() * 1000)
                time.sleep(0.5)
                used.append(memory(gateway.process, "VmRSS"))
                gateway.stop()
            say("")
        finally:
            gateway.remove()
        self.target(f"memory when idle, {STORES[store]}", median(used), 30, "MiB", most=True)
        self.target(f"from exec until ready, {STORES[store]}", median(took), 100, "ms", most=True)

    def target(self, what, measured, wanted, unit, most=False):
        kept = measured <= wanted if most else measured >= wanted
        self.targets.append({"what": what, "measured": measured, "wanted": wanted, "unit": unit,
                             "at": "most" if most else "least", "kept": kept})


def median(values):
    return statistics.median(list(values))


# ---------------------------------------------------------------------------------------------------
# Telling
# ---------------------------------------------------------------------------------------------------


def table(head, rows):
    """Markdown that can be read as it is; the first column to the left, figures to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    right = [all(re.fullmatch(r"[\d.,]+", row[column]) for row in rows) for column in range(len(head))]

    def line(row):
        cells = (cell.rjust(width) if to_right else cell.ljust(width)
                 for cell, width, to_right in zip(row, widths, right))
        return "| " + " | ".join(cells) + " |"

    print(line(head))
    print("|" + "|".join("-" * (width + 1) + ("-:"[to_right]) for width, to_right in zip(widths, right)) + "|")
    for row in rows:
        print(line(row))


def tell(bench):
    options = bench.options
    if options.json:
        print(json.dumps({"seconds": options.seconds, "pairs": options.pairs, "cpus": os.cpu_count(),
                          "cases": bench.rows, "targets": bench.targets, "notes": bench.notes}, indent=2))
    else:
        if bench.rows:
            print(f"Medians of {options.pairs} pairs of {options.seconds} s, {os.cpu_count()} CPUs; "
                  "the ratio is to the bare handler under the same load in the same round.\n")
            table(
                ["case", "store", "connections", "body", "bare/s", "per second", "ratio", "p50 ms", "p99 ms",
                 "peak MiB", "errors"],
                [[row["text"], STORES[row["store"]], row["connections"], row["body"], f"{row['bare_per_second']:,.0f}",
                  f"{row['per_second']:,.0f}", f"{row['ratio']:.2f}", f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}",
                  f"{row['peak_mib']:.0f}", row["errors"]] for row in bench.rows])
            if any(row["case"] == "end-to-end" for row in bench.rows):
                print("\nOf `accepted, started, recorded` the rate is that of recorded starts until all are, and p50 "
                      "and p99\nare from acceptance to the record.")
            for note in bench.notes:
                print(f"\n{note}")
        if bench.targets:
            print()
            table(["target", "measured", "wanted", "unit", ""],
                  [[target["what"], f"{target['measured']:.2f}", f"at {target['at']} {target['wanted']:g}",
                    target["unit"], "kept" if target["kept"] else "MISSED"] for target in bench.targets])
    for row in bench.rows:
        for whose, count in ((row["text"], row["errors"]), ("the bare handler", row["bare_errors"])):
            if count:
                text = (f"!!! ERRORS: {row['case']}, {STORES[row['store']]}: {count} requests to {whose} failed; "
                        "its figures say nothing.")
                say(text)
                if not options.json:
                    print(f"\n{text}")


# ---------------------------------------------------------------------------------------------------
# The whole
# ---------------------------------------------------------------------------------------------------


def programs():
    """The gateway and the bare handler: those that are named, or newly built ones."""
    given = os.environ.get("GATEWAY"), os.environ.get("BARE")
    if not all(given):
        say("building")
        subprocess.run(
            ["cargo", "build", "--release", "--locked", "--bin", "cdsw-gateway", "--example", "bare_handler"],
            cwd=ROOT, stdout=sys.stderr, check=True)
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release"
    return [Path(program or built / name).resolve()
            for program, name in zip(given, ("cdsw-gateway", "examples/bare_handler"))]


def plan(parser, options):
    """What is to be done, in order: a store and a group of cases, or a store and `IDLE`."""
    names = [case.name for group in GROUPS for case in group] + [IDLE, "full"]
    if options.list:
        print("\n".join(names))
        sys.exit(0)
    wanted = [text.partition("/")[::2] for text in options.only]
    for name, store in wanted:
        if name not in names or store not in ("", *STORES):
            parser.error(f"there is no case `{name}` on `{store or 'any'}`; the cases: {', '.join(names)}; "
                         f"the stores: {', '.join(STORES)}")

    def asked(name, store):
        if not wanted:
            return name != "full" or options.full
        return any(name == other and where in ("", store) for other, where in wanted)

    todo = []
    for store in STORES:
        if asked(IDLE, store):
            todo.append((store, IDLE))
        for group in GROUPS:
            cases = [case for case in group if asked(case.name, store)]
            # What a case is held against comes with it.
            needed = {case.name for case in cases} | {case.beside for case in cases}
            if cases:
                todo.append((store, [case for case in group if case.name in needed]))
        if store == "sqlite" and asked("full", store):
            todo.append((store, FULL))
    return todo


def disk(work, need):
    """A look at where the stores will be: GiB that are free, and whether it is a disk."""
    free = shutil.disk_usage(work).free >> 30
    if free < need:
        raise Broken(f"{work}: {free} GiB are free, and the stores may take {need}; name another place in TMPDIR")
    # The longest mount point that the place is under is the one that it is on.
    mounts = (line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines())
    under = [(len(point), kind) for point, kind in mounts if f"{work}/".startswith(point.rstrip("/") + "/")]
    if max(under)[1] in ("tmpfs", "ramfs"):
        say(f"!!! {work} is in memory: nothing is flushed to a disk there; name another place in TMPDIR")


def ended(number, _frame):
    if number == signal.SIGALRM:
        raise Broken("it takes far too long")
    sys.exit(128 + number)


def main():
    parser = argparse.ArgumentParser(prog="benches/accept.sh", description="See the head of benches/accept.sh.")
    # What stands still for longer than 15 s is given up by PostgreSQL, and three loads may come between.
    parser.add_argument("seconds", nargs="?", type=int, default=2, choices=range(1, 5), metavar="SECONDS")
    parser.add_argument("pairs", nargs="?", type=int, default=5, choices=range(1, 101), metavar="PAIRS")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="CASE[/STORE]")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    todo = plan(parser, options)
    full = any(cases is FULL for _, cases in todo)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, ended)

    work = tempfile.mkdtemp(prefix="accept.")
    bench = None
    try:
        disk(work, 20 if full else 8)
        bench = Bench(options, work)
        # Three times what it should take.
        signal.alarm(600 + 600 * full + 3 * len(todo) * options.pairs * (4 * options.seconds + 2))
        bench.start({store for store, _ in todo})
        for number, (store, cases) in enumerate(todo, 1):
            names = IDLE if cases == IDLE else ", ".join(case.name for case in cases)
            say(f"{number} of {len(todo)}: {STORES[store]}: {names}:", end="")
            if cases == IDLE:
                bench.idle(store)
            else:
                bench.group(cases, store)
        tell(bench)
    except (Broken, OSError, subprocess.SubprocessError) as fault:
        say(f"\nbroken: {fault}")
        sys.exit(1)
    finally:
        signal.alarm(0)
        # Nothing may keep it from ending what it started.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if bench and bench.postgres:
            bench.postgres.stop()
        for process in list(started):
            stop(process)
        shutil.rmtree(work, ignore_errors=True)


main()
