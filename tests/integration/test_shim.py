"""`scout mcp` as clients use it: many at once, its two ends, and through an ssh of one's own."""

import json
import os
import shlex
import signal
import socket
import subprocess

import harness

SHIMS = 50
INITIALIZE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {},
    "clientInfo": {"name": "shim", "version": "1"}}}) + "\n"


def call(message_id, target):
    return json.dumps({"jsonrpc": "2.0", "id": message_id, "method": "tools/call", "params": {
        "name": "scout", "arguments": {"target": target}, "_meta": harness.META}}) + "\n"


class ShimTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        # A host that takes connections and never says a word.
        cls.silent = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.silent.close)
        with open(cls.fleet.ssh_config, encoding="utf-8") as text:
            cls.ssh_config = cls.write("ssh_config", text.read() + cls.fleet.entry(
                "silent", "demo1", Port=cls.silent.getsockname()[1]))

    def setUp(self):
        place = os.path.join(self.folder, self.id().rsplit(".", 1)[1][-30:])
        os.mkdir(place)
        self.state = os.path.join(place, "state")
        config = os.path.join(place, "scoutd.conf")
        with open(config, "w", encoding="ascii") as out:
            out.write("connect_timeout = 2\n")
        self.paths = {"SCOUT_SOCKET": os.path.join(place, "s.sock"), "SCOUT_CONFIG": config,
                      "SCOUT_SSH_CONFIG": self.ssh_config, "SCOUT_STATE_DIR": self.state}
        self.environment = {**harness.clean_environment(place), **self.paths}
        self.addCleanup(self.end_daemon)

    def daemon_pid(self):
        return harness.lock_holder(os.path.join(self.state, "lock"))

    def end_daemon(self):
        pid = self.daemon_pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            harness.wait_until(lambda: self.daemon_pid() is None, "the daemon ends")

    def log(self):
        with open(os.path.join(self.state, "scoutd.log"), encoding="utf-8") as text:
            return text.read()

    def shim(self, *command):
        process = subprocess.Popen(command or [harness.SCOUT, "mcp"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.environment, preexec_fn=harness.die_with_parent)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def test_fifty_at_once_start_one_daemon(self):
        shims = [self.shim() for _ in range(SHIMS)]
        for shim in shims:
            shim.stdin.write(INITIALIZE)
            shim.stdin.flush()
        for shim in shims:
            answer = json.loads(shim.stdout.readline())
            self.assertEqual(answer["result"]["serverInfo"]["name"], "scout_mcp")
        for shim in shims:
            out, error = shim.communicate(timeout=30)
            self.assertEqual((shim.returncode, out, error), (0, "", ""))
        self.assertEqual(self.log().count(" ready version="), 1, self.log())
        self.assertNotIn("Another scoutd", self.log())

    def test_a_call_that_is_waited_for_is_answered_after_the_end_of_input(self):
        shim = self.shim()
        out, error = shim.communicate(INITIALIZE + call(2, "silent:/etc/hostname"), timeout=30)
        answers = {answer["id"]: answer for answer in map(json.loads, out.splitlines())}
        self.assertEqual((shim.returncode, error), (0, ""))
        self.assertScoutError(answers[2]["result"], "deadline-exceeded")

    def test_it_ends_at_once_when_nobody_reads_any_more(self):
        """Although its input is open and an answer is waited for."""
        shim = self.shim()
        shim.stdin.write(INITIALIZE + call(2, "silent:/etc/hostname"))
        shim.stdin.flush()
        self.assertIn("scout_mcp", shim.stdout.readline())
        shim.stdout.close()
        self.assertEqual(shim.wait(1.5), 0)  # the call would take two seconds
        shim.stdin.close()

    def test_as_a_command_of_ssh(self):
        """Clients that reach a daemon elsewhere: ssh -T bastion scout mcp."""
        command = shlex.join(["env", *(f"{name}={value}" for name, value in self.paths.items()),
                              harness.SCOUT, "mcp"])
        shim = self.shim("ssh", "-T", "-o", "BatchMode=yes", "-F", self.fleet.ssh_config, "demo1",
                         command)
        lines = INITIALIZE + "".join(call(i, "demo1:hello.txt") for i in range(2, 20))
        out, error = shim.communicate(lines, timeout=60)
        self.assertEqual(shim.returncode, 0, error)
        answers = {answer["id"]: answer for answer in map(json.loads, out.splitlines())}
        self.assertEqual(sorted(answers), list(range(1, 20)))
        for message_id in range(2, 20):
            self.assertEqual(harness.text_of(answers[message_id]["result"]),
                             "hello from demo1\n")


if __name__ == "__main__":
    harness.main()
