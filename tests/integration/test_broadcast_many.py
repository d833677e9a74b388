"""A broadcast to 200 hosts of which 20 do not answer: the others are answered as if these were not
there, in their order, each failure says how far it came, the call ends in its time, and nothing of it
stays behind."""

import socket
import time

import harness
import hostile
import peers
from harness import text_of

GOOD, REAL, CLOSED, SILENT, DEAD = 177, 3, 10, 5, 5
CONNECT_S, CALL_S = 3, 30
ROUNDS = 4
LATE_S = 5  # beyond a deadline, on a busy machine


class ManyTargetsTest(peers.PeerTest):
    """177 addresses of a light server and 3 real sshd's; 10 ports that nobody listens on; 5 that take
    the connection and never say a word; 5 that are as a host that is switched off."""

    def hosts(self):
        """What the file at each of 200 hosts holds, or where it goes wrong (a code and a stage); the
        hosts' blocks, and the targets in an order in which those that fail stand everywhere."""
        light = self.light("--addresses", str(GOOD))
        fleet = self.make_fleet(REAL)
        self.silent = [hostile.Peer(hostile.silent) for _ in range(SILENT)]
        dead = [hostile.DeadPort() for _ in range(DEAD)]
        for each in (*self.silent, *dead):
            self.addCleanup(each.stop)
        late = ("deadline-exceeded", "connect-failed")
        # Each has a port of its own: those that share one would share the way there, too.
        kinds = ([("closed", port, ("connect-failed",), "connecting") for port in closed_ports(CLOSED)] +
                 [("silent", each.port, late, "handshake") for each in self.silent] +
                 [("dead", each.port, late, "connecting") for each in dead])
        blocks, wanted = "", []
        for n in range(GOOD):
            blocks += light.entry(f"light{n}", n)
            wanted.append((f"light{n}:/file-{n + 1}", n + 1))
        for n in range(REAL):
            blocks += fleet.entry(f"real{n}", f"demo{n + 1}")
            wanted.append((f"real{n}:{fleet.write(f'demo{n + 1}', 'file', f'real {n}')}", f"real {n}"))
        for n, (kind, port, codes, stage) in enumerate(kinds):
            blocks += light.entry(f"{kind}{n}", 0, HostName="127.0.0.1", Port=port)
            wanted.insert(n * 9 % len(wanted), (f"{kind}{n}:/file-1", (codes, stage)))
        return blocks, wanted

    def check(self, result, wanted):
        answer = self.assertScoutOk(result, "broadcast")
        self.assertEqual((answer["succeeded"], answer["total"]), (GOOD + REAL, len(wanted)))
        for (target, what), entry in zip(wanted, answer["results"]):
            host, path = target.split(":")
            self.assertEqual((entry["host"], entry["path"]), (host, path))
            if isinstance(what, tuple):
                self.assertIn(entry["error"]["code"], what[0], entry)
                self.assertEqual(entry["error"]["stage"], what[1], entry)
                self.assertIn(host, entry["error"]["message"])
            elif isinstance(what, int):
                self.assertEqual(entry["text"], light_content(what))
            else:
                self.assertEqual(entry["text"], what)
        self.assertTrue(text_of(result).endswith("─── 180/200 hosts succeeded ───"))

    def test_the_good_ones_answer_and_the_others_say_how_far_they_came(self):
        self.make_folder()
        blocks, wanted = self.hosts()
        self.assertEqual(len(wanted), 200)
        daemon = self.make_daemon(self.write("many", blocks), "max_connections = 400\n"
                                  f"connect_timeout = {CONNECT_S}\ncall_timeout = {CALL_S}\n")
        targets = [target for target, _ in wanted]
        opened, used = 0, []
        with daemon.client().raw() as client:
            for _ in range(ROUNDS):
                begun = time.monotonic()
                result = client.tool("scout", targets=targets, timeout=CALL_S + LATE_S)
                self.assertLess(time.monotonic() - begun, CALL_S)
                self.check(result, wanted)
                opened = opened or harness.descriptors(daemon)  # with the good ones' connections
                harness.wait_until(lambda: harness.descriptors(daemon) <= opened,
                                   "nothing of the others stays open")
                used.append(daemon.memory_bytes())
        limit = 64 if harness.sanitized(daemon) else 4
        self.assertLess(used[-1] - used[1], limit << 20, used)
        for each in self.silent:
            self.assertLessEqual(each.accepted, 2 * ROUNDS, "it is not tried on and on")

    def test_silent_ones_until_the_deadline(self):
        """More than may be under way at a time: the good one among the first has its answer, and who
        never had a turn says that the deadline passed."""
        self.make_folder()
        server = self.light()
        stalled = self.light("--kex-stall", name="stalled")
        hosts = server.entry("good") + "".join(stalled.entry(f"silent{n}") for n in range(200))
        targets = ([f"silent{n}:/file-1" for n in range(100)] + ["good:/file-5"] +
                   [f"silent{n}:/file-1" for n in range(100, 200)])
        daemon = self.make_daemon(self.write("stalling", hosts), "connect_timeout = 60\n"
                                  "max_connections = 500\ncall_timeout = 3\n")
        with daemon.client().raw() as client:
            begun = time.monotonic()
            answer = self.assertScoutOk(client.tool("scout", targets=targets, timeout=20),
                                        "broadcast")
            took = time.monotonic() - begun
        self.assertLess(took, 3 + 2)
        self.assertEqual((answer["succeeded"], answer["total"]), (1, 201))
        self.assertEqual(len(answer["results"][100]["text"]), 5)
        codes = {entry["error"]["code"] for entry in answer["results"] if not entry["ok"]}
        self.assertEqual(codes, {"deadline-exceeded"})


def closed_ports(count):
    """Ports that nobody listens on (they were free a moment ago)."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def light_content(size):
    """What the light server's file of that size holds."""
    return "".join(f"{line:015x}\n" for line in range(size // 16 + 1))[:size]


if __name__ == "__main__":
    harness.main()
