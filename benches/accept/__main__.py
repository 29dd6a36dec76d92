"""The program that benches/accept.sh runs; see there for its use.

This file reads the options and makes the plan. The order of the other files: cases, bench, results, report.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import Bench
from cases import FULL, GROUPS, IDLE, STORES
from processes import started, stop
from report import tell
from shared import Broken, say


def plan(parser, options):
    """The list of what to measure, in order: a store and a group of cases, or a store and `IDLE`."""
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
            # The case that a case is compared with is measured, too.
            needed = {case.name for case in cases} | {case.beside for case in cases}
            if cases:
                todo.append((store, [case for case in group if case.name in needed]))
        if store == "sqlite" and asked("full", store):
            todo.append((store, FULL))
    if not todo:
        parser.error("`full` is measured on sqlite alone")
    return todo


def disk(work, need):
    """Checks the place of the stores: it has `need` GiB free, and is on a disk."""
    free = shutil.disk_usage(work).free >> 30
    if free < need:
        raise Broken(f"{work}: {free} GiB are free, and the stores may take {need}; name another place in TMPDIR")
    # The place is on the longest mount point above it.
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
    # PostgreSQL ends a session that is stopped for longer than 15 s, and three loads may run meanwhile.
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
        tell(options, bench.results)
    except (Broken, OSError, subprocess.SubprocessError) as fault:
        say(f"\nbroken: {fault}")
        sys.exit(1)
    finally:
        signal.alarm(0)
        # No signal may keep it from ending the processes that it started.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if bench and bench.postgres:
            bench.postgres.stop()
        for process in list(started):
            stop(process)
        shutil.rmtree(work, ignore_errors=True)


main()
