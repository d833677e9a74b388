#!/usr/bin/python3
"""One run of Debian's asyncssh: connections to many hosts at one time, each with an SFTP client.

Arguments: SSH_CONFIG PER DIR HOST... PER is cpu or wall: what `seconds` is. Behind the measured
part, each connection must say that DIR/file-I has I bytes, I being its place. The lines on stdout
are those of bench/common/compare_child.c. Status 1 after a wrong answer.
"""
import asyncio
import os
import sys
import time

try:
    import asyncssh
except ImportError:
    sys.exit("asyncssh_connect.py: there is no asyncssh: run scripts/deps bench")


async def run(config, per, folder, *hosts):
    known_hosts = os.path.join(os.path.dirname(config), "known_hosts")

    async def connect(host):
        connection = await asyncssh.connect(host, config=[config], known_hosts=known_hosts,
                                            login_timeout=60)
        return connection, await connection.start_sftp_client()

    print("begin", flush=True)
    wall, cpu = time.perf_counter(), time.process_time()
    pairs = await asyncio.gather(*map(connect, hosts))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print("end", flush=True)
    found = await asyncio.gather(*(sftp.stat("%s/file-%d" % (folder, index))
                                   for index, (_, sftp) in enumerate(pairs)))
    if [attributes.size for attributes in found] != list(range(len(hosts))):
        raise SystemExit("asyncssh_connect.py: wrong sizes")
    for connection, sftp in pairs:
        sftp.exit()
        connection.abort()
    print("ops %d\nseconds %.9f" % (len(hosts), cpu if per == "cpu" else wall))
    print("wall_ms %.3f\ncpu_ms.client %.3f" % (wall * 1e3, cpu * 1e3))


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit("usage: asyncssh_connect.py " + __doc__.split("Arguments: ")[1].split(" PER is")[0])
    asyncio.run(run(*sys.argv[1:]))
