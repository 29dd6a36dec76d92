"""The figures of each case, and their comparison with the targets."""

import statistics

from cases import KEPT, STORES, WAITING

# The wanted ratio to the bare handler, at least.
LEAST = {
    ("one-run", "sqlite"): 0.45, ("one-run", "postgres"): 0.20, ("unmatched", "sqlite"): 0.50,
    ("end-to-end", "sqlite"): 0.20, ("end-to-end", "postgres"): 0.10,
}


class Rounds:
    """The results of the rounds of one group, in order: loads, and milliseconds for one commit."""

    def __init__(self, cases):
        self.bare, self.committed = [], []
        self.loads = {case.name: [] for case in cases}


class Results:
    def __init__(self):
        self.rows, self.targets, self.notes = [], [], []

    def add(self, case, store, rounds, peak, delays):
        """Adds the row and the targets of one case. `delays` is p50 and p99 until recorded, or None."""
        mine, bare = rounds.loads[case.name], rounds.bare
        row = {
            "case": case.name, "text": case.text, "store": store, "connections": case.connections,
            "body": case.body,
            "bare_per_second": median(load.rate for load in bare),
            "per_second": median(load.rate for load in mine),
            "ratio": median(load.rate / other.rate for load, other in zip(mine, bare)),
            "p50_ms": median(load.p50 for load in mine), "p99_ms": median(load.p99 for load in mine),
            "peak_mib": peak,
            "errors": sum(load.errors for load in mine), "bare_errors": sum(load.errors for load in bare),
            "rounds": {"bare": [load.rate for load in bare], "case": [load.rate for load in mine]},
        }
        if delays:
            p50, p99 = delays
            if case.drained:
                # wrk measured only the time to the answer; this case is about the time to the record.
                row["answer_p50_ms"], row["answer_p99_ms"] = row["p50_ms"], row["p99_ms"]
                row["p50_ms"], row["p99_ms"] = p50, p99
            else:
                self.notes.append(f"one run, one at a time, {STORES[store]}: from accepted to recorded as started "
                                  f"p50 {p50:.0f} ms, p99 {p99:.0f} ms")
        self.rows.append(row)
        self.judge(case, STORES[store], row, rounds)

    def judge(self, case, name, row, rounds):
        """Adds the targets of one case, and to its row the further figures that some targets need."""
        mine = rounds.loads[case.name]
        least = LEAST.get((case.name, row["store"]))
        if least:
            self.target(f"{case.text}, {case.connections} connections, {name}", row["ratio"], least,
                        "of the bare handler")
        if case.beside in rounds.loads:
            row["ratio_beside"] = median(
                load.rate / other.rate for load, other in zip(mine, rounds.loads[case.beside]))
            if case.name == "routes-10000":
                self.target(f"10,000 routes on one source, {name}", row["ratio_beside"], 0.9,
                            "of the rate with one route")
            if case.name == "full":
                self.target(f"{KEPT:,} kept deliveries and {WAITING:,} waiting runs, {name}", row["ratio_beside"], 0.8,
                            "of the rate of an empty store")
        if case.commits:
            row["commit_ms"] = median(rounds.committed)
            took = median(load.p50 / commit for load, commit in zip(mine, rounds.committed))
            self.target(f"{case.text}, 1 connection, {name}", took, 1.5,
                        f"times one commit ({row['p50_ms']:.2f} ms, commit {row['commit_ms']:.2f} ms)", most=True)
        if case.name == "256-connections":
            self.target(f"peak memory, 256 connections, {name}", row["peak_mib"], 100, "MiB", most=True)

    def add_idle(self, store, used, took):
        """Adds the memory of an idle process in MiB, and the milliseconds until a process is ready."""
        self.target(f"memory when idle, {STORES[store]}", median(used), 30, "MiB", most=True)
        self.target(f"from exec until ready, {STORES[store]}", median(took), 100, "ms", most=True)

    def target(self, what, measured, wanted, unit, most=False):
        kept = measured <= wanted if most else measured >= wanted
        self.targets.append({"what": what, "measured": measured, "wanted": wanted, "unit": unit,
                             "at": "most" if most else "least", "kept": kept})


def median(values):
    return statistics.median(list(values))
