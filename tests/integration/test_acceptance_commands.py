"""The scout tool's `query` against real sshd's: the acceptance cases of commands, what a query may
not do, and what it may not see.

Numbers like C.3-28 name the acceptance case that a test covers.
"""

import os
import time

import harness
from harness import text_of

SECRET = "hunter2-secret"


class QueryTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # The shells of the sshd's read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config, "max_file_size = 65536\n")
        cls.root = cls.fleet.path("demo1", "work")
        for name, text in {
                "dir/a.c": "one\ntwo pattern\n", "dir/sub/b.c": "pattern three\n",
                "dir/my file.txt": "pattern blank\n", "x.log": "1\n2\n3\n4\n5\n",
                "tree/.env": f"KEY={SECRET}\n", "tree/app/.env": f"KEY={SECRET}\n",
                "tree/keys/id_ed25519": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n",
                "tree/plain": f"not {SECRET[:7]}\n"}.items():
            cls.fleet.write("demo1", "work/" + name, text)
        os.symlink("tree/.env", os.path.join(cls.root, "harmless"))
        os.symlink("dir", os.path.join(cls.root, "link"))

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def send(self, query, path=None, host="demo1", client=None):
        return (client or self.client).send("tools/call", {"name": "scout", "arguments": {
            "target": f"{host}:{path or self.root}", "query": query}})

    def query(self, query, path=None, host="demo1"):
        return self.client.result(self.send(query, path, host))

    # --- results ------------------------------------------------------------------------------

    def test_output(self):  # C.3-28
        result = self.query("grep -r pattern dir/")
        content = self.assertScoutOk(result, "command")
        self.assertEqual(sorted(text_of(result).splitlines()), [
            "dir/a.c:two pattern", "dir/my file.txt:pattern blank", "dir/sub/b.c:pattern three"])
        self.assertEqual(content["stdout"], text_of(result))
        self.assertEqual((content["host"], content["path"], content["state"], content["exit_code"]),
                         ("demo1", self.root, "exited", 0))
        self.assertEqual(content["argv"][0], "grep")
        self.assertEqual(text_of(self.query("cat 'dir/my file.txt'")), "pattern blank\n")
        self.assertEqual(text_of(self.query("grep -c pattern a.c", self.root + "/link")), "1\n")

    def test_where_it_runs(self):
        relative = self.fleet.write("demo1", "here/it/f", "found\n")
        for path in (os.path.dirname(relative), "here/it", "~/here/it", "./here/it/"):
            self.assertEqual(text_of(self.query("cat f", path)), "found\n", path)
        self.assertScoutError(self.query("ls", self.root + "/missing"), "path-not-found",
                              f"Path not found: {self.root}/missing")
        self.assertScoutError(self.query("ls", self.root + "/x.log"), "not-a-regular-file",
                              "x.log is no directory")

    def test_refusals(self):  # C.3-29, C.3-30, C.3-32
        allowed = ("cat, df, diff, du, file, find, grep, head, ls, rg, sort, stat, tail, tree, "
                   "uniq, wc")
        for query, command in (("rm -rf /", "rm"), ("ls; whoami", "ls;"),
                               ("echo $(whoami)", "echo"),
                               ("/bin/ls", "/bin/ls"), ("LS", "LS")):
            error = self.assertScoutError(self.query(query), "invalid-argument")
            self.assertEqual(error["message"], f"Command failed: Command '{command}' not allowed. "
                             f"Allowed commands: {allowed}")
        for query, text in (("   ", "Empty command"), ('""', "Empty command"),
                            ("grep 'a", "Invalid command syntax: No closing quotation")):
            error = self.assertScoutError(self.query(query), "invalid-argument")
            self.assertTrue(error["message"].startswith("Command failed: " + text), error)

    def test_a_failing_command(self):  # C.3-33
        result = self.query("cat missing x.log")
        content = self.assertScoutOk(result, "command")
        self.assertRegex(text_of(result),
                         r"^1\n2\n3\n4\n5\n\[stderr\]\ncat: missing: .*\n\[exit code: 1\]$")
        self.assertEqual(content["exit_code"], 1)

    def test_no_output(self):  # C.3-34
        self.assertEqual(text_of(self.query("find dir -name nothing")), "(no output)")
        self.assertEqual(text_of(self.query("grep -r nothing-like-it dir")), "[exit code: 1]")

    def test_output_over_the_limit(self):
        self.fleet.write("demo1", "work/large", "x" * 100000)
        result = self.query("cat large")
        content = self.assertScoutOk(result, "command")
        self.assertTrue(content["stdout_truncated"])
        self.assertIn("x\n[truncated at 65536 bytes]", text_of(result)[25000:])
        with self.daemon.client().raw() as client:
            result = client.tool("scout", target=f"demo1:{self.fleet.path('demo1', 'work')}", query="cat large")
        self.assertEqual(len(self.assertScoutOk(result, "command")["stdout"]), 65536)
        self.assertIn("x\n[truncated at 65536 bytes]", text_of(result)[65000:])

    def test_the_timeout_stops_it(self):  # C.3-35
        daemon = self.make_daemon(self.fleet.ssh_config, "command_timeout = 1\n", "hasty")
        with daemon.client() as client:
            client.result(self.send("ls", client=client))  # warm
            begun = time.monotonic()
            result = client.result(self.send("tail -f x.log", client=client))
            took = time.monotonic() - begun
        content = self.assertScoutOk(result, "command")
        self.assertRegex(text_of(result), r"^1\n2\n3\n4\n5\n\[exit code: 124\]\n"
                         r"\[stopped after \d\.\d s: its time was over")
        self.assertEqual((content["exit_code"], content["reason"]), (124, "deadline-exceeded"))
        self.assertGreaterEqual(took, 1)
        self.assertLess(took, 5)

    def test_a_cancelled_query_stops_its_command(self):
        name = f"cancel-{os.getpid()}.log"
        path = self.fleet.write("demo1", "work/" + name, "x\n")
        message_id = self.send(f"tail -f {name}")

        def followers():
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as line:
                        if line.read().startswith(b"tail\0") and os.path.exists(path):
                            with open(f"/proc/{pid}/cmdline", "rb") as again:
                                if name.encode() in again.read():
                                    found.append(pid)
                except OSError:
                    pass
            return found
        harness.wait_until(followers, "it runs")
        self.client.notify("notifications/cancelled", {"requestId": message_id})
        harness.wait_until(lambda: not followers(), "it is gone")

    # --- what it may not do -------------------------------------------------------------------

    def test_nothing_is_written_and_nothing_else_runs(self):
        canary = os.path.join(self.root, "canary")
        script = self.fleet.write("demo1", "work/script", f"#!/bin/sh\ntouch {canary}\n")
        os.chmod(script, 0o755)
        for query in (
                "find . -exec touch canary ;", "find . -execdir touch canary ;", "find . -delete",
                "find . -ok touch canary ;", "find . -fprint canary", "find . -fls canary",
                "find . -fprintf canary %p", "sort -o canary x.log", "sort --output=canary x.log",
                "sort --outp canary x.log", "sort -ocanary x.log", "sort -uocanary x.log",
                "sort --compress-program=./script x.log", "sort --compress-prog ./script x.log",
                "sort -S 1 --compress-program ./script large", "uniq x.log canary",
                "tree -o canary", "tree -R -H x -L 1 -o canary", "rg --pre ./script 1",
                "rg --pre=./script 1", "rg --hostname-bin ./script 1", "rg -z 1",
                "file -C -m script",
                "diff -l x.log script", "ls > canary", "ls; touch canary", "ls && touch canary",
                "ls | tee canary", "cat $(touch canary)", "cat `touch canary`", "ls\ntouch canary",
                "grep 1 x.log >canary", "ls 'a'\\''; touch canary; '\\'''",
                "cat \"x'; touch canary; '\"",
                "ls \\'; touch canary", "cat '!touch canary'", "cat \"\\\\'; touch canary; '\""):
            with self.subTest(query=query):
                result = self.query(query)
                self.assertFalse(os.path.exists(canary), text_of(result))
                self.assertTrue(os.path.exists(os.path.join(self.root, "x.log")))

    def test_a_directory_is_no_option_and_no_command(self):
        for name in ("-n", "a; touch canary", "$(touch canary)", "it's", "back\\slash", "!x"):
            self.fleet.write("demo1", f"work/{name}/f", name)
            self.assertEqual(text_of(self.query("cat f", f"{self.root}/{name}")), name)
        self.assertEqual(text_of(self.query("cat f", "work/-n")), "-n")
        self.assertFalse(os.path.exists(os.path.join(self.root, "canary")))

    # --- what it may not see ------------------------------------------------------------------

    def test_a_secret_is_denied_also_through_a_link(self):
        os.makedirs(os.path.join(self.root, "a"), exist_ok=True)
        for query in ("cat harmless", "cat tree/.env", "cat link/../tree/.env",
                      "head -n1 ./tree//.env",
                      f"cat {self.root}/harmless", "grep KEY harmless", "sort harmless",
                      "sort --files0-from=harmless", "grep -f harmless x.log", "wc x.log harmless",
                      "diff x.log harmless", "diff tree a/.env", "uniq harmless",
                      "tail -f harmless",
                      "cat /etc/shadow", "cat /proc/self/environ", "cat missing/../tree/.env",
                      "cat tree/keys/id_ed25519", "cat tree/none/id_ed25519"):
            with self.subTest(query=query):
                result = self.query(query)
                self.assertTrue(result.get("isError"), result)
                self.assertIn(result["structuredContent"]["error"]["code"],
                              ("policy-denied", "invalid-argument"))
                self.assertNotIn(SECRET, str(result))
        self.assertScoutError(self.query("cat harmless"), "policy-denied", "read deny-list",
                              "/tree/.env")
        # Names and attributes are no content.
        self.assertIn("harmless", text_of(self.query("ls -la")))
        self.assertIn(".env", text_of(self.query("find tree -name .env")))
        self.assertIn(".env", text_of(self.query("stat tree/.env")))

    def test_only_files_and_directories_are_opened(self):
        fifo = os.path.join(self.root, "fifo")
        os.mkfifo(fifo)
        os.symlink("fifo", os.path.join(self.root, "to_fifo"))
        self.addCleanup(os.unlink, fifo)
        with open(fifo, "wb", opener=lambda path, _: os.open(path, os.O_RDWR)) as writer:
            writer.write(b"for somebody else")
            writer.flush()
            for query in ("cat fifo", "cat to_fifo", "head -c 1 ./fifo", "grep else fifo",
                          "grep -f fifo x.log", "diff x.log fifo", "wc -c x.log fifo", "df fifo",
                          "df to_fifo", "du -X fifo .", "file fifo", "uniq fifo", "tail -f fifo"):
                with self.subTest(query=query):
                    self.assertScoutError(self.query(query), "not-a-regular-file", "a FIFO")
            self.assertScoutOk(self.query("grep -r else ."), "command")
            held = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            self.assertEqual(os.read(held, 100), b"for somebody else")  # nobody took it
            os.close(held)
        self.assertIn("fifo", text_of(self.query("ls -l fifo")))
        self.assertIn("fifo", text_of(self.query("stat fifo")))
        self.assertEqual(text_of(self.query("diff /dev/null x.log -q")),
                         "Files /dev/null and x.log differ\n[exit code: 1]")
        self.assertScoutError(self.query("cat /proc/kmsg"), "policy-denied")
        self.assertScoutOk(self.query("head -n 1 /etc/mtab"), "command")

    def test_what_a_link_only_says_is_not_what_is_read(self):
        """A link of /proc names a path and leads elsewhere."""
        path = os.path.join(self.root, "was")
        with open(path, "w+", encoding="ascii") as file:
            file.write("was here\n")
            file.flush()
            os.unlink(path)
            link = f"/proc/{os.getpid()}/fd/{file.fileno()}"
            os.symlink(link, os.path.join(self.root, "magic"))
            with open(f"{path} (deleted)", "w", encoding="ascii") as other:
                other.write("is there\n")
            for query in (f"cat {link}", "cat magic"):
                self.assertEqual(text_of(self.query(query)), "is there\n")

    def test_a_link_is_read_by_the_path_that_was_asked_about(self):
        result = self.query("grep -c two link/a.c")
        self.assertEqual(text_of(result), "1\n")
        self.assertEqual(result["structuredContent"]["argv"],
                         ["grep", "-c", "--", "two", os.path.realpath(self.root) + "/dir/a.c"])
        os.symlink("dir/a.c", os.path.join(self.root, "c.log"))
        os.makedirs(os.path.join(self.root, "pair"))
        os.symlink("../x.log", os.path.join(self.root, "pair/c.log"))
        self.assertIn("two pattern", text_of(self.query("diff pair c.log")))
        self.assertIn("> two pattern", text_of(self.query("diff pair c.log")))

    def test_a_recursive_reader_leaves_secrets_out(self):
        other = self.fleet.path("demo1", "work/other")
        os.makedirs(other, exist_ok=True)
        queries = ["grep -r hunter2 tree", "grep -r hunter2", "grep -R hunter2 .",
                   "grep -rh . tree",
                   "grep -r --include=.env . tree", "grep -r --include='*' --no-ignore-case . tree",
                   "grep -r --exclude-dir=none . tree", "diff -r tree other", "diff -rN tree other"]
        if os.access("/usr/bin/rg", os.X_OK):
            queries += ["rg hunter2 tree", "rg -uuu hunter2 tree", "rg -. --no-ignore . tree",
                        "rg -g .env . tree", "rg --hidden -g '!nothing' hunter2"]
        for query in queries:
            with self.subTest(query=query):
                self.assertNotIn(SECRET, str(self.query(query)))
        for query in ("grep -r hunter2 tree", "grep -r hunter2"):
            self.assertIn("tree/plain:not hunter2", text_of(self.query(query)))

    def test_rules_hold_for_paths_and_for_what_is_below(self):
        self.fleet.write("demo1", "work/closed/inside/f", "closed content\n")
        self.fleet.write("demo1", "work/open/f", "open content\n")
        os.symlink("closed/inside", os.path.join(self.root, "door"))
        daemon = self.make_daemon(self.fleet.ssh_config, f'''
            rule "closed" {{
              effect = deny
              verbs = {{query}}
              paths = {{"{self.root}/closed"}}
            }}
            rule "no-du" {{
              effect = deny
              verbs = {{query}}
              commands = {{"du *"}}
            }}''', "ruled")
        with daemon.client() as client:
            def ask(query, path=None):
                return client.result(self.send(query, path, client=client))
            for query, path in (("cat closed/inside/f", None), ("cat door/f", None),
                                ("ls closed", None), ("ls", self.root + "/closed"),
                                ("cat f", self.root + "/door"), ("cat ../closed/inside/f",
                                                                 self.root + "/open"),
                                ("grep -r content", None), ("grep -r content .", None),
                                ("find .", None), ("tree", None)):
                with self.subTest(query=query, path=path):
                    result = ask(query, path)
                    self.assertScoutError(result, "policy-denied", '"closed"')
            self.assertScoutError(ask("du ."), "policy-denied", '"no-du"')
            self.assertEqual(text_of(ask("grep -r content open")), "open/f:open content\n")
            self.assertEqual(text_of(ask("ls", self.root + "/open")), "f\n")


if __name__ == "__main__":
    harness.main()
