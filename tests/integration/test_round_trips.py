"""What a request costs in round trips, counted by a proxy that delays every byte by 10 ms a way."""

import os
import subprocess

import harness
import peers
from harness import text_of

ROUND_TRIP_MS = 20
STATS = 256
POOL_RUN = os.path.join(harness.BUILD, "pool_run")
POOL_STATS = os.path.join(harness.BUILD, "pool_stats")


class RoundTripTest(peers.PeerTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.hop = cls.make_proxy(cls.fleet.port("demo1"), "--delay-ms", str(ROUND_TRIP_MS))
        cls.known = cls.write("known_hosts",
                              f"[127.0.0.1]:{cls.hop.port} {cls.fleet.host_key('demo1')}\n")

    def counted(self, act):
        """How many bursts `act` made in each direction: round trips of what it asked for."""
        # What an earlier request left under way (a CLOSE, a window) does not count.
        harness.wait_until(lambda: harness.unchanged(self.hop.counts, 0.1), "the line is quiet")
        before = self.hop.counts()
        act()
        harness.wait_until(lambda: harness.unchanged(self.hop.counts, 0.1), "the line is quiet")
        after = self.hop.counts()
        return tuple(after[way] - before[way] for way in ("up_bursts", "down_bursts"))

    def test_reads_over_a_warm_connection(self):
        for i in range(12):
            self.fleet.write("demo1", f"small{i}", f"content {i}\n")
        os.makedirs(self.fleet.path("demo1", "folder"), exist_ok=True)
        config = self.write("ssh_config", self.fleet.entry(
            "far", "demo1", Port=self.hop.port, UserKnownHostsFile=self.known))
        daemon = self.make_daemon(config)
        with daemon.client() as client:
            self.assertEqual(text_of(client.scout("far:small0")), "content 0\n")

            def read(names):
                sent = {name: client.send_scout("far:" + name) for name in names}
                for name, message_id in sent.items():
                    self.assertEqual(text_of(client.result(message_id)), f"content {name[5:]}\n")

            # Type and real path; open; read with close.
            self.assertEqual(self.counted(lambda: read(["small1"])), (3, 3))
            self.assertEqual(self.counted(lambda: read([f"small{i}" for i in range(12)])), (3, 3))
            up, down = self.counted(
                lambda: self.assertScoutOk(client.scout("far:folder"), "directory"))
            # Type and real path; opendir; readdir until its end; close, which nobody waits for.
            self.assertLessEqual(up, 5)
            # Links cost one more, however many they are: the close goes out with them.
            for i in range(50):
                os.symlink(f"to-{i}", self.fleet.path("demo1", f"folder/link-{i}"))
            up, down = self.counted(
                lambda: self.assertIn("link-7 -> to-7\n", text_of(client.scout("far:folder"))))
            self.assertLessEqual(up, 5)
            self.assertEqual(self.counted(lambda: self.assertScoutOk(
                client.tool("stat", target="far:folder/link-7"), "stat")), (1, 1))
            self.assertEqual(
                self.counted(lambda: self.assertScoutError(client.scout("far:none"),
                                                           "path-not-found")), (1, 1))

    def test_256_stats_take_two(self):
        for i in range(STATS):
            self.fleet.write("demo1", f"sized/{i}", "x" * i)
        with subprocess.Popen(
                [POOL_STATS, str(self.hop.port), harness.user_name(), self.fleet.user_key,
                 self.known, self.fleet.path("demo1", "sized"), str(STATS)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                preexec_fn=harness.die_with_parent) as driver:
            self.assertEqual(driver.stdout.readline(), "ready\n")

            def ask():
                driver.stdin.write("go\n")
                driver.stdin.flush()
                self.assertEqual(driver.stdout.readline(), "done\n")

            for _ in range(3):
                up, down = self.counted(ask)
                self.assertLessEqual(max(up, down), 2)
            driver.stdin.close()
            self.assertEqual(driver.wait(harness.ANSWER_S), 0)

    def test_a_command_takes_one_when_one_came_before(self):
        """Open and exec at first; then a channel is open already, and the next is opened while the
        command runs."""
        server = self.light()
        hop = self.proxy(server.port, "--delay-ms", str(ROUND_TRIP_MS))
        with open(server.known_hosts, encoding="ascii") as text:
            key = text.read().split(" ", 1)[1]
        known = self.write("light_known_hosts", f"[127.0.0.1]:{hop.port} {key}")
        with subprocess.Popen(
                [POOL_RUN, str(hop.port), "light", server.user_key, known],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=harness.clean_environment("/nonexistent"),
                preexec_fn=harness.die_with_parent) as driver:

            def run(name):
                driver.stdin.write(f"{name} echo {name}\n")
                driver.stdin.flush()
                self.assertEqual(driver.stdout.readline().split()[1:3], ["exited", "0"])

            def answers_until_its_end(name):
                harness.wait_until(lambda: harness.unchanged(hop.counts, 0.1), "the line is quiet")
                before = hop.counts()["down_bursts"]
                run(name)
                return hop.counts()["down_bursts"] - before

            run("connects")
            for name in ("second", "third"):
                self.assertEqual(answers_until_its_end(name), 1)
            driver.stdin.close()
            self.assertEqual(driver.wait(harness.ANSWER_S), 0)


if __name__ == "__main__":
    harness.main()
