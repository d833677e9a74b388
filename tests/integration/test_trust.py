"""`scout trust`: the keys are shown, a person at a terminal says yes, and the next call works."""

import base64
import hashlib
import json
import os
import socket
import subprocess

import harness
from harness import text_of
from terminal import Terminal

KINDS = (("ecdsa", "256"), ("ecdsa", "384"))


class TrustTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        keys = []
        for kind, bits in KINDS:
            path = os.path.join(cls.folder, "host_" + kind + bits)
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", path],
                           check=True, stdin=subprocess.DEVNULL, timeout=60)
            keys.append(path)
        cls.more_keys = keys
        cls.fleet = cls.make_fleet(2)
        # Two more kinds of key for the first host.
        config = cls.fleet.home("demo1", "sshd_config")
        with open(config, "a", encoding="ascii") as out:
            out.writelines(f"HostKey {path}\n" for path in keys)
        cls.fleet.down("demo1")
        cls.fleet.up("demo1")

    def setUp(self):
        place = os.path.join(self.folder, self.id().rsplit(".", 1)[1][-24:])
        os.mkdir(place)
        self.known = os.path.join(place, "known_hosts")
        self.address = f"[127.0.0.1]:{self.fleet.port('demo1')}"
        self.ssh_config = os.path.join(place, "ssh_config")
        with open(self.ssh_config, "w", encoding="ascii") as out:
            out.write(self.fleet.entry("demo1", "demo1", UserKnownHostsFile=self.known))
            out.write(self.fleet.entry("demo2", "demo2", UserKnownHostsFile=self.known))
        self.daemon = harness.Daemon(place, self.ssh_config)
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.environment = harness.clean_environment(place)
        self.environment.update(SCOUT_SOCKET=self.daemon.socket, SCOUT_STATE_DIR=self.daemon.state)

    def know(self, text):
        with open(self.known, "w", encoding="ascii") as out:
            out.write(text)

    def known_text(self):
        with open(self.known, encoding="ascii") as text:
            return text.read()

    def read(self, host="demo1"):
        with self.daemon.client() as client:
            return client.scout(host + ":hello.txt")

    def trust(self, *arguments, say="y"):
        terminal = Terminal([harness.SCOUT, "trust", *arguments], self.environment)
        terminal.wait_for("Trust these keys?")
        terminal.type(say)
        return terminal.ends()

    def refused(self, *arguments):
        """It ends without a question."""
        terminal = Terminal([harness.SCOUT, "trust", *arguments], self.environment)
        status, said = terminal.ends()
        self.assertNotIn("Trust these keys?", said)
        return status, said

    @staticmethod
    def fingerprint(public):
        with open(public, encoding="ascii") as text:
            blob = base64.b64decode(text.read().split()[1])
        return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

    # --- yes and no --------------------------------------------------------------------------

    def test_all_kinds_are_shown_and_trusted_and_the_next_call_works(self):
        self.assertScoutError(self.read(), ("known-hosts-missing", "host-key-unknown"))
        status, said = self.trust("demo1")
        self.assertEqual(status, 0, said)
        publics = [self.fleet.home("demo1", "host_key.pub"), *(p + ".pub" for p in self.more_keys)]
        for public in publics:
            self.assertIn(self.fingerprint(public), said)
        self.assertEqual(text_of(self.read()), "hello from demo1\n")
        self.assertEqual(os.stat(self.known).st_mode & 0o777, 0o600)
        lines = self.known_text().splitlines()
        self.assertEqual(len(lines), 3)
        for public in publics:
            with open(public, encoding="ascii") as text:
                self.assertIn(f"{self.address} {' '.join(text.read().split()[:2])}", lines)
        # OpenSSH's own eyes.
        found = subprocess.run(["ssh-keygen", "-F", self.address, "-f", self.known], check=True,
                               capture_output=True, text=True, timeout=30).stdout
        self.assertIn("ssh-ed25519", found)
        harness.wait_until(lambda: "host_trusted host=demo1" in self.daemon.log(), "it is logged")

        status, said = self.refused("demo1")
        self.assertEqual(status, 0)
        self.assertIn("there is nothing to do", said)
        self.assertEqual(self.known_text().splitlines(), lines)

    def test_a_file_that_was_put_in_the_place_of_the_old_one(self):
        """As ssh-keygen -R and editors do it, while the daemon runs in its sandbox."""
        self.assertEqual(self.trust("demo2")[0], 0)
        subprocess.run(["ssh-keygen", "-q", "-R", f"[127.0.0.1]:{self.fleet.port('demo2')}",
                        "-f", self.known], check=True, capture_output=True, timeout=30)
        self.assertScoutError(self.read("demo2"), "host-key-unknown")
        status, said = self.trust("demo2")
        self.assertEqual(status, 0, said)
        self.assertEqual(text_of(self.read("demo2")), "hello from demo2\n")

    def test_anything_else_is_no(self):
        self.know("# mine\n")
        for word in ("n", "yess", "", "Y es"):
            status, said = self.trust("demo1", say=word)
            self.assertEqual(status, 1, said)
            self.assertIn("nothing was written", said)
        self.assertEqual(self.known_text(), "# mine\n")
        self.assertScoutError(self.read(), "host-key-unknown")

    def test_what_stands_in_the_file_stays(self):
        self.know("other ssh-ed25519 AAAA\n# no line feed at the end")
        os.chmod(self.known, 0o644)
        self.assertEqual(self.trust("demo1")[0], 0)
        self.assertTrue(self.known_text().startswith(
            "other ssh-ed25519 AAAA\n# no line feed at the end\n" + self.address))
        self.assertEqual(os.stat(self.known).st_mode & 0o777, 0o644)
        self.assertEqual(text_of(self.read()), "hello from demo1\n")

    def test_a_kind_that_is_not_known_yet_is_added_to_those_that_are(self):
        self.know(f"{self.address} {self.fleet.host_key('demo1')}\n")
        status, said = self.trust("demo1")
        self.assertEqual(status, 0, said)
        self.assertIn("known", said)
        self.assertEqual(len(self.known_text().splitlines()), 3)

    # --- what is no question -----------------------------------------------------------------

    def test_a_changed_key_is_refused_with_what_to_do_by_hand(self):
        self.know(f"{self.address} {self.fleet.host_key('demo2')}\n")
        before = self.known_text()
        status, said = self.refused("demo1")
        self.assertEqual(status, 1)
        self.assertIn("(host-key-changed)", said)
        remedy = f"ssh-keygen -R '{self.address}' -f {self.known}"
        self.assertIn(remedy, said.replace("\r\n", " "))
        self.assertEqual(self.known_text(), before)
        subprocess.run(remedy, shell=True, check=True, capture_output=True, timeout=30)
        self.assertEqual(self.trust("demo1")[0], 0)
        self.assertEqual(text_of(self.read()), "hello from demo1\n")

    def test_a_revoked_key_is_refused(self):
        self.know(f"@revoked * {self.fleet.host_key('demo1')}\n")
        status, said = self.refused("demo1")
        self.assertEqual(status, 1)
        self.assertIn("(host-key-revoked)", said)
        self.assertEqual(len(self.known_text().splitlines()), 1)

    def test_it_takes_a_terminal(self):
        ended = subprocess.run([harness.SCOUT, "trust", "demo1"], input="y\n", check=False,
                               capture_output=True, text=True, timeout=30, env=self.environment,
                               start_new_session=True)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("on a terminal only", ended.stderr)
        self.assertFalse(os.path.exists(self.known))
        for wrong in ((), ("demo1", "--review"), ("demo1", "--yes"), ("demo1", "-y")):
            ended = subprocess.run([harness.SCOUT, "trust", *wrong], check=False, timeout=30,
                                   capture_output=True, env=self.environment)
            self.assertEqual(ended.returncode, 2, wrong)

    def test_hosts_that_cannot_be_asked(self):
        self.assertIn("(unknown-host)", self.refused("nohost")[1])
        self.fleet.down("demo2")
        self.addCleanup(self.fleet.up, "demo2")
        status, said = self.refused("demo2")
        self.assertEqual(status, 1)
        self.assertIn("(connect-failed)", said)

    def test_review_goes_through_all(self):
        terminal = Terminal([harness.SCOUT, "trust", "--review"], self.environment)
        terminal.wait_for("Trust these keys?")
        terminal.type("n")
        terminal.wait_for("Trust these keys?", 2)
        terminal.type("y")
        status, said = terminal.ends()
        self.assertEqual(status, 0, said)
        self.assertScoutError(self.read("demo1"), "host-key-unknown")
        self.assertEqual(text_of(self.read("demo2")), "hello from demo2\n")

    # --- the socket --------------------------------------------------------------------------

    def control(self, request):
        path = os.path.join(self.daemon.folder, "s-control.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(harness.ANSWER_S)
            client.connect(path)
            client.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def test_two_who_trust_at_once_write_once(self):
        keys = [each["key"] for each in
                self.control({"op": "hostkeys", "host": "demo1"})["hostkeys"]]
        self.assertEqual(len(keys), 3)
        sent = []
        for _ in range(8):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.addCleanup(client.close)
            client.settimeout(harness.ANSWER_S)
            client.connect(os.path.join(self.daemon.folder, "s-control.sock"))
            client.sendall(json.dumps({"op": "trust", "host": "demo1", "keys": keys}).encode()
                           + b"\n")
            sent.append(client)
        counts = [json.loads(client.makefile().readline())["count"] for client in sent]
        self.assertEqual(sorted(counts), [0] * 7 + [3])
        self.assertEqual(len(self.known_text().splitlines()), 3)

    def test_wrong_requests(self):
        good = base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"\0\0\0\x20" + b"k" * 32).decode()
        newline = base64.b64encode(b"\0\0\0\x0bssh-\ned2551" + b"\0\0\0\x20" + b"k" * 32).decode()
        for request in ({"op": "hostkeys"}, {"op": "trust", "host": "demo1"},
                        {"op": "trust", "host": "demo1", "keys": []},
                        {"op": "trust", "host": "demo1", "keys": ["AAAA"]},
                        {"op": "trust", "host": "demo1", "keys": ["%%%%"]},
                        {"op": "trust", "host": "demo1", "keys": [newline]},
                        {"op": "trust", "host": "demo1", "keys": [good] * 6},
                        {"op": "hostkeys", "host": 7}):
            with self.subTest(request=request):
                self.assertEqual(self.control(request)["code"], "invalid-argument")
        self.assertFalse(os.path.exists(self.known))

    def test_one_who_leaves_during_the_scan_and_an_end_meanwhile(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        with open(self.ssh_config, "a", encoding="ascii") as out:
            out.write(self.fleet.entry("silent", "demo1", Port=silent.getsockname()[1]))
        self.daemon.stop()
        self.daemon.start()
        for _ in range(3):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(os.path.join(self.daemon.folder, "s-control.sock"))
                client.sendall(b'{"op":"hostkeys","host":"silent"}\n')
                accepted = silent.accept()[0]
                self.addCleanup(accepted.close)
        waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(waiting.close)
        waiting.connect(os.path.join(self.daemon.folder, "s-control.sock"))
        waiting.sendall(b'{"op":"hostkeys","host":"silent"}\n')
        self.addCleanup(silent.accept()[0].close)
        self.daemon.stop()


if __name__ == "__main__":
    harness.main()
