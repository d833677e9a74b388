#!/usr/bin/python3
"""Scenes of bench_scene by Debian's asyncssh, at the light server: over connections that stand, or from
cold, with a connection for each host.

Arguments: SSH_CONFIG NAME KIND WAVES WARMUP; the hosts are NAME1, NAME2 and so on.
  stat, read, list, run, large    one of it, at NAME1
  cold, cold50, warm10, cold10    the read of a file of 1,400 bytes: one from cold; 50 at one host from
                                  cold; at each of ten hosts, warm; the same from cold
Every answer is checked. The lines on stdout are those of bench/common/compare_child.c; `ms` is a wave's
median. Status 1 after a wrong answer.
"""
import asyncio
import os
import sys
import time

try:
    import asyncssh
except ImportError:
    sys.exit("asyncssh_scene.py: there is no asyncssh: run scripts/deps bench")

LARGE = 1048576


def content(size):
    return "".join("%015x\n" % line for line in range(size // 16 + 1)).encode()[:size]


CONTENT = {1400: content(1400), LARGE: content(LARGE)}


class Host:
    """A connection and its SFTP client."""

    def __init__(self, options, name):
        self.options, self.name, self.connection, self.sftp = options, name, None, None

    async def open(self):
        self.connection = await asyncssh.connect(self.name, **self.options)
        self.sftp = await self.connection.start_sftp_client()
        return self

    async def close(self):
        self.sftp.exit()
        self.connection.close()
        await self.connection.wait_closed()

    async def stat(self):
        return (await self.sftp.stat("/file-1400")).size == 1400

    async def read(self, name="/file-1400", size=1400):
        async with self.sftp.open(name, "rb") as file:
            return await file.read(size) == CONTENT[size]

    async def large(self):
        return await self.read("/file-2000000", LARGE)

    async def list(self):
        return len(await self.sftp.readdir("/dir-50")) == 50

    async def run(self):
        return (await self.connection.run("echo some short text")).stdout == "some short text\n"


async def all_of(waits):
    return all(await asyncio.gather(*waits))


async def wave(kind, options, name, hosts):
    """Whether all answers are right; and what it opened."""
    if not kind.startswith("cold"):
        what = "read" if kind == "warm10" else kind
        return await all_of(getattr(host, what)() for host in hosts), []
    count = 10 if kind == "cold10" else 1
    opened = await asyncio.gather(*(Host(options, f"{name}{i + 1}").open() for i in range(count)))
    reads = opened * (50 if kind == "cold50" else 1)
    return await all_of(host.read() for host in reads), opened


async def run(config, name, kind, waves, warmup):
    known_hosts = os.path.join(os.path.dirname(config), "known_hosts")
    options = {"config": [config], "known_hosts": known_hosts, "agent_path": None}
    hosts, took = [], []
    if not kind.startswith("cold"):
        hosts = [await Host(options, f"{name}{i + 1}").open()
                 for i in range(10 if kind == "warm10" else 1)]
    for number in range(warmup + waves):
        if number == warmup:
            print("begin", flush=True)
        start = time.perf_counter()
        good, opened = await wave(kind, options, name, hosts)
        took.append(time.perf_counter() - start)
        if not good:
            raise SystemExit("asyncssh_scene.py: a wrong answer")
        for host in opened:
            await host.close()
    print("end", flush=True)
    took = sorted(took[warmup:])
    calls = {"cold50": 50, "warm10": 10, "cold10": 10}.get(kind, 1)
    print("ops %d\nseconds %.9f\nms %.4f" % (calls * waves, sum(took), took[len(took) // 2] * 1e3))


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("usage: asyncssh_scene.py " + __doc__.split("Arguments: ")[1].split(";")[0])
    asyncio.run(run(*sys.argv[1:4], *map(int, sys.argv[4:])))
