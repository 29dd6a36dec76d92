"""The cases, the groups in which they are loaded, and the stores."""

STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
# The size of the store that --full measures: kept deliveries, waiting runs.
KEPT, WAITING = 1_000_000, 100_000
# The case without a load: idle memory, and the time from exec to ready.
IDLE = "idle"
# How many start requests the job may have in flight; the second where the rate of starts is measured.
STARTS, STARTS_WHEN_DRAINED = 8, 64
# `starts_at_once` and a limit, for a job whose runs should wait.
STARTS_AT_REST = "1\n    starts_per_minute: 1"


class Case:
    """One gateway under one load."""

    def __init__(self, name, text, connections=64, body="7 kB", branch="main", routes="", runs=1,
                 beside=None, commits=False, drained=False, resting=False, filled=False):
        self.name, self.text = name, text
        self.connections, self.body = connections, body
        # The configuration: the branch that the route asks for, further routes, start requests in flight.
        self.branch, self.routes = branch, routes
        self.starts = STARTS_AT_REST if resting else STARTS_WHEN_DRAINED if drained else STARTS
        # How many runs a delivery must lead to.
        self.runs = runs
        # A case of the same group that this one is compared with.
        self.beside = beside
        # Also measure in each round how long one commit takes.
        self.commits = commits
        # The rate is that of recorded starts, until all runs are recorded.
        self.drained = drained
        self.filled = filled


def matching(count):
    """Further routes that match the push, as the first one does."""
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
    """Further routes, each for a repository that nothing is pushed to."""
    return "".join(
        f"  other-{number}: {{ on: {{ source: github, event: push, repository: acme/other-{number}, "
        'branch: main }, job: retrain, env: { GIT_SHA: "${{ git.sha }}" } }\n'
        for number in range(count)
    )


# In each round the bare handler and then the cases of a group are loaded in turn with the same load, so
# that the cases can also be compared with each other.
GROUPS = [
    [Case("unmatched", "nothing matched, kept", branch="never", runs=0)],
    [
        Case("one-run", "one run (1 route)"),
        Case("one-run-waiting", "one run, its job waiting", resting=True, beside="one-run"),
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
