"""Many hosts over few connections, and lines that always break: each call is answered once."""

import os
import random
import re
import threading
import time

import harness
import peers
from harness import text_of

PLACES = 10
HOSTS = 100
LATE_S = 2  # what an answer may take beyond its deadline on a busy machine
LOST = ("connection-lost", "connect-failed", "deadline-exceeded")


def pool_record(daemon):
    """The pool's counters, which the daemon logs at its end."""
    record = [line for line in daemon.log().splitlines() if re.search(r"\bpool\b", line)][-1]
    return {key: int(value) for key, value in re.findall(r'"?(\w+)"?[=:]"?(\d+)"?', record)}


class FewPlacesTest(peers.PeerTest):
    """100 hosts, 10 places."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.server = cls.make_light("--addresses", str(HOSTS))

    def start(self, name, config):
        daemon = harness.Daemon(self.folder, self.server.ssh_config,
                                f"max_connections = {PLACES}\nlog_level = debug\n" + config, name)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def check(self, daemon, least_evictions):
        """At most PLACES connections at a time, as the daemon and as the server count."""
        daemon.stop()
        record = pool_record(daemon)
        self.assertLessEqual(record["connections_max"], PLACES)
        self.assertGreaterEqual(record["evictions"], least_evictions)
        harness.wait_until(lambda: self.server.stats()["channels"] == 0, "all are closed")
        stats = self.server.stats()
        # A new connection may be taken by the server just before it sees the end of the old one.
        self.assertLessEqual(stats["connections_max"], 2 * PLACES)
        self.assertEqual(stats["connections"], stats["connections_closed"])

    def read_all(self, client, hosts):
        sent = [(n, client.send_scout(f"light-{n}:/file-{n + 1}")) for n in hosts]
        for n, message_id in sent:
            self.assertEqual(len(text_of(client.result(message_id))), n + 1)

    def test_all_at_once_and_at_random(self):
        daemon = self.start("at-once", "")
        chosen = random.Random(1)
        with daemon.client().raw() as client:
            self.read_all(client, range(HOSTS))
            self.read_all(client, [chosen.randrange(HOSTS) for _ in range(400)])
            # As many as there are places stay warm.
            hosts = range(PLACES)
            self.read_all(client, hosts)
            connections = self.server.stats()["connections"]
            self.read_all(client, list(hosts) * 20)
            self.assertEqual(self.server.stats()["connections"], connections)
        self.check(daemon, HOSTS - PLACES)

    def test_one_after_the_other(self):
        daemon = self.start("in-turn", "")
        with daemon.client().raw() as client:
            for n in range(HOSTS):
                self.read_all(client, [n])
        self.check(daemon, HOSTS - PLACES)

    def test_many_clients(self):
        daemon = self.start("clients", "")

        def one(seed):
            chosen = random.Random(seed)
            with daemon.client().raw() as client:
                for _ in range(20):
                    self.read_all(client, [chosen.randrange(HOSTS)])

        self.in_threads(one, 20)
        self.check(daemon, 1)

    def in_threads(self, function, count):
        errors = []

        def run(number):
            try:
                function(number)
            except BaseException as error:  # pylint: disable=broad-except
                errors.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]


class ResetTest(peers.PeerTest):
    """40 hosts behind lines that are reset at random."""

    CALLS = 1000
    LINES = 4
    USERS = 10  # each is a connection of its own
    # So many messages the kernel takes from a client that does not read while the daemon, which has
    # a megabyte of answers for it, does not read either: beyond a quarter of the socket's buffer
    # (42 of them) both would wait for each other.
    IN_FLIGHT = 32
    CALL_S = 4

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.server = cls.make_light()
        with open(cls.server.known_hosts, encoding="ascii") as text:
            key = text.read().split(" ", 1)[1]
        cls.lines = [cls.make_proxy(cls.server.port) for _ in range(cls.LINES)]
        known, blocks = "", ""
        for i, line in enumerate(cls.lines):
            known += f"[127.0.0.1]:{line.port} {key}"
            for user in range(cls.USERS):
                blocks += cls.server.entry(
                    f"h{i * cls.USERS + user}", Port=line.port, User=f"u{user}",
                    UserKnownHostsFile=os.path.join(cls.folder, "known"))
        cls.write("known", known)
        cls.daemon = cls.make_daemon(cls.write("ssh_config", blocks),
                                     f"call_timeout = {cls.CALL_S}\nmax_connections = 20\n")

    def load(self, client, chosen):
        """All calls, IN_FLIGHT at a time; returns how many succeeded."""
        succeeded, waiting = 0, []
        for i in range(self.CALLS + self.IN_FLIGHT):
            if i < self.CALLS:
                host, size = chosen.randrange(40), chosen.choice((10, 3000, 100000))
                waiting.append((size, time.monotonic(),
                                client.send_scout(f"h{host}:/file-{size}")))
            if i < self.IN_FLIGHT:
                continue
            size, begun, message_id = waiting.pop(0)
            result = client.result(message_id, begun + self.CALL_S + LATE_S - time.monotonic())
            if result.get("isError"):
                self.assertScoutError(result, LOST)
            else:
                self.assertEqual(len(text_of(result)), size)
                succeeded += 1
        client.request("ping")
        self.assertEqual(client.answers, {}, "answered twice")
        return succeeded

    def round(self, seed):
        """A load while lines are reset; returns how many calls succeeded, and the resets."""
        chosen, over, resets = random.Random(seed), threading.Event(), []

        def break_lines():
            at = random.Random(seed + 1)
            while not over.wait(at.uniform(0.005, 0.05)):
                line = at.choice(self.lines)
                line.order("reset")
                resets.append(line)

        breaker = threading.Thread(target=break_lines)
        breaker.start()
        try:
            with self.daemon.client().raw() as client:
                return self.load(client, chosen), len(resets)
        finally:
            over.set()
            breaker.join()

    def read_all(self):
        with self.daemon.client().raw() as client:
            sent = [client.send_scout(f"h{host}:/file-10") for host in range(40)]
            for message_id in sent:
                self.assertScoutOk(client.result(message_id), "file")

    def test_each_call_is_answered_once_and_hosts_come_back_at_once(self):
        succeeded, resets = self.round(1)
        self.assertGreater(resets, 3)
        self.assertGreater(succeeded, self.CALLS // 10)
        self.read_all()
        opened, used = harness.descriptors(self.daemon), self.daemon.memory_bytes()
        for seed in (2, 3):
            self.round(seed)
            self.read_all()
        harness.wait_until(lambda: harness.descriptors(self.daemon) <= opened,
                           "no descriptor is left")
        self.assertLess(self.daemon.memory_bytes() - used, 8 << 20)


if __name__ == "__main__":
    harness.main()
