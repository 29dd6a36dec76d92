"""The page docs/install.md, section "A Debian machine behind nginx": its commands are run one after the other, as they stand
there, on a Debian with the package of the release."""

import re
import subprocess
import unittest

import debian
import stage

PAGE = stage.ROOT / "docs/install.md"


def blocks():
    """The section's shell blocks."""
    section = re.search(r"^## A Debian machine behind nginx\n(.*?)^## ", PAGE.read_text(), re.M | re.S)[1]
    return re.findall(r"^```sh,walked\n(.*?)^```$", section, re.M | re.S)


class DebianWay(unittest.TestCase):
    def nginx(self, machine):
        """What `systemctl restart nginx` comes to."""
        log = open(machine.root.parent / "nginx.log", "wb")
        process = subprocess.Popen(["chroot", machine.root, "nginx", "-g", "daemon off;"], stdout=log, stderr=log)
        log.close()
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

    def test_the_documented_commands_lead_to_a_started_job(self):
        machine = debian.Debian(self.addCleanup)
        service = debian.Service(machine, self.addCleanup)
        # What the page takes for granted: the package in the directory, a certificate, and its authority among the system's.
        stage.sh("cp", stage.the("*.deb"), machine.root / "root")
        tls = stage.directory(self.addCleanup, "gateway-tls.")
        stage.authority(tls, "hooks.example.com")
        stage.sh("cp", tls / "ca.pem", machine.root / "usr/local/share/ca-certificates/corp.crt")
        machine.sh("update-ca-certificates 2>&1")
        for kind in ("pem", "key"):
            stage.sh("cp", tls / f"hooks.example.com.{kind}", machine.root / f"etc/nginx/hooks.{kind}")
        acts = {"systemctl enable --now cdsw-gateway\n": service.start,
                "systemctl restart nginx\n": lambda: self.nginx(machine)}
        printed = []
        for block in blocks():
            if block in acts:
                acts.pop(block)()
            else:
                self.assertNotIn("systemctl", block, "the stand-in for systemd does not know this")
                printed.append(machine.sh("cd /root\n" + block))
            if "simulate" in block:
                stage.until("the simulated workbench answers", lambda: stage.answers("http://127.0.0.1:8091/runs"))
        self.assertEqual(acts, {}, "the page no longer does this")
        self.assertRegex(printed[-1], r"(?m)^202 ")
        self.assertIn("started", printed[-1])
        self.assertEqual(len(stage.started()), 1)
        service.stop()
