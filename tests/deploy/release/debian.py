"""A Debian in a directory, and a stand-in for systemd in it: it starts the package's unit as the unit says, since systemd
itself can only run as the first process of a machine."""

import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import threading

import stage

UNIT = "usr/lib/systemd/system/cdsw-gateway.service"


class Debian:
    """An unpacked Debian, entered by chroot."""

    def __init__(self, case):
        self.root = stage.directory(case, "gateway-debian.") / "root"
        self.root.mkdir()
        stage.sh("tar", "--extract", "--numeric-owner", "--file", os.environ["DEBIAN"], "--directory", self.root,
                 "--exclude=./dev/*")
        for path in ("proc", "dev"):
            (self.root / path).mkdir(exist_ok=True)
            stage.sh("mount", "--rbind", f"/{path}", self.root / path)
            case(stage.sh, "umount", "--recursive", "--lazy", self.root / path)
        case(self.kill)
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost hooks.example.com cdsw.example.com\n")

    def kill(self):
        """Ends what its scripts left running."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "root") == str(self.root):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue

    def run(self, script, **variables):
        """A script of bash in it, as root: whether it succeeded, and what it printed. Its background commands go on."""
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"} | variables
        printed = self.root / "tmp/printed"
        with open(printed, "w") as output:
            done = subprocess.run(["chroot", self.root, "bash", "-euo", "pipefail", "-c", script], stdout=output,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
        return done.returncode, printed.read_text()

    def sh(self, script, **variables):
        """What a script of bash prints, which must succeed."""
        status, printed = self.run(script, **variables)
        assert status == 0, f"{script}\nended with {status}:\n{printed}"
        return printed

    def install(self, package):
        stage.sh("cp", package, self.root / "root")
        return self.sh(f"apt-get install -y --no-install-recommends /root/{package.name} 2>&1")

    def there(self, path):
        return (self.root / path.lstrip("/")).exists()

    def user(self, name):
        """The user's and group's number."""
        with open(self.root / "etc/passwd") as users:
            for line in users:
                fields = line.rstrip("\n").split(":")
                if fields[0] == name:
                    return pwd.struct_passwd((*fields[:2], int(fields[2]), int(fields[3]), *fields[4:]))
        raise AssertionError(f"there is no user {name}")


class Service:
    """The unit's process: its own command line, user, directories, limits and a root that is read-only but for its state."""

    def __init__(self, debian, case):
        self.debian, self.process = debian, None
        self.told, self.wanted = [], threading.Event()
        self.case = case
        case(self.kill)

    def setting(self, name):
        """The last value of a setting of the unit."""
        found = re.findall(rf"^{name}=(.*)$", (self.debian.root / UNIT).read_text(), re.M)
        assert found, f"the unit has no {name}"
        return found[-1]

    def start(self):
        root = self.debian.root
        user = self.debian.user(self.setting("User"))
        state = root / "var/lib" / self.setting("StateDirectory")
        state.mkdir(exist_ok=True)
        os.chmod(state, int(self.setting("StateDirectoryMode"), 8))
        os.chown(state, user.pw_uid, user.pw_gid)
        assert self.setting("Type") == "notify"
        assert self.setting("ProtectSystem") == "strict" and self.setting("PrivateTmp") == "yes"
        place = root / "run/notify"
        place.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(place))
        os.chmod(place, 0o666)
        self.told = []
        threading.Thread(target=self.listen, args=(listener,), daemon=True).start()
        steps = ["set -e", "mount --make-rprivate /", f"mount --rbind {root} {root}",
                 f"mount --bind {state} {state}", f"mount -o remount,ro,bind {root}",
                 *(f"mount -t tmpfs tmpfs {root}/{private}" for private in ("tmp", "var/tmp")),
                 f"umask {self.setting('UMask')}", f"ulimit -n {self.setting('LimitNOFILE')}",
                 f"exec setpriv --no-new-privs --inh-caps=-all chroot --userspec={user.pw_uid}:{user.pw_gid} --groups= {root} "
                 f"{self.setting('ExecStart')}"]
        log = open(root.parent / "log", "ab")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "bash", "-c", "; ".join(steps)], stdout=log, stderr=log,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": "/run/notify",
                 "STATE_DIRECTORY": f"/var/lib/{self.setting('StateDirectory')}"})
        log.close()

        def ready():
            assert self.process.poll() is None, f"it ended: {self.log()}"
            return any("READY=1" in message for message in self.told)
        stage.until(lambda: f"systemd is told that it is ready: {self.log()}", ready)

    def listen(self, listener):
        while True:
            self.told.append(listener.recv(4096).decode())

    def log(self):
        return (self.debian.root.parent / "log").read_text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(int(self.setting("TimeoutStopSec"))) == 0, self.log()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def unpacked(case, package):
    """The files of a package in a directory."""
    at = stage.directory(case, "gateway-deb.")
    stage.sh("dpkg-deb", "--extract", package, at)
    return pathlib.Path(at)
