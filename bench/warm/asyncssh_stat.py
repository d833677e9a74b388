#!/usr/bin/python3
"""One run of Debian's asyncssh: stats of files over one SFTP connection, N in flight.

Arguments: SSH_CONFIG HOST DIR FILES REQUESTS WARMUP IN_FLIGHT. DIR/file-N must have N bytes: every
answer is compared. The lines on stdout are those of bench/common/compare_child.c. Status 1 after a
wrong answer.
"""
import asyncio
import os
import sys
import time

try:
    import asyncssh
except ImportError:
    sys.exit("asyncssh_stat.py: there is no asyncssh: run scripts/deps bench")


def percentile(ordered, part):
    rank = -(-int(part * 100) * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


async def phase(sftp, paths, count, in_flight):
    """Asks `count` times, `in_flight` at a time; returns how long each took."""
    numbers = iter(range(count))
    took = []

    async def asker():
        for number in numbers:
            start = time.perf_counter()
            attributes = await sftp.stat(paths[number % len(paths)])
            took.append(time.perf_counter() - start)
            if attributes.size != number % len(paths):
                raise SystemExit("asyncssh_stat.py: wrong size")

    await asyncio.gather(*(asker() for _ in range(in_flight)))
    return took


async def run(config, host, folder, files, requests, warmup, in_flight):
    paths = ["%s/file-%d" % (folder, index) for index in range(files)]
    known_hosts = os.path.join(os.path.dirname(config), "known_hosts")
    async with asyncssh.connect(host, config=[config], known_hosts=known_hosts) as connection:
        async with connection.start_sftp_client() as sftp:
            await phase(sftp, paths, warmup, in_flight)
            print("begin", flush=True)
            start, cpu = time.perf_counter(), time.process_time()
            took = sorted(await phase(sftp, paths, requests, in_flight))
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            print("end", flush=True)
    print("ops %d\nseconds %.9f" % (requests, seconds))
    for name, part in (("p50_us", 0.5), ("p99_us", 0.99)):
        print("%s %.1f" % (name, percentile(took, part) * 1e6))
    print("cpu_us_per_op.client %.3f" % (cpu * 1e6 / requests))


if __name__ == "__main__":
    if len(sys.argv) != 8:
        sys.exit("usage: asyncssh_stat.py " + __doc__.split("Arguments: ")[1].split(".")[0])
    asyncio.run(run(*sys.argv[1:4], *map(int, sys.argv[4:])))
