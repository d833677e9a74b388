#!/usr/bin/python3
"""One run of Debian's asyncssh: connections to many hosts at one time, each with an SFTP client.

Arguments: USER KEY KNOWN_HOSTS PER DIR ADDRESS:PORT... PER is cpu or wall: what `seconds` is.
Behind the measured part, each connection must say that DIR/file-I has I bytes, I being its place.
No ssh_config is read: parsing it for each connection would be asyncssh's greatest cost. The lines
on stdout are those of bench/common/compare_child.c. Status 1 after a wrong answer.
"""
import asyncio
import sys
import time

try:
    import asyncssh
except ImportError:
    sys.exit("asyncssh_connect.py: there is no asyncssh: run scripts/deps bench")


async def run(user, key, known_hosts, per, folder, *hosts):
    async def connect(host):
        address, port = host.split(":")
        connection = await asyncssh.connect(
            address, int(port), config=None, username=user, client_keys=[key],
            known_hosts=known_hosts, agent_path=None, login_timeout=60)
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
    if len(sys.argv) < 7:
        sys.exit("usage: asyncssh_connect.py " + __doc__.split("Arguments: ")[1].split(" PER is")[0])
    asyncio.run(run(*sys.argv[1:]))
