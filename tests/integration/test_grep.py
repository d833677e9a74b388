"""The tool `grep`: ripgrep, GNU grep, busybox's and the daemon's own search find the same, in the same
form, on real sshd's; what may not be read is neither searched nor named."""

import os
import re
import shutil
import unittest

import harness
import schema
import search
from harness import text_of
from terminal import Terminal

TREE = {
    "a.c": "int needle;\nvoid f(void);\nreturn needle;\nend\nlast needle",
    "b.txt": "nothing here\n",
    "sub/c.c": "1\n2\n3\nneedle one\n5\nneedle two\n7\n8\n9\n10\nneedle three\n12\n",
    "sub/deep/d.h": "Needle\n",
    ".hidden/e.c": "a hidden needle\n",
    "ignored/f.c": "an ignored needle\n",
    ".gitignore": "ignored\n",
    ".git/g.c": "needle of git\n",
    "bin": "a needle\0 and more\n",
    "with space/12:x-3.c": "a needle: 4-5\n",
    "ümlaut/ä.c": "näedle needle ä€\n",
    "-n": "needle\n",
    ".env": "needle=secret\n",
    "id_rsa": "needle secret\n",
    ".ssh/key": "needle secret\n",
    "empty": "",
}
GONE = (".git/g.c", ".env", "id_rsa", ".ssh/key")
PATTERNS = ("needle", r"^needle", r"need[l]e\s\w+", r"\bneedle\b.*[0-9]", "(one|two)$", "n.edle",
            r"(?i)NEEDLE", "[^a-z ]needle", "not to be found", r"\d: ?\d|three")


