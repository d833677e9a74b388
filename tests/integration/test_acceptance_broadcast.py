"""The acceptance cases C.2 25 to 27 (files compared), each named by its number, and what docs/wire.md
says of them: two real sshd's t1 and t2, and a closed port `down`."""

import json
import os
import subprocess

import harness
import hostile
from harness import text_of

LIMIT = 4096  # bytes of a file that are read


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
                              "Diff failed: Path not found: /no/such")
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
        log = os.path.join(self.daemon.state, "audit.log")
        self.scout("t1:" + path, diff="t2:" + path)

        def records():
            with open(log, encoding="utf-8") as lines:
                return [json.loads(line) for line in lines if path in line]
        harness.wait_until(records, "it is on record")
        last = [record["call"] for record in records()][-1]
        self.assertEqual([record["call"] for record in records()].count(last), 1)


if __name__ == "__main__":
    harness.main()
