"""What is run: the cases, the groups that they are loaded in, and the stores."""

STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
# The store that --full measures.
KEPT, WAITING = 1_000_000, 100_000
# It loads nothing: idle memory, and the time from exec to ready.
IDLE = "idle"
# How many starts the job may have on the wire; the latter where the rate of starts is measured.
STARTS, STARTS_WHEN_DRAINED = 8, 64
# Of a job whose runs are to wait.
STARTS_AT_REST = "1\n    starts_per_minute: 1"


class Case:
    """One gateway under one load."""

    def __init__(self, name, text, connections=64, body="7 kB", branch="main", routes="", runs=1,
                 beside=None, commits=False, drained=False, resting=False, filled=False):
        self.name, self.text = name, text
        self.connections, self.body = connections, body
        # The configuration: the branch that the route asks for, further routes, starts on the wire.
        self.branch, self.routes = branch, routes
        self.starts = STARTS_AT_REST if resting else STARTS_WHEN_DRAINED if drained else STARTS
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


# The cases of a group are loaded in turn in the same rounds, behind the bare handler under the same
# load, so that they can also be held against each other.
GROUPS = [
    [Case("unmatched", "nothing matched, kept", branch="never", runs=0)],
    [
        Case("one-run", "one run (1 route)"),
        Case("one-run-waiting", "one run, its job at rest", resting=True, beside="one-run"),
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
