"""The acceptance cases C.2 25 to 27 (files compared) and C.4 37 to 40 (many targets), each named by
its number, and what docs/wire.md says of both: two real sshd's t1 and t2, and a closed port `down`.
Many hosts at one time are in test_broadcast_many.py."""

import json
import os
import subprocess

import harness
import hostile
from harness import text_of

LIMIT = 4096  # bytes of a file that are read
SHELL_S = 40  # a login shell may have much to do before its command


class TwoHostsTest(harness.ScoutTest):
    CONFIG = f"max_file_size = {LIMIT}\n"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.closed = hostile.closed_port()
        hosts = (cls.fleet.entry("t1", "demo1") + cls.fleet.entry("t2", "demo2") +
                 cls.fleet.entry("down", "demo1", Port=cls.closed))
        cls.hosts = cls.write("ssh_config", hosts)
        cls.daemon = cls.make_daemon(cls.hosts, cls.CONFIG)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def scout(self, target="", **arguments):
        return self.client.tool("scout", target=target, **arguments)

    def put(self, content, name="file", host="demo1"):
        return self.fleet.write(host, name, content)

    def logins(self):
        return [self.fleet.logins(name) for name in ("demo1", "demo2")]


class DiffTest(TwoHostsTest):
    def put_both(self, first, second):
        return self.put(first, "left"), self.put(second, "right", "demo2")

    def compare(self, first, second):
        """The result for two files with this content, at two hosts."""
        left, right = self.put_both(first, second)
        return self.scout("t1:" + left, diff="t2:" + right)

    def test_c2_25_identical(self):
        left, right = self.put_both("line1\nline2\n", "line1\nline2\n")
        result = self.scout("t1:" + left, diff="t2:" + right)
        self.assertEqual(text_of(result), f"Files are identical:\n  t1:{left}\n  t2:{right}")
        answer = self.assertScoutOk(result, "diff")
        self.assertEqual(answer, {
            "kind": "diff", "identical": True, "binary": False, "truncated": False,
            "files": [{"host": "t1", "path": left, "size": 12, "truncated": False},
                      {"host": "t2", "path": right, "size": 12, "truncated": False}],
            "diff": "", "diff_truncated": False, "coarse": False})

    def test_c2_25_different(self):
        left, right = self.put_both("line1\nline2\n", "line1\nline3\n")
        result = self.scout("t1:" + left, diff="t2:" + right)
        wanted = f"--- {left}\n+++ {right}\n@@ -1,2 +1,2 @@\n line1\n-line2\n+line3\n"
        self.assertEqual(text_of(result), wanted)
        answer = self.assertScoutOk(result, "diff")
        self.assertEqual((answer["identical"], answer["diff"]), (False, wanted))

    def test_c2_26_content(self):
        path = self.put("expected\n")
        result = self.scout("t1:" + path, diff_content="expected\n")
        self.assertEqual(text_of(result), f"File matches expected content: {path}")
        self.assertTrue(self.assertScoutOk(result, "diff")["identical"])
        path = self.put("actual content\n")
        result = self.scout("t1:" + path, diff_content="expected content\n")
        self.assertEqual(text_of(result), f"--- expected\n+++ {path}\n@@ -1 +1 @@\n"
                                          "-expected content\n+actual content\n")
        answer = self.assertScoutOk(result, "diff")
        self.assertEqual(answer["files"][0], {"size": 17, "truncated": False})

    def test_c2_27_no_second_host(self):
        before = self.logins()
        self.assertScoutError(self.scout("t1:/etc/hostname", diff="hosts"), "invalid-argument",
                              "diff target must be 'host:/path', not 'hosts'")
        self.assertScoutError(self.scout("t1:/etc/hostname", diff="nobody:/x"), "unknown-host",
                              "Unknown diff host 'nobody'")
        self.assertScoutError(self.scout("t1:/etc/hostname", diff="t2"), "invalid-argument",
                              "Diff failed: Invalid target 't2'")
        self.assertEqual(self.logins(), before)

    def test_empty_content_counts_as_absent(self):
        self.assertEqual(text_of(self.scout("t1:" + self.put("text\n"), diff_content="")), "text\n")

    def test_a_last_line_without_newline(self):
        text = text_of(self.compare("a\nb", "a\nc"))
        self.assertTrue(text.endswith(" a\n-b\n\\ No newline at end of file\n"
                                      "+c\n\\ No newline at end of file\n"), text)

    def test_what_diff_prints_for_a_large_file(self):
        first = "".join(f"line {n}\n" for n in range(400))
        second = first.replace("line 7\n", "").replace("line 200\n", "line 200\nnew\n")
        left, right = self.put_both(first, second)
        text = text_of(self.scout("t1:" + left, diff="t2:" + right))
        theirs = subprocess.run(["diff", "-u", "--label", left, "--label", right, left, right],
                                capture_output=True, text=True, check=False, timeout=10).stdout
        self.assertEqual(text, theirs)

    def test_binary_files(self):
        left, right = self.put_both(b"\0\1\2", b"\0\1\3\4")
        result = self.scout("t1:" + left, diff="t2:" + right)
        self.assertEqual(text_of(result), f"Binary files differ:\n  t1:{left} (3 bytes)\n"
                                          f"  t2:{right} (4 bytes)")
        answer = self.assertScoutOk(result, "diff")
        self.assertEqual((answer["binary"], answer["identical"]), (True, False))
        self.assertTrue(text_of(self.compare(b"\0\1", b"\0\1")).startswith("Files are identical"))

    def test_what_was_cut_is_never_called_identical(self):
        begin = "x" * (LIMIT - 1) + "\n"
        result = self.compare(begin + "a\n", begin + "bc\n")
        text = text_of(result)
        self.assertTrue(text.startswith("No difference in what was compared:\n"), text)
        self.assertEqual(text.count(f"[truncated at {LIMIT} bytes: what follows in "), 2)
        answer = self.assertScoutOk(result, "diff")
        self.assertNotIn("identical", answer)
        self.assertTrue(answer["truncated"])

    def test_one_that_goes_on_differs(self):
        begin = "x" * (LIMIT - 1) + "\n"
        result = self.compare(begin, begin + "more\n")
        self.assertTrue(text_of(result).startswith("Files differ in length"), text_of(result))
        self.assertIs(self.assertScoutOk(result, "diff")["identical"], False)

    def test_a_difference_of_files_that_were_cut(self):
        result = self.compare("a\n" + "x\n" * LIMIT, "b\n" + "x\n" * LIMIT)
        text = text_of(result)
        self.assertIn("@@ -1,4 +1,4 @@\n-a\n+b\n x\n", text)
        self.assertEqual(text.count(f"\n[truncated at {LIMIT} bytes: what follows in "), 2)
        self.assertNotIn("No newline", text)

    def test_a_difference_that_is_longer_than_a_file(self):
        first = "".join(f"{n}\n" for n in range(800))
        second = "".join(f"{n}\n" for n in range(1000, 1750))
        result = self.compare(first, second)
        self.assertIn("\n[truncated: the difference is longer]", text_of(result))
        self.assertTrue(self.assertScoutOk(result, "diff")["diff_truncated"])

    def test_what_cannot_be_read(self):
        path = self.put("text\n")
        self.assertScoutError(self.scout("t1:" + path, diff="t2:/no/such"), "path-not-found",
                              "Diff failed: Path not found: /no/such (t2)")
        self.assertScoutError(self.scout("t1:" + path, diff="down:/x"), "connect-failed",
                              "Diff failed: ")
        self.assertScoutError(self.scout("t1:/etc", diff="t2:" + path), "not-a-regular-file",
                              "Diff failed: /etc is a directory")
        self.assertEqual(text_of(self.scout("t1:" + path)), "text\n")

    def test_policy_is_asked_about_both(self):
        path = self.put("text\n")
        folder = os.path.dirname(path)
        link = os.path.join(folder, "innocent")
        if not os.path.lexists(link):
            os.symlink(self.put("hidden\n", "secret/hidden"), link)
        rules = f'rule "no secrets" {{\n  effect = deny\n  verbs = read\n  paths = "{folder}/secret/**"\n}}\n'
        daemon = self.make_daemon(self.hosts, rules, "policy")
        with daemon.client() as client:
            before = self.logins()
            self.assertScoutError(
                client.tool("scout", target="t2:" + path, diff=f"t1:{folder}/secret/hidden"),
                "policy-denied")
            self.assertEqual(self.logins(), before)
            for first, second in ((path, link), (link, path)):
                self.assertScoutError(client.tool("scout", target="t1:" + first, diff="t1:" + second),
                                      "policy-denied")
            self.assertScoutError(client.tool("scout", target="t1:" + link, diff_content="hidden\n"),
                                  "policy-denied")

    def test_progress_of_large_files(self):
        size = 4000000
        path = self.put(b"x" * (size - 1) + b"\n", "large")
        daemon = self.make_daemon(self.hosts, f"max_file_size = {size}\n", "large-diff")
        with daemon.client() as client:
            client.initialize()
            sent = client.send("tools/call", {
                "name": "scout", "arguments": {"target": "t1:" + path, "diff": "t2:" + path},
                "_meta": {"progressToken": "p"}})
            self.assertTrue(self.assertScoutOk(client.result(sent), "diff")["identical"])
            told = [message["params"] for message in client.without_id
                    if message["method"] == "notifications/progress"]
        self.assertTrue(told)
        self.assertTrue(all(params["progress"] <= 2 * size for params in told))
        self.assertEqual(told[0]["message"], "bytes read")

    def test_a_cancelled_call_is_followed_by_others(self):
        path = self.put("text\n")
        with self.daemon.client() as client:
            client.initialize()
            for _ in range(20):
                sent = client.send("tools/call", {"name": "scout", "arguments": {
                    "target": "t1:" + path, "diff": "t2:" + path}})
                client.notify("notifications/cancelled", {"requestId": sent})
            self.assertEqual(text_of(client.scout("t1:" + path)), "text\n")

    def test_one_record(self):
        path = self.put("text\n")
        words = ["diff", "t1:" + path, "t2:" + path]

        def records():
            with open(os.path.join(self.daemon.state, "audit.log"), encoding="utf-8") as lines:
                return [json.loads(line) for line in lines if line.endswith("}\n")]

        def own():
            return [record for record in records() if record.get("argv") == words]
        before = len(own())
        self.scout("t1:" + path, diff="t2:" + path)
        harness.wait_until(lambda: len(own()) > before, "it is on record")
        last = own()[-1]
        self.assertEqual([record.get("call") for record in records()].count(last["call"]), 1)
        self.assertEqual((last["host"], last["path"]), ("t1", os.path.realpath(path)))


