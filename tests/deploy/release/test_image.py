"""The image of the release: what is in it, and that it runs as it must, started by buildah from the archive."""

import datetime
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tarfile
import unittest

import stage

PROGRAM = "/usr/local/bin/cdsw-gateway"
CONFIG = """server:
  listen: 127.0.0.1:8080
  admin: 127.0.0.1:8081
  admin_tokens: {{ ops: {{ file: /run/secrets/ops }} }}
store: sqlite:/var/lib/cdsw-gateway/gateway.db
workbenches:
  main: {{ url: "https://{name}:8443", {authority} api_keys: {{ alice: {{ file: /run/secrets/alice }} }} }}
jobs:
  retrain: {{ workbench: main, project: alice/risk-analysis, job: 208, api_key: alice }}
sources:
  github: {{ provider: github, secrets: [{{ file: /run/secrets/github }}] }}
routes:
  retrain-on-push:
    on: {{ source: github, event: push }}
    job: retrain
    env: {{ GIT_SHA: "${{{{ git.sha }}}}" }}
"""


def opened():
    """The archive of the image, its configuration and its only layer."""
    archive = tarfile.open(stage.the("*.image.tar.gz"))
    (entry,) = json.load(archive.extractfile("manifest.json"))
    config = json.load(archive.extractfile(entry["Config"]))
    (layer,) = entry["Layers"]
    return archive, entry, config, tarfile.open(fileobj=io.BytesIO(archive.extractfile(layer).read()))


