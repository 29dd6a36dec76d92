"""Programs: which are run, their start and end, what they print, the memory that they take."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from shared import ENVIRONMENT, PATIENCE, ROOT, Broken, say

# Whatever is still in here at the end is ended.
started = []


def programs():
    """The gateway and the bare handler: those that are named, or newly built ones."""
    given = os.environ.get("GATEWAY"), os.environ.get("BARE")
    if not all(given):
        say("building")
        subprocess.run(
            ["cargo", "build", "--profile", "dist", "--locked", "--bin", "cdsw-gateway", "--example", "bare_handler"],
            cwd=ROOT, stdout=sys.stderr, check=True)
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "dist"
    return [Path(program or built / name).resolve()
            for program, name in zip(given, ("cdsw-gateway", "examples/bare_handler"))]


def start(arguments, environment=ENVIRONMENT, **options):
    """Starts a program and remembers that it has to be ended."""
    process = subprocess.Popen([str(argument) for argument in arguments], env=environment, **options)
    started.append(process)
    return process


def stop(process):
    """Ends a process, by force if need be, also one that has ended by itself."""
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
