"""Servers and lines that fail at each stage of a connection: each call is answered once, in time,
with what is wrong and where, and costs nobody else anything.

The line is a proxy that falls silent, or resets, after so many bytes: every stage is met without
knowing how many bytes it takes. The servers are the light one with a fault at one exact place."""

import os
import select
import socket
import time

import harness
import hostile
import peers
from harness import text_of

DEADLINE_S = 1.5
CONNECT_S = 2.5  # longer than the deadline: so the call's own end is seen, too
LATE_S = 2  # what an answer may take beyond its deadline on a busy machine
GOOD_S = 1  # what a good host may take while others fail
STAGES = ("queued", "resolving", "connecting", "handshake", "authenticating", "channel", "running")
FILE = 40000  # bytes of the file that is read: more than one packet
CUTS = 14


class FaultTest(peers.PeerTest):
    """A daemon that knows hosts by their ssh_config blocks, and one good host among them."""

    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.server = cls.make_light(*cls.OPTIONS)
        cls.blocks = cls.server.entry("good")

    @classmethod
    def path(cls, size):
        """Of a file of so many bytes."""
        return f"/file-{size}"

    @classmethod
    def start(cls, config=""):
        cls.daemon = cls.make_daemon(
            cls.write("ssh_config", cls.blocks),
            ("" if "call_timeout" in config else f"call_timeout = {DEADLINE_S}\n")
            + f"connect_timeout = {CONNECT_S}\n" + config)
        with cls.daemon.client().raw() as client:
            client.scout("good:" + cls.path(10))
        cls.opened = cls.settled()

    @classmethod
    def settled(cls):
        """How many descriptors the daemon has when those of clients that went are closed."""
        harness.wait_until(lambda: harness.unchanged(lambda: harness.descriptors(cls.daemon), 0.1),
                           "clients are gone")
        return harness.descriptors(cls.daemon)

    @classmethod
    def behind(cls, alias, *options, server=None):
        """A host behind a proxy of its own."""
        server = server or cls.server
        line = cls.make_proxy(server.port, *options)
        cls.name(alias, line.port, server)
        return line

    @classmethod
    def name(cls, alias, port, server=None):
        server = server or cls.server
        known = os.path.join(cls.folder, alias + ".known_hosts")
        with open(server.known_hosts, encoding="ascii") as text:
            key = text.read().split(" ", 1)[1]
        cls.write(alias + ".known_hosts", f"[127.0.0.1]:{port} {key}")
        cls.blocks += server.entry(alias, Port=port, UserKnownHostsFile=known)

    def read_good(self):
        begun = time.monotonic()
        with self.daemon.client().raw() as client:
            self.assertScoutOk(client.scout("good:" + self.path(10)), "file")
        self.assertLess(time.monotonic() - begun, GOOD_S)

    def answers(self, targets, limit=DEADLINE_S + LATE_S):
        """The results of calls that are all made at once: each comes in time, and once. The good
        host answers meanwhile."""
        with self.daemon.client().raw() as client:
            begun = time.monotonic()
            sent = [client.send_scout(target) for target in targets]
            for _ in range(3):
                self.read_good()
                time.sleep(0.1)
            results = [client.result(one, begun + limit - time.monotonic()) for one in sent]
            client.request("ping")
            self.assertEqual(client.answers, {}, "answered twice")
        return results

    def assert_clean(self):
        """Nothing is left of connections that failed, within their connect's time-out."""
        self.read_good()
        harness.wait_until(lambda: harness.descriptors(self.daemon) <= self.opened,
                           "the descriptors are closed", CONNECT_S + LATE_S)


