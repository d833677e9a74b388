"""What clients of the chaos ask for: one function a kind, which draws a call and says how its answer
is judged. An answer may always be one of the errors that a lost or silent host has; whatever claims
success has to be right."""

import os

import chaos_world
from chaos_world import COPIES, HOSTS, VOLATILE, digest_of
from beam_case import digest

# What a host that is killed, stopped or away may be answered with, whatever was asked.
# Of a host without SFTP the shell may be killed in mid-script: "remote-failure".
LOST = {"connection-lost", "connect-failed", "deadline-exceeded", "no-channel", "limit-exceeded",
        "remote-failure"}
CALL_S = chaos_world.LIMITS["call_timeout"]
COPY_S = 45  # of a copy: its begin, silences of which none is too long, and its cleaning


class Call:
    def __init__(self, kind, method, params, *, codes=(), check=None, limit=CALL_S, endless=False):
        self.kind, self.method, self.params = kind, method, params
        self.codes, self.check, self.limit, self.endless = set(codes), check, limit, endless

    def judge(self, world, answer, more=frozenset()):
        """What is wrong with an answer; None: nothing. `more` codes are no fault, either."""
        allowed = LOST | self.codes | more
        if "error" in answer:
            code = (answer["error"].get("data") or {}).get("code", answer["error"]["code"])
            return None if code in allowed else f"{self.kind}: {answer['error']}"
        result = answer["result"]
        content = result.get("structuredContent") or {}
        if isinstance(content.get("job"), str):
            world.handles.append(content["job"])
            return None
        if "taskId" in result:
            world.handles.append(result["taskId"])
            return None
        if result.get("isError"):
            code = (content.get("error") or {}).get("code") or content.get("state")
            if code not in allowed:
                return f"{self.kind}: {content.get('error') or content}"
            return None
        handle = (content.get("output") or {}).get("handle")
        if handle:
            world.handles.append(handle)
        return self.check(content) if self.check else None


def tool(kind, name, arguments, **more):
    return Call(kind, "tools/call", {"name": name, "arguments": arguments}, **more)


def whole(content):
    return not (content.get("truncated") or content.get("cut") or content.get("output")
                or content.get("unreadable"))


def same(content, key, expected, what):
    if whole(content) and content.get(key) != expected:
        return f"{what}: {key} is {str(content.get(key))[:200]!r}, not {str(expected)[:200]!r}"
    return None


# ---- looks ----

def read_stable(r, w, host, name="read"):
    i = r.randrange(len(w.stable))
    return tool("read", name, {"target": f"{host}:{w.path(host, f'stable/f{i}')}"},
                check=lambda c: same(c, "text", w.stable[i], f"{host} f{i}"))


def scout_file(r, w, host):
    return read_stable(r, w, host, "scout")


def read_part(r, w, host):
    i = r.randrange(2, len(w.stable))
    text, lines = w.stable[i], w.stable[i].splitlines(True)
    target = {"target": f"{host}:{w.path(host, f'stable/f{i}')}"}
    way, count = r.randrange(3), r.randrange(1, 60)
    if way == 0:
        first = r.randrange(1, len(lines) + 1)
        want, more = "".join(lines[first - 1:first - 1 + count]), {"offset": first, "limit": count}
    elif way == 1:
        want, more = "".join(lines[-count:]), {"tail": count}
    else:
        first = r.randrange(len(text))
        want, more = text[first:first + 500], {"byte_offset": first, "byte_count": 500}
    return tool("part", "read", {**target, **more},
                check=lambda c: same(c, "text", want, f"{host} f{i} {more}"))


def read_volatile(r, w, host):
    more = r.choice(({}, {"tail": 20}, {"offset": 2000, "limit": 50}, {"byte_offset": 200000}))
    return tool("volatile", "read", {"target": f"{host}:{w.path(host, f'volatile/v{r.randrange(VOLATILE)}')}",
                                     **more}, codes={"path-not-found", "file-changed", "remote-failure"})


def directory(r, w, host):
    name, kind = r.choice((("list", "list"), ("scout", "dir")))
    return tool(kind, name, {"target": f"{host}:{w.path(host, 'stable/d')}"},
                check=lambda c: same(c, "count", 6, f"{host} {kind}"))


def stat(r, w, host):
    i = r.randrange(len(w.stable))
    return tool("stat", "stat", {"target": f"{host}:{w.path(host, f'stable/f{i}')}"},
                check=lambda c: same(c, "size", len(w.stable[i]), f"{host} stat f{i}"))


def tree(r, w, host):
    return tool("tree", "scout", {"target": f"{host}:{w.path(host, 'stable/d')}", "tree": True},
                check=lambda c: same(c, "count", 76, f"{host} tree"))


def find(r, w, host):
    return tool("find", "scout", {"target": f"{host}:{w.path(host, 'stable/d')}", "find": "x*.txt"},
                check=lambda c: same(c, "count", 60, f"{host} find"))


