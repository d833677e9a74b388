"""`scout`: what it prints, what it ends with, and that it starts the daemon when none runs."""

import json
import os
import re
import signal
import subprocess

import harness


class CliTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.config = cls.write("scoutd.conf", "call_timeout = 10\n")

    def setUp(self):
        """An environment of its own for each test: no daemon runs in it yet."""
        place = os.path.join(self.folder, self.id().rsplit(".", 1)[1])
        self.state = os.path.join(place, "state")
        os.mkdir(place)
        self.environment = harness.clean_environment(place)
        self.environment.update(
            SCOUT_SOCKET=os.path.join(place, "s.sock"), SCOUT_CONFIG=self.config,
            SCOUT_SSH_CONFIG=self.fleet.ssh_config, SCOUT_STATE_DIR=self.state)
        self.addCleanup(self.end_daemon)

    def daemon_pid(self):
        return harness.lock_holder(os.path.join(self.state, "lock"))

    def end_daemon(self):
        pid = self.daemon_pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            harness.wait_until(lambda: self.daemon_pid() is None, "the daemon ends")
        log = os.path.join(self.state, "scoutd.log")
        if os.path.exists(log):
            with open(log, encoding="utf-8", errors="replace") as text:
                said = text.read()
            self.assertNotRegex(said, "Sanitizer|runtime error|Assertion")

    def run_scout(self, *arguments, stdin="", timeout=60):
        return subprocess.run([harness.SCOUT, *arguments], check=False, capture_output=True,
                              input=stdin, encoding="utf-8", timeout=timeout,
                              env=self.environment)

    def ok(self, *arguments, **options):
        ended = self.run_scout(*arguments, **options)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout

    def fails(self, code, *arguments):
        ended = self.run_scout(*arguments)
        self.assertEqual(ended.returncode, code, ended)
        return ended.stderr

    # --- answers -----------------------------------------------------------------------------

    def test_read(self):
        self.assertEqual(self.ok("read", "demo1:hello.txt"), "hello from demo1\n")
        answer = json.loads(self.ok("read", "demo1:hello.txt", "--json"))
        self.assertEqual((answer["kind"], answer["host"], answer["text"]),
                         ("file", "demo1", "hello from demo1\n"))

    def test_ls(self):
        told = self.ok("ls", "demo2:notes")
        for name in ("one.txt", "two.txt", "empty"):
            self.assertIn(name, told)
        answer = json.loads(self.ok("ls", "--json", "demo2:notes"))
        self.assertEqual(answer["kind"], "directory")
        self.assertIn("one.txt", [entry["name"] for entry in answer["entries"]])

    def test_ls_shows_the_lines_of_ls(self):
        lines = self.ok("ls", "demo2:notes").splitlines()
        self.assertRegex(lines[0], r"^total \d+$")
        self.assertRegex(lines[1], r"^d[rwx-]{9} +\d+ \S+ +\S+ +\d+ .{12} \.$")
        self.assertRegex(self.ok("ls", "demo1:hello.txt"), r"^\d{4} 17 \S+Z hello.txt\n$")

    def test_stat_tree_and_find(self):
        told = self.ok("stat", "demo1:hello.txt")
        self.assertIn("type: file\nsize: 17\n", told)
        self.assertEqual(json.loads(self.ok("stat", "demo1:hello.txt", "--json"))["size"], 17)
        self.assertEqual(self.ok("tree", "demo1:notes"),
                         "notes\n├── empty\n├── one.txt\n└── two.txt\n")
        self.assertEqual(json.loads(self.ok("tree", "demo1:notes", "--json"))["count"], 3)
        found = self.ok("find", "demo1:notes", "*.txt").splitlines()
        self.assertEqual(sorted(found), ["notes/one.txt", "notes/two.txt"])
        self.assertEqual(json.loads(self.ok("find", "demo1:notes", "t*", "--json"))["count"], 1)
        self.assertIn("(path-not-found)", self.fails(1, "stat", "demo1:/no/such"))
        self.assertIn("a pattern", self.fails(2, "find", "demo1:notes"))
        self.assertIn("HOST:PATH", self.fails(2, "find", "demo1", "x"))

    def test_read_some_lines(self):
        self.fleet.write("demo1", "lines", "".join(f"line {n}\n" for n in range(1, 8)))
        for lines, expected in (("2:3", "23"), ("6:", "67"), (":2", "12"), ("4", "4"), ("9:", "")):
            self.assertEqual(self.ok("read", "demo1:lines", "--lines", lines),
                             "".join(f"line {n}\n" for n in expected))
        self.assertEqual(self.ok("read", "--tail", "1", "demo1:lines"), "line 7\n")
        answer = json.loads(self.ok("read", "demo1:lines", "--tail", "2", "--json"))
        self.assertEqual((answer["lines"], answer["text"]), (2, "line 6\nline 7\n"))
        for wrong in (("--lines", "3:2"), ("--lines", "x"), ("--lines", ":"), ("--tail", "0"),
                      ("--lines", "1", "--tail", "1"), ("--tail",)):
            self.fails(2, "read", "demo1:lines", *wrong)
        self.fails(2, "ls", "demo1:notes", "--tail", "1")
        self.fleet.write("demo1", "binary", b"a\0b\n")
        self.assertIn("binary file", self.fails(1, "read", "demo1:binary", "--tail", "1"))

    def test_glob_and_grep(self):
        self.fleet.write("demo1", "tree/a.conf", "Listen 80\nother\n")
        self.fleet.write("demo1", "tree/sub/b.conf", "listen 443\n")
        found = self.ok("glob", "demo1:tree", "**/*.conf").splitlines()
        self.assertEqual(sorted(found), ["tree/a.conf", "tree/sub/b.conf"])
        self.assertEqual(json.loads(self.ok("glob", "demo1:tree", "*", "--json"))["count"], 1)
        self.assertEqual(self.ok("grep", "demo1:tree", "^Listen"), "tree/a.conf:1:Listen 80\n")
        self.assertEqual(self.ok("grep", "demo1:tree", "LISTEN", "-i", "--glob", "sub/*"),
                         "tree/sub/b.conf:1:listen 443\n")
        self.assertEqual(self.ok("grep", "demo1:tree/a.conf", "L", "--context", "1"),
                         "tree/a.conf:1:Listen 80\ntree/a.conf-2-other\n")
        self.assertEqual(json.loads(self.ok("grep", "--json", "demo1:tree", "443"))["count"], 1)
        self.assertIn("No matches", self.fails(1, "grep", "demo1:tree", "nothing"))
        self.assertIn("back references", self.fails(1, "grep", "demo1:tree", "(a)\\1"))
        self.assertIn("a pattern", self.fails(2, "grep", "demo1:tree"))
        self.assertIn("a pattern", self.fails(2, "glob", "demo1:tree"))

    def test_hosts(self):
        told = self.ok("hosts")
        self.assertIn("demo1", told)
        self.assertIn("demo2", told)
        answer = json.loads(self.ok("hosts", "--json"))
        self.assertEqual((answer["count"], answer["online"]), (2, 2))

    def test_hosts_without_a_probe_contacts_no_host(self):
        def contacts():
            with open(self.fleet.home("demo1", "sshd.log"), encoding="utf-8") as log:
                return log.read()

        harness.wait_until(lambda: harness.unchanged(contacts, 0.5), "the host's log is quiet", 10)
        before = contacts()
        told = self.ok("hosts", "--no-probe")
        self.assertIn("demo1", told)
        self.assertNotIn("line", told)  # neither online nor offline
        answer = json.loads(self.ok("hosts", "--no-probe", "--json"))
        self.assertNotIn("online", answer["hosts"][0])
        self.assertEqual(contacts(), before)

    def test_every_command_is_explained_here_and_in_the_readme(self):
        told = self.ok("help")
        verbs = re.findall(r"^  scout (\w+)", told, re.MULTILINE)
        self.assertGreater(len(verbs), 10)
        with open(os.path.join(harness.ROOT, "README.md"), encoding="utf-8") as text:
            readme = text.read()
        for verb in verbs:
            with self.subTest(verb=verb):
                explained = self.ok("help", verb)
                self.assertTrue(explained.startswith("usage: scout [--socket PATH] " + verb))
                self.assertEqual(self.ok(verb, "--help"), explained)
                self.assertIn(f"scout {verb}", readme)
        self.assertIsNone(self.daemon_pid(), "none of it needs a daemon")

    def test_help_and_version(self):
        for arguments in (("help",), ("--help",)):
            told = self.ok(*arguments)
            for verb in ("mcp", "hosts", "read", "ls"):
                self.assertIn(verb, told)
        self.assertRegex(self.ok("version"), r"\d+\.\d+\.\d+")
        self.assertIsNone(self.daemon_pid(), "neither needs a daemon")

    # --- failures ----------------------------------------------------------------------------

    def test_a_failure_on_the_host_is_1_with_its_code(self):
        self.assertEqual(self.fails(1, "read", "demo1:/no/such"),
                         "scout: Path not found: /no/such (path-not-found)\n")
        self.assertIn("(unknown-host)", self.fails(1, "read", "nohost:/x"))
        self.assertIn("(not-a-regular-file)", self.fails(1, "read", "demo1:/dev/zero"))

    def test_wrong_usage_is_2(self):
        for arguments in ((), ("nonsense",), ("read",), ("ls",), ("read", "a:/b", "c:/d"),
                          ("hosts", "--nonsense"), ("--socket",)):
            with self.subTest(arguments=arguments):
                self.assertTrue(self.fails(2, *arguments))

    def test_no_daemon_is_3(self):
        """It does not start, here for its configuration: scout says why, at once."""
        self.environment["SCOUT_CONFIG"] = self.write("bad.conf", "no_such_key = 1\n")
        said = self.fails(3, "hosts")
        self.assertTrue(said.startswith("scout: "), said)
        self.assertIn("bad.conf:1", said)

    # --- starting the daemon -----------------------------------------------------------------

    def test_the_first_call_starts_the_daemon_and_the_second_finds_it(self):
        self.assertIsNone(self.daemon_pid())
        self.ok("hosts", "--no-probe")
        first = self.daemon_pid()
        self.assertIsNotNone(first)
        self.ok("read", "demo1:hello.txt")
        self.assertEqual(self.daemon_pid(), first)

    def test_many_at_once_start_one_daemon(self):
        before = self.fleet.logins("demo1")
        started = [subprocess.Popen([harness.SCOUT, "read", "demo1:hello.txt"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True, env=self.environment)
                   for _ in range(10)]
        for process in started:
            out, error = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (0, "hello from demo1\n"), error)
        # Each daemon makes one connection to the host.
        self.assertEqual(self.fleet.logins("demo1") - before, 1)

    def test_the_daemon_outlives_the_one_who_started_it(self):
        process = subprocess.Popen([harness.SCOUT, "mcp"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, env=self.environment,
                                   start_new_session=True)
        pid = harness.wait_until(self.daemon_pid, "the daemon runs")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        self.assertEqual(self.ok("read", "demo1:hello.txt"), "hello from demo1\n")
        self.assertEqual(self.daemon_pid(), pid)

    def test_a_stale_socket_is_no_obstacle(self):
        self.ok("hosts", "--no-probe")
        pid = self.daemon_pid()
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: self.daemon_pid() is None, "it is gone")
        self.assertEqual(self.ok("read", "demo1:hello.txt"), "hello from demo1\n")

    # --- the shim ----------------------------------------------------------------------------

    def request(self, message_id, target, meta=harness.META):
        return json.dumps({"jsonrpc": "2.0", "id": message_id, "method": "tools/call", "params": {
            "name": "scout", "arguments": {"target": target}, "_meta": meta}}) + "\n"

    def test_mcp_answers_all_before_it_ends(self):
        lines = "".join(self.request(index, "demo1:hello.txt") for index in range(50))
        answers = [json.loads(line) for line in self.ok("mcp", stdin=lines).splitlines()]
        self.assertEqual(sorted(answer["id"] for answer in answers), list(range(50)))
        for answer in answers:
            self.assertEqual(harness.text_of(answer["result"]), "hello from demo1\n")

    def test_mcp_carries_large_answers_whole(self):
        path = self.fleet.write("demo1", "large", b"z" * 900000)
        lines = "".join(self.request(index, "demo1:" + path, harness.RAW_META) for index in range(5))
        for line in self.ok("mcp", stdin=lines).splitlines():
            self.assertEqual(harness.text_of(json.loads(line)["result"]), "z" * 900000)

    def test_mcp_with_nothing_on_its_input_ends_at_once(self):
        self.assertEqual(self.ok("mcp", stdin="", timeout=30), "")

    def test_mcp_ends_when_the_daemon_ends(self):
        with subprocess.Popen([harness.SCOUT, "mcp"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=self.environment) as process:
            process.stdin.write(self.request(1, "demo1:hello.txt").encode())
            process.stdin.flush()
            self.assertIn(b"hello from demo1", process.stdout.readline())
            self.end_daemon()
            process.wait(20)


if __name__ == "__main__":
    harness.main()
