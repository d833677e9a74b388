#!/usr/bin/python3
"""One run of Debian's asyncssh: N readers on one SFTP connection, each file opened, read, closed.

Arguments: SSH_CONFIG HOST DIR FILES BYTES REQUESTS WARMUP IN_FLIGHT. Every content is compared with
the file on this machine (the host is this machine, too). The lines on stdout are those of
bench/common/compare_child.c. Status 1 after a wrong content.
"""
import asyncio
import os
import sys
import time

try:
    import asyncssh
except ImportError:
    sys.exit("asyncssh_read.py: there is no asyncssh: run scripts/deps bench")


def percentile(ordered, part):
    rank = -(-int(part * 100) * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


async def phase(sftp, folder, expected, count, in_flight):
    """Reads `count` files, `in_flight` at a time; returns how long each took."""
    numbers = iter(range(count))
    took = []

    async def reader():
        for number in numbers:
            name = "f%06d" % (number % len(expected))
            start = time.perf_counter()
            async with sftp.open(folder + "/" + name, "rb") as file:
                content = await file.read()
            took.append(time.perf_counter() - start)
            if content != expected[number % len(expected)]:
                raise SystemExit("asyncssh_read.py: wrong content of " + name)

    await asyncio.gather(*(reader() for _ in range(in_flight)))
    return took


async def run(config, host, folder, files, size, requests, warmup, in_flight):
    expected = []
    for index in range(files):
        with open(os.path.join(folder, "f%06d" % index), "rb") as file:
            expected.append(file.read())
        if len(expected[-1]) != size:
            raise SystemExit("asyncssh_read.py: the files have another size")
    known_hosts = os.path.join(os.path.dirname(config), "known_hosts")
    async with asyncssh.connect(host, config=[config], known_hosts=known_hosts) as connection:
        async with connection.start_sftp_client() as sftp:
            await phase(sftp, folder, expected, warmup, in_flight)
            print("begin", flush=True)
            start, cpu = time.perf_counter(), time.process_time()
            took = sorted(await phase(sftp, folder, expected, requests, in_flight))
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            print("end", flush=True)
    print("ops %d\nseconds %.9f" % (requests, seconds))
    for name, part in (("p50_us", 0.5), ("p90_us", 0.9), ("p99_us", 0.99)):
        print("%s %.1f" % (name, percentile(took, part) * 1e6))
    print("cpu_us_per_op.client %.3f" % (cpu * 1e6 / requests))


if __name__ == "__main__":
    if len(sys.argv) != 9:
        sys.exit("usage: asyncssh_read.py " + __doc__.split("Arguments: ")[1].split(".")[0])
    asyncio.run(run(*sys.argv[1:4], *map(int, sys.argv[4:])))
