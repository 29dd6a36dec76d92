"""What the tests of a release share: where its files are, a private authority, a workbench behind TLS, a name server, and
requests as GitHub signs them. All addresses are of a network namespace that holds nothing else."""

import hashlib
import hmac
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
RELEASE = pathlib.Path(os.environ["RELEASE"])
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
PUSH = json.loads((ROOT / "src/cli/demo/push-models.json").read_text())
WORKBENCH = "cdsw.example.com"


def sh(*command, **how):
    """The standard output of a command that must succeed."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, **how)
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def until(what, holds, seconds=60):
    """Asks again until it holds: a fact is waited for, not a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")


def the(pattern):
    """The one file of the release with such a name."""
    found = sorted(RELEASE.glob(pattern))
    assert len(found) == 1, (pattern, sorted(RELEASE.iterdir()))
    return found[0]


def directory(case, prefix):
    """A directory that is gone after the test or class `case`, and that everybody may enter."""
    made = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    case(made.cleanup)
    os.chmod(made.name, 0o755)
    return pathlib.Path(made.name)


def answers(url, status=200):
    """Whether this address answers so."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == status
    except urllib.error.HTTPError as error:
        return error.code == status
    except OSError:
        return False


def authority(at, *names):
    """Makes a private authority in a directory: ca.pem, and NAME.pem with NAME.key for each name."""
    sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=An authority of a company",
       "-keyout", at / "ca.key", "-out", at / "ca.pem")
    for name in names:
        (at / "names").write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n")
        sh("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", at / f"{name}.key",
           "-out", at / "request")
        sh("openssl", "x509", "-req", "-in", at / "request", "-CA", at / "ca.pem", "-CAkey", at / "ca.key", "-days", "2",
           "-CAcreateserial", "-extfile", at / "names", "-out", at / f"{name}.pem")


def tls_in_front(at, name, port, inside):
    """Takes TLS connections on a port with the certificate of `name`, and passes them on to a port of this machine."""
    return subprocess.Popen([sys.executable, __file__, "tls", at / f"{name}.pem", at / f"{name}.key", str(port), str(inside)])


def signed(secret, sha, delivery):
    """A push as GitHub signs it: headers and body."""
    body = PUSH | {"after": sha, "head_commit": PUSH["head_commit"] | {"id": sha}}
    text = json.dumps(body).encode()
    return {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}, text


def started(control=8091):
    """What each run of the simulated workbench was given as GIT_SHA."""
    with urllib.request.urlopen(f"http://127.0.0.1:{control}/runs", timeout=5) as answer:
        return [run["environment"].get("GIT_SHA") for run in json.load(answer)]


class HalfSent:
    """A request whose second half waits for a word."""

    def __init__(self, port, headers, body, path="/hooks/github"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.rest = body[len(body) // 2:]
        self.socket.sendall(head.encode() + b"\r\n" + body[:len(body) // 2])

    def finish(self):
        """Sends the rest, and returns the status line."""
        with self.socket, self.socket.makefile("rb") as answer:
            self.socket.sendall(self.rest)
            return answer.readline().decode()


class NameServer(threading.Thread):
    """Knows the addresses of some names, on 127.0.0.1:53, and remembers what it was asked for."""

    def __init__(self, names):
        super().__init__(daemon=True)
        self.names, self.asked = names, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.start()

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(4096)
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            name, (kind,) = ".".join(labels), struct.unpack(">H", question[at + 1:at + 3])
            self.asked.append(name)
            address = self.names.get(name) if kind == 1 else None
            # Names that are not known do not exist; known ones have no other addresses than that of kind A.
            flags = 0x8180 if name in self.names else 0x8183
            answer = question[:2] + struct.pack(">HHHHH", flags, 1, 1 if address else 0, 0, 0) + question[12:at + 5]
            if address:
                answer += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
            self.socket.sendto(answer, sender)


def serve_tls(certificate, key, port, inside):
    import asyncio
    import ssl

    async def pass_on(reader, writer):
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
        except (OSError, NotImplementedError, RuntimeError):
            writer.close()

    async def connection(reader, writer):
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", int(inside))
        await asyncio.gather(pass_on(reader, other_writer), pass_on(other_reader, writer))
        for each in (writer, other_writer):
            each.close()

    async def serve():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = await asyncio.start_server(connection, "127.0.0.1", int(port), ssl=context)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__" and sys.argv[1] == "tls":
    serve_tls(*sys.argv[2:])
