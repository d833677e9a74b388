"""The tool `run` against real sshd's: what it returns, how it is stopped, who may call it."""

import os

import harness
from harness import text_of

IN_FLIGHT_MAX = 256  # calls of one client; more wait
LIMIT = 65536  # max_file_size of the daemon under test: of stdout


class RunTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # The shells of the sshd's read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")
        cls.daemon = cls.make_daemon(
            cls.fleet.ssh_config,
            f'role = "operator"\nmax_file_size = {LIMIT}\ncall_timeout = 20\n')

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def send(self, client=None, **arguments):
        arguments.setdefault("host", "demo1")
        return (client or self.client).send("tools/call", {"name": "run", "arguments": arguments})

    def run_it(self, **arguments):
        return self.client.result(self.send(**arguments), 25)

    def sleeper(self, name):
        """A command that runs for long, and writes its shell's process id to a file at its begin:
        the command, and a function that waits for the id."""
        path = self.fleet.path("demo1", name)
        if os.path.exists(path):
            os.unlink(path)

        def pid():
            def read():
                try:
                    with open(path, encoding="ascii") as text:
                        return int(text.read() or 0)
                except FileNotFoundError:
                    return None
            return harness.wait_until(read, "the command runs")
        return f"echo $$ > {path}; echo begun; sleep 300; echo over", pid

    def assertGone(self, pid):
        harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "it is gone")

    # --- results -----------------------------------------------------------------------------

    def test_what_it_printed_and_how_it_ended(self):
        result = self.run_it(command="echo out; echo err >&2; exit 3")
        content = self.assertScoutOk(result, "command")
        self.assertEqual(text_of(result), "out\n[stderr]\nerr\n[exit code: 3]")
        self.assertGreaterEqual(content.pop("duration_s"), 0)
        self.assertEqual(content, {
            "kind": "command", "host": "demo1", "command": "echo out; echo err >&2; exit 3",
            "state": "exited", "exit_code": 3, "stdout": "out\n", "stderr": "err\n",
            "stdout_truncated": False, "stderr_truncated": False})

    def test_texts(self):
        cases = {
            "true": "(no output)",
            "echo a": "a\n",
            "printf a; false": "a\n[exit code: 1]",
            "echo e >&2": "[stderr]\ne\n",
            "kill -9 $$": "[signal: KILL]",
            "printf 'a\\377b'": "a\ufffdb",
            "echo a | tr a b && cd / && pwd": "b\n/\n",
        }
        for command, text in cases.items():
            with self.subTest(command=command):
                self.assertEqual(text_of(self.run_it(command=command)), text)
        self.assertEqual(self.run_it(command="kill -9 $$")["structuredContent"]["signal"], "KILL")

    def test_words_are_not_looked_at(self):
        argv = ["printf", "[%s]", "a b", "*", "$HOME", "`id`", "'", "\\", "!", "", "a\nb", "ü", "~"]
        result = self.run_it(argv=argv)
        self.assertEqual(text_of(result), "".join(f"[{word}]" for word in argv[2:]))
        self.assertEqual(result["structuredContent"]["argv"], argv)

    def test_progress_is_told(self):
        self.client.modern = False  # the harness would put a _meta of its own
        message_id = self.client.send("tools/call", {
            "name": "run", "arguments": {"host": "demo1", "command":
                                         "echo a; sleep 1; echo b; sleep 1; echo c"},
            "_meta": {"progressToken": "p"}})
        self.client.result(message_id)
        told = [message["params"]["progress"] for message in self.client.without_id
                if message["method"] == "notifications/progress"]
        self.assertGreaterEqual(len(told), 2)
        self.assertEqual(told, sorted(set(told)))
        self.assertLessEqual(told[-1], 6)

    def test_stdin(self):
        self.assertEqual(text_of(self.run_it(argv=["cat"], stdin="in\n")), "in\n")
        self.assertEqual(text_of(self.run_it(argv=["cat"])), "(no output)")
        self.assertEqual(text_of(self.run_it(argv=["wc", "-c"], stdin="x" * 1000000)).strip(),
                         "1000000")

    def test_the_directory(self):
        folder = self.fleet.path("demo1", "a 'dir")
        os.makedirs(folder, exist_ok=True)
        home = os.path.realpath(os.path.expanduser("~" + harness.user_name()))
        for cwd, there in ((folder, folder), ("~", home), (".", home), ("/usr", "/usr")):
            for call in ({"command": "/bin/pwd"}, {"argv": ["/bin/pwd"]}):
                result = self.run_it(cwd=cwd, **call)
                self.assertEqual(text_of(result).strip(), os.path.realpath(there), cwd)
                self.assertEqual(result["structuredContent"]["path"], cwd)
        missing = self.fleet.path("demo1", "missing")
        for call in ({"command": "touch canary; touch canary"}, {"argv": ["touch", "canary"]}):
            result = self.run_it(cwd=missing, **call)
            self.assertNotEqual(result["structuredContent"]["exit_code"], 0)
            self.assertIn(missing, result["structuredContent"]["stderr"])
        self.assertFalse(os.path.exists(self.fleet.path("demo1", "canary")))

    def test_output_over_the_limit_stops_it(self):
        command, pid = self.sleeper("flood.pid")
        result = self.run_it(command=command.replace("echo begun", "yes"), max_output=4 * LIMIT)
        content = self.assertScoutOk(result, "command")
        self.assertEqual(len(content["stdout"]), LIMIT)
        self.assertTrue(content["stdout_truncated"])
        self.assertEqual((content["state"], content["reason"]), ("stopped", "limit-exceeded"))
        self.assertIn(f"\n[truncated at {LIMIT} bytes]\n[stopped after", text_of(result))
        self.assertGone(pid())
        exact = self.run_it(command=f"head -c {LIMIT} /dev/zero | tr '\\0' x", max_output=4 * LIMIT)
        self.assertEqual(text_of(exact), "x" * LIMIT)

    # --- the end of its time ----------------------------------------------------------------

    def test_its_timeout_stops_it_and_keeps_what_it_printed(self):
        command, pid = self.sleeper("timeout.pid")
        result = self.run_it(command=command, timeout=1)
        content = self.assertScoutOk(result, "command")
        self.assertEqual((content["state"], content["reason"]), ("stopped", "deadline-exceeded"))
        self.assertNotIn("exit_code", content)
        self.assertEqual(content["stdout"], "begun\n")
        self.assertRegex(text_of(result),
                         r"^begun\n\[stopped after \d+\.\d s: its time was over\]$")
        self.assertGreaterEqual(content["duration_s"], 1)
        self.assertGone(pid())

    def test_the_calls_deadline_stops_it_too(self):
        daemon = self.make_daemon(self.fleet.ssh_config, 'role = "operator"\ncall_timeout = 2\n'
                                  'detach_after = 0\n', "hasty")
        command, pid = self.sleeper("deadline.pid")
        with daemon.client() as client:
            result = client.result(self.send(client, command=command))
        content = self.assertScoutOk(result, "command")
        # On a busy machine the end is not confirmed in time; then that is what is told.
        self.assertIn(content["state"], ("stopped", "stop-unconfirmed"))
        self.assertEqual(content["reason"], "deadline-exceeded")
        self.assertLess(content["duration_s"], 2.5)
        self.assertEqual(content["stdout"], "begun\n")
        self.assertGone(pid())

    def test_a_cancelled_call_stops_it(self):
        command, pid = self.sleeper("cancel.pid")
        message_id = self.send(command=command)
        running = pid()
        self.client.notify("notifications/cancelled", {"requestId": message_id})
        self.assertGone(running)
        self.assertIn("result", self.client.request("tools/list"))
        self.assertNotIn(message_id, self.client.answers)

    def test_its_progress_is_told(self):
        for modern in (False, True):
            with self.subTest(modern=modern), self.daemon.client() as client:
                if not modern:
                    client.initialize()
                meta = {**(harness.META if modern else {}), "progressToken": "tök\u0001"}
                client.modern = False
                message_id = client.send("tools/call", {"_meta": meta, "name": "run", "arguments": {
                    "host": "demo1", "command": "for i in 1 2 3 4 5; do echo $i; sleep 0.3; done"}})
                client.result(message_id, 25)
                told = [message["params"] for message in client.without_id]
                self.assertEqual({message["method"] for message in client.without_id},
                                 {"notifications/progress"})
                self.assertGreaterEqual(len(told), 3)
                self.assertEqual({params["progressToken"] for params in told}, {"tök\u0001"})
                numbers = [params["progress"] for params in told]
                self.assertEqual(numbers, sorted(set(numbers)))
                self.assertLessEqual(numbers[-1], 10)

    def test_with_all_places_taken_one_can_be_cancelled(self):
        with self.daemon.client() as client:
            command, pid = self.sleeper("first-of-many")
            first = self.send(client, command=command)
            running = pid()
            for _ in range(IN_FLIGHT_MAX - 1):
                self.send(client, command="sleep 300")
            never = self.fleet.path("demo2", "never")
            dropped = self.send(client, host="demo2", command=f"touch {never}")
            waits = self.send(client, host="demo2", command="echo its turn")
            client.notify("notifications/cancelled", {"requestId": dropped})
            client.request("ping")
            client.notify("notifications/cancelled", {"requestId": first})
            self.assertGone(running)
            self.assertEqual(text_of(client.result(waits)), "its turn\n")
            self.assertFalse(os.path.exists(never))
            self.assertNotIn(first, client.answers)
            self.assertNotIn(dropped, client.answers)
        # All are stopped when the client goes.
        self.assertEqual(text_of(self.run_it(command="echo free")), "free\n")

    def test_a_client_that_goes_away_stops_it(self):
        command, pid = self.sleeper("gone.pid")
        client = self.daemon.client()
        self.send(client, command=command)
        running = pid()
        client.close()
        self.assertGone(running)

    def test_a_daemon_that_ends_stops_it(self):
        daemon = self.make_daemon(self.fleet.ssh_config, 'role = "operator"\n', "ending")
        command, pid = self.sleeper("ending.pid")
        with daemon.client() as client:
            self.send(client, command=command)
            running = pid()
            daemon.stop()  # it ends in order, with 0
        self.assertGone(running)

    def test_a_daemon_ends_while_calls_wait(self):
        daemon = self.make_daemon(self.fleet.ssh_config, 'role = "operator"\n', "ending-full")
        command, pid = self.sleeper("ending-full.pid")
        never = self.fleet.path("demo2", "never-at-the-end")
        with daemon.client() as client:
            self.send(client, command=command)
            running = pid()
            for _ in range(IN_FLIGHT_MAX - 1):
                self.send(client, command="sleep 300")
            self.send(client, host="demo2", command=f"touch {never}")
            client.request("ping")
            daemon.stop()  # with 0
        self.assertGone(running)
        self.assertFalse(os.path.exists(never))

    def test_a_lost_connection_says_that_it_may_have_run(self):
        path = self.fleet.path("demo2", "ran")
        message_id = self.send(host="demo2", command=f"echo x >> {path}; echo begun; sleep 300")
        harness.wait_until(lambda: os.path.exists(path) and os.path.getsize(path), "it runs")
        self.fleet.down("demo2")
        try:
            result = self.client.result(message_id)
        finally:
            self.fleet.up("demo2")
        self.assertTrue(result["isError"])
        content = result["structuredContent"]
        self.assertEqual(content["error"]["code"], "connection-lost")
        self.assertEqual((content["state"], content["may_have_run"]), ("failed", True))
        self.assertTrue(text_of(result).startswith("Error: "), text_of(result))
        self.assertIn("[it may have run on demo2]", text_of(result))
        # Never tried again.
        self.assertEqual(text_of(self.run_it(host="demo2", argv=["cat", path])), "x\n")

    # --- refusals ----------------------------------------------------------------------------

    def test_wrong_arguments(self):
        for arguments, fragment in (
                ({}, 'either "command"'),
                ({"command": "id", "argv": ["id"]}, 'either "command"'),
                ({"command": "  "}, "empty"),
                ({"argv": []}, 'either "command"'),
                ({"argv": [""]}, "must be a command"),
                ({"argv": ["-a", "x", "rm"]}, "must be a command"),
                ({"argv": ["id"], "cwd": "/a\nb"}, "newlines"),
                ({"argv": ["id", 5]}, "at most 256 strings"),
                ({"command": "id", "timeout": 0}, "timeout"),
                ({"command": "id", "host": 5}, "host")):
            with self.subTest(arguments=arguments):
                self.assertScoutError(self.run_it(**arguments), "invalid-argument", fragment)
        self.assertScoutError(self.run_it(host="nowhere", command="id"), "unknown-host",
                              "demo1, demo2")
        self.assertScoutError(self.run_it(argv=["echo", "'" * 20000]), "limit-exceeded", "quotes")

    def test_a_reader_neither_sees_nor_calls_it(self):
        daemon = self.make_daemon(self.fleet.ssh_config, "", "reader")
        with daemon.client() as client:
            tools = client.request("tools/list")["result"]["tools"]
            self.assertNotIn("run", [tool["name"] for tool in tools])
            result = client.result(self.send(client, command="touch canary-reader"))
            self.assertScoutError(result, "policy-denied")
        self.assertFalse(os.path.exists(self.fleet.path("demo1", "canary-reader")))
        tool = next(tool for tool in self.client.request("tools/list")["result"]["tools"]
                    if tool["name"] == "run")
        self.assertEqual((tool["annotations"]["readOnlyHint"],
                          tool["annotations"]["destructiveHint"],
                          tool["annotations"]["idempotentHint"]), (False, True, False))


if __name__ == "__main__":
    harness.main()