class Archive(unittest.TestCase):
    def test_the_image_holds_the_program_authorities_and_names_and_nothing_else(self):
        *_, layer = opened()
        files = {member.name for member in layer if not member.isdir()}
        self.assertEqual(files, {"usr/local/bin/cdsw-gateway", "etc/ssl/certs/ca-certificates.crt", "etc/passwd", "etc/group",
                                 "usr/share/doc/cdsw-gateway/LICENSE"})
        for member in layer:
            self.assertTrue(member.isdir() or member.isreg(), f"{member.name} is a link or a device")
            self.assertEqual(member.mode & 0o7022, 0, f"{member.name}: {member.mode:o}")
            owner = 65532 if member.name.startswith("var/lib/cdsw-gateway") else 0
            self.assertEqual((member.uid, member.gid), (owner, owner), member.name)
        self.assertEqual(layer.getmember("var/lib/cdsw-gateway").mode & 0o7777, 0o700)
        executable = [member.name for member in layer if member.isreg() and member.mode & 0o111]
        self.assertEqual(executable, ["usr/local/bin/cdsw-gateway"])

    def test_the_image_is_smaller_than_40_mib_unpacked(self):
        *_, layer = opened()
        self.assertLess(sum(member.size for member in layer), 40 * 1024 * 1024)

    def test_the_image_says_what_it_is_how_it_starts_and_as_whom(self):
        _, entry, config, _ = opened()
        self.assertEqual(entry["RepoTags"], [f"cdsw-gateway:{stage.VERSION}"])
        self.assertEqual(config["os"], "linux")
        self.assertIn(config["architecture"], stage.the("*.image.tar.gz").name)
        how = config["config"]
        self.assertEqual(how["User"], "65532:65532")
        self.assertEqual((how["Entrypoint"], how["Cmd"]), ([PROGRAM], ["serve"]))
        self.assertEqual(how["StopSignal"], "SIGTERM")
        self.assertEqual(how["Healthcheck"]["Test"], ["CMD", PROGRAM, "health"])
        self.assertEqual(set(how["ExposedPorts"]), {"8080/tcp", "8081/tcp", "8082/tcp"})
        labels = how["Labels"]
        commit = stage.sh("git", "-C", stage.ROOT, "rev-parse", "HEAD").strip()
        self.assertEqual(labels["org.opencontainers.image.revision"], commit)
        self.assertEqual(labels["org.opencontainers.image.version"], stage.VERSION)
        self.assertEqual(set(labels), {f"org.opencontainers.image.{name}" for name in (
            "title", "description", "licenses", "version", "revision", "created")} | {"cdsw-gateway.authorities.sha256"})
        created = datetime.datetime.fromisoformat(config["created"].replace("Z", "+00:00"))
        committed = int(stage.sh("git", "-C", stage.ROOT, "log", "-1", "--format=%ct"))
        self.assertEqual(created.timestamp(), committed)
        self.assertEqual(labels["org.opencontainers.image.created"], config["created"])

    def test_the_program_is_static_and_names_what_it_was_made_of(self):
        *_, layer = opened()
        program = layer.extractfile("usr/local/bin/cdsw-gateway").read()
        at = stage.directory(self.addCleanup, "gateway-elf.") / "program"
        at.write_bytes(program)
        headers = stage.sh("readelf", "--wide", "--program-headers", "--dynamic", "--sections", at)
        self.assertNotIn("INTERP", headers)
        self.assertNotIn("(NEEDED)", headers)
        self.assertIn(".dep-v0", headers, "the list of cargo-auditable")
        os.chmod(at, 0o755)
        told = subprocess.run([at, "--version"], env={"MIMALLOC_VERBOSE": "1"}, capture_output=True, text=True)
        self.assertIn("mimalloc: v", told.stderr, "its allocator is the quick one, not musl's")
        for path in {os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo"), str(stage.ROOT)}:
            self.assertNotIn(path.encode() + b"/", program, "a path of the machine that built it")


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = stage.directory(cls.addClassCleanup, "gateway-image.")
        cls.storage = ["buildah", "--root", cls.directory / "storage", "--runroot", cls.directory / "run",
                       "--storage-driver", "vfs"]
        with gzip.open(stage.the("*.image.tar.gz")) as packed, open(cls.directory / "image.tar", "wb") as plain:
            shutil.copyfileobj(packed, plain)
        cls.tls = cls.directory / "tls"
        cls.tls.mkdir()
        stage.authority(cls.tls, stage.WORKBENCH)
        cls.names = stage.NameServer({stage.WORKBENCH: "127.0.0.1"})
        cls.key, cls.hook, cls.token = (os.urandom(24).hex() for _ in range(3))
        cls.background(stage.tls_in_front(cls.tls, stage.WORKBENCH, 8443, 8090))
        # The simulated workbench comes from the image, too.
        simulator = cls.container()
        cls.background(subprocess.Popen(
            cls.run_in(simulator, "simulate", env={"WORKBENCH_KEY": cls.key}), stdout=subprocess.DEVNULL))
        stage.until("the simulated workbench answers", lambda: stage.answers("http://127.0.0.1:8091/runs"))

    @classmethod
    def background(cls, process):
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)

    @classmethod
    def container(cls, *options):
        """A new container, whose names are asked for at our name server."""
        return stage.sh(*cls.storage, "from", "--pull-never", "--dns", "127.0.0.1", *options,
                        f"docker-archive:{cls.directory / 'image.tar'}").strip()

    @classmethod
    def run_in(cls, container, *arguments, volumes=(), env=None):
        """The command line that runs the program in a container, as the image's user."""
        options = [each for pair in (env or {}).items() for each in ("--env", "=".join(pair))]
        options += [each for volume in volumes for each in ("--volume", ":".join(str(part) for part in volume))]
        return [str(each) for each in (*cls.storage, "run", "--isolation", "chroot", *options, container, "--",
                                       PROGRAM, *arguments)]

    def site(self, authority="ca_file: /etc/corp/ca.pem,", name=stage.WORKBENCH):
        """Volumes with a configuration, secrets and a place for the store, as somebody would mount them."""
        at = stage.directory(self.addCleanup, "gateway-site.")
        for each in ("config", "secrets", "state"):
            (at / each).mkdir()
        (at / "config/gateway.yaml").write_text(CONFIG.format(authority=authority, name=name))
        for secret, text in (("alice", self.key), ("github", self.hook), ("ops", self.token)):
            (at / "secrets" / secret).write_text(text)
            os.chown(at / "secrets" / secret, 0, 65532)
            os.chmod(at / "secrets" / secret, 0o440)
        os.chown(at / "state", 65532, 65532)
        self.state = at / "state"
        return [(at / "config", "/etc/cdsw-gateway", "ro"), (at / "secrets", "/run/secrets", "ro"),
                (at / "state", "/var/lib/cdsw-gateway", "rw"), (self.tls / "ca.pem", "/etc/corp/ca.pem", "ro")]

    def serve(self, command):
        """Starts a gateway by this command line, and waits until it is ready."""
        log = open(self.state.parent / "log", "wb")
        self.addCleanup(log.close)
        self.serving = subprocess.Popen(command, stdout=log, stderr=log)
        self.addCleanup(self.ended)
        self.log = lambda: (self.state.parent / "log").read_text()

        def ready():
            self.assertIsNone(self.serving.poll(), self.log())
            return stage.answers("http://127.0.0.1:8081/readyz")
        stage.until(lambda: f"the gateway is ready: {self.log()}", ready)

    def pid(self):
        """The gateway's own process: the only one that serves in this namespace of processes."""
        found = []
        for each in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if each.read_bytes().startswith(f"{PROGRAM}\0serve".encode()):
                    found.append(int(each.parent.name))
            except OSError:
                continue
        self.assertEqual(len(found), 1, "exactly one process serves")
        return found[0]

    def ended(self):
        if self.serving.poll() is None:
            os.kill(self.pid(), signal.SIGKILL)
            self.serving.wait(30)

    def send(self, container, volumes):
        """What `send --wait`, run in the container, says of a signed push."""
        done = subprocess.run(
            self.run_in(container, "send", "github", "--wait", volumes=volumes,
                        env={"CDSW_GATEWAY_TOKEN_FILE": "/run/secrets/ops"}),
            capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def test_the_container_serves_and_starts_a_job_on_a_workbench_of_a_private_authority(self):
        container, volumes = self.container(), self.site()
        self.serve(self.run_in(container, "serve", volumes=volumes))
        status = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        self.assertIn("Uid:\t65532\t65532\t65532\t65532", status)
        self.assertIn("Gid:\t65532\t65532\t65532\t65532", status)
        before = len(stage.started())
        status, said = self.send(container, volumes)
        self.assertEqual(status, 0, said + self.log())
        self.assertEqual(len(stage.started()), before + 1)
        healthy = stage.sh(*self.run_in(container, "health", volumes=volumes))
        self.assertIn("ok http://127.0.0.1:8081/readyz", healthy)
        os.kill(self.pid(), signal.SIGTERM)
        self.serving.wait(60)
        sick = subprocess.run(self.run_in(container, "health", volumes=volumes), capture_output=True, text=True)
        self.assertNotEqual(sick.returncode, 0, sick.stdout)
        self.assertIn(stage.WORKBENCH, self.names.asked, "the name was resolved by the name server")

    def test_the_authorities_of_the_image_are_those_that_are_believed_without_a_ca_file(self):
        refused = self.site(authority="")
        container = self.container()
        self.serve(self.run_in(container, "serve", volumes=refused))
        _, said = self.send(container, refused)
        self.assertIn("failed", said)
        self.assertRegex(said, "certificate|UnknownIssuer", "TLS is what failed")
        os.kill(self.pid(), signal.SIGTERM)
        self.assertEqual(self.serving.wait(60), 0)
        # The same with that authority among the roots of the image, as some sites mount them.
        believed = self.site(authority="") + [(self.tls / "ca.pem", "/etc/ssl/certs/ca-certificates.crt", "ro")]
        container = self.container()
        self.serve(self.run_in(container, "serve", volumes=believed))
        status, said = self.send(container, believed)
        self.assertEqual(status, 0, said)

    def test_a_request_on_its_way_is_finished_when_the_container_is_told_to_stop(self):
        container, volumes = self.container(), self.site()
        self.serve(self.run_in(container, "serve", volumes=volumes))
        sha = "5" * 40
        half = stage.HalfSent(8080, *stage.signed(self.hook, sha, "half-sent"))
        whole = stage.HalfSent(8080, *stage.signed(self.hook, "4" * 40, "whole"))
        self.assertIn(" 202 ", whole.finish(), "so the one before it has been read as far as it goes")
        os.kill(self.pid(), signal.SIGTERM)

        def refused():
            with socket.socket() as other:
                return other.connect_ex(("127.0.0.1", 8080)) != 0
        stage.until("new connections are refused", refused)
        self.assertIn(" 202 ", half.finish())
        self.assertEqual(self.serving.wait(60), 0, self.log())
        # What was accepted last is started by the next process.
        self.serve(self.run_in(container, "serve", volumes=volumes))
        stage.until("its job is started", lambda: sha in stage.started())

    def test_nothing_else_can_be_run_in_the_container(self):
        container = self.container()
        self.assertIn(stage.VERSION, stage.sh(*self.run_in(container, "--version")))
        for shell in ("/bin/sh", "sh", "/bin/bash", "/busybox/sh", "apt", "apk"):
            command = self.run_in(container)
            command[-1] = shell
            done = subprocess.run(command + ["-c", "echo a shell"], capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0, shell)
            self.assertNotIn("a shell", done.stdout)
            self.assertRegex(done.stderr.lower(), "no such file|not found")

    def test_it_serves_with_a_root_that_is_read_only_and_no_capabilities(self):
        root = pathlib.Path(stage.sh(*self.storage, "mount", self.container()).strip())
        volumes = self.site()
        steps = ["set -e", "mount --make-rprivate /", f"mount --bind {root} {root}"]
        for source, target, mode in volumes:
            place = root / target.lstrip("/")
            if source.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            steps.append(f"mount --bind {source} {place}")
            steps.append(f"mount -o remount,bind,{mode} {place}")
        (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        steps += [f"mount -o remount,ro,bind {root}",
                  "exec setpriv --no-new-privs --inh-caps=-all chroot --userspec=65532:65532 --groups= "
                  f"{root} {PROGRAM} serve"]
        names = ("CDSW_GATEWAY_CONFIG=/etc/cdsw-gateway/gateway.yaml", "SQLITE_TMPDIR=/var/lib/cdsw-gateway")
        self.serve(["unshare", "--mount", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *names, "sh", "-c", "; ".join(steps)])
        status = pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertIn("NoNewPrivs:\t1", status)
        mounts = pathlib.Path(f"/proc/{self.pid()}/mounts").read_text().splitlines()
        self.assertTrue(any(line.split()[1] == "/" and "ro" in line.split()[3].split(",") for line in mounts), mounts)
        headers, body = stage.signed(self.hook, "6" * 40, "read-only")
        self.assertIn(" 202 ", stage.HalfSent(8080, headers, body).finish())
        stage.until("its job is started", lambda: "6" * 40 in stage.started())
        # A backup and what SQLite sorts go to places that are there.
        self.assertNotIn("error", self.log().lower())