class Greps:
    """A class gives `client`, `host`, `files`, and which program has to have searched."""

    by = None

    def call(self, path, pattern, **arguments):
        result = self.client.tool("grep", target=f"{self.host}:{path}", pattern=pattern,
                                  **arguments)
        self.assertEqual(schema.errors(self.declared()["outputSchema"],
                                       result["structuredContent"]), [])
        return result

    def ok(self, path, pattern, **arguments):
        answer = self.assertScoutOk(self.call(path, pattern, **arguments), "grep")
        self.assertEqual(answer["by"], self.by)
        return answer

    def declared(self):
        if not hasattr(type(self), "tool"):
            tools = self.client.request("tools/list")["result"]["tools"]
            type(self).tool = next(tool for tool in tools if tool["name"] == "grep")
            self.assertTrue(self.tool["annotations"]["readOnlyHint"])
        return self.tool

    def make_tree(self, name):
        root = os.path.join(self.files, name)
        if os.path.isdir(root):
            return root
        for path, text in TREE.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8", newline="") as out:
                out.write(text)
        os.symlink("a.c", os.path.join(root, "link.c"))
        os.symlink("sub", os.path.join(root, "link-to-sub"))
        os.mkfifo(os.path.join(root, "fifo.c"))
        return root

    @staticmethod
    def expected(root, pattern, fits=lambda path: True):
        """What Python finds, sorted as the tool does."""
        found = []
        for path, text in TREE.items():
            if path in GONE or "\0" in text or not fits(path):
                continue
            found += [(os.path.join(root, path), number, line)
                      for number, line in enumerate(text.split("\n"), 1)
                      if re.search(pattern, line, re.ASCII) and (line or number <= text.count("\n"))]
        return sorted(found, key=lambda each: (each[0].encode(), each[1]))

    def test_it_finds_what_python_finds(self):
        root = self.make_tree("tree")
        for pattern in PATTERNS:
            with self.subTest(pattern=pattern):
                answer = self.ok(root, pattern)
                got = [(match["path"], match["line"], match["text"]) for match in answer["matches"]]
                self.assertEqual(got, self.expected(root, pattern))
                self.assertEqual((answer["count"], answer["truncated"]), (len(got), False))
                self.assertEqual(answer["files"], len({path for path, _, _ in got}))

    def test_text(self):
        root = self.make_tree("text")
        result = self.call(root + "/sub", "needle t", context=1)
        self.assertEqual(text_of(result), "\n".join((
            f"{root}/sub/c.c-5-5", f"{root}/sub/c.c:6:needle two", f"{root}/sub/c.c-7-7", "--",
            f"{root}/sub/c.c-10-10", f"{root}/sub/c.c:11:needle three", f"{root}/sub/c.c-12-12")))
        self.assertEqual(text_of(self.call(root, "not there")), "No matches for not there")

    def test_lines_around(self):
        root = self.make_tree("around")
        matches = self.ok(root + "/sub", "needle", context=2)["matches"]
        self.assertEqual([(match.get("before"), match["line"], match.get("after"))
                          for match in matches],
                         [(["2", "3"], 4, ["5"]), (None, 6, ["7", "8"]), (["9", "10"], 11, ["12"])])
        matches = self.ok(root + "/sub", "needle", before=1)["matches"]
        self.assertEqual([(match.get("before"), match.get("after")) for match in matches],
                         [(["3"], None), (["5"], None), (["10"], None)])

    def test_modes(self):
        root = self.make_tree("modes")
        lines = self.expected(root, "needle")
        paths = sorted({path for path, _, _ in lines}, key=str.encode)
        answer = self.ok(root, "needle", output_mode="files")
        self.assertEqual((answer["paths"], answer["count"]), (paths, len(paths)))
        answer = self.ok(root, "needle", output_mode="count")
        self.assertEqual(answer["counts"],
                         [{"path": path, "count": sum(each[0] == path for each in lines)}
                          for path in paths])
        result = self.call(root, "needle", output_mode="count", glob="a.c")
        self.assertEqual(text_of(result), root + "/a.c:3")
        self.assertScoutError(self.call(root, "x", output_mode="lines"), "invalid-argument",
                              "content, files or count")

    def test_globs(self):
        root = self.make_tree("globs")
        for glob, fits in (
                ("*.c", lambda path: path.endswith(".c")),
                ("*.{c,h}", lambda path: path[-2:] in (".c", ".h")),
                ("sub/**/*.h", lambda path: path == "sub/deep/d.h"),
                ("sub/*", lambda path: path == "sub/c.c"),
                ("[ab].*", lambda path: os.path.basename(path) in ("a.c", "b.txt")),
                ("?.c", lambda path: re.search(r"(^|/)\w\.c$", path)),
                ("**", lambda path: True), ("*.none", lambda path: False)):
            with self.subTest(glob=glob):
                got = [(match["path"], match["line"], match["text"])
                       for match in self.ok(root, "(?i)needle", glob=glob)["matches"]]
                self.assertEqual(got, self.expected(root, "(?i)needle", fits))

    def test_one_file(self):
        root = self.make_tree("file")
        for name in ("sub/c.c", "-n", "with space/12:x-3.c", "ümlaut/ä.c"):
            path = os.path.join(root, name)
            answer = self.ok(path, "needle")
            self.assertEqual([(match["path"], match["line"], match["text"])
                              for match in answer["matches"]],
                             self.expected(root, "needle", lambda each, n=name: each == n))
        link = self.ok(root + "/link.c", "int needle")
        self.assertEqual(link["matches"][0]["path"], root + "/link.c")
        self.assertScoutError(self.call(root + "/fifo.c", "x"), "not-a-regular-file")
        self.assertScoutError(self.call(root + "/none", "x"), "path-not-found")

    def test_case(self):
        root = self.make_tree("case")
        answer = self.ok(root, "NEEDLE", ignore_case=True)
        self.assertEqual(answer["count"], len(self.expected(root, "(?i)needle")))

    def test_binary_files_are_told(self):
        root = self.make_tree("binary")
        answer = self.ok(root, "needle")
        self.assertEqual(answer["binary"], 1)
        self.assertIn("[1 binary files match]", text_of(self.call(root, "needle")))
        for mode in ("files", "count"):
            self.assertNotIn(root + "/bin", str(self.ok(root, "needle", output_mode=mode)))

    def test_secrets_are_neither_searched_nor_named(self):
        root = self.make_tree("secrets")
        for mode in ("content", "files", "count"):
            answer = str(self.call(root, "secret", output_mode=mode))
            for name in ("id_rsa", ".env", ".ssh", "needle"):
                self.assertNotIn(name, answer)
        for name in ("id_rsa", ".env", ".ssh/key"):
            self.assertScoutError(self.call(os.path.join(root, name), "needle"), "policy-denied")
        folder = self.assertScoutOk(self.call(root + "/.ssh", "needle"), "grep")
        self.assertEqual(folder["count"], 0)

    def test_many_matches_are_cut(self):
        root = os.path.join(self.files, "many")
        os.makedirs(root)
        for name in range(30):
            with open(os.path.join(root, f"{name:02}.log"), "w", encoding="ascii") as out:
                out.write("match\n" * 40)
        answer = self.ok(root, "match", max_results=40)
        self.assertEqual((answer["count"], answer["files"], answer["truncated"], answer["cut"],
                          answer["files_cut"]), (40, 4, True, "matches", 3))
        self.assertIn("[the first 40 matches: there are more]",
                      text_of(self.call(root, "match", max_results=40)))
        answer = self.ok(root + "/00.log", "match", max_results=40)
        self.assertEqual((answer["count"], answer["truncated"]), (40, False))
        answer = self.ok(root + "/00.log", "match", max_results=39)
        self.assertEqual((answer["count"], answer["truncated"]), (39, True))
        few = os.path.join(self.files, "few")
        os.makedirs(few)
        for name, count in (("a", 60), ("b", 2), ("c", 50)):
            with open(os.path.join(few, name), "w", encoding="ascii") as out:
                out.write("match\n" * count)
        answer = self.ok(few, "match", max_results=112)
        self.assertEqual((answer["count"], answer["truncated"]), (112, False))
        answer = self.ok(few, "match")  # as many of each as fit
        self.assertEqual((answer["count"], answer["files"], answer["truncated"],
                          answer["files_cut"]), (100, 3, True, 1))
        answer = self.ok(root, "match", max_results=7, output_mode="files")
        self.assertEqual((answer["paths"][0], len(answer["paths"]), answer["truncated"]),
                         (root + "/00.log", 7, True))

    def test_long_lines_are_cut(self):
        path = os.path.join(self.files, "long")
        with open(path, "w", encoding="utf-8") as out:
            out.write("match " + "ä" * 3000 + "\nshort match\n")
        matches = self.ok(path, "match")["matches"]
        self.assertTrue(matches[0]["cut"])
        self.assertEqual(matches[0]["text"], "match " + "ä" * 247 + "…")
        self.assertEqual(matches[1], {"path": path, "line": 2, "text": "short match"})

    def test_patterns_that_are_refused(self):
        for pattern, fragment in (("(a", "has no )"), (r"(a)\1", "back references"),
                                  ("a(?=b)", "(?: ) alone"), ("a\nb", "one by one"), ("", "empty")):
            self.assertScoutError(self.call(self.files, pattern), "invalid-argument", fragment)
        self.assertScoutError(self.call(self.files, "a", glob="/x"), "invalid-argument", "relative")
        self.assertScoutError(self.call(self.files, "a", glob="x/"), "invalid-argument", "of directories")

    def test_what_cannot_be_read_is_counted(self):
        if os.getuid() == 0:
            self.skipTest("root reads everything")
        root = self.make_tree("unreadable")
        os.chmod(root + "/a.c", 0)
        self.assertEqual(self.ok(root, "needle")["unreadable"], 1)


