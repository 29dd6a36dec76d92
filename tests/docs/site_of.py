"""A gateway and a simulated workbench as processes, in a directory of their own, on ports that are free."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("GATEWAY", str(ROOT / "target/debug/cdsw-gateway"))
# The ports that pages name: webhooks, admin, the simulated workbench and its control API.
NAMED = (8080, 8081, 8090, 8091)


def until(what, holds, seconds=30, log=lambda: ""):
    """Asks again until it holds, and returns what it gave; a fact is waited for, not a time."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}\n{log()}")
        time.sleep(0.05)


def answers(url):
    """Whether something answers there with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


class Site:
    """A directory, free ports in the place of those that pages name, and processes that end with the test."""

    def __init__(self, test):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gateway-docs."))
        test.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.test, self.places = test, {}
        taken = [socket.create_server(("127.0.0.1", 0)) for _ in NAMED]
        self.ports = {named: each.getsockname()[1] for named, each in zip(NAMED, taken)}
        for each in taken:
            each.close()
        programs = self.directory / ".programs"
        programs.mkdir()
        (programs / "cdsw-gateway").symlink_to(PROGRAM)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(self.directory), "LANG": "C.UTF-8", "NO_COLOR": "1",
            "CDSW_GATEWAY_URL": self.url(8081),
        }

    def url(self, port):
        return f"http://127.0.0.1:{self.ports[port]}"

    def here(self, text):
        """A text of a page, with this site's ports."""
        return re.sub(r"(?<![\d.])(127\.0\.0\.1|0\.0\.0\.0|localhost):(80[89][01])\b",
                      lambda found: f"127.0.0.1:{self.ports[int(found[2])]}", text)

    def named(self, text):
        """What a program printed, with the ports that pages name."""
        for here, named in self.places.items():
            text = text.replace(here, named)
        for named, port in self.ports.items():
            text = re.sub(rf":{port}\b", f":{named}", text)
        return text

    def database(self):
        """A PostgreSQL of its own, that pages name db.example.com. None where there is no PostgreSQL."""
        server = subprocess.Popen([str(ROOT / "tests/postgres.sh")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.test.addCleanup(server.communicate)
        words = server.stdout.readline().split()
        if words[:1] != ["ready"]:
            return None
        url, programs = words[1:3]
        self.places[re.search(r"127\.0\.0\.1:\d+/\w+", url)[0]] = "db.example.com:5432/gateway"
        self.environment |= {"PATH": f"{self.environment['PATH']}:{programs}", "DATABASE": url}
        return url

    def write(self, name, text, mode=0o600):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(self.here(text))
        path.chmod(mode)

    def start(self, *arguments, **variables):
        """Starts the program, and kills it with the test."""
        log = open(self.directory / ".log", "ab")
        process = subprocess.Popen(["cdsw-gateway", *arguments], cwd=self.directory, env=self.environment | variables,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.test.addCleanup(process.wait)
        self.test.addCleanup(process.kill)
        return process

    def simulate(self, key, *jobs):
        listen = ["--listen", f"127.0.0.1:{self.ports[8090]}", "--control", f"127.0.0.1:{self.ports[8091]}"]
        process = self.start("simulate", *listen, *(word for job in jobs for word in ("--job", job)), WORKBENCH_KEY=key)
        until("the simulated workbench answers", lambda: answers(self.url(8091) + "/runs"))
        return process

    def serve(self, *arguments):
        process = self.start("serve", *arguments)
        until("the gateway is ready", lambda: answers(self.url(8081) + "/readyz"), log=self.logged)
        return process

    def logged(self):
        log = self.directory / ".log"
        return log.read_text() if log.exists() else ""

    def run(self, *arguments, status=0):
        """What the program prints, with the exit status that it must have."""
        done = subprocess.run(["cdsw-gateway", *arguments], cwd=self.directory, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        words = done.stdout + done.stderr
        self.test.assertEqual(done.returncode, status, f"{arguments}: {words}\n{self.logged()}")
        return words
