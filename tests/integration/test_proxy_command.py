"""ProxyCommand: a program in the place of a TCP connection, with its errors shown."""

import ctypes
import os
import signal
import time

import harness
from harness import text_of, wait_until

# What nc does, with what every machine of the tests has.
NC = """
import os, socket, sys, threading
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def pump(take, give, end):
    while data := take(65536):
        give(data)
    end()
threading.Thread(target=pump, daemon=True, args=(
    lambda n: os.read(0, n), peer.sendall, lambda: peer.shutdown(socket.SHUT_WR))).start()
def out(data):
    while data:
        data = data[os.write(1, data):]
pump(peer.recv, out, lambda: None)
"""


def running(mark):
    """The processes with `mark` on their command line."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as text:
                if mark.encode() in text.read() and harness.process_state(entry) not in (None, "Z"):
                    found.append(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class ProxyCommandTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(3)
        # A mark for each test of what must not be left running.
        cls.mark = os.path.basename(cls.folder)
        cls.nc = cls.write("nc.py", NC)
        os.chmod(cls.folder, 0o755)
        entry = cls.fleet.entry
        path = os.path.join(cls.folder, "ssh_config")
        nc = f"/usr/bin/python3 -I {cls.nc} %h %p"
        config = entry("nc", "demo1", ProxyCommand=nc)
        config += entry("behind-nc", "demo2", ProxyJump="nc")
        config += entry("bastion", "demo1")
        config += entry("ssh-w", "demo3",
                        ProxyCommand=f"ssh -F {path} -o StrictHostKeyChecking=yes -W %h:%p bastion")
        config += entry("tokens", "demo1", User="someone",
                        ProxyCommand="echo %n/%h/%p/%r/%% >&2; exit 9")
        config += entry("missing", "demo1", ProxyCommand=f"{cls.folder}/no-such-program %h")
        config += entry("hangs", "demo1", ProxyCommand=f"sh -c 'trap \"\" TERM; echo I wait >&2; "
                        f"sleep 60; : {cls.mark}'")
        elsewhere = cls.write("elsewhere.sh", "#!/bin/sh\nexec sleep 9\n")
        os.chmod(elsewhere, 0o755)
        config += entry("elsewhere", "demo1", ProxyCommand=elsewhere)
        config += entry("says-much", "demo1",
                        ProxyCommand="sh -c 'head -c 100000 /dev/zero | tr \\\\0 x >&2; "
                        "echo the end >&2'")
        with open(path, "w", encoding="utf-8") as out:
            out.write(config)
        cls.ssh_config = path

    def start(self, name, config=""):
        daemon = harness.Daemon(self.folder, self.ssh_config, config, name)
        self.addCleanup(daemon.stop)
        daemon.start()
        client = daemon.client().raw()
        self.addCleanup(client.close)
        return daemon, client

    def test_hosts_behind_a_program(self):
        daemon, client = self.start("works")
        self.assertEqual(text_of(client.scout("nc:hello.txt", 30)), "hello from demo1\n")
        self.assertEqual(text_of(client.scout("behind-nc:hello.txt", 30)), "hello from demo2\n")
        self.assertEqual(text_of(client.scout("ssh-w:hello.txt", 30)), "hello from demo3\n")
        # A megabyte each way goes through.
        self.fleet.write("demo1", "large", "y" * 1000000)
        self.assertEqual(len(text_of(client.scout("nc:large", 30))) >= 1000000, True)
        self.assertNotEqual(running(self.nc), [])
        daemon.stop()
        wait_until(lambda: not running(self.nc), "its programs end with the daemon")

    def test_its_words_are_in_the_error(self):
        _, client = self.start("words")
        self.assertScoutError(client.scout("tokens:x"), "connection-lost",
                              'said: "tokens/127.0.0.1/', f"{self.fleet.port('demo1')}/someone/%")
        self.assertScoutError(client.scout("missing:x"), "connection-lost", "no-such-program",
                              "ended with status")
        if ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1:  # Landlock's version
            self.assertScoutError(client.scout("elsewhere:x"), "connection-lost",
                                  "Permission denied",
                                  "only programs below /usr, /bin, /sbin and /opt")
        # The last of many words.
        self.assertScoutError(client.scout("says-much:x"), "connection-lost", "the end")

    def test_it_is_stopped_at_the_deadline_with_all_that_it_started(self):
        daemon, client = self.start("hangs", "connect_timeout = 1\n")
        begun = time.monotonic()
        self.assertScoutError(client.scout("hangs:x"), "deadline-exceeded", "still runs",
                              "I wait")
        self.assertLess(time.monotonic() - begun, 5)
        wait_until(lambda: not running(self.mark + "'") and not running(": " + self.mark),
                   "what ignores SIGTERM is killed", 20)
        # Nothing of it is left unreaped either.
        with open(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children",
                  encoding="ascii") as children:
            self.assertEqual(children.read().split(), [])

    def test_a_program_that_dies_ends_the_connection_and_the_next_call_has_another(self):
        _, client = self.start("dies")
        self.assertEqual(text_of(client.scout("nc:hello.txt", 30)), "hello from demo1\n")
        for pid in running(self.nc):
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(text_of(client.scout("nc:hello.txt", 30)), "hello from demo1\n")


if __name__ == "__main__":
    harness.main()
