"""The daemon's own life: start, refusal to start, end, and what it leaves."""

import os
import re
import signal
import socket
import stat
import subprocess

import harness
import hostile
from harness import text_of


class LifeTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)

    def start(self, name, config="", **paths):
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config, config, name, **paths)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def fails(self, name, config="", **paths):
        """Launches a daemon that must refuse to start; returns what it said."""
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config, config, name, **paths)
        daemon.launch()
        try:
            code = daemon.ends()
        except subprocess.TimeoutExpired:
            daemon.kill()
            self.fail("it started")
        self.assertNotEqual(code, 0)
        self.assertGreater(code, 0, daemon.log())
        return daemon.log()

    def read_good(self, daemon):
        with daemon.client() as client:
            self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")

    def test_sigterm_ends_it_with_0_and_removes_the_socket(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.start(f"term{number}")
            self.read_good(daemon)
            daemon.process.send_signal(number)
            self.assertEqual(daemon.ends(), 0, daemon.log())
            self.assertFalse(os.path.exists(daemon.socket))

    def test_sigterm_with_calls_in_flight_and_clients_connected(self):
        daemon = self.start("busy")
        client = daemon.client()
        self.addCleanup(client.close)
        for _ in range(100):
            client.send_scout("demo1:hello.txt")
        daemon.process.terminate()
        self.assertEqual(daemon.ends(), 0, daemon.log())
        # What was answered was answered rightly; then the connection ended.
        while (message := client.line()) is not None:
            result = message["result"]
            if result.get("isError"):
                self.assertScoutError(result, ("shutting-down", "cancelled"))
            else:
                self.assertEqual(text_of(result), "hello from demo1\n")

    def test_sigterm_with_calls_that_take_long(self):
        """They get their answer, too: a command is stopped, and told with what it has printed."""
        silent = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.addCleanup(silent.close)
        ssh_config = self.write("silent.conf", self.fleet.entry("demo1", "demo1") +
                                self.fleet.entry("silent", "demo1", Port=silent.getsockname()[1]))
        daemon = harness.Daemon(self.folder, ssh_config, "role = operator\n", "long")
        self.addCleanup(daemon.stop)
        daemon.start()
        client, other = daemon.client(), daemon.client()
        self.addCleanup(client.close)
        self.addCleanup(other.close)
        call = client.send("tools/call", {"name": "run", "arguments": {
            "host": "demo1", "command": "echo so far; exec sleep 61.7"}})
        # More than are in flight at a time: the rest waits for its turn.
        many = [other.send_scout("silent:/x") for _ in range(300)]
        self.addCleanup(silent.accept()[0].close)
        harness.wait_until(lambda: "sleep 61.7" in self.processes(), "it runs")
        daemon.process.terminate()
        result = client.result(call, timeout=20)
        content = result["structuredContent"]
        self.assertEqual((content["state"], content["reason"], content["stdout"]),
                         ("stopped", "cancelled", "so far\n"))
        waited = 0
        for each in many:
            answer = other.wait(each, timeout=20)
            if "error" in answer:
                self.assertEqual(answer["error"]["data"]["code"], "shutting-down")
                waited += 1
            else:
                self.assertTrue(answer["result"]["isError"])
        self.assertEqual(waited, 300 - 256)
        self.assertEqual(daemon.ends(), 0, daemon.log())

    @staticmethod
    def processes():
        return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True,
                              check=True).stdout.splitlines()

    def test_modes_of_socket_and_state(self):
        daemon = self.start("modes", state=os.path.join(self.folder, "deep", "er", "state"))
        self.assertEqual(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(daemon.state).st_mode), 0o700)
        self.assertEqual(harness.lock_holder(os.path.join(daemon.state, "lock")),
                         daemon.process.pid)

    def test_killed_and_started_again_over_the_stale_socket(self):
        daemon = self.start("killed")
        self.read_good(daemon)
        daemon.kill()
        self.assertTrue(os.path.exists(daemon.socket))
        daemon.start()
        self.read_good(daemon)

    def test_killed_with_clients_connected(self):
        """They see the end at once; the next daemon serves them when they come again."""
        daemon = self.start("killed_busy")
        clients = [daemon.client() for _ in range(20)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
            for _ in range(10):
                client.send_scout("demo1:hello.txt")
        daemon.kill()
        for client in clients:
            try:
                while client.line() is not None:
                    pass
            except AssertionError as cut:
                self.assertIn("mid-line", str(cut))
        daemon.start()
        for _ in clients:
            self.read_good(daemon)

    def test_a_second_daemon_on_the_state_folder_refuses(self):
        first = self.start("first")
        said = self.fails("second", state=first.state)
        self.assertIn(first.state, said)
        self.read_good(first)

    def test_a_second_daemon_on_a_live_socket_refuses(self):
        first = self.start("owner")
        said = self.fails("thief", socket_path=first.socket)
        self.assertIn(first.socket, said)
        self.read_good(first)

    def test_a_socket_that_has_taken_our_place_is_not_removed(self):
        first = self.start("replaced")
        control = os.path.join(first.folder, "s-control.sock")
        for path in (first.socket, control):
            os.remove(path)
        second = harness.Daemon(self.folder, self.fleet.ssh_config, "", "heir",
                                socket_path=first.socket)
        self.addCleanup(second.stop)
        second.start()
        first.stop()
        self.read_good(second)
        self.assertTrue(os.path.exists(control))
        second.stop()
        for path in (first.socket, control):
            self.assertFalse(os.path.exists(path))

    def test_what_is_no_socket_is_not_removed(self):
        path = self.write("precious", "do not remove\n")
        said = self.fails("careful", socket_path=path)
        self.assertIn(path, said)
        with open(path, encoding="utf-8") as text:
            self.assertEqual(text.read(), "do not remove\n")

    def test_a_wrong_configuration_is_named_by_line(self):
        cases = {
            "# fine\nno_such_key = 5\n": 2,
            "max_file_size = many\n": 1,
            "call_timeout = 10\nconnect_timeout = -1\n": 2,
            "call_timeout = 0\n": 1,
            "log_level = loud\n": 1,
            "max_connections = \n": None,
        }
        for index, (config, line) in enumerate(cases.items()):
            with self.subTest(config=config):
                said = self.fails(f"wrong{index}", config)
                place = re.search(r"scoutd\.conf:(\d+)", said)
                self.assertTrue(place, said)
                if line is not None:
                    self.assertEqual(int(place.group(1)), line, said)

    def test_a_configuration_that_is_no_file_is_refused(self):
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config, "", "pipe")
        os.remove(daemon.config)
        os.mkfifo(daemon.config)  # it would wait for a writer
        daemon.launch()
        self.assertGreater(daemon.ends(), 0)
        self.assertIn(daemon.config, daemon.log())

    def test_a_named_configuration_must_exist(self):
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config, "", "gone")
        os.remove(daemon.config)
        daemon.launch()
        self.assertGreater(daemon.ends(), 0)
        self.assertIn(daemon.config, daemon.log())

    def test_a_broken_ssh_config_is_named_by_line(self):
        path = self.write("broken_ssh_config", "Host a\n  Port not-a-number\n")
        daemon = harness.Daemon(self.folder, path, "", "broken")
        daemon.launch()
        try:
            code = daemon.ends()
        finally:
            daemon.kill()
        self.assertGreater(code, 0)
        self.assertIn(path + ":2", daemon.log())

    def test_help_version_and_wrong_flags(self):
        def run(*arguments):
            return subprocess.run([harness.SCOUTD, *arguments], check=False, capture_output=True,
                                  text=True, stdin=subprocess.DEVNULL, timeout=30,
                                  env=harness.clean_environment(self.folder))

        told = run("--help")
        self.assertEqual(told.returncode, 0)
        for flag in ("--socket", "--config", "--ssh-config", "--state"):
            self.assertIn(flag, told.stdout)
        version = run("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"\d+\.\d+\.\d+")
        self.assertNotEqual(run("--nonsense").returncode, 0)
        self.assertNotEqual(run("--socket").returncode, 0)

    def test_the_variables_name_the_paths(self):
        folder = os.path.join(self.folder, "variables")
        os.mkdir(folder)
        config = self.write("variables.conf", "")
        environment = harness.clean_environment(folder)
        environment.update(SCOUT_SOCKET=os.path.join(folder, "v.sock"), SCOUT_CONFIG=config,
                           SCOUT_SSH_CONFIG=self.fleet.ssh_config,
                           SCOUT_STATE_DIR=os.path.join(folder, "state"))
        self.runs_on(environment, environment["SCOUT_SOCKET"])

    def test_the_defaults_follow_xdg(self):
        folder = os.path.join(self.folder, "xdg")
        os.mkdir(folder)
        environment = harness.clean_environment(folder)
        environment["SCOUT_SSH_CONFIG"] = self.fleet.ssh_config
        # Without XDG_RUNTIME_DIR, the socket is in the state folder.
        self.runs_on(environment, os.path.join(folder, ".local/state/scoutd/scoutd.sock"))
        environment["XDG_RUNTIME_DIR"] = os.path.join(folder, "run")
        environment["XDG_STATE_HOME"] = os.path.join(folder, "st")
        os.mkdir(environment["XDG_RUNTIME_DIR"], 0o700)
        self.runs_on(environment, os.path.join(folder, "run/scoutd/scoutd.sock"))
        self.assertTrue(os.path.exists(os.path.join(folder, "st/scoutd/lock")))

    def runs_on(self, environment, socket_path):
        log = os.path.join(self.folder, "runs_on.log")
        with open(log, "wb") as out:
            process = subprocess.Popen([harness.SCOUTD], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=out, env=environment,
                                       preexec_fn=harness.die_with_parent)
        try:
            def answers():
                self.assertIsNone(process.poll(), open(log, encoding="utf-8").read())
                try:
                    return harness.Client(socket_path)
                except OSError:
                    return None

            with harness.wait_until(answers, f"it answers on {socket_path}") as client:
                self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
        finally:
            process.terminate()
            self.assertEqual(process.wait(harness.READY_S), 0)

    def test_an_idle_connection_is_closed_and_an_idle_daemon_rests(self):  # C.6-60
        said = self.farewells()
        daemon = self.start("idle", "idle_timeout = 1\n")
        self.read_good(daemon)
        self.assertGreater(len(self.fleet.processes("demo1")), 1)
        harness.wait_until(lambda: len(self.fleet.processes("demo1")) == 1,
                           "the connection is closed", 10)
        self.assertEqual(self.farewells(), said + 1)
        before = daemon.cpu_s()
        # Nothing to wait for: this measures a rest of known length.
        try:
            with daemon.client() as client:
                client.line(1)
        except AssertionError:
            pass
        self.assertLess(daemon.cpu_s() - before, 0.1)
        self.read_good(daemon)
        daemon.stop()
        harness.wait_until(lambda: self.farewells() == said + 2, "the end of the daemon is said")

    def farewells(self):
        """How often somebody has told the host that he leaves, as ssh does."""
        with open(self.fleet.home("demo1", "sshd.log"), encoding="utf-8", errors="replace") as log:
            return log.read().count(":11: disconnected by user")

    def config_with(self, name, *blocks):
        """The fleet's ssh configuration with further hosts."""
        with open(self.fleet.ssh_config, encoding="utf-8") as text:
            return self.write(name, text.read() + "".join(blocks))

    def start_on(self, name, ssh_config, config):
        daemon = harness.Daemon(self.folder, ssh_config, config, name)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def test_max_connections_is_never_exceeded(self):
        peer = hostile.Peer(hostile.silent)
        self.addCleanup(peer.stop)
        with open(self.fleet.ssh_config, encoding="utf-8") as text:
            demo = text.read().split("\n\n", 1)[0]
        silent = re.sub(r"Port \d+", f"Port {peer.port}", demo.replace("Host demo1", "Host silent"))
        daemon = self.start_on("one", self.config_with("one_config", "\n", silent, "\n"),
                               "max_connections = 1\nconnect_timeout = 2\n")
        with daemon.client() as client:
            waiting = client.send_scout("silent:/x")
            second = client.send_scout("demo1:hello.txt")
            self.assertTrue(harness.unchanged(lambda: self.fleet.logins("demo1"), 1))
            # The place is free when the first has failed; the second has waited for it.
            self.assertScoutError(client.result(waiting, 10), "deadline-exceeded")
            self.assertEqual(text_of(client.result(second)), "hello from demo1\n")

    def test_max_requests_and_max_queue_bound_what_is_under_way(self):
        peer = hostile.Peer(hostile.silent)
        self.addCleanup(peer.stop)
        config = self.config_with("bounded_config", "\n",
                                  self.fleet.entry("silent", "demo1", Port=peer.port))
        daemon = self.start_on("bounded", config,
                               "max_requests = 1\nmax_queue = 2\nconnect_timeout = 2\n")
        with daemon.client() as client:
            self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
            waiting = [client.send_scout("silent:/x") for _ in range(2)]
            self.assertScoutError(client.scout("silent:/x"), "pool-full", "max_queue")
            for each in waiting:
                self.assertScoutError(client.result(each, 10), "deadline-exceeded")

    def test_known_hosts_of_the_configuration_is_the_default(self):
        with open(self.fleet.ssh_config, encoding="utf-8") as text:
            demo = text.read().split("\n\n", 1)[0]
        path = re.search(r"UserKnownHostsFile (.*)", demo).group(1)
        plain = self.write("plain_config", re.sub(r"\s*UserKnownHostsFile .*", "", demo) + "\n")
        daemon = self.start_on("known", plain, f'known_hosts = "{path}"\n')
        self.read_good(daemon)
        daemon = self.start_on("unknown", plain, 'known_hosts = "/nonexistent/known"\n')
        with daemon.client() as client:
            result = client.scout("demo1:hello.txt")
            self.assertScoutError(result, ("known-hosts-missing", "host-key-unknown"))

    def test_log_level_drops_what_is_below_it(self):
        daemon = self.start("quiet", "log_level = error\n")
        self.read_good(daemon)
        self.assertNotIn("ready", daemon.log())

    def test_the_log_is_one_record_a_line(self):
        daemon = self.start("logged")
        with daemon.client() as client:
            client.scout("no\nsuch level=error:/x")
            client.scout("unknown-host:/x")
        daemon.stop()
        lines = daemon.log().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) +\S")


class SocketPathTest(harness.ScoutTest):
    def test_a_path_that_no_unix_address_holds_is_refused(self):
        folder = self.make_folder()
        daemon = harness.Daemon(folder, os.devnull, "", "long",
                                socket_path=os.path.join(folder, "x" * 120))
        daemon.launch()
        self.assertGreater(daemon.ends(), 0)
        self.assertIn("x" * 60, daemon.log())
        self.assertRaises(OSError, socket.socket(socket.AF_UNIX).connect, daemon.socket)


if __name__ == "__main__":
    harness.main()
