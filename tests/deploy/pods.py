"""Runs the pods of rendered manifests as processes on this machine: each in a network namespace and a root directory of its
own, with the manifest's command, arguments, variables, user, volumes and modes, as the kubelet would. Needs root.

All of it is in one network namespace that `enter` makes, with a bridge: nothing of it is seen outside. The NetworkPolicies
are enforced by nftables in each pod's namespace, from the same evaluator as test_reach.py."""

import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import chart
import test_reach

UID = GID = 65532
NODE = "10.77.0.1"
CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x00020000


def sh(*command, **how):
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, **how)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def enter():
    """Moves this process into a network of its own, with a bridge and nothing else."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    sh("mount", "--make-rprivate", "/")
    # Names of namespaces are files here, and are gone with this process.
    os.makedirs("/run/netns", exist_ok=True)
    sh("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "link", "add", "br0", "type", "bridge")
    sh("ip", "addr", "add", f"{NODE}/24", "dev", "br0")
    sh("ip", "link", "set", "br0", "up")


def until(what, holds, seconds=60):
    """Asks again until it holds; a fact is waited for, not a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Host:
    """Something with an address: a pod, or somebody beside them."""

    def __init__(self, name, address):
        self.name, self.address, link = name, address, f"v{address.rsplit('.')[-1]}"
        sh("ip", "netns", "add", name)
        sh("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        sh("ip", "link", "set", link, "master", "br0", "up")
        for command in (("link", "set", "lo", "up"), ("addr", "add", f"{address}/24", "dev", "eth0"),
                        ("link", "set", "eth0", "up")):
            sh("ip", "-n", name, *command)

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *[str(each) for each in command]]

    def connects(self, address, port):
        """Whether a TCP connection from here comes about."""
        code = (f"import socket; s = socket.socket(); s.settimeout(0.5); "
                f"raise SystemExit(s.connect_ex(({address!r}, {port})))")
        return subprocess.run(self.inside("python3", "-c", code), capture_output=True).returncode == 0


