"""The Debian package: what is in it, and that it is installed, started, upgraded, removed and purged as people expect."""

import gzip
import os
import pathlib
import re
import stat
import subprocess
import unittest

import debian
import stage

SECRETS = {name: os.urandom(24).hex() for name in ("github", "ops")}
CONFIG = """server:
  listen: 127.0.0.1:8080
  admin: 127.0.0.1:8081
  admin_tokens: { ops: { file: secrets/ops } }
store: sqlite:/var/lib/cdsw-gateway/gateway.db
sources:
  github: { provider: github, secrets: [{ file: secrets/github }] }
"""
ASK = {"CDSW_GATEWAY_TOKEN_FILE": "/etc/cdsw-gateway/secrets/ops", "CDSW_GATEWAY_CONFIG": "/etc/cdsw-gateway/gateway.yaml"}


def field(name):
    return stage.sh("dpkg-deb", "--field", stage.the("*.deb"), name).strip()


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = debian.unpacked(cls.addClassCleanup, stage.the("*.deb"))

    def test_the_package_says_what_it_is_and_needs(self):
        self.assertEqual(field("Package"), "cdsw-gateway")
        self.assertEqual(field("Version"), f"{stage.VERSION}-1")
        self.assertIn(field("Architecture"), stage.the("*.deb").name)
        self.assertEqual(field("Depends"), "ca-certificates, systemd | systemd-standalone-sysusers | systemd-sysusers")
        self.assertNotIn("libc6", field("Depends"), "the program is static")

    def test_every_file_belongs_to_root_and_none_may_be_written_by_others(self):
        for line in stage.sh("dpkg-deb", "--contents", stage.the("*.deb")).splitlines():
            mode, owner = line.split()[:2]
            self.assertIn(owner, ("root/root", "0/0"), line)
            self.assertNotRegex(mode, r"^.....w|^........w|[st]", line)

    def test_the_program_is_that_of_the_image_and_the_tarball(self):
        tarball = subprocess.run(["tar", "--extract", "--gzip", "--to-stdout", "--wildcards", "--no-wildcards-match-slash", "--file",
                                  stage.the("*-musl.tar.gz"), "*/cdsw-gateway"], capture_output=True, check=True).stdout
        self.assertEqual((self.files / "usr/bin/cdsw-gateway").read_bytes(), tarball)

    def test_each_command_has_a_manual_page_that_can_be_shown(self):
        pages = sorted((self.files / "usr/share/man/man1").iterdir())
        names = {page.name for page in pages}
        for command in ("cdsw-gateway", "cdsw-gateway-serve", "cdsw-gateway-deliveries-show", "cdsw-gateway-doctor"):
            self.assertIn(f"{command}.1.gz", names)
        for page in pages:
            shown = subprocess.run(["man", "--warnings=w", "--local-file", page], capture_output=True, text=True,
                                   env=os.environ | {"MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), page.name)
            self.assertIn("SYNOPSIS", shown.stdout, page.name)

    def test_completions_are_where_each_shell_looks(self):
        bash = self.files / "usr/share/bash-completion/completions/cdsw-gateway"
        said = stage.sh("bash", "-c", f"source {bash}; complete -p cdsw-gateway")
        self.assertIn("-F _cdsw", said)
        zsh = (self.files / "usr/share/zsh/vendor-completions/_cdsw-gateway").read_text()
        self.assertTrue(zsh.startswith("#compdef cdsw-gateway"), zsh[:80])
        fish = (self.files / "usr/share/fish/vendor_completions.d/cdsw-gateway.fish").read_text()
        self.assertIn("complete -c cdsw-gateway", fish)

    def test_systemd_accepts_the_unit_and_finds_little_that_it_could_do(self):
        unit = self.files / debian.UNIT
        where = stage.directory(self.addCleanup, "gateway-unit.") / unit.name
        # This machine has no such program.
        where.write_text(unit.read_text().replace("/usr/bin/cdsw-gateway", str(self.files / "usr/bin/cdsw-gateway")))
        verified = subprocess.run(["systemd-analyze", "verify", "--man=no", where], capture_output=True, text=True)
        about_it = [line for line in verified.stderr.splitlines() if "cdsw-gateway" in line]
        self.assertEqual(about_it, [])
        stage.sh("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", where)

    def test_the_unit_has_the_sandbox_of_the_shipped_one(self):
        def settings(text):
            return set(re.findall(r"^\w+=.*$", text, re.M))
        shipped = settings((stage.ROOT / "deploy/systemd/cdsw-gateway.service").read_text())
        packaged = settings((self.files / debian.UNIT).read_text())
        gone = {line.split("=")[0] for line in shipped - packaged}
        self.assertEqual(gone, {"Documentation", "ExecStart", "DynamicUser", "LoadCredential"})
        self.assertEqual(packaged - shipped - {line for line in packaged if line.startswith(("Documentation=", "ExecStart="))},
                         {"User=cdsw-gateway", "Group=cdsw-gateway", "RemoveIPC=yes"})

    def test_the_changelog_and_the_pages_are_there(self):
        docs = self.files / "usr/share/doc/cdsw-gateway"
        self.assertTrue((docs / "copyright").is_file())
        for page in ("install.md", "operations.md", "README.md", "examples/systemd.yaml", "cdsw-gateway.cdx.json"):
            self.assertTrue((docs / page).is_file() or (docs / f"{page}.gz").is_file(), page)
        for each in docs.rglob("*.gz"):
            with gzip.open(each) as packed:
                packed.read()


class Life(unittest.TestCase):
    def older(self):
        """The package as one of an earlier version."""
        at = stage.directory(self.addCleanup, "gateway-older.")
        stage.sh("dpkg-deb", "--raw-extract", stage.the("*.deb"), at / "files")
        control = at / "files/DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*$", "Version: 0.0.9-1", control.read_text(), flags=re.M))
        stage.sh("dpkg-deb", "--build", "-Znone", at / "files", at / "cdsw-gateway_0.0.9-1.deb")
        return at / "cdsw-gateway_0.0.9-1.deb"

    def test_installed_started_upgraded_with_data_removed_and_purged(self):
        machine = debian.Debian(self.addCleanup)
        said = machine.install(self.older())
        self.assertIn("install.md says how to set it up", said)
        self.assertFalse(machine.there("/etc/systemd/system/multi-user.target.wants/cdsw-gateway.service"),
                         "it is not started before it is set up")
        user = machine.user("cdsw-gateway")
        self.assertIn("nologin", user.pw_shell)
        self.assertLess(user.pw_uid, 1000)
        secrets = (machine.root / "etc/cdsw-gateway/secrets").stat()
        self.assertEqual((secrets.st_uid, secrets.st_gid, stat.S_IMODE(secrets.st_mode)), (0, user.pw_gid, 0o2750))
        # As it was installed, it is a configuration that starts.
        self.assertIn("ok /etc/cdsw-gateway/gateway.yaml", machine.sh("cdsw-gateway check --config /etc/cdsw-gateway/gateway.yaml"))
        service = debian.Service(machine, self.addCleanup)
        service.start()
        service.stop()

        for name, text in SECRETS.items():
            machine.sh(f"umask 027; printf %s {text} > /etc/cdsw-gateway/secrets/{name}")
            made = (machine.root / "etc/cdsw-gateway/secrets" / name).stat()
            self.assertEqual((made.st_gid, stat.S_IMODE(made.st_mode)), (user.pw_gid, 0o640))
        machine.sh("cat > /etc/cdsw-gateway/gateway.yaml <<'EOF'\n" + CONFIG + "EOF")
        checked = machine.sh("cdsw-gateway check", **ASK)
        self.assertIn("ok /etc/cdsw-gateway/gateway.yaml", checked)
        self.assertNotRegex(checked, "can (read|change)", "the files and directories are as they should be")
        service.start()
        process = pathlib.Path(f"/proc/{service.process.pid}/status").read_text()
        self.assertIn(f"Uid:\t{user.pw_uid}\t", process)
        headers, body = stage.signed(SECRETS["github"], "7" * 40, "before-the-upgrade")
        self.assertIn(" 200 ", stage.HalfSent(8080, headers, body).finish())

        # The upgrade happens while it runs, as apt does it; systemd would then restart it.
        machine.install(stage.the("*.deb"))
        self.assertIn(f"{stage.VERSION}-1", machine.sh("dpkg-query --show cdsw-gateway"))
        self.assertEqual((machine.root / "etc/cdsw-gateway/gateway.yaml").read_text(), CONFIG, "what people wrote stays")
        service.stop()
        service.start()
        listed = machine.sh("cdsw-gateway deliveries list --json", **ASK)
        self.assertIn("before-the-upgrade", listed)
        service.stop()

        machine.sh("apt-get remove -y cdsw-gateway 2>&1")
        self.assertFalse(machine.there("/usr/bin/cdsw-gateway"))
        for kept in ("etc/cdsw-gateway/gateway.yaml", "etc/cdsw-gateway/secrets/github", "var/lib/cdsw-gateway/gateway.db"):
            self.assertTrue(machine.there(kept), f"{kept} is kept")
        machine.sh("apt-get purge -y cdsw-gateway 2>&1")
        for gone in ("etc/cdsw-gateway", "var/lib/cdsw-gateway", debian.UNIT):
            self.assertFalse(machine.there(gone), f"{gone} is gone")
        left = machine.sh("dpkg-query --show cdsw-gateway 2>&1 || true")
        self.assertIn("no packages found", left)

    def test_a_service_that_is_enabled_is_restarted_by_an_upgrade_and_stopped_by_a_removal(self):
        machine = debian.Debian(self.addCleanup)
        # Where systemd runs, /run/systemd/system is there; what is asked of it is written down.
        machine.sh("mkdir -p /run/systemd/system; printf '#!/bin/sh\\necho \"$@\" >>/run/asked\\nexit 0\\n' >/usr/bin/systemctl;"
                   "chmod 755 /usr/bin/systemctl")
        machine.install(self.older())
        asked = machine.root / "run/asked"
        machine.sh("deb-systemd-helper enable cdsw-gateway.service", DPKG_MAINTSCRIPT_PACKAGE="cdsw-gateway")
        asked.write_text("")
        machine.install(stage.the("*.deb"))
        self.assertRegex(asked.read_text(), r"(?m)^(--\S+ )*restart cdsw-gateway\.service$")
        self.assertNotRegex(asked.read_text(), r"(?m)^(--\S+ )*stop cdsw-gateway\.service$")
        asked.write_text("")
        machine.sh("apt-get remove -y cdsw-gateway 2>&1")
        self.assertRegex(asked.read_text(), r"(?m)^(--\S+ )*stop cdsw-gateway\.service$")
