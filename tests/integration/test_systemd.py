"""The service manager's protocol: sockets that are handed over, news of the state, the watchdog."""

import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import unittest

import harness
from harness import text_of

ACTIVATE = shutil.which("systemd-socket-activate")


class Handed(harness.Daemon):
    """A scoutd that gets its sockets as a service manager hands them over."""

    def __init__(self, folder, ssh_config, config="", name="h", **options):
        super().__init__(folder, ssh_config, config, name, **options)
        self.handed = []

    def launch(self):
        """As systemd does it: the descriptors from 3 on, the variables for this very process."""
        fds = [(os.dup(handed.fileno()) if isinstance(handed, socket.socket) else handed)
               for _, handed in self.handed]
        names = ":".join(name for name, _ in self.handed)
        script = f'export LISTEN_PID=$$ LISTEN_FDS={len(fds)} LISTEN_FDNAMES="{names}"; '
        # First out of the way, then to their numbers.
        script += "".join(f"exec {20 + i}<&{fd} {fd}<&-; " for i, fd in enumerate(fds))
        script += "".join(f"exec {3 + i}<&{20 + i} {20 + i}<&-; " for i in range(len(fds)))
        script += 'exec "$@"'
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", script, "bash", *self.command()], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=fds,
                env={**harness.clean_environment(self.folder), **self.variables},
                preexec_fn=harness.die_with_parent)
        for fd in fds:
            os.close(fd)
        return self


class SystemdTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)

    def listen(self, name, mode=0o600):
        path = os.path.join(self.folder, name)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listening.close)
        listening.bind(path)
        os.chmod(path, mode)
        listening.listen(64)
        return path, listening

    def tools(self, path):
        with harness.Client(path) as client:
            return {tool["name"] for tool in client.request("tools/list")["result"]["tools"]}

    def read(self, path):
        with harness.Client(path) as client:
            return text_of(client.scout("demo1:hello.txt"))

    def answers(self, path):
        with harness.Client(path) as client:
            return "result" in client.request("tools/list")


