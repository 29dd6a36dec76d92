"""Programs: which ones to run, how they start and end, what they print, how much memory they take."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from shared import ENVIRONMENT, PATIENCE, ROOT, Broken, say

# The processes to end when the measuring is over.
started = []


def programs(beside="bare_handler"):
    """The gateway and the program that runs beside it: those that GATEWAY and BARE (or HOSTILE) name, or newly built
    ones."""
    given = os.environ.get("GATEWAY"), os.environ.get({"bare_handler": "BARE"}.get(beside, beside.upper()))
    if not all(given):
        say("building")
        subprocess.run(
            ["cargo", "build", "--profile", "dist", "--locked", "--bin", "cdsw-gateway", "--example", beside],
            cwd=ROOT, stdout=sys.stderr, check=True)
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "dist"
    return [Path(program or built / name).resolve()
            for program, name in zip(given, ("cdsw-gateway", f"examples/{beside}"))]


def start(arguments, environment=ENVIRONMENT, **options):
    """Starts a program and remembers that it has to be ended."""
    process = subprocess.Popen([str(argument) for argument in arguments], env=environment, **options)
    started.append(process)
    return process


def stop(process):
    """Ends a process, with SIGKILL if it does not end by itself; it may already have ended."""
    if process.poll() is None:
        # A stopped process does not get SIGTERM.
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
    """The first `count` lines that a process prints, as soon as it has printed them."""
    read, end = b"", time.monotonic() + patience
    while read.count(b"\n") < count:
        ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
        part = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not part:
            raise Broken(f"{Path(process.args[0]).name} printed nothing in time, or ended")
        read += part
    return read.decode().splitlines()


def memory(process, field):
    """The peak (`VmHWM`) or current (`VmRSS`) memory of a process, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M)[1]) / 1024
