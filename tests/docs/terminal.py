"""A shell on a terminal, as a person has it: commands in, and what they print and how they end out."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from site_of import answers, until

COLUMNS = 118
SECONDS = 40
# Programs that serve until they are stopped: a person gives each a terminal of its own.
SERVES = re.compile(r"^(\w+=\S+ )*cdsw-gateway (serve|simulate)\b")


class Terminal:
    def __init__(self, site):
        self.site = site
        control, screen = pty.openpty()
        modes = termios.tcgetattr(screen)
        modes[1] &= ~termios.ONLCR
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(screen, termios.TCSANOW, modes)
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        self.shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=site.directory, stdin=subprocess.PIPE, stdout=screen, stderr=screen,
            env=site.environment | {"TERM": "xterm"}, start_new_session=True)
        os.close(screen)
        self.screen = control
        site.test.addCleanup(self.end)

    def end(self):
        # The session's own processes: those that serve, too.
        try:
            os.killpg(self.shell.pid, 9)
        except ProcessLookupError:
            pass
        self.shell.wait()
        self.shell.stdin.close()
        os.close(self.screen)

    def run(self, command, shown=""):
        """What a command prints, and its exit status. One that serves, and of which the page shows an error, ends."""
        if SERVES.match(command) and not shown:
            return self.serve(command)
        mark = f"--{os.urandom(8).hex()}--"
        self.shell.stdin.write(f"{command}\n__status=$?; printf '\\n%s %s\\n' {mark} $__status\n".encode())
        self.shell.stdin.flush()
        text, end = b"", time.monotonic() + SECONDS
        while (found := re.search(rf"\n{mark} (\d+)\n", text.decode(errors="replace"))) is None:
            ready, _, _ = select.select([self.screen], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"{command}: not within {SECONDS} s; it printed {text.decode(errors='replace')}")
            text += os.read(self.screen, 65536)
        words = text.decode(errors="replace")[:found.start()]
        # Lines that a program wrote anew, and signs that move the cursor.
        words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", words)
        return "\n".join(line.rsplit("\r", 1)[-1] for line in words.split("\n")), int(found[1])

    def serve(self, command):
        """Starts a program that serves, in the background, and waits until it answers."""
        command = re.sub(r"\s+#.*$", "", command)
        port, path = (8081, "/livez") if " serve" in command else (8091, "/runs")
        if " simulate" in command and "--listen" not in command:
            command += f" --listen 127.0.0.1:{self.site.ports[8090]} --control 127.0.0.1:{self.site.ports[8091]}"
        self.shell.stdin.write(f"{command} >>.log 2>&1 </dev/null &\n".encode())
        self.shell.stdin.flush()
        until(f"{command} answers", lambda: answers(self.site.url(port) + path), log=self.site.logged)
        return "", 0
