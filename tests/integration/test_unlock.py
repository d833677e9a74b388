"""`scout unlock` and `scout lock`: encrypted keys, passphrases typed at a terminal, and where a
passphrase must never be seen."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import harness
from terminal import Terminal

PASSPHRASE = "Kw7-passphrase-of-the-test"
WRONG = "Kw7-another-one"


class UnlockTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.key = os.path.join(cls.folder, "locked key")
        shutil.copy(cls.fleet.user_key, cls.key)
        os.chmod(cls.key, 0o600)
        subprocess.run(["ssh-keygen", "-q", "-p", "-a", "2", "-P", "", "-N", PASSPHRASE, "-f",
                        cls.key], check=True, stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=30)
        entries = cls.fleet.entry("demo1", "demo1", IdentityFile=f'"{cls.key}"')
        cls.ssh_config = cls.write("ssh_config", entries)

    def setUp(self):
        name = self.id().rsplit(".", 1)[1][-20:]
        # A connection lives for a moment only, so that each read logs in.
        self.daemon = harness.Daemon(self.folder, self.ssh_config, "idle_timeout = 0.1\n", name)
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.control = os.path.join(self.daemon.folder, "s-control.sock")
        self.environment = harness.clean_environment(self.daemon.folder)
        self.environment.update(
            SCOUT_SOCKET=self.daemon.socket, SCOUT_STATE_DIR=self.daemon.state)

    # --- what people do ----------------------------------------------------------------------

    def terminal(self, *arguments):
        return Terminal([harness.SCOUT, *arguments], self.environment)

    def unlock(self, *arguments, passphrase=PASSPHRASE):
        """Types a passphrase at the first question; returns exit status and what was said."""
        terminal = self.terminal("unlock", *arguments)
        terminal.wait_for("Passphrase for")
        terminal.type(passphrase)
        return terminal.ends()

    def scout(self, *arguments):
        ended = subprocess.run([harness.SCOUT, *arguments], check=False, capture_output=True,
                               encoding="utf-8", timeout=60, env=self.environment,
                               stdin=subprocess.DEVNULL, start_new_session=True)
        return ended.returncode, ended.stdout, ended.stderr

    def read(self):
        """The result of a read over a new connection."""
        with self.daemon.client() as client:
            return client.scout("demo1:hello.txt")

    def is_locked(self):
        return self.read().get("isError", False)

    def assertLocksAgain(self):
        """As soon as the connection, which knows nothing of keys any more, was left idle."""
        def idle_and_locked():
            time.sleep(0.3)  # longer than idle_timeout, else each try would keep it open
            return self.is_locked()

        harness.wait_until(idle_and_locked, "the connection is closed and the key is locked")
        self.assertScoutError(self.read(), "key-locked")

    def assertReads(self):
        result = self.read()
        self.assertScoutOk(result, "file")
        self.assertEqual(harness.text_of(result), "hello from demo1\n")

    # --- the way through ---------------------------------------------------------------------

    def test_locked_then_unlocked_then_locked(self):
        self.assertScoutError(self.read(), "key-locked", f"scout unlock {self.key}")
        status, said = self.unlock(self.key)
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"unlocked /\S.*locked key ssh-ed25519 SHA256:\S{43}\r\n")
        self.assertNotIn(PASSPHRASE, said)  # no echo
        self.assertReads()

        listed = self.scout("unlock", "--list")
        self.assertEqual(listed[0], 0, listed)
        with open(self.fleet.user_key + ".pub", "rb") as public:
            shown = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=public.read(),
                                   check=True, capture_output=True, timeout=30).stdout.decode()
        self.assertEqual(self.scout("unlock", "--list", self.key)[0], 2)
        self.assertEqual(listed[1], f"{self.key} ssh-ed25519 {shown.split()[1]}\n")

        self.assertEqual(self.scout("lock", self.key)[:2], (0, "locked 1\n"))
        self.assertLocksAgain()
        self.assertEqual(self.scout("unlock", "--list")[:2], (0, ""))

    def test_a_wrong_passphrase_is_said_and_may_be_typed_again(self):
        terminal = self.terminal("unlock", self.key)
        terminal.wait_for("Passphrase for")
        terminal.type(WRONG)
        terminal.wait_for("Passphrase for", 2)
        self.assertIn(b"The passphrase is not that of the key file", terminal.said)
        self.assertScoutError(self.read(), "key-locked")
        terminal.type(PASSPHRASE)
        status, said = terminal.ends()
        self.assertEqual(status, 0, said)
        self.assertNotIn(WRONG, said)
        self.assertReads()

    def test_three_wrong_ones_end_it(self):
        terminal = self.terminal("unlock", self.key)
        for count in range(1, 4):
            terminal.wait_for("Passphrase for", count)
            terminal.type(WRONG)
        status, said = terminal.ends()
        self.assertEqual(status, 1, said)
        self.assertEqual(said.count("(key-unusable)"), 3)
        self.assertTrue(self.is_locked())

    def test_without_a_path_the_configurations_keys_are_found(self):
        status, said = self.unlock()
        self.assertEqual(status, 0, said)
        self.assertIn(f"Passphrase for {self.key}:", said)
        self.assertReads()
        # Nothing is left to unlock, so nobody is asked; all are locked at once.
        status, _, error = self.scout("unlock")
        self.assertEqual(status, 0, error)
        self.assertIn("no key file needs a passphrase", error)
        self.assertEqual(self.scout("lock")[:2], (0, "locked 1\n"))
        self.assertEqual(self.scout("lock")[:2], (0, "locked 0\n"))

    def test_another_name_of_the_same_file_unlocks_it(self):
        link = os.path.join(self.daemon.folder, "link")
        os.symlink(self.key, link)
        self.assertEqual(self.unlock(link)[0], 0)
        self.assertReads()
        self.assertEqual(self.scout("lock", self.key)[:2], (0, "locked 2\n"))
        self.assertLocksAgain()

    # --- what is refused ---------------------------------------------------------------------

    def test_without_a_terminal_nothing_is_asked(self):
        status, out, error = self.scout("unlock", self.key)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("on a terminal only", error)
        self.assertTrue(self.is_locked())

    def test_files_that_cannot_be_unlocked(self):
        self.assertIn("Cannot read the key file /no/such: No such file",
                      self.scout("unlock", "/no/such")[2])
        self.assertIn("not encrypted", self.scout("unlock", self.fleet.user_key)[2])
        self.assertIn("is a public key", self.scout("unlock", self.fleet.user_key + ".pub")[2])
        fifo = os.path.join(self.daemon.folder, "fifo")
        os.mkfifo(fifo)
        self.assertIn("no regular file", self.scout("unlock", fifo)[2])
        self.assertIn("is not unlocked", self.scout("lock", self.key)[2])

    def test_control_c_ends_it_and_the_terminal_echoes_again(self):
        terminal = self.terminal("unlock", self.key)
        # Held open, so that the terminal's state can be read after the end.
        held = os.open(f"/proc/{terminal.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, held)
        terminal.wait_for("Passphrase for")
        self.assertFalse(terminal.echoes())
        os.write(terminal.fd, b"half a pass\x03")
        _, status = os.waitpid(terminal.pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), -signal.SIGINT)
        self.assertTrue(terminal.echoes())
        os.close(terminal.fd)

    def test_a_signal_that_does_not_end_it_lets_it_ask_again(self):
        terminal = self.terminal("unlock", self.key)
        terminal.wait_for("Passphrase for")
        os.kill(terminal.pid, signal.SIGTSTP)  # does not stop the leader of a session
        terminal.wait_for("Passphrase for", 2)
        self.assertFalse(terminal.echoes())
        terminal.type(PASSPHRASE)
        self.assertEqual(terminal.ends()[0], 0)
        self.assertReads()

    # --- where it must not be seen -----------------------------------------------------------

    def memory_has(self, text):
        """Whether the daemon's memory holds `text`."""
        with harness.looking_inside(), \
                open(f"/proc/{self.daemon.process.pid}/maps", encoding="utf-8") as maps, \
                open(f"/proc/{self.daemon.process.pid}/mem", "rb", 0) as memory:
            for line in maps:
                place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if not place or int(place[2], 16) - int(place[1], 16) > 1 << 30:
                    continue
                try:
                    memory.seek(int(place[1], 16))
                    if text in memory.read(int(place[2], 16) - int(place[1], 16)):
                        return True
                except OSError:
                    continue
        return False

    def test_the_passphrase_is_nowhere(self):
        terminal = self.terminal("unlock", self.key)
        terminal.wait_for("Passphrase for")
        processes = [terminal.pid, self.daemon.process.pid]
        terminal.type(WRONG)
        terminal.wait_for("Passphrase for", 2)
        for pid in processes:
            for name in ("cmdline", "environ"):
                with harness.looking_inside(), open(f"/proc/{pid}/{name}", "rb") as shown:
                    self.assertNotIn(b"Kw7-", shown.read())
        terminal.type(PASSPHRASE)
        self.assertEqual(terminal.ends()[0], 0)
        harness.wait_until(lambda: "key_unlocked" in self.daemon.log(), "it is logged")
        log = self.daemon.log()
        self.assertIn("unlock_failed", log)
        self.assertNotIn("Kw7-", log)
        for folder, _, names in os.walk(self.daemon.folder):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, "rb") as file:
                        self.assertNotIn(b"Kw7-", file.read(), path)
        self.assertReads()

    def test_the_daemons_memory_keeps_no_passphrase(self):
        """Searched at once, before other work could have taken the freed memory."""
        for passphrase in (WRONG, PASSPHRASE):
            request = {"op": "unlock", "path": self.key, "passphrase": passphrase}
            answer = self.talk(json.dumps(request).encode() + b"\n")
            self.assertEqual(answer["ok"], passphrase == PASSPHRASE)
            try:
                # Found in the store of keys or in a freed answer: the search works.
                self.assertTrue(self.memory_has(self.key.encode()), "memory can be searched")
            except PermissionError:
                self.skipTest("this machine lets nobody read another process's memory")
            self.assertFalse(self.memory_has(passphrase.encode()))

    def test_keys_lie_in_locked_memory(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            locked = int(re.search(r"VmLck:\s+(\d+) kB", status.read())[1])
        if locked < 2048:
            self.assertIn("secrets_not_locked", self.daemon.log())
        else:
            self.assertNotIn("secrets_not_locked", self.daemon.log())

    # --- the socket --------------------------------------------------------------------------

    def talk(self, line):
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(harness.ANSWER_S)
            client.connect(self.control)
            try:
                client.sendall(line)
                while data := client.recv(65536):
                    answer += data
            except ConnectionError:
                pass
        return json.loads(answer) if answer else None

    def test_the_socket_is_for_its_owner_alone(self):
        mode = os.stat(self.control).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        if os.geteuid() != 0:
            self.skipTest("only root can try as somebody else")
        os.chmod(self.control, 0o666)
        for folder in (self.folder, self.daemon.folder):
            os.chmod(folder, 0o755)
        code = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(10)\n"
                "s.connect(sys.argv[1])\n"
                "try:\n s.sendall(b'{\"op\":\"list\"}\\n')\n print(s.recv(99))\n"
                "except ConnectionError:\n print(b'')\n")
        ended = subprocess.run([sys.executable, "-c", code, self.control], check=True, cwd="/",
                               capture_output=True, text=True, timeout=30,
                               preexec_fn=lambda: os.setuid(65534))
        self.assertEqual(ended.stdout, "b''\n")
        harness.wait_until(lambda: 'control_refused reason="another user"' in self.daemon.log(),
                           "it is logged")
        self.assertEqual(self.talk(b'{"op":"list"}\n'), {"ok": True, "keys": [], "count": 0})

    def test_wrong_requests_are_refused_and_harm_nobody(self):
        wrong = [b"junk\n", b"[]\n", b"{}\n", b"\n", b'{"op":"nonsense"}\n', b'{"op":"list"\n',
                 b'{"op":"unlock","path":"relative","passphrase":"x"}\n',
                 b'{"op":"unlock","path":"/x"}\n', b'{"op":"unlock","passphrase":"x"}\n',
                 b'{"op":"unlock","path":"/x","passphrase":7}\n',
                 b'{"op":"unlock","path":"/x","passphrase":"' + b"x" * 1025 + b'"}\n',
                 b'{"op":"unlock","path":"/x","passphrase":"a\\u0000b"}\n',
                 b'{"op":"lock","path":""}\n', b'{"op":"unlock","op":"list"}\n', b"x" * 32768,
                 b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n']
        for line in wrong:
            with self.subTest(line=line[:60]):
                answer = self.talk(line)
                self.assertFalse(answer["ok"])
                self.assertEqual(answer["code"], "invalid-argument")
        self.assertTrue(self.talk(b'{"op":"list"}\n')["ok"])

    def test_one_who_hangs_up_or_says_nothing_harms_nobody(self):
        request = json.dumps({"op": "unlock", "path": self.key, "passphrase": PASSPHRASE})
        silent = []
        for _ in range(4):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.addCleanup(client.close)
            client.connect(self.control)
            silent.append(client)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hasty:
                hasty.connect(self.control)
                hasty.sendall(request.encode() + b"\n")
        # What was asked for is carried out all the same.
        harness.wait_until(lambda: self.talk(b'{"op":"list"}\n')["count"] == 1, "it is unlocked")
        self.assertReads()
        self.daemon.stop()  # with silent ones connected, and without a leak
        self.assertFalse(os.path.exists(self.control))

    def test_more_clients_than_are_served_are_turned_away(self):
        held = []
        for _ in range(16):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.addCleanup(client.close)
            client.connect(self.control)
            held.append(client)
        self.assertIsNone(self.talk(b'{"op":"list"}\n'))
        held.pop().close()
        harness.wait_until(lambda: self.talk(b'{"op":"list"}\n'), "there is room again")

    def test_a_daemon_that_is_started_for_it(self):
        self.daemon.stop()
        self.environment.update(SCOUT_SSH_CONFIG=self.ssh_config, SCOUT_CONFIG=self.daemon.config)
        status, said = self.unlock(self.key)
        pid = harness.lock_holder(os.path.join(self.daemon.state, "lock"))
        self.addCleanup(os.kill, pid, signal.SIGTERM)
        self.assertEqual(status, 0, said)
        self.assertReads()


if __name__ == "__main__":
    harness.main()
