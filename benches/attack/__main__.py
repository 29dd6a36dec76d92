"""The command line, and the measuring; `benches/attack.sh` says what it does."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "accept"))

from cases import Case  # noqa: E402
from gateway import Gateway, Surroundings  # noqa: E402
from loads import Loader  # noqa: E402
from processes import lines, memory, programs, start, started, stop  # noqa: E402
from shared import BENCHES, Broken, say  # noqa: E402

CONNECTIONS = 1000


class Probes(Loader):
    """Probes the admin listener, in place of sending deliveries."""

    def wrk(self, address, case, seconds):
        told = "function done" + (BENCHES / "push.lua").read_text().split("function done")[1]
        script = self.files[case.body].parent / "probe.lua"
        script.write_text(told)
        return start(["wrk", "-t2", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
                      f"http://{address}/livez"], stdout=subprocess.PIPE)


def arguments():
    parser = argparse.ArgumentParser(prog="benches/attack.sh")
    parser.add_argument("seconds", type=int, nargs="?", default=2)
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--only", action="append")
    parser.add_argument("--from", dest="sources", action="append", choices=["one", "many"])
    parser.add_argument("--admin", action="store_true")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def measure(options, work):
    program, hostile_program = programs("hostile")
    kinds = subprocess.run([hostile_program, "--list"], capture_output=True, check=True, text=True).stdout.split()
    if strange := set(options.only or ()) - set(kinds):
        raise Broken(f"there is no kind {', '.join(strange)}: {', '.join(kinds)}")
    simulator = start([program, "simulate", "--listen", "127.0.0.1:0", "--json", "--job", "alice/risk-analysis/208"],
                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    workbench = json.loads(lines(simulator, 1)[0])["api"]
    case = Case("unmatched", "nothing matched, kept", connections=16, branch="never", runs=0)
    loader = (Probes if options.admin else Loader)(work, options.seconds)
    print("| kind | from | alone/s | beside/s | ratio, median | ratio, worst | p99 ms, worst | not accepted | peak MiB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    medians, lost = [], 0
    for kind in options.only or kinds:
        for where in options.sources or ["one", "many"]:
            gateway = Gateway(Surroundings(work, program, workbench, None), case, "sqlite")
            try:
                gateway.start()
                address = gateway.admin if options.admin else gateway.hooks
                path = "/api/pause" if options.admin else "/hooks/github"
                loader.load(address, case, 1)
                alone, beside = [], []
                for _ in range(options.rounds):
                    alone.append(loader.load(address, case))
                    hostile = start([hostile_program, address, path, kind, where, CONNECTIONS], stdout=subprocess.PIPE)
                    lines(hostile, 1)
                    beside.append(loader.load(address, case))
                    stop(hostile)
                ratios = [b.rate / a.rate for a, b in zip(alone, beside)]
                medians.append(statistics.median(ratios))
                errors = sum(b.errors for b in beside)
                lost += errors
                print(f"| {kind} | {where} | {statistics.median(a.rate for a in alone):,.0f} "
                      f"| {statistics.median(b.rate for b in beside):,.0f} | {medians[-1]:.2f} | {min(ratios):.2f} "
                      f"| {max(b.p99 for b in beside):.1f} | {errors} "
                      f"| {memory(gateway.process, 'VmHWM'):.0f} |", flush=True)
            finally:
                gateway.remove()
    print(f"\nworst median: {min(medians):.2f} (wanted: more than 0.80); not accepted: {lost} (wanted: 0)")


def main():
    options = arguments()
    if options.list:
        subprocess.run([programs("hostile")[1], "--list"], check=True)
        return
    try:
        with tempfile.TemporaryDirectory(prefix="gateway-attack-") as work:
            measure(options, work)
    except Broken as fault:
        say(f"benches/attack: {fault}")
        sys.exit(1)
    finally:
        for process in list(started):
            stop(process)


main()
