"""A gateway with a simulated workbench, as processes that end with the test."""

import http.client
import json
import os
import secrets
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 60


class Gateway:
    """Runs while its `with` block does. What it says goes into `directory`/*.log."""

    def __init__(self, program, senders):
        self.program = program
        self.senders = senders
        self.processes = []
        self.token = "canary-" + secrets.token_hex(16)

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="clients-")
        self.directory = Path(self.temporary.name)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        key = "canary-" + secrets.token_hex(16)
        self._secret("workbench", key)
        self._secret("admin", self.token)
        for sender in self.senders:
            self._secret(sender.source, sender.verifier())
        simulator = self._process(
            "simulator",
            ["simulate", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--json"]
            + ["--log", "warn", "--job", "alice/risk-analysis/208"],
            WORKBENCH_KEY=key,
        )
        workbench = json.loads(simulator.stdout.readline())["api"]
        config = (HERE / "gateway.yaml").read_text().replace("WORKBENCH", workbench)
        (self.directory / "gateway.yaml").write_text(config)
        serving = self._process(
            "gateway",
            ["serve", "--config", "gateway.yaml", "--log", "info", "--print-addresses"],
        )
        self.hooks = self._address(serving, "hooks ")
        self.admin = self._address(serving, "admin ")
        self.wait("it is ready", lambda: self.ask("/readyz")[0] == 200)

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.temporary.cleanup()

    def _secret(self, name, text):
        path = self.directory / "secrets" / name
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)

    def _process(self, name, arguments, **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CDSW_GATEWAY_")}
        with open(self.directory / f"{name}.log", "w") as log:
            process = subprocess.Popen(
                [self.program, *arguments],
                cwd=self.directory,
                env=kept | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        return process

    def _address(self, process, word):
        line = process.stdout.readline().strip()
        if not line.startswith(word):
            log = (self.directory / "gateway.log").read_text()
            raise SystemExit(f"the gateway did not start; it says:\n{log}")
        return line.removeprefix(word)

    def wait(self, what, holds):
        """Looks until it holds, for a time that only a fault uses up."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit(f"waited {PATIENCE} s in vain until {what}")
            time.sleep(0.02)

    def send(self, path, headers, body):
        """Posts to a source; gives status and text."""
        return self._request(self.hooks, "POST", path, headers, body)

    def ask(self, path):
        """Asks the admin side; gives status and JSON, or text where it is none."""
        headers = {"Authorization": f"Bearer {self.token}"}
        status, text = self._request(self.admin, "GET", path, headers, None)
        try:
            return status, json.loads(text)
        except json.JSONDecodeError:
            return status, text

    def left_behind(self):
        """Every file that the gateway and the simulator wrote, but the secrets themselves."""
        files = (path for path in self.directory.rglob("*") if path.is_file())
        return [path for path in files if path.parent.name != "secrets"]

    def _request(self, address, method, path, headers, body):
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
