"""One gateway: its configuration, its start and end, its metrics and delays."""

import contextlib
import http.client
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from bodies import sign
from processes import lines, start, stop
from shared import BENCHES, ENVIRONMENT, PATIENCE, Broken


class Surroundings:
    """What all gateways share: the directory of their files, the program, the workbench, the PostgreSQL server."""

    def __init__(self, work, program, workbench, postgres):
        self.work, self.program = work, program
        self.workbench, self.postgres = workbench, postgres


class Gateway:
    """A gateway with a configuration and a store of its own."""

    def __init__(self, surroundings, case, store):
        self.program, self.postgres = surroundings.program, surroundings.postgres
        self.case, self.store = case, store
        self.place = Path(tempfile.mkdtemp(dir=surroundings.work))
        self.database = self.place / "gateway.db"
        self.url = self.postgres.new() if store == "postgres" else "sqlite:gateway.db"
        self.config = self.place / "gateway.yaml"
        text = (BENCHES / "gateway.yaml").read_text()
        for name, value in [("WORKBENCH_URL", surroundings.workbench), ("STORE_URL", self.url),
                            ("PUSHED_TO", case.branch), ("STARTS", str(case.starts))]:
            text = text.replace(name, value)
        self.config.write_text(text + case.routes)
        self.process = None
        if store == "postgres":
            subprocess.run([self.program, "migrate", "--config", self.config], env=ENVIRONMENT, check=True,
                           stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def start(self):
        """Returns the seconds from exec until the process has printed its addresses, which is when it is ready."""
        with open(self.place / "log", "ab") as log:
            begin = time.perf_counter()
            self.process = start(
                [self.program, "serve", "--config", self.config, "--log-format", "json", "--log", "warn",
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
            self.postgres.drop(self.url)
        shutil.rmtree(self.place)

    def rest(self):
        if self.process.poll() is not None:
            raise Broken(f"{self.case.name}: the gateway ended:\n{(self.place / 'log').read_text()[-2000:]}")
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def prove(self, body, delivery):
        """Sends one delivery, to check that it leads to as many runs as the case says."""
        connection = http.client.HTTPConnection(self.hooks, timeout=PATIENCE)
        connection.request("POST", "/hooks/github", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": sign(body)})
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
        """The number of runs whose outcome is recorded, and of deliveries accepted with runs.

        They come from the metrics, since asking the store would load it. An attempt is counted once the
        store has committed its outcome.
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
        """p50 and p99, in milliseconds, of the time from acceptance to the recorded start; from the store."""
        if self.store == "postgres":
            told = self.postgres.psql(
                "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY took), "
                "percentile_disc(0.99) WITHIN GROUP (ORDER BY took) "
                "FROM (SELECT changed_at - accepted_at AS took FROM runs WHERE state = 'started') AS runs;",
                self.url)
            return [float(value) for value in told.strip().split("|")]
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as store:
            took = [row[0] for row in store.execute(
                "SELECT changed_at - accepted_at FROM runs WHERE state = 'started' ORDER BY 1")]
        return [float(took[int(len(took) * part)]) for part in (0.5, 0.99)]