class Pod(Host):
    """One pod of a rendered workload."""

    def __init__(self, name, address, template, objects, site):
        super().__init__(name, address)
        self.template, self.objects, self.site = template, objects, site
        self.spec, self.labels = template["spec"], template["metadata"]["labels"]
        self.container = self.spec["containers"][0]
        self.home = site.directory / name
        self.root = self.home / "root"
        self.process = None
        self.generation = 0
        for volume in self.spec.get("volumes", []):
            self.fill(volume)

    # --- Volumes, as the kubelet makes them ---

    def directory(self, volume):
        return self.site.claims / volume if volume == "data" else self.home / "volumes" / volume

    def source(self, source):
        """Files of one source of a volume: path, and content."""
        which = "secret" if "secret" in source else "configMap"
        reference = source[which]
        if which == "secret":
            data = self.site.secrets.get(reference.get("name"))
        else:
            made = [each for each in self.objects if each["kind"] == "ConfigMap"
                    and each["metadata"]["name"] == reference["name"]]
            data = made[0]["data"] if made else self.site.config_maps.get(reference["name"])
        if data is None:
            if reference.get("optional"):
                return {}
            raise AssertionError(f"{self.name} would not start: there is no {which} {reference['name']}")
        items = reference.get("items") or [{"key": key, "path": key} for key in data]
        return {item["path"]: data[item["key"]] for item in items}

    def fill(self, volume):
        at = self.directory(volume["name"])
        at.mkdir(parents=True, exist_ok=True)
        projected = volume.get("projected") or ({"sources": [{"configMap": volume["configMap"]}]} | {
            "defaultMode": volume["configMap"].get("defaultMode", 0o644)} if "configMap" in volume else None)
        if projected is None:
            return
        files = {}
        for source in projected["sources"]:
            files |= self.source(source)
        self.generation += 1
        fresh = at / f"..{self.generation}"
        for path, content in files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_text(content)
            # With fsGroup, the group may read what the owner may.
            os.chmod(fresh / path, projected["defaultMode"] | (projected["defaultMode"] & 0o400) >> 3)
            os.chown(fresh / path, 0, GID)
        fresh.mkdir(exist_ok=True)
        old = os.readlink(at / "..data") if (at / "..data").is_symlink() else None
        (at / "..data_tmp").symlink_to(fresh.name)
        os.rename(at / "..data_tmp", at / "..data")
        for first in {path.split("/")[0] for path in files}:
            if not (at / first).is_symlink():
                (at / first).symlink_to(f"..data/{first}")
        if old:
            shutil.rmtree(at / old)

    def refresh(self):
        """What the kubelet does when a ConfigMap or Secret has changed."""
        for volume in self.spec["volumes"]:
            self.fill(volume)

    # --- The process ---

    def start(self):
        # What the image has: the program's libraries where it is not static, and the authorities that the program trusts.
        system = ["lib", "lib64", "usr/lib", "etc/ssl", "usr/share/ca-certificates", "proc", "dev"]
        system = [path for path in system if pathlib.Path("/", path).is_dir()]
        mounts = [(self.directory(each["name"]), each["mountPath"].lstrip("/"), each.get("readOnly", False))
                  for each in self.container.get("volumeMounts", [])]
        for path in system + [path for _, path, _ in mounts] + ["etc", "usr/local/bin"]:
            (self.root / path).mkdir(parents=True, exist_ok=True)
        (self.root / "etc/hosts").write_text("".join(f"{address} {name}\n" for name, address in self.site.names.items()))
        (self.root / "etc/nsswitch.conf").write_text("hosts: files\n")
        (self.root / "usr/local/bin/cdsw-gateway").touch()
        steps = ["set -e", "mount --make-rprivate /", f"mount --bind {self.root} {self.root}"]
        steps += [f"mount --rbind /{path} {self.root}/{path}" for path in system]
        steps += [f"mount --bind {self.site.program} {self.root}/usr/local/bin/cdsw-gateway"]
        for source, path, read_only in mounts:
            steps.append(f"mount --bind {source} {self.root}/{path}")
            if read_only:
                steps.append(f"mount -o remount,ro,bind {self.root}/{path}")
        assert self.container["securityContext"]["readOnlyRootFilesystem"]
        steps.append(f"mount -o remount,ro,bind {self.root}")
        context = self.spec["securityContext"]
        steps.append(f"exec setpriv --no-new-privs chroot --userspec={context['runAsUser']}:{context['runAsGroup']} "
                     f"--groups={context['fsGroup']} {self.root} \"$@\"")
        variables = {each["name"]: self.value(each) for each in self.container.get("env", [])}
        command = self.container["command"] + self.container["args"]
        self.enforce()
        self.log = open(self.home / "log", "ab")
        self.process = subprocess.Popen(
            self.inside("unshare", "--mount", "sh", "-c", "; ".join(steps), "sh", *command),
            env=variables | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stdout=self.log, stderr=self.log)
        return self

    def value(self, variable):
        if "value" in variable:
            return variable["value"]
        reference = variable["valueFrom"]["secretKeyRef"]
        return self.site.secrets[reference["name"]][reference["key"]]

    def enforce(self):
        """The policies that select this pod, as rules of its own network namespace. The node's kubelet always gets in."""
        policies = chart.kind(self.objects, "NetworkPolicy")
        if not any(chart.selects(policy["spec"]["podSelector"], self.labels) for policy in policies):
            return
        rules = ["table inet pod {"]
        for chain, way, side in (("input", "in", "saddr"), ("output", "out", "daddr")):
            rules += [f"chain {chain} {{ type filter hook {chain} priority 0; policy drop;",
                      "ct state established,related accept", 'meta l4proto icmp accept',
                      f'{"iifname" if way == "in" else "oifname"} "lo" accept']
            if way == "in":
                rules.append(f"ip saddr {NODE} accept")
            for other in self.site.others.values():
                for port in (80, 443, 5432, 8080, 8081, 8082, 8090):
                    if test_reach.may(policies, self.labels, way, other, port):
                        rules.append(f"ip {side} {other[2]} tcp dport {port} accept")
            rules.append("}")
        subprocess.run(self.inside("nft", "-f", "-"), input="\n".join(rules + ["}"]), text=True, check=True)

    def healthy(self, path):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended: {self.logged()}")
        try:
            with urllib.request.urlopen(f"http://{self.address}:8082{path}", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def ready(self):
        until(f"{self.name} is ready; its log:\n{self.logged()}", lambda: self.healthy("/readyz"))
        return self

    def stop(self):
        """SIGTERM, and the time that the manifest gives."""
        self.process.terminate()
        status = self.process.wait(self.spec["terminationGracePeriodSeconds"])
        assert status == 0, f"{self.name} ended with {status}: {self.logged()}"

    def logged(self):
        return (self.home / "log").read_text() if (self.home / "log").exists() else ""

    def holds(self, text):
        """Whether the process has these bytes anywhere in its memory."""
        pid, wanted = self.process.pid, text.encode()
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, modes = line.split()[:2]
                begin, end = (int(each, 16) for each in span.split("-"))
                if "r" not in modes or "[v" in line:
                    continue
                try:
                    memory.seek(begin)
                    if wanted in memory.read(end - begin):
                        return True
                except OSError:
                    continue
        return False