class SocketsTest(SystemdTest):
    def start(self, name, config, *names, **variables):
        daemon = Handed(self.folder, self.fleet.ssh_config, config, name, variables=variables)
        paths = {}
        for index, socket_name in enumerate(names):
            path, listening = self.listen(f"{name}{index}.sock")
            paths[socket_name] = path
            daemon.handed.append((socket_name, listening))
        daemon.socket = next(iter(paths.values()))
        self.addCleanup(daemon.stop)
        daemon.start()
        return daemon, paths

    def test_the_socket_decides_on_the_role(self):
        daemon, paths = self.start(
            "roles", 'socket "operators" { role = operator }\nsocket "readers" {}\n',
            "readers", "operators", "strangers", "scoutd")
        self.assertIn("run", self.tools(paths["operators"]))
        for name in ("readers", "strangers", "scoutd"):
            self.assertNotIn("run", self.tools(paths[name]), name)
            with harness.Client(paths[name]) as client:
                self.assertScoutError(client.result(client.send("tools/call", {
                    "name": "run", "arguments": {"host": "demo1", "command": "true"}})),
                    "policy-denied")
            self.assertEqual(self.read(paths[name]), "hello from demo1\n")
        harness.wait_until(lambda: "handed_sockets=4" in daemon.log(), "it is logged")

    def test_one_socket_cannot_take_the_room_of_another(self):
        room = 3072  # of one socket
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2 * room:
            self.skipTest("too few descriptors")
        _, paths = self.start("room", "", "readers", "others")
        held = []
        self.addCleanup(lambda: [client.close() for client in held])
        for _ in range(room):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            held.append(client)
            client.connect(paths["readers"])  # waits while the queue is full
        with harness.Client(paths["readers"]) as client:
            self.assertEqual(client.line()["error"]["data"]["code"], "limit-exceeded")
        self.assertEqual(self.read(paths["others"]), "hello from demo1\n")
        held.pop().close()

        def is_let_in():
            with harness.Client(paths["readers"]) as client:
                try:
                    client.send("ping")
                except BrokenPipeError:
                    return False
                return "id" in (client.line() or {})
        harness.wait_until(is_let_in, "there is room again")

    def test_the_key_role_is_for_the_plain_socket(self):
        _, paths = self.start("plain", "", "scoutd", "other", SCOUT_ROLE="operator")
        self.assertIn("run", self.tools(paths["scoutd"]))
        self.assertNotIn("run", self.tools(paths["other"]))

    def test_sockets_without_a_name(self):
        daemon = Handed(self.folder, self.fleet.ssh_config, "role = operator\n", "nameless")
        path, listening = self.listen("nameless.sock")
        daemon.handed = [("", listening)]
        daemon.socket = path
        self.addCleanup(daemon.stop)
        daemon.start()
        self.assertNotIn("run", self.tools(path))

    def test_a_handed_socket_is_never_removed_nor_another_one_made(self):
        daemon, paths = self.start("kept", "", "scoutd")
        own = os.path.join(daemon.folder, "s.sock")
        self.assertFalse(os.path.exists(own))
        daemon.socket = own  # the path of --socket of the next start: a live socket of another
        daemon.stop()
        self.assertTrue(stat.S_ISSOCK(os.stat(paths["scoutd"]).st_mode))
        # Those who connect meanwhile are served by the next daemon.
        waiting = harness.Client(paths["scoutd"])
        self.addCleanup(waiting.close)
        number = waiting.send("tools/list")
        daemon.launch()
        self.assertIn("result", waiting.wait(number, harness.READY_S))

    def test_other_users_are_let_in_where_the_mode_does(self):
        if os.getuid() != 0:
            self.skipTest("needs root, to become another user")
        daemon, paths = self.start("others", "", "scoutd")
        own = harness.Daemon(self.folder, self.fleet.ssh_config, "", "own")
        self.addCleanup(own.stop)
        own.start()
        code = ("import os, socket, sys\nos.setuid(65534)\n"
                "s = socket.socket(socket.AF_UNIX)\ns.settimeout(10)\ns.connect(sys.argv[1])\n"
                "try:\n  s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,'\n"
                "            b'\"method\":\"tools/list\"}\\n')\n"
                "except OSError:\n  pass\n"
                "sys.stdout.write(s.recv(4096).decode())\n")
        os.chmod(self.folder, 0o755)
        for path in (paths["scoutd"], own.socket):
            os.chmod(os.path.dirname(path), 0o755)
            os.chmod(path, 0o666)

        def ask(path):
            return subprocess.run(["/usr/bin/python3", "-c", code, path], check=True, timeout=30,
                                  capture_output=True, text=True).stdout

        self.assertIn('"result"', ask(paths["scoutd"]))
        told = ask(own.socket)
        self.assertIn("not-admitted", told)
        self.assertNotIn('"result"', told)
        harness.wait_until(lambda: "client_refused" in own.log(), "it is logged")
        self.assertIn("65534", own.log())
        self.assertTrue(self.answers(own.socket))
        self.assertNotIn("client_refused", daemon.log())

    def refused(self, name, handed, *words):
        daemon = Handed(self.folder, self.fleet.ssh_config, "", name)
        daemon.handed = handed
        daemon.launch()
        self.addCleanup(daemon.kill)
        self.assertEqual(daemon.ends(), 1)
        for word in words:
            self.assertIn(word, daemon.log())

    def test_what_is_no_listening_unix_socket_is_refused(self):
        network = socket.socket(socket.AF_INET)
        self.addCleanup(network.close)
        network.bind(("127.0.0.1", 0))
        network.listen()
        one, other = socket.socketpair()
        self.addCleanup(one.close)
        self.addCleanup(other.close)
        self.refused("network", [("scoutd", network)], "Descriptor 3 (scoutd)")
        self.refused("connected", [("scoutd", self.listen("fine.sock")[1]), ("x", one)],
                     "Descriptor 4 (x)")
        self.refused("long", [("n" * 64, self.listen("long.sock")[1])], "longer than 63 bytes")

    def test_variables_for_another_process_mean_nothing(self):
        daemon = self.make_daemon(self.fleet.ssh_config, "", "inherited",
                                  variables={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
        self.assertTrue(self.answers(daemon.socket))


@unittest.skipUnless(ACTIVATE, "systemd-socket-activate is not there")
class ActivateTest(SystemdTest):
    def test_systemd_socket_activate(self):
        """The real one: it starts the daemon when the first client comes."""
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config,
                                'socket "two" { role = operator }\n', "activated")
        paths = [os.path.join(self.folder, f"a{i}.sock") for i in range(2)]
        environment = harness.clean_environment(daemon.folder)
        with open(daemon.log_path, "ab") as log:
            # It hands on no environment that is not named.
            daemon.process = subprocess.Popen(
                [ACTIVATE, *(f"--listen={path}" for path in paths), "--fdname=one:two",
                 *(f"--setenv={name}" for name in environment), *daemon.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                preexec_fn=harness.die_with_parent)
        self.addCleanup(daemon.kill)
        harness.wait_until(lambda: all(os.path.exists(path) for path in paths), "it listens",
                           harness.READY_S)
        self.assertNotIn(" ready ", daemon.log())
        self.assertEqual(self.read(paths[0]), "hello from demo1\n")
        self.assertNotIn("run", self.tools(paths[0]))
        self.assertIn("run", self.tools(paths[1]))
        daemon.process.terminate()
        self.assertEqual(daemon.ends(), 0)
        self.assertTrue(all(os.path.exists(path) for path in paths))


class NotifyTest(SystemdTest):
    def start(self, name, address, **variables):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(address.replace("@", "\0", 1))
        manager.settimeout(harness.READY_S)
        daemon = harness.Daemon(
            self.folder, self.fleet.ssh_config, "", name,
            variables={"NOTIFY_SOCKET": address, **variables})
        self.addCleanup(daemon.stop)
        daemon.launch()
        return daemon, manager

    def news(self, manager, wanted):
        """The next message that has the line `wanted`, as its lines; WATCHDOG=1 is passed over."""
        lines = ["WATCHDOG=1"]
        while lines == ["WATCHDOG=1"] and wanted != "WATCHDOG=1":
            lines = manager.recv(4096).decode().split("\n")
        if wanted == "WATCHDOG=1":
            lines = manager.recv(4096).decode().split("\n")
        self.assertIn(wanted, lines)
        return lines

    def test_ready_reloading_stopping(self):
        for name, address in (("path", os.path.join(self.folder, "notify")),
                              ("abstract", f"@scout-test-{os.getpid()}-{id(self)}")):
            with self.subTest(address=address):
                daemon, manager = self.start(name, address)
                self.assertIn("STATUS=Serving, 1 hosts known", self.news(manager, "READY=1"))
                self.assertTrue(self.answers(daemon.socket))  # ready means: it takes clients
                daemon.process.send_signal(signal.SIGHUP)
                told = self.news(manager, "RELOADING=1")
                self.assertTrue(any(line.startswith("MONOTONIC_USEC=") for line in told), told)
                self.news(manager, "READY=1")
                daemon.process.terminate()
                self.news(manager, "STOPPING=1")
                self.assertEqual(daemon.ends(), 0)

    def test_the_watchdog_hears_of_a_loop_that_lives(self):
        daemon, manager = self.start("dog", os.path.join(self.folder, "dog_notify"),
                                     WATCHDOG_USEC="200000")
        self.news(manager, "WATCHDOG=1")
        self.news(manager, "READY=1")
        for _ in range(3):
            self.news(manager, "WATCHDOG=1")
        # A loop that does not pass says nothing.
        daemon.process.send_signal(signal.SIGSTOP)
        manager.settimeout(0.6)
        with self.assertRaises(socket.timeout):
            while True:
                manager.recv(4096)
        daemon.process.send_signal(signal.SIGCONT)
        manager.settimeout(harness.READY_S)
        self.news(manager, "WATCHDOG=1")

    def test_a_watchdog_of_another_process(self):
        daemon, manager = self.start("not_mine", os.path.join(self.folder, "other_notify"),
                                     WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        self.news(manager, "READY=1")
        manager.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            manager.recv(4096)

    def test_a_manager_that_does_not_listen(self):
        daemon = self.make_daemon(self.fleet.ssh_config, "", "deaf", variables={
            "NOTIFY_SOCKET": os.path.join(self.folder, "nobody"), "WATCHDOG_USEC": "1000"})
        self.assertEqual(self.read(daemon.socket), "hello from demo1\n")


if __name__ == "__main__":
    harness.main()