class HostGrepTest(Greps):
    """A host with programs of its own."""

    host = "demo1"
    sftp = True

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder} PATH={cls.tools()}")
        if not cls.sftp:
            cls.fleet.without_sftp("demo1")
        cls.files = cls.fleet.path("demo1")
        cls.client = cls.make_daemon(cls.fleet.ssh_config).client()
        cls.addClassCleanup(cls.client.close)

    @classmethod
    def links(cls, *names):
        found = {name: shutil.which(name) for name in names}
        for name, program in found.items():
            if not program:
                raise unittest.SkipTest("there is no " + name)
        return search.folder_of_tools(cls.folder, "tools", **found)


COMMON = ("sh", "cut", "xargs", "head", "tail", "ls", "stat", "readlink", "find", "cat", "tr", "wc",
          "env", "ps", "kill")


class RipgrepTest(HostGrepTest, harness.ScoutTest):
    by = "ripgrep"

    @classmethod
    def tools(cls):
        return cls.links("rg", "grep", *COMMON)


class RipgrepWithoutSftpTest(RipgrepTest):
    sftp = False


class GnuGrepTest(HostGrepTest, harness.ScoutTest):
    by = "grep"

    @classmethod
    def tools(cls):
        return cls.links("grep", *COMMON)


class BusyboxTest(HostGrepTest, harness.ScoutTest):
    by = "posix"

    @classmethod
    def tools(cls):
        if not os.path.exists(search.BUSYBOX):
            raise unittest.SkipTest("there is no busybox")
        return search.folder_of_tools(cls.folder, "busybox", busybox=True)


