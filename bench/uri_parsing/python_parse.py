#!/usr/bin/python3
"""The alternative of bench/uri_parsing: the same targets by the same rules with Python's own means.

Arguments: CASE ROUNDS. The cases are those of uri_parsing.c; each result is checked. The lines on
stdout are those of bench/common/compare_child.c.
"""
import posixpath
import sys
import time

LONG = "/very/long/path" * 20
CASES = {
    "u1": [("host:/path/to/file", ("host", "/path/to/file")),
           ("server:/var/log/app.log", ("server", "/var/log/app.log")),
           ("db:/etc/postgresql/postgresql.conf", ("db", "/etc/postgresql/postgresql.conf")),
           ("web:/var/www/html/index.html", ("web", "/var/www/html/index.html")),
           ("api:/opt/app/config.json", ("api", "/opt/app/config.json"))],
    "u2": [("hosts", ("", ""))],
    "u3": [("host:" + LONG, ("host", LONG))],
    "u4": [("invalid-uri", None)],
}
BAD = frozenset("/\\;&|$`\n\r\0")


def parse(text):
    text = text.strip()
    if text.lower() == "hosts":
        return "", ""
    host, colon, path = text.partition(":")
    if not colon:
        raise ValueError(f"Invalid target {text!r}. Expected 'host:/path' or 'hosts'")
    host, path = host.strip(), path.strip()
    if not host or len(host) > 253 or not BAD.isdisjoint(host):
        raise ValueError(f"Host contains invalid characters: {host!r}")
    if not path or len(path) > 4096 or "\0" in path:
        raise ValueError(f"Path contains null byte: {path!r}")
    if "../" in path or "/.." in path or path == "..":
        raise ValueError(f"Path traversal not allowed: {path}")
    return host, posixpath.normpath(path)


def run(case, rounds):
    for _ in range(rounds):
        for text, wanted in case:
            try:
                got = parse(text)
            except ValueError:
                got = None
            if got != wanted:
                raise SystemExit(f"python_parse.py: {text} is parsed wrongly")


if __name__ == "__main__":
    cases, times = CASES[sys.argv[1]], int(sys.argv[2])
    run(cases, times // 10 + 1)
    print("begin", flush=True)
    start = time.process_time()
    run(cases, times)
    seconds = time.process_time() - start
    print("end\nops %d\nseconds %.9f" % (times * len(cases), seconds))
    print("ns %.1f" % (seconds * 1e9 / (times * len(cases))))