def header(target, failed=False):
    """A block's header as A.2.9 has it."""
    base = f"═══ {target} "
    if failed:
        return base + "[FAILED] " + "═" * max(0, 50 - len(base))
    return base + "═" * max(0, 60 - len(base))


class BroadcastTest(TwoHostsTest):
    def broadcast(self, *targets, client=None, **arguments):
        return (client or self.client).tool("scout", targets=list(targets), **arguments)

    def records(self, path, daemon=None):
        with open(os.path.join((daemon or self.daemon).state, "audit.log"),
                  encoding="utf-8") as lines:
            return [record for record in map(json.loads, lines) if record.get("path") == path]

    def test_c4_37_a_file_and_a_directory(self):
        path = self.put("from t1\n")
        folder = os.path.dirname(self.put("x", "place/inside", "demo2"))
        result = self.broadcast("t1:" + path, "t2:" + folder)
        listing = text_of(self.scout("t2:" + folder))
        self.assertEqual(text_of(result), "\n".join([
            header("t1:" + path), "from t1", "", header("t2:" + folder), listing.rstrip("\n"), "",
            "─── 2/2 hosts succeeded ───"]))
        answer = self.assertScoutOk(result, "broadcast")
        self.assertEqual((answer["succeeded"], answer["total"]), (2, 2))
        for entry, alone in zip(answer["results"], (self.scout("t1:" + path),
                                                    self.scout("t2:" + folder))):
            self.assertEqual(entry, {"ok": True, **alone["structuredContent"]})

    def test_c4_38_one_failure_touches_no_other(self):
        path = self.put("good\n")
        result = self.broadcast("down:" + path, "t1:" + path, "x:" + path)
        text = text_of(result)
        self.assertIn(header("t1:" + path) + "\ngood\n\n", text)
        self.assertIn(header("x:" + path, failed=True) + "\nError: Unknown host: x\n\n", text)
        self.assertTrue(text.startswith(header("down:" + path, failed=True) + "\nError: "), text)
        self.assertTrue(text.endswith("\n─── 1/3 hosts succeeded ───"), text)
        answer = self.assertScoutOk(result, "broadcast")
        self.assertEqual([entry["ok"] for entry in answer["results"]], [False, True, False])
        self.assertEqual([entry["host"] for entry in answer["results"]], ["down", "t1", "x"])
        self.assertEqual(answer["results"][0]["error"]["code"], "connect-failed")
        self.assertEqual(answer["results"][2]["error"]["code"], "unknown-host")

    def test_c4_38_a_missing_path(self):
        text = text_of(self.broadcast("t1:/no/such"))
        self.assertEqual(text, header("t1:/no/such", failed=True) +
                         "\nError: Path not found: /no/such\n\n─── 0/1 hosts succeeded ───")

    def test_c4_39_a_command_that_is_not_there(self):
        """This sshd gives its shells no path: they say 127, and what they say is shown."""
        folder = os.path.dirname(self.put("needle\n"))
        with self.daemon_with_bare().client() as client:
            result = self.broadcast("t1:" + folder, "bare:" + folder, client=client,
                                    query="grep -c needle file", timeout=SHELL_S)
        text = text_of(result)
        self.assertIn(header("t1:" + folder) + "\n1\n", text)
        block = text[text.index(header("bare:" + folder, failed=True)):]
        self.assertIn("\nError: Command exited with code 127\n", block)
        self.assertIn("not found", block)
        self.assertIn("[exit code: 127]\n", block)
        self.assertIn("1/2 hosts succeeded", text)
        answer = self.assertScoutOk(result, "broadcast")
        self.assertEqual([entry.get("exit_code") for entry in answer["results"]], [0, 127])
        self.assertEqual(answer["results"][0]["kind"], "command")

    def daemon_with_bare(self):
        """A daemon with `bare`, whose commands find no program."""
        folder = os.path.join(self.folder, "bare")
        os.makedirs(folder, exist_ok=True)
        fleet = harness.Fleet(folder, 1, SetEnv="PATH=/nonexistent")
        self.addCleanup(fleet.stop)
        hosts = self.write("bare_config", self.fleet.entry("t1", "demo1") +
                           fleet.entry("bare", "demo1"))
        return self.make_daemon(hosts, name="bare-d")

    def test_c4_40_refused_as_a_whole(self):
        before = self.logins()
        good = "t1:" + self.put("good\n")
        self.assertScoutError(self.broadcast(good, "hosts"), "invalid-argument",
                              "broadcast targets must be 'host:/path', not 'hosts'")
        self.assertScoutError(self.broadcast(good, "nothing"), "invalid-argument",
                              "Error parsing target 'nothing': Invalid target 'nothing'.")
        self.assertScoutError(self.broadcast(good, "t1:/a/../b"), "invalid-argument",
                              "Error parsing target 't1:/a/../b': Path traversal not allowed")
        self.assertEqual(self.logins(), before)

    def test_no_targets_are_none(self):
        """Clients that fill in every argument send an empty list beside `target` (A.2.3, 4)."""
        path = self.put("one\n")
        result = self.scout("t1:" + path, targets=[], query="", beam="", beam_source="",
                            beam_target="")
        self.assertScoutOk(result, "file")
        self.assertEqual(text_of(result), "one\n")
        self.assertScoutError(self.broadcast(), "invalid-argument", "Invalid target ''")

    def test_stderr_behind_the_output(self):
        folder = os.path.dirname(self.put("needle\n"))
        text = text_of(self.broadcast("t1:" + folder, query="grep -h needle file nowhere",
                                      timeout=SHELL_S))
        self.assertIn("\nError: Command exited with code 2\nneedle\n[stderr]\n", text)
        text = text_of(self.broadcast("t1:" + folder, query="sort --debug file", timeout=SHELL_S))
        self.assertRegex(text, "═\nneedle\n_+\n(_+\n)?---\nErrors:\n(.*\n)+\n─── 1/1")

    def test_a_text_without_newline_and_one_with_a_backslash(self):
        for content in ("text", "text\n", "back\\n", "back\\\n", ""):
            path = self.put(content)
            block = content if content.endswith("\n") else content + "\n"
            self.assertEqual(text_of(self.broadcast("t1:" + path)), header("t1:" + path) + "\n" +
                             block + "\n─── 1/1 hosts succeeded ───")

    def test_input_order_and_the_same_host_many_times(self):
        paths = [self.put(f"{n}\n", f"many/{n}") for n in range(100)]
        answer = self.assertScoutOk(self.broadcast(*("t1:" + path for path in paths)), "broadcast")
        self.assertEqual([entry["text"] for entry in answer["results"]],
                         [f"{n}\n" for n in range(100)])

    def test_other_arguments_are_ignored(self):
        path = self.put("text\n")
        result = self.broadcast("t1:" + path, target="hosts", tree=True, find="*", diff="nonsense")
        self.assertEqual(self.assertScoutOk(result, "broadcast")["succeeded"], 1)

    def test_the_whole_is_bounded(self):
        daemon = self.make_daemon(self.hosts, "max_file_size = 4000000\n", "large")
        path = self.put("x" * 2000000, "large")
        folder = os.path.dirname(self.put("", "full/0"))
        for n in range(200):
            self.put("", f"full/{n}")
        targets = ["t1:" + path] * 200 + ["t1:" + folder] * 200
        with daemon.client().raw() as client:
            result = self.broadcast(*targets, client=client)
        self.assertLess(len(json.dumps(result)), 8 << 20)
        self.assertEqual(text_of(result).count("\n[truncated at 4096 bytes]\n"), 200)
        self.assertEqual(text_of(result).count("\n[truncated at 64 entries]\n"), 200)
        answer = self.assertScoutOk(result, "broadcast")
        self.assertEqual(answer["succeeded"], 400)
        self.assertTrue(all(entry["truncated"] for entry in answer["results"]))

    def test_policy_is_asked_about_each(self):
        path = self.put("text\n")
        hidden = self.put("hidden\n", "secret/hidden")
        rules = ('rule "no-secrets" {\n  effect = deny\n  verbs = {read}\n'
                 f'  paths = {{"{os.path.dirname(hidden)}"}}\n}}\n')
        daemon = self.make_daemon(self.hosts, rules, "policy")
        with daemon.client() as client:
            result = self.broadcast("t1:" + hidden, "t1:" + path, client=client)
        answer = self.assertScoutOk(result, "broadcast")
        self.assertEqual([entry["ok"] for entry in answer["results"]], [False, True])
        self.assertEqual(answer["results"][0]["error"]["code"], "policy-denied")
        self.assertNotIn("hidden\n", text_of(result).replace("/hidden", ""))
        harness.wait_until(lambda: self.records(path, daemon), "it is on record")
        refused, = self.records(hidden, daemon)
        read, = self.records(path, daemon)
        self.assertEqual((refused["code"], read["code"]), ("policy-denied", "ok"))
        self.assertIn("no-secrets", refused["reason"])
        self.assertEqual(refused["call"], read["call"])

    def test_progress(self):
        path = self.put("text\n")
        with self.daemon.client() as client:
            client.initialize()
            sent = client.send("tools/call", {
                "name": "scout", "arguments": {"targets": ["t1:" + path] * 3 + ["t2:" + path]},
                "_meta": {"progressToken": "p"}})
            client.result(sent)
            told = [message["params"] for message in client.without_id
                    if message["method"] == "notifications/progress"]
        self.assertTrue(told)
        self.assertEqual({params["total"] for params in told}, {4})

    def test_a_cancelled_call_leaves_nothing(self):
        path = self.put("text\n")
        with self.daemon.client() as client:
            client.initialize()
            for _ in range(20):
                sent = client.send("tools/call", {"name": "scout", "arguments": {
                    "targets": ["t1:" + path, "down:/x", "nobody:/x", "t2:" + path] * 20}})
                client.notify("notifications/cancelled", {"requestId": sent})
            self.assertEqual(text_of(client.scout("t1:" + path)), "text\n")


if __name__ == "__main__":
    harness.main()