class BusyboxWithoutSftpTest(BusyboxTest):
    sftp = False


class OwnSearchTest(Greps, harness.ScoutTest):
    """A host that runs no commands: SFTP alone."""

    host = "demo1"
    by = "scout"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, ForceCommand="internal-sftp")
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def test_what_is_large_is_searched_in_its_begin(self):
        path = os.path.join(self.files, "large.txt")
        with open(path, "wb") as out:
            out.write(b"match\n")
            out.truncate(3 << 20)
            out.seek(3 << 20)
            out.write(b"\nmatch\n")
        answer = self.ok(self.files, "match", glob="large.*")
        self.assertEqual((answer["cut"], answer.get("binary")), ("size", 1))

    def test_a_cancelled_search_leaves_nothing(self):
        root = os.path.join(self.files, "cancelled")
        os.makedirs(root)
        for name in range(300):
            with open(os.path.join(root, str(name)), "w", encoding="ascii") as out:
                out.write("aaaaaaaaab\n" * 2000)
        for _ in range(5):
            message_id = self.client.send("tools/call", {
                "name": "grep", "arguments": {"target": "demo1:" + root, "pattern": "(a*)*c"}})
            self.client.notify("notifications/cancelled", {"requestId": message_id})
        self.assertEqual(self.ok(root, "b$", glob="7")["count"], 100)


class SlowTest(harness.ScoutTest):
    """A program that prints one line and then sleeps."""

    def test_the_command_is_stopped_in_time(self):
        self.make_folder()
        slow = search.folder_of_tools(self.folder, "slow", sh=shutil.which("sh"))
        script = os.path.join(slow, "rg")
        with open(script, "w", encoding="ascii") as out:
            out.write("#!/bin/sh\n[ \"$1\" = --color=never ] || exit 0\n"
                      "printf './x\\0001:found\\n'\nexec /bin/sleep 60\n")
        os.chmod(script, 0o755)
        fleet = self.make_fleet(1, SetEnv=f"PATH={slow}")
        daemon = self.make_daemon(fleet.ssh_config, "command_timeout = 0.5\n", "slow")
        with daemon.client() as client:
            result = client.tool("grep", target="demo1:" + fleet.path("demo1"), pattern="x")
        answer = self.assertScoutOk(result, "grep")
        self.assertEqual((answer["cut"], answer["truncated"], answer["count"]), ("time", True, 1))
        self.assertIn("[incomplete: the time was up]", text_of(result))