class CutTest(FaultTest):
    """A line that goes silent, or is reset, after so many bytes of each connection."""

    MET = {"handshake", "authenticating", "channel", "running"}  # in each direction

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = [cls.behind("whole"), cls.behind("short")]
        cls.start()
        with cls.daemon.client().raw() as client:
            client.scout("whole:" + cls.path(FILE))
            client.scout("short:/none")  # one message more than the connect
            cls.whole, short = (line.counts() for line in lines)
        cls.behind("first-request", "--stall-after", f"up:{short['up_bytes']}")
        cls.daemon.stop()
        cls.lines = {}
        for fault in ("stall", "reset"):
            for way in ("up", "down"):
                # Most of what comes down is the file; the stages before it are closer together.
                end = cls.whole[way + "_bytes"] - (FILE if way == "down" else 0)
                cuts = [1, *(end * i // (CUTS - 1) for i in range(1, CUTS))]
                if way == "down":
                    cuts.append(end + FILE // 2)
                cls.lines[fault, way] = [f"{fault}-{way}-{cut}" for cut in cuts]
                for cut in cuts:
                    cls.behind(f"{fault}-{way}-{cut}", f"--{fault}-after", f"{way}:{cut}")
        cls.start()

    def sweep(self, fault, way, code, text=""):
        aliases = self.lines[fault, way]
        last, seen = 0, set()
        path = ":" + self.path(FILE)
        for alias, result in zip(aliases, self.answers([alias + path for alias in aliases])):
            with self.subTest(line=alias):
                if not result.get("isError"):
                    self.assertEqual(len(text_of(result)), FILE)
                    last = len(STAGES)  # nothing later may fail
                    continue
                error = self.assertScoutError(result, code, alias, text)
                self.assertGreaterEqual(STAGES.index(error["stage"]), last, error)
                last = STAGES.index(error["stage"])
                seen.add(error["stage"])
        self.assertLessEqual(self.MET, seen)

    def test_silence_from_the_host_at_each_stage(self):
        self.sweep("stall", "down", "deadline-exceeded")

    def test_silence_towards_the_host_at_each_stage(self):
        self.sweep("stall", "up", "deadline-exceeded")

    def test_a_connection_that_never_answered_is_given_up_with_its_call(self):
        """What the host said while it connected is no sign of life."""
        for result in self.answers(["first-request:/none"]):
            error = self.assertScoutError(result, "deadline-exceeded", "first-request")
            self.assertEqual(error["stage"], "running")
        self.assert_clean()

    def test_a_reset_by_the_host_at_each_stage(self):
        self.sweep("reset", "down", "connection-lost", "broke the connection during")

    def test_a_reset_after_so_much_was_sent_at_each_stage(self):
        self.sweep("reset", "up", "connection-lost", "broke the connection during")


class CutExecTest(CutTest):
    """The same at a host without SFTP, where a file is read by a command."""

    OPTIONS = ("--no-sftp", "--exec", "real")
    MET = {"handshake", "channel"}  # the login is short here, beside the command and the file
    test_a_connection_that_never_answered_is_given_up_with_its_call = None  # SFTP's

    @classmethod
    def path(cls, size):
        path = os.path.join(cls.folder, f"file-{size}")
        if not os.path.exists(path):
            cls.write(f"file-{size}", "x" * size)
        return path


def flip(port, way, offset):
    """A peer that passes everything on to `port` and back, but for one bit on each connection."""
    def behave(peer, client):
        with socket.create_connection(("127.0.0.1", port)) as server:
            left = {client: offset if way == "up" else -1, server: offset if way == "down" else -1}
            while not peer.ended.is_set():
                for side in select.select((client, server), (), (), 0.1)[0]:
                    data = bytearray(side.recv(65536))
                    if not data:
                        return
                    if 0 <= left[side] < len(data):
                        data[left[side]] ^= 4
                    left[side] -= len(data)
                    peer.send_all(server if side is client else client, data)

    return hostile.Peer(behave)


def flip_burst(port, number, index, bit):
    """A peer that changes one bit of a byte in the host's burst of that number."""
    def behave(peer, client):
        with socket.create_connection(("127.0.0.1", port)) as server:
            bursts = 0
            while not peer.ended.is_set():
                for side in select.select((client, server), (), (), 0.1)[0]:
                    data = bytearray(side.recv(65536))
                    if not data:
                        return
                    bursts += side is server
                    if side is server and bursts == number:
                        data[min(index, len(data) - 1)] ^= bit
                    peer.send_all(server if side is client else client, data)

    return hostile.Peer(behave)


class FlipTest(FaultTest):
    """A line that changes one bit: the calls fail, or read what is there, and never hang."""

    CODES = ("connection-lost", "ssh-protocol", "no-common-algorithm", "deadline-exceeded",
             "host-key-unknown", "host-key-changed")
    STEP = 67

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.suppress_libcrypto()
        cls.aliases = []
        # Beyond the first key exchange each bit is under a MAC: there any place is as good.
        for way, end in (("down", 1500), ("up", 1400)):
            for offset in range(2, end, cls.STEP):
                peer = flip(cls.server.port, way, offset)
                cls.addClassCleanup(peer.stop)
                cls.aliases.append(f"flip-{way}-{offset}")
                cls.name(cls.aliases[-1], peer.port)
        # The length of a packet; and that of the host key in the key exchange's reply (one of these
        # bursts), which is one byte short then: libssh2 reads beyond it.
        for number, index, bit in (*((number, 3, 4) for number in range(2, 14)),
                                   *((number, 9, 1) for number in (1, 2, 3, 4))):
            peer = flip_burst(cls.server.port, number, index, bit)
            cls.addClassCleanup(peer.stop)
            cls.aliases.append(f"burst-{number}-{index}")
            cls.name(cls.aliases[-1], peer.port)
        cls.start()

    @classmethod
    def suppress_libcrypto(cls):
        """libssh2 (1.10) forgets the host's key when a key exchange fails after it was read: some
        hundred bytes of libcrypto's, which nobody else can find."""
        before = os.environ.get("LSAN_OPTIONS")
        options = "suppressions=" + cls.write("lsan", "leak:libcrypto.so\n")
        os.environ["LSAN_OPTIONS"] = ":".join(filter(None, [before, options]))

        def restore():
            del os.environ["LSAN_OPTIONS"]
            if before is not None:
                os.environ["LSAN_OPTIONS"] = before

        cls.addClassCleanup(restore)

    def test_one_bit_at_each_stage(self):
        """libssh2 asserts on a length that is no multiple of the cipher's block: not our end."""
        targets = [f"{alias}:/file-{FILE}" for alias in self.aliases]
        failed = 0
        for alias, result in zip(self.aliases, self.answers(targets)):
            with self.subTest(line=alias):
                if result.get("isError"):
                    self.assertScoutError(result, self.CODES, alias)
                    failed += 1
                else:
                    self.assertEqual(len(text_of(result)), FILE)
        self.assertGreater(failed, len(self.aliases) // 2)
        self.read_good()


class StageTest(FaultTest):
    """A server with one fault at one exact place: its code and its stage."""

    FAULTS = {
        "garbage-banner": (("--garbage-banner",), "ssh-protocol", "handshake"),
        "banner-delay": (("--banner-delay-ms", "60000"), "deadline-exceeded", "handshake"),
        "kex-stall": (("--kex-stall",), "deadline-exceeded", "handshake"),
        "auth-delay": (("--auth-delay-ms", "60000"), "deadline-exceeded", "authenticating"),
        "auth-refuse": (("--auth-refuse",), "auth-failed", "authenticating"),
        "channel-delay": (("--channel-delay-ms", "60000"), "deadline-exceeded", "channel"),
        "subsystem-delay": (("--exec-delay-ms", "60000"), "deadline-exceeded", "channel"),
        "sftp-init-delay": (("--reply-delay-ms", "60000"), "deadline-exceeded", "channel"),
        "no-sftp-no-channel": (("--no-sftp", "--channel-delay-ms", "60000"), "deadline-exceeded",
                               "channel"),
        # Its SFTP channel is closed just before the connection is, which may look like a host
        # without SFTP.
        "drops": (("--drop-after-requests", "1"), "connection-lost", "channel running"),
    }
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for alias, (options, _, _) in cls.FAULTS.items():
            server = cls.make_light(*options, name=alias)
            cls.name(alias, server.port, server)
        cls.lines = {"half-open": cls.behind("half-open", "--half-open")}
        cls.dead = hostile.DeadPort()
        cls.addClassCleanup(cls.dead.stop)
        cls.name("dead", cls.dead.port)
        cls.start()

    def test_each_fault_has_its_code_and_its_stage(self):
        expected = {alias: (code, stage) for alias, (_, code, stage) in self.FAULTS.items()}
        expected["half-open"] = ("deadline-exceeded", "handshake")
        expected["dead"] = ("deadline-exceeded", "connecting")
        results = self.answers([f"{alias}:/file-10" for alias in expected])
        for (alias, (code, stage)), result in zip(expected.items(), results):
            with self.subTest(fault=alias):
                self.assertIn(self.assertScoutError(result, code, alias)["stage"], stage.split())
        self.assert_clean()

    def test_all_who_wait_for_one_bad_host_are_answered(self):
        targets = ["half-open:/file-10", "auth-delay:/file-10", "kex-stall:/file-10"] * 30
        for result in self.answers(targets):
            self.assertScoutError(result, "deadline-exceeded")
        self.assert_clean()

    def test_bad_hosts_again_and_again_cost_no_memory(self):
        def once():
            self.answers([f"{alias}:/file-10" for alias in self.FAULTS] * 5)
            self.assert_clean()

        once()
        once()
        before = self.daemon.memory_bytes()
        once()
        self.assertLess(self.daemon.memory_bytes() - before, 8 << 20)

    def test_when_bad_hosts_hold_all_places_the_others_wait_as_queued(self):
        config = f"call_timeout = {DEADLINE_S}\nmax_connections = 2\nconnect_timeout = 3600\n"
        daemon = harness.Daemon(self.folder, self.daemon.ssh_config, config, "small").start()
        self.addCleanup(daemon.stop)
        with daemon.client().raw() as client:
            held = [client.send_scout(alias + ":/file-10") for alias in ("half-open", "kex-stall")]
            harness.wait_until(lambda: self.lines["half-open"].counts()["open"], "the connect")
            begun = time.monotonic()
            late = client.send_scout("good:/file-10")
            time.sleep(DEADLINE_S / 2)  # the later ones keep the places when the first give up
            held += [client.send_scout(alias + ":/file-10") for alias in ("half-open", "kex-stall")]
            error = self.assertScoutError(client.result(late), "deadline-exceeded", "good")
            self.assertEqual(error["stage"], "queued")
            self.assertLess(time.monotonic() - begun, DEADLINE_S + LATE_S)
            # All have given up on the bad hosts then: a place of theirs goes to who comes.
            for message_id in held:
                self.assertScoutError(client.result(message_id), "deadline-exceeded")
            self.assertScoutOk(client.scout("good:/file-10"), "file")


class OverTest(FaultTest):
    """Faults that are over: the next call succeeds, also while the last connection is left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lines = {f"{fault}-{when}": cls.behind(f"{fault}-{when}")
                     for fault in ("stall", "blackhole") for when in ("new", "warm")}
        cls.lines["dribble"] = cls.behind("dribble", "--dribble-ms", "0.05")
        plain = cls.make_light("--no-sftp", "--exec", "real", name="plain-server")
        cls.plain = cls.behind("plain", server=plain)
        cls.start()

    def order(self, name, text):
        self.lines[name].order(text)

    def test_the_next_call_after_a_fault_succeeds(self):
        names = [name for name in self.lines if name != "dribble"]
        warm = [name for name in names if name.endswith("warm")]
        for result in self.answers([name + ":/file-10" for name in warm]):
            self.assertScoutOk(result, "file")
        for name in names:
            self.order(name, name.split("-")[0])
        for name, result in zip(names, self.answers([name + ":/file-10" for name in names])):
            error = self.assertScoutError(result, "deadline-exceeded", name)
            self.assertEqual(error["stage"], "running" if name in warm else "handshake")
        for name in names:
            self.order(name, "resume")
        begun = time.monotonic()
        for result in self.answers([name + ":/file-10" for name in names]):
            self.assertScoutOk(result, "file")
        self.assertLess(time.monotonic() - begun, GOOD_S)

    def test_a_host_without_sftp_that_fell_silent_gets_a_new_connection(self):
        """It cannot be pinged: the call that it leaves without an answer is what tells."""
        path = "plain:" + self.write("plain-file", "x")
        opened = self.settled()
        self.assertScoutOk(self.answers([path])[0], "file")
        self.plain.order("blackhole")
        self.assertScoutError(self.answers([path])[0], "deadline-exceeded", "plain")
        harness.wait_until(lambda: harness.descriptors(self.daemon) <= opened,
                           "the dead one is closed")
        self.plain.order("resume")
        self.assertScoutOk(self.answers([path])[0], "file")
        self.assertEqual(self.plain.counts()["connections"], 2)

    def test_bytes_that_come_one_by_one(self):
        for result in self.answers(["dribble:/file-10"]):
            self.assertScoutOk(result, "file")


class WarmTest(FaultTest):
    """A connection that dies after it was ready: whoever comes next does not notice."""

    PING_S = 0.3
    CALL_S = 8
    LARGE = 1000000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lines = {name: cls.behind(name) for name in (
            "idle-hole", "called-hole", "idle-reset", "unseen-reset", "twice")}
        cls.slow = {name: cls.behind(name, "--rate", "2000000")
                    for name in ("read-reset", "read-stall", "read-many")}
        cls.start(f"call_timeout = {cls.CALL_S}\nping_interval = {cls.PING_S}\n"
                  f"ping_timeout = {cls.PING_S}\n")

    def setUp(self):
        self.client = self.daemon.client().raw()
        self.addCleanup(self.client.close)

    def warm(self, name):
        self.assertScoutOk(self.client.scout(name + ":/file-10"), "file")

    def quick(self, message_id):
        """It succeeds in far less than its deadline."""
        begun = time.monotonic()
        self.assertScoutOk(self.client.result(message_id), "file")
        self.assertLess(time.monotonic() - begun, GOOD_S)

    def connects(self, line, count):
        harness.wait_until(lambda: line.counts()["connections"] >= count, "a new connection")

    def test_a_black_hole_is_noticed_while_idle(self):
        line = self.lines["idle-hole"]
        self.warm("idle-hole")
        opened = self.settled()
        line.order("blackhole")
        harness.wait_until(lambda: harness.descriptors(self.daemon) < opened,
                           "the dead one is closed",
                           2 * self.PING_S + LATE_S)
        line.order("resume")
        self.quick(self.client.send_scout("idle-hole:/file-10"))
        self.assertEqual(line.counts()["connections"], 2)

    def test_a_call_on_a_dead_connection_moves_to_a_new_one(self):
        line = self.lines["called-hole"]
        self.warm("called-hole")
        line.order("blackhole")
        sent = [self.client.send_scout("called-hole:/file-10") for _ in range(20)]
        self.connects(line, 2)
        line.order("resume")
        for message_id in sent:
            self.quick(message_id)
        self.assertEqual(line.counts()["connections"], 2)

    def test_pings_keep_a_good_idle_connection(self):
        self.warm("good")
        before = self.server.stats()["sftp_requests"]
        harness.wait_until(lambda: self.server.stats()["sftp_requests"] >= before + 4, "pings")
        connections = self.server.stats()["connections"]
        self.warm("good")
        self.assertEqual(self.server.stats()["connections"], connections)

    def test_a_reset_while_idle(self):
        self.warm("idle-reset")
        self.lines["idle-reset"].order("reset")
        self.quick(self.client.send_scout("idle-reset:/file-10"))

    def test_a_reset_that_the_daemon_has_not_seen_yet(self):
        """The call and the end of the connection come in one pass: it is retried."""
        self.warm("unseen-reset")
        os.kill(self.daemon.process.pid, harness.signal.SIGSTOP)
        try:
            sent = [self.client.send_scout("unseen-reset:/file-10") for _ in range(20)]
            self.lines["unseen-reset"].order("reset")
        finally:
            os.kill(self.daemon.process.pid, harness.signal.SIGCONT)
        for message_id in sent:
            self.quick(message_id)
        self.assertEqual(self.lines["unseen-reset"].counts()["connections"], 2)

    def in_mid_read(self, name, order, calls=1):
        """`order` comes to the line when a part of a large file has come."""
        line = self.slow[name]
        self.warm(name)
        before = line.counts()["down_bytes"]
        sent = [self.client.send_scout(f"{name}:/file-{self.LARGE}") for _ in range(calls)]
        harness.wait_until(lambda: line.counts()["down_bytes"] > before + self.LARGE // 10,
                           "a part of the file")
        line.order(order)
        return sent

    def whole(self, message_id):
        result = self.client.result(message_id)
        self.assertScoutOk(result, "file")
        self.assertEqual(len(text_of(result)), self.LARGE)

    def test_a_reset_in_mid_read_is_retried(self):
        for message_id in self.in_mid_read("read-reset", "reset"):
            self.whole(message_id)
        self.assertEqual(self.slow["read-reset"].counts()["connections"], 2)

    def test_a_silence_in_mid_read_is_noticed_and_retried(self):
        sent = self.in_mid_read("read-stall", "stall")
        self.connects(self.slow["read-stall"], 2)
        self.slow["read-stall"].order("resume")
        for message_id in sent:
            self.whole(message_id)
        self.assertEqual(self.slow["read-stall"].counts()["connections"], 2)

    def test_a_reset_under_many_reads_is_retried_over_one_connection(self):
        for message_id in self.in_mid_read("read-many", "reset", 4):
            self.whole(message_id)
        self.assertEqual(self.slow["read-many"].counts()["connections"], 2)

    def test_a_second_loss_is_told(self):
        """One more connection, no more, whose handshake is tried five times (a server that has too
        many drops some): a host that resets whatever it is asked is not asked for ever."""
        line = self.lines["twice"]
        self.warm("twice")
        line.order("delay-ms 400")  # so that nothing is answered before the reset
        message_id = self.client.send_scout("twice:/file-10")
        line.order("reset")
        for count in range(2, 7):
            self.connects(line, count)
            line.order("reset")
        error = self.assertScoutError(self.client.result(message_id), "connection-lost", "twice")
        self.assertIn(error["stage"], ("handshake", "authenticating"))
        self.assertEqual(line.counts()["connections"], 6)
        line.order("delay-ms 0")
        self.warm("twice")


if __name__ == "__main__":
    harness.main()