def glob(r, w, host):
    return tool("glob", "glob", {"target": f"{host}:{w.path(host, 'stable')}", "pattern": "**/x*.txt"},
                check=lambda c: same(c, "count", 60, f"{host} glob"))


def grep(r, w, host):
    return tool("grep", "grep", {"target": f"{host}:{w.path(host, 'stable/d')}", "pattern": "^needle"},
                check=lambda c: same(c, "count", 60, f"{host} grep"), codes={"remote-failure"})


def query(r, w, host):
    words, want = r.choice((("cat stable/f2", w.stable[2]), ("wc -l stable/d/0/0/x0.txt", None),
                            ("find / -name nothing", None), ("head -n 3 stable/f3", None)))
    def check(content):
        if content.get("exit_code") == 0 and want is not None:
            return same(content, "stdout", want, f"{host} {words}")
        return None
    return tool("query", "scout", {"target": f"{host}:{w.path(host)}", "query": words},
                codes={"failed"}, check=check)


def diff(r, w, host):
    other, i = r.choice(HOSTS), r.randrange(len(w.stable))
    one, two = (f"{h}:{w.path(h, f'stable/f{i}')}" for h in (host, other))
    return tool("diff", "scout", {"target": one, "diff": two},
                check=lambda c: same(c, "identical", True, f"{one} {two}"))


def targets(r, w, host):
    chosen = [f"{h}:{w.path(h, f'stable/f{r.randrange(4)}')}" for h in r.choices(HOSTS, k=r.randrange(1, 24))]
    more = {"query": "cat f1"} if r.random() < 0.3 else {}
    if more:
        chosen = [t.rsplit("/", 1)[0] for t in chosen]
    return tool("targets", "scout", {"targets": chosen, **more},
                check=lambda c: None if c["total"] == len(chosen) else f"targets: {c['total']}")


def hosts(r, w, host):
    return tool("hosts", "scout", {"target": "hosts"})


# ---- commands ----

def run_short(r, w, host):
    word = f"{r.getrandbits(60):x}"
    def check(content):
        if content["state"] == "exited" and content.get("exit_code") == 0 and content["stdout"] != word:
            return f"{host} run: {content['stdout']!r}, not {word!r}"
        return None
    way = r.randrange(3)
    arguments = ({"command": f"printf {word}"} if way == 0 else {"argv": ["printf", word]} if way == 1
                 else {"command": "cat", "stdin": word})
    return tool("run", "run", {"host": host, **arguments}, codes={"failed", "stop-unconfirmed", "stopped"},
                check=check)


def run_long(r, w, host):
    line = r.choice(("sleep 3; echo late", "sleep 20", "yes | head -c 3000000",
                     "trap '' TERM; sleep 8", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.4; done",
                     "yes", "dd if=/dev/zero bs=65536 count=100 2>/dev/null"))
    more = {"timeout": r.randrange(1, 4)} if r.random() < 0.4 else {}
    if r.random() < 0.2:
        more["stdin"] = "not read\n" * 100000
    return tool("long", "run", {"host": host, "command": line, **more},
                codes={"failed", "stop-unconfirmed", "stopped", "limit-exceeded"})


def output(r, w, host):
    handle = r.choice(w.handles[-20:]) if w.handles else "out_" + "A" * 22
    more = {} if handle.startswith("out_") else r.choice(({}, {"wait": 2}, {"wait": 4}, {"cancel": True}))
    return tool("output", "output", {"handle": handle, **more},
                codes={"no-such-handle", "limit-exceeded", "failed", "stopped", "stop-unconfirmed", "ended"})


# ---- changes ----

def write(r, w, host):
    text = chaos_world.text_of_size(r.choice((10, 5000, 200000)), r.random())
    path = w.new_path(host, digest_of(text))
    def check(_):
        return None if os.path.exists(path) else f"{path} was not written"
    return tool("write", "write", {"target": f"{host}:{path}", "content": text},
                codes={"remote-failure"}, check=check)


def edit(r, w, host):
    at = r.randrange(9)
    return tool("edit", "edit", {"target": f"{host}:{w.path(host, f'shared/e{r.randrange(2)}')}",
                                 "old_string": f"count {at}\n", "new_string": f"count {(at + 1) % 9}\n"},
                codes={"no-unique-match", "file-changed", "remote-failure"})


def overwrite(r, w, host):
    return tool("overwrite", "write", {"target": f"{host}:{w.path(host, f'shared/e{r.randrange(2)}')}",
                                       "content": w.shared(r.randrange(9)), "overwrite": True},
                codes={"file-changed", "remote-failure"})


def undo(r, w, host):
    return tool("undo", "undo", {"target": f"{host}:{w.path(host, f'shared/e{r.randrange(2)}')}"},
                codes={"no-undo", "file-changed", "remote-failure", "sftp-unavailable"})


