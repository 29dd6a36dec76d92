"""Holds hostile connections to one address until it is ended: hostile.py HOST:PORT PATH KIND ONE|MANY COUNT.

Prints `ready` when each connection has done its harm once, or was refused.
"""

import asyncio
import resource
import socket
import sys

# The time until a connection that was closed is opened again, and between two pieces that are sent slowly.
AGAIN = 0.2
LARGEST = 26_214_400

KINDS = {
    "idle": "connects, and says nothing",
    "slow-head": "sends a head, byte by byte, without end",
    "large-head": "sends a large head without its end",
    "announced": "announces the largest body, and sends none of it",
    "one-byte": "announces two bytes, and sends one",
    "burst": "sends a part of a large body at once, and then nothing",
    "trickle": "sends a large body a little faster than it must",
    "chunks": "sends chunks without end",
    "never-reads": "sends requests, and never reads an answer",
    "wrong": "sends wrong signatures or tokens as fast as they are refused",
    "reset": "connects, and resets the connection at once",
}


def source(where, number):
    return "127.66.66.66" if where == "one" else f"127.66.{number // 250}.{number % 250 + 1}"


class Connection:
    def __init__(self, address, path, kind, origin):
        self.address, self.path, self.kind, self.origin = address, path, kind, origin
        self.loop = asyncio.get_running_loop()

    def head(self, more=""):
        return f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{more}\r\n".encode()

    def first(self):
        announced = self.head(f"content-length: {LARGEST}\r\n")
        return {
            "slow-head": b"POST ",
            "large-head": self.head()[:-2] + b"x-fill: " + b"x" * 30_000,
            "announced": announced,
            "one-byte": self.head("content-length: 2\r\n") + b"{",
            "burst": announced + b" " * 300_000,
            "trickle": announced,
            "chunks": self.head("transfer-encoding: chunked\r\n"),
        }.get(self.kind, b"")

    def again(self):
        return {
            "slow-head": b"x",
            "trickle": b" " * 400,
            "chunks": b"1\r\n \r\n",
            "wrong": self.head("authorization: Bearer no\r\nx-hub-signature-256: sha256=00\r\ncontent-length: 2\r\n") + b"{}",
        }.get(self.kind, b"")

    async def run(self, done):
        while True:
            stream = socket.socket()
            stream.setblocking(False)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                stream.bind((self.origin, 0))
                await self.loop.sock_connect(stream, self.address)
                await self.harm(stream, done)
            except OSError:
                pass
            finally:
                if self.kind == "reset":
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                stream.close()
            done()
            await asyncio.sleep(AGAIN)

    async def harm(self, stream, done):
        if self.kind == "reset":
            return
        if self.kind == "never-reads":
            return await self.never_read(stream, done)
        await self.loop.sock_sendall(stream, self.first())
        done()
        while True:
            if piece := self.again():
                await self.loop.sock_sendall(stream, piece)
            try:
                if not await asyncio.wait_for(self.loop.sock_recv(stream, 65536), AGAIN):
                    return
            except TimeoutError:
                pass

    async def never_read(self, stream, done):
        requests = b"GET /x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * 200
        while True:
            try:
                await asyncio.wait_for(self.loop.sock_sendall(stream, requests), 1)
            except TimeoutError:
                pass
            done()


async def main():
    address, path, kind, where, count = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    waiting = set(range(int(count)))

    def done(number):
        if number in waiting:
            waiting.remove(number)
            if not waiting:
                print("ready", flush=True)

    await asyncio.gather(*(
        Connection((host, int(port)), path, kind, source(where, number)).run(lambda number=number: done(number))
        for number in range(int(count))))


if __name__ == "__main__":
    asyncio.run(main())
