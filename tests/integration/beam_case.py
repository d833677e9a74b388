"""What the tests of `beam` share: two hosts, a daemon with a transfer directory, large files."""

import hashlib
import os
import signal
import time

import harness

MIB = 1024 * 1024
SIZE = 160 * MIB  # of what is copied while something happens
BEGUN = 8 * MIB  # so far a copy is then
KINDS = ("up", "down", "between")
LIMIT_S = 120  # for a large copy on a busy machine


class BeamCase:
    """Beside harness.ScoutTest."""

    CONFIG = "role = operator\n"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config, cls.CONFIG)
        cls.here = os.path.join(cls.daemon.state, "transfer", str(os.getuid()))

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        os.makedirs(self.here, 0o700, exist_ok=True)

    def send(self, client=None, **arguments):
        return (client or self.client).send("tools/call", {"name": "scout", "arguments": arguments})

    def beam(self, timeout=LIMIT_S, **arguments):
        return self.client.result(self.send(**arguments), timeout)

    def local(self, name, content=None, mode=None):
        path = os.path.join(self.here, name)
        if content is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(content)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def read(self, path):
        with open(path, "rb") as text:
            return text.read()

    def signal(self, processes, number):
        for pid in processes:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def assertDone(self, result, words=None):
        self.assertFalse(result.get("isError", False), result)
        content = result["structuredContent"]
        self.assertEqual(content["kind"], "transfer")
        if words is not None:
            self.assertEqual(harness.text_of(result), words)
        return content

    def assertFailed(self, result, code, fragment=""):
        self.assertTrue(result.get("isError"), result)
        error = result["structuredContent"]["error"]
        self.assertEqual(error["code"], code, error)
        self.assertIn(fragment, error["message"])
        return error

    def assertNothingLeft(self, *folders):
        for folder in folders:
            harness.wait_until(
                lambda: not [n for n in os.listdir(folder) if n.startswith(".scout-")],
                f"no temporary file is left in {folder}: {os.listdir(folder)}", 20)

    def assertSame(self, one, other):
        self.assertEqual(digest(one), digest(other))


def digest(path):
    found = hashlib.sha256()
    with open(path, "rb") as text:
        for piece in iter(lambda: text.read(MIB), b""):
            found.update(piece)
    return found.hexdigest()


def make_large(path, size):
    """A file of random bytes."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        while size > 0:
            piece = os.urandom(min(size, 4 * MIB))
            out.write(piece)
            size -= len(piece)
    return path


def partial(folder):
    """The size of the temporary file there; None without one."""
    for name in os.listdir(folder):
        if name.startswith(".scout-"):
            try:
                return os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                return None
    return None


def wait_for_partial(folder, least, limit=60):
    """Until a temporary file there has `least` bytes. It looks often: a copy is fast."""
    end = time.monotonic() + limit
    while (partial(folder) or 0) < least:
        if time.monotonic() > end:
            raise AssertionError(f"no copy has got that far: {os.listdir(folder)}")
        time.sleep(0.001)


class FaultCase(BeamCase):
    """Copies to which something happens. `source` is at demo1 and in the transfer directory."""

    CONFIG = "role = operator\ntransfer_idle_timeout = 2\nping_interval = 0\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.makedirs(cls.here, 0o700, exist_ok=True)
        cls.source = make_large(cls.fleet.path("demo1", "source"), SIZE)
        os.link(cls.source, os.path.join(cls.here, "source"))

    def warm(self, host):
        """The processes of the host's connection, made now if need be."""
        self.assertScoutOk(self.client.tool("stat", 30, target=f"{host}:/"), "stat")
        # The listener, the connection's two, and its SFTP server.
        return harness.wait_until(
            lambda: (found := self.fleet.processes(host)[1:]) and len(found) >= 2 and found,
            f"a connection of {host}")

    def begin(self, kind, client=None, least=BEGUN, **arguments):
        """Begins a copy; returns the request, the folder that it is copied to, and the path. The
        connections stand before: what happens to their processes then happens at once."""
        there = self.fleet.path("demo2", "copy")
        if kind == "up":
            request = self.send(client, beam="source", target=f"demo2:{there}", **arguments)
        elif kind == "between":
            request = self.send(client, beam_source=f"demo1:{self.source}",
                                beam_target=f"demo2:{there}", **arguments)
        else:
            there = os.path.join(self.here, "copy")
            request = self.send(client, beam="copy", target=f"demo1:{self.source}", **arguments)
        folder = os.path.dirname(there)
        wait_for_partial(folder, least)
        self.assertFalse(os.path.exists(there))
        return request, folder, there

    def hosts_of(self, kind):
        return {"up": ["demo2"], "down": ["demo1"], "between": ["demo1", "demo2"]}[kind]

    def assertGone(self, folder, there):
        self.assertNothingLeft(folder)
        self.assertFalse(os.path.exists(there))


class NoSftpCase(BeamCase):
    """Copies of a host without SFTP, demo1."""

    CONFIG = "role = operator\ntransfer_idle_timeout = 3\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fleet.without_sftp("demo1")

    def warm(self):
        """The processes of the host's connection, made now if need be."""
        self.assertScoutOk(self.client.tool("list", 30, target=f"demo1:{self.fleet.path('demo1')}"),
                           "directory")
        return self.fleet.processes("demo1")[1:]

    def cut_off(self, way, folder, **arguments):
        """Begins a copy to `folder`, and ends it when it is under way: "cancelled" or "killed"."""
        processes = self.warm()
        request = self.send(**arguments)
        wait_for_partial(folder, MIB)
        if way == "cancelled":
            self.client.notify("notifications/cancelled", {"requestId": request})
        else:
            self.signal(processes, signal.SIGKILL)
            self.assertFailed(self.client.result(request, LIMIT_S), "connection-lost")
