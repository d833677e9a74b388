"""Many operations, many clients: nothing leaks, nothing grows, nobody waits for a dead host."""

import os
import resource
import socket
import time

import harness
import hostile
from harness import text_of

FILES = 64
UNREAD, UNREAD_CALLS, UNREAD_BYTES = 50, 5, 200000  # clients that read nothing, what each asks for
LATE_S = 4  # what an answer may take beyond its deadline on a busy machine
PATIENCE_S = 2  # so long one read may take then; a dead host holds its own for 3 s
CROWD_S = 60  # and among 1,000 clients; those who do not read never end


class EnduranceTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, MaxSessions="10", SetEnv=f"HOME={cls.folder}")
        for i in range(FILES):
            cls.fleet.write("demo1", f"f{i}", f"content of {i}\n")
        with open(cls.fleet.ssh_config, encoding="utf-8") as text:
            config = text.read()
        cls.dead = hostile.DeadPort()
        cls.addClassCleanup(cls.dead.stop)
        config += cls.fleet.entry("dead", "demo1", Port=cls.dead.port)
        cls.ssh_config = cls.write("ssh_config", config)
        cls.daemon = cls.make_daemon(cls.ssh_config, f"call_timeout = {2 * CROWD_S}\n")

    def read(self, client, i, patience=harness.ANSWER_S):
        result = client.scout(f"demo1:f{i % FILES}", patience)
        self.assertEqual(text_of(result), f"content of {i % FILES}\n")

    def load(self, count, in_flight):
        """`count` reads with `in_flight` at a time, each answer checked."""
        with self.daemon.client() as client:
            sent = {}
            for i in range(count + in_flight):
                if i < count:
                    sent[i] = client.send_scout(f"demo1:f{i % FILES}")
                if i >= in_flight:
                    result = client.result(sent.pop(i - in_flight))
                    self.assertEqual(text_of(result), f"content of {(i - in_flight) % FILES}\n")

    def servers(self):
        """The SFTP processes behind demo1's sshd: one for each open channel."""
        found = 0
        for pid in self.fleet.processes("demo1"):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as line:
                    found += b"internal-sftp" in line.read()
            except FileNotFoundError:
                continue
        return found

    def test_1000_in_turn_and_200_at_once_use_one_channel(self):
        before = self.fleet.logins("demo1")
        with self.daemon.client() as client:
            for i in range(1000):
                self.read(client, i)
            sent = [client.send_scout(f"demo1:f{i % FILES}") for i in range(200)]
            for i, message_id in enumerate(sent):
                self.assertEqual(text_of(client.result(message_id)), f"content of {i % FILES}\n")
        self.assertEqual(self.servers(), 1)
        self.assertLessEqual(self.fleet.logins("demo1") - before, 1)

    def test_descriptors_and_memory_stay_flat(self):
        slow = harness.sanitized(self.daemon)
        self.load(5000, 64)  # every buffer and table has its size then
        opened, used = harness.descriptors(self.daemon), self.daemon.memory_bytes()
        self.load(20000 if slow else 100000, 64)
        harness.wait_until(lambda: harness.descriptors(self.daemon) <= opened,
                           "no descriptor is left open")
        self.assertLess(self.daemon.memory_bytes() - used, (64 if slow else 4) << 20)
        self.assertEqual(self.servers(), 1)

    def test_a_black_holed_host_answers_in_its_deadline_and_delays_nobody(self):
        daemon = self.make_daemon(self.ssh_config, "call_timeout = 4\nconnect_timeout = 3\n",
                                  "hasty")
        self.addCleanup(daemon.stop)
        with daemon.client() as client, daemon.client() as other:
            self.read(other, 0)
            begun = time.monotonic()
            sent = [client.send_scout("dead:/etc/hostname") for _ in range(20)]
            slowest = 0.0
            while time.monotonic() - begun < 2:
                at = time.monotonic()
                self.read(other, 1)
                slowest = max(slowest, time.monotonic() - at)
            self.assertLess(slowest, PATIENCE_S)
            for message_id in sent:
                error = self.assertScoutError(client.result(message_id, 4 + LATE_S),
                                              "deadline-exceeded")
                self.assertEqual(error["stage"], "connecting")
            self.assertLess(time.monotonic() - begun, 4 + LATE_S)

    def need_descriptors(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        if min(hard, 8192) < 2100:
            self.skipTest(f"only {hard} descriptors may be open here")

    def test_1000_clients(self):
        self.need_descriptors()
        clients = []
        try:
            for _ in range(1000):
                clients.append(self.daemon.client())
            sent = [client.send_scout(f"demo1:f{i % FILES}") for i, client in enumerate(clients)]
            for i, client in enumerate(clients):
                self.assertEqual(text_of(client.result(sent[i], CROWD_S)),
                                 f"content of {i % FILES}\n")
        finally:
            for client in clients:
                client.close()
        harness.wait_until(lambda: harness.descriptors(self.daemon) < 200, "all clients are gone")

    def open(self, clients, count):
        """`count` more clients, appended to `clients`; returns them."""
        new = [self.daemon.client() for _ in range(count)]
        clients += new
        return new

    def slow_round(self, clients):
        """1,000 clients, most of them slow, while one asks as ever; returns its slowest answer and
        the daemon's memory at the end."""
        for i, client in enumerate(self.open(clients, 500)):
            client.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (65536 if i < 100 else i))
        for client in self.open(clients, UNREAD):
            for _ in range(UNREAD_CALLS):
                client.send_scout("demo1:large")
        ended = self.open(clients, 100)
        for client in ended:
            client.send_scout("demo1:f1", 7)
            client.socket.shutdown(socket.SHUT_WR)
        asking = self.open(clients, 400 - UNREAD)
        sent = [client.send_scout("demo1:f2") for client in asking]
        with self.daemon.client() as client:
            slowest = 0.0
            for i in range(50):
                begun = time.monotonic()
                self.read(client, i, 2 * CROWD_S)
                slowest = max(slowest, time.monotonic() - begun)
        for client in ended:
            self.assertEqual(text_of(client.result(7, CROWD_S)), "content of 1\n")
            self.assertIsNone(client.line())
        for client, message_id in zip(asking, sent):
            self.assertEqual(text_of(client.result(message_id, CROWD_S)), "content of 2\n")
        return slowest, self.daemon.memory_bytes()

    def test_1000_slow_clients(self):
        """Half a line and no more, answers that are never read, half-closed: nobody else waits long,
        and memory has its bounds, a second time too."""
        self.need_descriptors()
        self.fleet.write("demo1", "large", b"y" * UNREAD_BYTES)
        before, used = self.daemon.memory_bytes(), []
        for _ in range(2):
            clients = []
            try:
                slowest, memory = self.slow_round(clients)
            finally:
                for client in clients:
                    client.close()
            self.assertLess(slowest, CROWD_S)
            used.append(memory - before)
            harness.wait_until(lambda: harness.descriptors(self.daemon) < 200, "all are gone")
        # What is not read and the half lines, in buffers that double, and 64 KiB for each client.
        bound = 2 * (UNREAD * UNREAD_CALLS * UNREAD_BYTES + 100 * 65536) + 1000 * 65536
        factor = 2 if harness.sanitized(self.daemon) else 1
        self.assertLess(used[0], bound * factor)
        self.assertLess(used[1] - used[0], bound // 4 * factor, "it does not grow")


class ChangedKeyTest(harness.ScoutTest):
    def test_a_changed_key_is_refused_also_after_a_restart(self):
        self.make_folder()
        fleet = self.make_fleet(2)
        with open(fleet.ssh_config, encoding="utf-8") as text:
            config = text.read()
        # demo2's port answers with demo2's key, where known_hosts has demo1's for it.
        lines = f"[127.0.0.1]:{fleet.port('demo2')} {fleet.host_key('demo1')}\n"
        config += fleet.entry("changed", "demo2",
                              UserKnownHostsFile=self.write("known", lines))
        path = self.write("ssh_config", config)
        before = fleet.logins("demo2")
        for name in ("first", "second"):
            daemon = self.make_daemon(path, name=name, state=os.path.join(self.folder, "state"))
            with daemon.client() as client:
                for _ in range(2):
                    self.assertScoutError(client.scout("changed:hello.txt"), "host-key-changed")
            daemon.stop()
        self.assertEqual(fleet.logins("demo2"), before)


if __name__ == "__main__":
    harness.main()