# ---- copies ----

def options(r):
    found = {}
    if r.random() < 0.5:
        found["resume"] = True
    if r.random() < 0.3:
        found["verify"] = r.choice(("size", "sha256"))
    return found


def copied(path, size, w):
    def check(content):
        if not os.path.exists(path):
            return f"{path} was not copied"
        if digest(path) != w.source_digest(size):
            return f"{path} differs from its source"
        return None
    return check


COPY_CODES = {"file-changed", "remote-failure", "limit-exceeded"}


def beam_up(r, w, host):
    size = r.choice(COPIES)
    path = w.new_path(host, w.source_digest(size))
    return tool("up", "scout", {"target": f"{host}:{path}", "beam": f"copy{size}", **options(r)},
                codes=COPY_CODES, limit=COPY_S, check=copied(path, size, w))


def beam_down(r, w, host):
    size = r.choice(COPIES)
    path = w.new_path(None, w.source_digest(size))
    return tool("down", "scout", {"target": f"{host}:{w.source(host, size)}", "beam": path, **options(r)},
                codes=COPY_CODES, limit=COPY_S, check=copied(path, size, w))


def beam_between(r, w, host):
    size, other = r.choice(COPIES), r.choice(HOSTS)
    path = w.new_path(other, w.source_digest(size))
    return tool("between", "scout", {"beam_source": f"{host}:{w.source(host, size)}",
                                     "beam_target": f"{other}:{path}", **options(r)},
                codes=COPY_CODES, limit=COPY_S, check=copied(path, size, w))


def beam_local(r, w, host):
    """From the transfer directory, where a file vanishes and shrinks."""
    return tool("up-volatile", "scout", {
        "beam": "volatile/v0", "direction": "upload", "overwrite": True, **options(r),
        "target": f"{host}:{w.path(host, 'made', f'm-local{r.randrange(3)}')}"},
        codes=COPY_CODES | {"path-not-found", "already-exists", "invalid-argument"}, limit=COPY_S)


def beam_volatile(r, w, host):
    other = r.choice(HOSTS)
    return tool("between-volatile", "scout", {
        "beam_source": f"{host}:{w.path(host, f'volatile/v{r.randrange(VOLATILE)}')}",
        "beam_target": f"{other}:{w.path(other, 'made', f'm-volatile{r.randrange(4)}')}",
        "overwrite": True, **options(r)}, codes=COPY_CODES | {"path-not-found", "already-exists"},
        limit=COPY_S)


# ---- resources and the like ----

RESOURCE = {-32603, -32602, -32002, *LOST}


def resource(r, w, host):
    i = r.randrange(len(w.stable))
    below = w.path(host, r.choice((f"stable/f{i}", "stable/d")))
    uri = r.choice((f"scout://{host}{below}", f"{host}:/{below}", "hosts://list"))
    return Call("resource", "resources/read", {"uri": uri}, codes=RESOURCE)


def resource_lists(r, w, host):
    return Call("lists", r.choice(("resources/list", "resources/templates/list", "tools/list", "prompts/list",
                                   "server/discover")), {})


def complete(r, w, host):
    return Call("complete", "completion/complete", {
        "ref": {"type": "ref/resource", "uri": "scout://{host}/{path*}"},
        "argument": {"name": "path", "value": w.path(host, "stable/")[1:]},
        "context": {"arguments": {"host": host}}})


def listen(r, w, host):
    uris = [f"scout://{h}{w.path(h, f'volatile/v{r.randrange(VOLATILE)}')}" for h in r.sample(HOSTS, 2)]
    return Call("listen", "subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}},
                endless=True)


KINDS = [(read_stable, 6), (scout_file, 3), (read_part, 6), (read_volatile, 6), (directory, 3), (stat, 3),
         (tree, 3), (find, 2), (glob, 3), (grep, 4), (query, 4), (diff, 4), (targets, 4), (hosts, 1),
         (run_short, 6), (run_long, 4), (output, 4), (write, 4), (edit, 4), (overwrite, 2), (undo, 3),
         (beam_up, 3), (beam_down, 3), (beam_between, 4), (beam_volatile, 2), (beam_local, 2), (resource, 4),
         (resource_lists, 1), (complete, 2), (listen, 1)]
HERE = (beam_up, beam_down, beam_local)  # what only clients of the socket may
QUIET = [kind for kind, _ in KINDS if kind not in (run_long, listen, beam_volatile, beam_local, read_volatile)]


def draw(r, w, over_http=False):
    kinds = [(kind, weight) for kind, weight in KINDS
             if not (over_http and (kind in HERE or kind is listen))]
    kind = r.choices([k for k, _ in kinds], [weight for _, weight in kinds])[0]
    return kind(r, w, r.choice(HOSTS))
