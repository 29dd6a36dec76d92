"""Loads: runs wrk and reads what it prints."""

import os
import random
import re
import subprocess
import time
from pathlib import Path

from bodies import bodies, sign
from processes import start, stop
from shared import BENCHES, PATIENCE, Broken


class Load:
    """The figures that wrk printed for one load."""

    def __init__(self, line):
        rate, count, p50, p99, errors = line.split()
        self.rate, self.p50, self.p99 = float(rate), float(p50), float(p99)
        self.count, self.errors = int(count), int(errors)


class Loader:
    """Sends deliveries for some seconds, each with another id."""

    def __init__(self, work, seconds):
        self.seconds = seconds
        self.bodies = bodies()
        self.files = {}
        for number, (name, body) in enumerate(self.bodies.items()):
            self.files[name] = Path(work) / f"body-{number}.json"
            self.files[name].write_bytes(body)
        self.seeds = random.randrange(1 << 32) << 16

    def seed(self):
        """Two loads must not send the same delivery ids: those of the second would be repeats."""
        self.seeds += 1
        return str(self.seeds)

    def prove(self, gateway):
        """Sends one delivery, to check that it leads to as many runs as the case says."""
        gateway.prove(self.bodies[gateway.case.body], self.seed())

    def load(self, address, case, seconds=None):
        return self.told(self.wrk(address, case, seconds or self.seconds))

    def load_until_recorded(self, gateway):
        """Loads, and waits until every run that was accepted is started and recorded.

        The rate is that of the runs whose outcome was recorded, over the time from the first delivery
        to the last record. A run that is accepted and not yet started does not count.
        """
        before, _ = gateway.recorded()
        begin = last = time.monotonic()
        process = self.wrk(gateway.hooks, gateway.case, max(1, self.seconds // 2))
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
            # A longer backlog would give the same rate, so the time is bounded.
            if load and now - begin > 3 * self.seconds:
                last = now
                break
        load.rate = (done - before) / (last - begin)
        return load

    def wrk(self, address, case, seconds):
        options = {"PUSH_BODY": str(self.files[case.body]), "PUSH_SIGNATURE": sign(self.bodies[case.body]),
                   "PUSH_SEED": self.seed()}
        return start(
            ["wrk", f"-t{min(2, case.connections)}", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s",
             "-s", BENCHES / "push.lua", f"http://{address}"],
            os.environ | options, stdout=subprocess.PIPE)

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
