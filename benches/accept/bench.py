"""Measures: in each round, loads the bare handler and each case of a group in turn."""

import json
import subprocess
import time

from cases import IDLE, WAITING, Case
from gateway import Gateway, Surroundings
from loads import Loader
from processes import lines, memory, programs, start
from results import Results, Rounds
from shared import SECRET, Broken, say
from stores import Postgres, PostgresCommits, SqliteCommits, fill


class Bench:
    """The programs that run all the time, and the results so far."""

    def __init__(self, options, work):
        self.pairs, self.work = options.pairs, work
        self.gateway, self.bare = programs()
        self.loader = Loader(work, options.seconds)
        self.postgres = None
        self.results = Results()

    def start(self, stores):
        bare = start([self.bare, SECRET], stdout=subprocess.PIPE)
        self.bare_address = lines(bare, 1)[0].strip()
        simulator = start(
            [self.gateway, "simulate", "--listen", "127.0.0.1:0", "--json", "--job", "alice/risk-analysis/208"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        workbench = json.loads(lines(simulator, 1)[0])["api"]
        if "postgres" in stores:
            self.postgres = Postgres()
        self.surroundings = Surroundings(self.work, self.gateway, workbench, self.postgres)

    def group(self, cases, store):
        """Loads the bare handler once and each case once in each round. All gateways but the loaded one are stopped."""
        gateways = []
        commits = None
        try:
            for case in cases:
                gateway = Gateway(self.surroundings, case, store)
                gateways.append(gateway)
                self.warm(gateway)
                gateway.rest()
            self.loader.load(self.bare_address, cases[0], 1)
            if any(case.commits for case in cases):
                commits = PostgresCommits(self.postgres) if store == "postgres" else SqliteCommits(self.work)
            rounds = Rounds(cases)
            for pair in range(self.pairs):
                say(f" {pair + 1}", end="")
                rounds.bare.append(self.loader.load(self.bare_address, cases[0]))
                if commits:
                    rounds.committed.append(commits.measure())
                # The order alternates, so that no case gains from coming first or last.
                for gateway in gateways if pair % 2 == 0 else reversed(gateways):
                    gateway.go_on()
                    rounds.loads[gateway.case.name].append(self.load(gateway))
                    gateway.rest()
            say("")
            for gateway in gateways:
                self.add(gateway, rounds)
        finally:
            if commits:
                commits.close()
            for gateway in gateways:
                gateway.remove()

    def warm(self, gateway):
        """Starts a gateway, checks that it does what it should, fills its store, and loads it for a second."""
        gateway.start()
        self.loader.prove(gateway)
        if gateway.case.filled:
            gateway.stop()
            fill(gateway.database)
            gateway.start()
            metrics = gateway.metrics()
            if metrics["runs", 'state="queued"'] < WAITING or not metrics["pauses", ""]:
                raise Broken("the store is not filled as it should be")
        self.load(gateway, 1)

    def load(self, gateway, seconds=None):
        if gateway.case.drained:
            return self.loader.load_until_recorded(gateway)
        return self.loader.load(gateway.hooks, gateway.case, seconds)

    def add(self, gateway, rounds):
        """Adds the results of one case, with the peak memory and the delays."""
        peak, delays = memory(gateway.process, "VmHWM"), None
        if gateway.case.name in ("end-to-end", "one-connection"):
            gateway.go_on()
            # Its last commits may not be written yet.
            time.sleep(0.3)
            delays = gateway.delays()
        self.results.add(gateway.case, gateway.store, rounds, peak, delays)

    def idle(self, store):
        """Measures the memory of an idle process, and how soon it is ready, on an existing store."""
        gateway = Gateway(self.surroundings, Case(IDLE, IDLE, branch="never", runs=0), store)
        try:
            self.warm(gateway)
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
        self.results.add_idle(store, used, took)
