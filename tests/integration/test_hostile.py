"""Peers that misbehave, and sshd's that die: each costs its own calls and nobody else's."""

import os
import signal
import time

import harness
import hostile
from harness import text_of

CALL_TIMEOUT_S = 4
CONNECT_TIMEOUT_S = 2
LATE_S = 2  # what an answer may take beyond its deadline on a busy machine
PEER_CODES = ("deadline-exceeded", "connection-lost", "ssh-protocol", "connect-failed",
              "limit-exceeded", "no-common-algorithm")
LOST_CODES = ("connection-lost", "connect-failed", "ssh-protocol")


class HostileTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(3)
        with open(cls.fleet.ssh_config, encoding="utf-8") as text:
            config = text.read()
        for name, behave in hostile.ALL.items():
            peer = hostile.Peer(behave)
            cls.addClassCleanup(peer.stop)
            config += cls.fleet.entry(name, "demo1", Port=peer.port)
        cls.dead = hostile.DeadPort()
        cls.addClassCleanup(cls.dead.stop)
        config += cls.fleet.entry("dead", "demo1", Port=cls.dead.port)
        config += cls.fleet.entry("closed", "demo1", Port=hostile.closed_port())
        config += cls.fleet.entry("wrong-key", "demo3",
                                  IdentityFile=cls.fleet.home("demo1", "host_key"))
        cls.daemon = cls.make_daemon(
            cls.write("ssh_config", config),
            f"call_timeout = {CALL_TIMEOUT_S}\nconnect_timeout = {CONNECT_TIMEOUT_S}\n")

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def read_good(self, name="demo1"):
        """A call of a good host, from a client of its own, answers in less than a second."""
        begun = time.monotonic()
        with self.daemon.client() as client:
            self.assertEqual(text_of(client.scout(name + ":hello.txt")), f"hello from {name}\n")
        self.assertLess(time.monotonic() - begun, 1)

    def test_each_hostile_peer_ends_in_an_error_and_disturbs_nobody(self):
        self.read_good()
        names = [*hostile.ALL, "dead"]
        begun = time.monotonic()
        sent = {name: self.client.send_scout(name + ":/etc/hostname") for name in names}
        for _ in range(5):
            self.read_good()
            time.sleep(0.2)
        for name, message_id in sent.items():
            with self.subTest(peer=name):
                result = self.client.result(message_id, CALL_TIMEOUT_S + LATE_S)
                error = self.assertScoutError(result, PEER_CODES)
                self.assertIn(error["stage"], ("connecting", "handshake"))
                self.assertLess(time.monotonic() - begun, CALL_TIMEOUT_S + LATE_S)
        self.read_good()

    def test_the_error_of_a_silent_peer_names_the_stage(self):
        error = self.assertScoutError(self.client.scout("silent:/x"), "deadline-exceeded")
        self.assertEqual(error["stage"], "handshake")

    def test_a_closed_port(self):
        error = self.assertScoutError(self.client.scout("closed:/x"), "connect-failed", "closed")
        self.assertEqual(error["stage"], "connecting")

    def test_a_hostile_peer_costs_little_memory_and_no_busy_loop(self):
        before, cpu = self.daemon.memory_bytes(), self.daemon.cpu_s()
        sent = [self.client.send_scout(f"{name}:/x")
                for name in ("endless-line", "endless-lines", "banner-then-huge-packet")
                for _ in range(20)]
        for message_id in sent:
            self.assertScoutError(self.client.result(message_id, CALL_TIMEOUT_S + LATE_S),
                                  PEER_CODES)
        self.assertLess(self.daemon.memory_bytes() - before, 64 << 20)
        self.assertLess(self.daemon.cpu_s() - cpu, 3)

    def test_a_key_that_the_host_does_not_accept(self):
        error = self.assertScoutError(self.client.scout("wrong-key:/x"), "auth-failed")
        self.assertEqual(error["stage"], "authenticating")

    def test_a_host_that_dies_and_comes_back(self):
        self.read_good("demo2")
        self.fleet.down("demo2")
        self.assertScoutError(self.client.scout("demo2:hello.txt"), LOST_CODES)
        self.read_good("demo1")
        self.fleet.up("demo2")
        # A breaker or a backoff may hold the host back for a while after failures.
        harness.wait_until(lambda: not self.client.scout("demo2:hello.txt").get("isError"),
                           "the host answers again", 10)
        self.read_good("demo2")

    def test_a_connection_that_died_unseen_is_replaced_on_the_next_call(self):
        """The host restarted between two calls: the next one succeeds, it does not complain."""
        self.read_good("demo2")
        self.fleet.down("demo2")
        self.fleet.up("demo2")
        self.assertEqual(text_of(self.client.scout("demo2:hello.txt")), "hello from demo2\n")

    def test_a_host_that_dies_under_load_answers_every_call(self):
        path = self.fleet.write("demo2", "large", b"x" * 1000000)
        client = self.daemon.client().raw()
        self.addCleanup(client.close)
        sent = [client.send_scout("demo2:" + path) for _ in range(100)]
        client.result(sent[0], CALL_TIMEOUT_S + LATE_S)
        self.fleet.down("demo2")
        for message_id in sent[1:]:
            result = client.result(message_id, CALL_TIMEOUT_S + LATE_S)
            if result.get("isError"):
                self.assertScoutError(result, (*LOST_CODES, "deadline-exceeded"))
            else:
                self.assertEqual(len(text_of(result)), 1000000)
        self.fleet.up("demo2")
        harness.wait_until(lambda: not self.client.scout("demo2:hello.txt").get("isError"),
                           "the host answers again", 10)

    def test_a_host_that_freezes_ends_in_the_deadline(self):
        self.read_good("demo3")
        frozen = self.fleet.processes("demo3")
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            message_id = self.client.send_scout("demo3:hello.txt")
            self.read_good("demo1")
            error = self.assertScoutError(
                self.client.result(message_id, CALL_TIMEOUT_S + LATE_S), "deadline-exceeded")
            self.assertIn(error["stage"], ("channel", "running"))
            self.assertGreater(time.monotonic() - begun, CALL_TIMEOUT_S - 1)
        finally:
            for pid in frozen:
                if harness.process_state(pid) is not None:
                    os.kill(pid, signal.SIGCONT)
        harness.wait_until(lambda: not self.client.scout("demo3:hello.txt").get("isError"),
                           "the host answers again", 10)


if __name__ == "__main__":
    harness.main()
