#!/usr/bin/python3
"""The alternative of bench/config_parsing: the same file, split into hosts with a regular expression.

Arguments: CASE ROUNDS; the cases are c1, c3, c5 and c6 of config_parsing.c, each checked. It knows no
Match, no Include, no wildcards and no quotes, as the first Scout did. The lines on stdout are those
of bench/common/compare_child.c.
"""
import fnmatch
import re
import sys
import tempfile
import time

HOST = re.compile(r"^Host +(.*)$", re.MULTILINE)


def write(hosts, settings):
    out = tempfile.NamedTemporaryFile("w", prefix="bench-config-parsing-")
    for i in range(hosts):
        out.write("Host host-%d\n    HostName 10.0.%d.%d\n    User user%d\n    Port %d\n%s\n" % (
            i, i // 256, i % 256, i, 2200 + i,
            "    IdentityFile ~/.ssh/id_rsa\n" if settings > 3 else ""))
    out.flush()
    return out


def parse(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    hosts, found = {}, list(HOST.finditer(text))
    for one, after in zip(found, found[1:] + [None]):
        block = text[one.end():after.start() if after else len(text)]
        hosts[one.group(1)] = dict(line.split(None, 1) for line in block.splitlines() if line)
    return hosts


def run(case, rounds):
    with write(1000 if case == "c3" else 100, 3 if case == "c3" else 4) as file:
        hosts = parse(file.name)
        with open(file.name, encoding="utf-8") as again:
            text = again.read()

        def one():
            if case == "c5":
                allowed = [name for name in hosts
                           if any(fnmatch.fnmatch(name, each) for each in ("host-1*", "host-2*"))]
                left = [name for name in hosts if not fnmatch.fnmatch(name, "host-9*")]
                return (len(allowed), len(left)) == (22, 89)
            if case == "c6":
                return len(HOST.findall(text)) == 100
            return len(parse(file.name)) == len(hosts) and hosts["host-7"]["Port"] == "2207"

        good = all(one() for _ in range(rounds // 10 + 1))
        print("begin", flush=True)
        start = time.process_time()
        good = good and all(one() for _ in range(rounds))
        seconds = time.process_time() - start
        if not good:
            raise SystemExit("python_config.py: a wrong result")
    print("end\nops %d\nseconds %.9f\nus %.3f" % (rounds, seconds, seconds * 1e6 / rounds))


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