class PolicyTest(harness.ScoutTest):
    """What names cannot tell, the host's programs are not asked about."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.files = cls.fleet.path("demo1")

    def grep(self, config, path=""):
        name = f"p{len(os.listdir(self.folder))}"
        daemon = self.make_daemon(self.fleet.ssh_config, config, name)
        with daemon.client() as client:
            return client.tool("grep", target=f"demo1:{self.files}/{path}", pattern="needle")

    def test_rules(self):
        for path in ("open/x", "shut/x", "open/shut/y"):
            self.fleet.write("demo1", path, "needle\n")
        found = self.assertScoutOk(self.grep(""), "grep")
        self.assertEqual((found["by"], found["count"]), ("ripgrep", 3))
        shut = f'rule "shut" {{\neffect = deny\npaths = {{"{self.files}/shut/**"}}\n}}\n'
        found = self.assertScoutOk(self.grep(shut), "grep")
        self.assertEqual((found["by"], [match["path"] for match in found["matches"]]),
                         ("scout", [self.files + "/open/shut/y", self.files + "/open/x"]))
        names = 'rule "names" {\neffect = deny\nverbs = {read}\npaths = {"**/shut"}\n}\n'
        found = self.assertScoutOk(self.grep(names), "grep")
        self.assertEqual((found["by"], [match["path"] for match in found["matches"]]),
                         ("ripgrep", [self.files + "/open/x"]))
        no_query = 'rule "no commands" {\neffect = deny\nverbs = {query}\n}\n'
        found = self.assertScoutOk(self.grep(no_query), "grep")
        self.assertEqual((found["by"], found["count"]), ("scout", 3))
        ask = f'rule "ask" {{\neffect = confirm\nverbs = {{read}}\npaths = {{"{self.files}/open/**"}}\n}}\n'
        found = self.assertScoutOk(self.grep(ask), "grep")
        self.assertEqual((found["by"], [match["path"] for match in found["matches"]]),
                         ("scout", [self.files + "/shut/x"]))
        no_list = 'rule "no lists" {\neffect = deny\nverbs = {list}\n}\n'
        self.assertScoutError(self.grep(no_list, "open"), "policy-denied", "no lists")
        self.assertEqual(self.assertScoutOk(self.grep(no_list, "open/x"), "grep")["count"], 1)


class ConfirmTest(harness.ScoutTest):
    def test_a_persons_word_for_a_directory_is_for_what_is_below(self):
        self.make_folder()
        fleet = self.make_fleet(1)
        for path in ("asked/a", "asked/sub/b", "asked/sub/.env"):
            fleet.write("demo1", path, "needle\n")
        root = fleet.path("demo1") + "/asked"
        daemon = self.make_daemon(
            fleet.ssh_config,
            f'rule "ask" {{\neffect = confirm\nverbs = {{read}}\npaths = {{"{root}", "{root}/**"}}\n}}\n')
        environment = harness.clean_environment(daemon.folder)
        environment.update(SCOUT_SOCKET=daemon.socket, SCOUT_STATE_DIR=daemon.state)
        with daemon.client() as client:
            asked = client.tool("grep", target="demo1:" + root, pattern="needle")
            error = self.assertScoutError(asked, "confirmation-required", 'the rule "ask"')
            number = re.search(r"scout approve (\w+)", error["message"])[1]
            terminal = Terminal([harness.SCOUT, "approve", number], environment)
            terminal.wait_for("Allow this once?")
            terminal.type("y")
            self.assertEqual(terminal.ends()[0], 0)
            found = client.tool("grep", target="demo1:" + root, pattern="needle")
            found = self.assertScoutOk(found, "grep")
            self.assertEqual([match["path"] for match in found["matches"]],
                             [root + "/a", root + "/sub/b"])
            again = client.tool("grep", target="demo1:" + root, pattern="needle")
            self.assertScoutError(again, "confirmation-required")


if __name__ == "__main__":
    harness.main()
