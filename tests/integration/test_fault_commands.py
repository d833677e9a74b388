"""Commands at the pool's API on servers that misbehave: each ends once, in time, and as it was."""

import os
import subprocess
import threading
import time

import harness
import peers

POOL_RUN = os.path.join(harness.BUILD, "pool_run")
LATE_S = 2  # what an end may take beyond its time on a busy machine
STOP_S = 5  # what is cancelled is answered within this time; a deadline, by then


class Driver:
    """pool_run: commands in, ends out."""

    def __init__(self, test, server, *options, port=None):
        known = server.known_hosts
        if port:
            known = os.path.join(test.folder, f"{port}.known_hosts")
            with open(server.known_hosts, encoding="ascii") as text:
                key = text.read().split(" ", 1)[1]
            test.write(os.path.basename(known), f"[127.0.0.1]:{port} {key}")
        self.process = subprocess.Popen(
            [POOL_RUN, *options, str(port or server.port), "light", server.user_key, known],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=harness.clean_environment("/nonexistent"), preexec_fn=harness.die_with_parent)
        test.addCleanup(self.close)
        self.ends = {}
        self.twice = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            name, *rest = line.split()
            if name in self.ends:
                self.twice.append(line)
            end, status, size, code, stage, ran = rest
            self.ends[name] = {"end": end, "status": status, "bytes": int(size), "code": code,
                               "stage": stage, "ran": ran == "1", "at": time.monotonic()}

    def send(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def run(self, commands, timeout):
        """Starts {id: command}; returns {id: end} when all have ended, and how long that took."""
        begun = time.monotonic()
        self.send(*(f"{name} {command}" for name, command in commands.items()))
        harness.wait_until(lambda: all(name in self.ends for name in commands), "all end", timeout)
        ends = {name: self.ends[name] for name in commands}
        return ends, max(end["at"] for end in ends.values()) - begun

    def memory_peak(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

    def close(self):
        """It ends with 0: a sanitizer's report and a leak show here, too."""
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            code = self.process.wait(harness.READY_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.reader.join()
            errors = self.process.stderr.read()
            self.process.stdout.close()
            self.process.stderr.close()
        if code != 0 or self.twice:
            raise AssertionError(f"pool_run ended with {code}, twice {self.twice}:\n{errors}")


class CommandTest(peers.PeerTest):
    def setUp(self):
        self.make_folder()

    def driver(self, server, *options, port=None):
        return Driver(self, server, *options, port=port)

    def assert_exited(self, ends, size=None):
        for name, end in ends.items():
            self.assertEqual((end["end"], end["status"]), ("exited", "0"), (name, end))
            if size is not None:
                self.assertEqual(end["bytes"], size, name)

    def test_two_sessions_are_enough_for_many_commands(self):
        """MaxSessions 2, of which SFTP has one: they run one after the other."""
        server = self.light("--max-sessions", "2")
        driver = self.driver(server)
        ends, _ = driver.run({f"c{i}": f"echo {i + 1000}" for i in range(50)}, 10 + LATE_S)
        self.assert_exited(ends, 5)
        driver.close()
        stats = server.final_stats()
        self.assertEqual(stats["commands"], 50)
        self.assertEqual(stats["channels_max"], 2)

    def test_one_session_is_for_sftp_and_commands_have_a_connection_of_their_own(self):
        """MaxSessions 1: on it they run one after the other, and are stopped over a third."""
        server = self.light("--max-sessions", "1")
        driver = self.driver(server)
        ends, took = driver.run({f"c{i}": f"echo {i + 1000}" for i in range(50)}, 10 + LATE_S)
        self.assert_exited(ends, 5)
        self.assertLess(took, 8)
        driver.send("long sleep-ms 60000")
        harness.wait_until(lambda: server.stats()["commands"] == 51, "it runs")
        driver.send("stop long")
        harness.wait_until(lambda: "long" in driver.ends, "it ends", STOP_S + LATE_S)
        self.assertEqual((driver.ends["long"]["end"], driver.ends["long"]["code"]),
                         ("stopped", "cancelled"))
        self.assert_exited(driver.run({"after": "true"}, 10)[0])
        driver.close()
        stats = server.final_stats()
        self.assertEqual(stats["connections"], 3)

    def test_channels_that_are_never_closed(self):
        """All channels leak at the server, one after the other: no command waits beyond its
        deadline, and those that had a channel were run once."""
        server = self.light("--never-close")
        driver = self.driver(server, "--deadline-ms", "3000")
        for turn in range(3):
            ends, took = driver.run({f"c{turn}-{i}": "echo abc" for i in range(8)},
                                    3 + LATE_S)
            self.assertLess(took, 3 + LATE_S)
            for name, end in ends.items():
                if end["end"] == "failed":
                    self.assertEqual((end["code"], end["stage"], end["ran"]),
                                     ("deadline-exceeded", "channel", False), name)
                else:
                    # All of the output came; that it was all is what nobody said.
                    self.assertEqual((end["end"], end["bytes"], end["code"], end["ran"]),
                                     ("stopped", 4, "deadline-exceeded", True), name)
            if turn == 0:
                self.assertEqual({end["end"] for end in ends.values()}, {"stopped"})
        self.assertEqual({end["end"] for end in ends.values()}, {"failed"})

    def drop(self, after, count, *options):
        server = self.light("--drop-after-requests", str(after))
        driver = self.driver(server, *options)
        ends, _ = driver.run({f"c{i}": "sleep-ms 100" for i in range(count)}, 10 + LATE_S)
        driver.close()
        return ends, server.final_stats()

    def test_what_may_have_run_is_not_run_again(self):
        """The connection is dropped with the second command's request."""
        ends, stats = self.drop(3, 2)
        for end in ends.values():
            self.assertEqual((end["end"], end["code"], end["ran"]),
                             ("failed", "connection-lost", True))
        self.assertEqual((stats["commands"], stats["connections"]), (2, 1))

    def test_what_is_repeatable_is_run_again_once(self):
        """Every connection is dropped with its second command's request."""
        ends, stats = self.drop(3, 2, "--repeatable")
        for end in ends.values():
            self.assertEqual((end["end"], end["code"], end["ran"]),
                             ("failed", "connection-lost", True))
        self.assertEqual((stats["commands"], stats["connections"]), (4, 2))

    def test_what_is_repeatable_succeeds_where_the_second_connection_holds(self):
        server = self.light()
        line = self.proxy(server.port)
        driver = self.driver(server, "--repeatable", port=line.port)
        driver.send(*(f"c{i} sleep-ms 500" for i in range(5)))
        harness.wait_until(lambda: server.stats()["commands"] == 5, "they run")
        line.order("reset")
        harness.wait_until(lambda: len(driver.ends) == 5, "all end")
        self.assert_exited(driver.ends, 0)
        driver.close()
        stats = server.final_stats()
        self.assertEqual((stats["commands"], stats["connections"]), (10, 2))

    def test_a_reset_while_it_runs_is_not_retried(self):
        server = self.light()
        line = self.proxy(server.port)
        driver = self.driver(server, port=line.port)
        driver.send("a sleep-ms 60000", "b sleep-ms 60000")
        harness.wait_until(lambda: server.stats()["commands"] == 2, "they run")
        line.order("reset")
        harness.wait_until(lambda: len(driver.ends) == 2, "both end")
        for end in driver.ends.values():
            self.assertEqual((end["end"], end["code"], end["stage"], end["ran"]),
                             ("failed", "connection-lost", "running", True))
        self.assert_exited(driver.run({"c": "true"}, 10)[0])

    def test_a_stale_connection_is_replaced_unseen(self):
        """The end of the connection comes while the driver is stopped, its commands after it."""
        server = self.light()
        line = self.proxy(server.port)
        driver = self.driver(server, port=line.port)
        self.assert_exited(driver.run({"first": "true"}, 10)[0])
        driver.process.send_signal(harness.signal.SIGSTOP)
        line.order("reset")
        driver.send(*(f"c{i} echo abc" for i in range(10)))
        driver.process.send_signal(harness.signal.SIGCONT)
        harness.wait_until(lambda: len(driver.ends) == 11, "all end")
        for i in range(10):
            self.assert_exited({i: driver.ends[f"c{i}"]}, 4)
        driver.close()
        self.assertEqual(server.final_stats()["commands"], 11)

    def test_a_request_without_an_answer_within_the_deadline(self):
        """Each request is answered 3 s late; the deadline comes while the command's is."""
        server = self.light("--exec-delay-ms", "3000")
        driver = self.driver(server, "--deadline-ms", "4000")
        ends, took = driver.run({f"c{i}": "sleep-ms 60000" for i in range(5)}, 4 + LATE_S)
        for name, end in ends.items():
            self.assertIn(end["end"], ("stopped", "stop-unconfirmed"), name)
            self.assertEqual((end["code"], end["ran"]), ("deadline-exceeded", True), name)
        self.assertGreater(took, 3)
        self.assertLess(took, 4 + LATE_S)

    def test_a_deadline_stops_what_runs(self):
        server = self.light()
        driver = self.driver(server, "--deadline-ms", "4000")
        ends, took = driver.run({f"c{i}": "sleep-ms 60000" for i in range(8)}, 10)
        for name, end in ends.items():
            self.assertEqual((end["end"], end["code"]), ("stopped", "deadline-exceeded"), name)
        self.assertLess(took, 4 + LATE_S)
        self.assert_exited(driver.run({"after": "true"}, 10)[0])

    def test_a_host_that_falls_silent_while_commands_run(self):
        """The deadline comes, the stop is not confirmed, and the next command has a connection of
        its own."""
        server = self.light()
        line = self.proxy(server.port)
        # Two seconds before the deadline it is asked for a sign of life: it must be silent by then.
        driver = self.driver(server, "--deadline-ms", "8000", port=line.port)
        driver.send(*(f"c{i} sleep-ms 60000" for i in range(3)))
        harness.wait_until(lambda: server.stats()["commands"] == 3, "they run")
        begun = time.monotonic()
        line.order("blackhole")
        harness.wait_until(lambda: len(driver.ends) == 3, "all end", 8 + LATE_S)
        self.assertLess(time.monotonic() - begun, 8 + LATE_S)
        for name, end in driver.ends.items():
            self.assertEqual((end["end"], end["code"], end["ran"]),
                             ("stop-unconfirmed", "deadline-exceeded", True), name)
        line.order("resume")
        self.assert_exited(driver.run({"after": "true"}, 10)[0])
        self.assertEqual(line.counts()["connections"], 2)

    def test_pings_find_a_black_hole_under_a_command(self):
        server = self.light()
        line = self.proxy(server.port)
        driver = self.driver(server, "--deadline-ms", "60000", "--ping-ms", "300", port=line.port)
        driver.send("a sleep-ms 60000")
        harness.wait_until(lambda: server.stats()["commands"] == 1, "it runs")
        line.order("blackhole")
        harness.wait_until(lambda: driver.ends, "it ends", 0.6 + LATE_S)
        end = driver.ends["a"]
        self.assertEqual((end["end"], end["code"], end["stage"], end["ran"]),
                         ("failed", "connection-lost", "running", True))

    def test_a_slow_reader_of_much_output(self):
        """50 MB: all of it comes, and little of it at a time is held."""
        server = self.light()
        driver = self.driver(server, "--pause-ms", "1", "--deadline-ms", "60000")
        self.assert_exited(driver.run({"warm": "yes-bytes 1000000"}, 10)[0])
        before = driver.memory_peak()
        ends, _ = driver.run({"big": "yes-bytes 50000000"}, 60)
        self.assert_exited(ends, 50000000)
        # Half of it: the address sanitizer keeps what was freed for a while.
        self.assertLess(driver.memory_peak() - before, 25 << 20)

    def test_a_reader_that_never_reads_holds_nobody_up(self):
        """Two take nothing for an hour; others on the same connection go on. They are stopped."""
        server = self.light()
        driver = self.driver(server, "--pause-ms", "3600000")
        driver.send("a yes-bytes 50000000", "b yes-bytes 50000000")
        harness.wait_until(lambda: server.stats()["commands"] == 2, "they run")
        ends, _ = driver.run({f"c{i}": "true" for i in range(20)}, 5)
        self.assert_exited(ends, 0)
        driver.send("stop a", "stop b")
        harness.wait_until(lambda: {"a", "b"} <= set(driver.ends), "both end", STOP_S + LATE_S)
        for name in ("a", "b"):
            self.assertEqual(driver.ends[name]["code"], "cancelled")
            self.assertIn(driver.ends[name]["end"], ("stopped", "stop-unconfirmed"))
        self.assert_exited(driver.run({"after": "true"}, 5)[0])


if __name__ == "__main__":
    harness.main()
