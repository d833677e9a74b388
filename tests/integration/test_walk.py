"""`find` and `tree` of the tool scout print what these programs print on the host, over SFTP and
through the shell of a host without it."""

import os
import subprocess

import harness
from harness import text_of


class Walks:
    """A class gives `client`, `host` and `files`."""

    def make_tree(self, name):
        root = os.path.join(self.files, name)
        for folder in ("a/b/c/d/e", "Z/empty", ".hidden/below", "a b", "-x", "ümlaut/y"):
            os.makedirs(os.path.join(root, folder))
        for path in ("top.py", "a/one.py", "a/b/two.py", "a/b/c/three.py", "a/b/c/d/four.py",
                     "a/b/c/d/e/five.py", ".hidden/six.py", "a b/[7].py", "-x/-n", "Z/z", ".dot",
                     "ümlaut/ä", "a/b/c/deep"):
            with open(os.path.join(root, path), "w", encoding="utf-8"):
                pass
        os.symlink("a", os.path.join(root, "link-to-a"))
        os.symlink("/no/where", os.path.join(root, "Z", "dangling"))
        return root

    def scout(self, path, **arguments):
        return self.client.tool("scout", target=f"{self.host}:{path}", **arguments)

    @staticmethod
    def run_locally(*command):
        return subprocess.run(command, check=True, capture_output=True, timeout=30,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.decode()

    def test_tree_is_what_tree_prints(self):  # C.2-21
        root = self.make_tree("tree")
        result = self.scout(root, tree=True)
        self.assertEqual(text_of(result), self.run_locally("tree", "-L", "3", "--noreport", root))
        answer = self.assertScoutOk(result, "tree")
        self.assertFalse(answer["truncated"])
        entries = {entry["path"]: entry for entry in answer["entries"]}
        self.assertEqual(answer["count"], len(entries))
        self.assertEqual(entries[root + "/link-to-a"],
                         {"path": root + "/link-to-a", "type": "symlink", "target": "a"})
        self.assertEqual(entries[root + "/a/b/two.py"]["type"], "file")
        self.assertNotIn(root + "/a/b/c/three.py", entries)

    def test_tree_of_a_file_is_its_text(self):
        root = self.make_tree("tree-of-file")
        with open(os.path.join(root, "top.py"), "w", encoding="utf-8") as out:
            out.write("pass\n")
        self.assertEqual(text_of(self.scout(root + "/top.py", tree=True)), "pass\n")
        self.assertScoutError(self.scout(root + "/none", tree=True), "path-not-found",
                              "Path not found: " + root + "/none")

    def test_find_is_what_find_prints(self):  # C.2-22
        root = self.make_tree("find")
        for pattern in ("*.py", "*", ".*", "[ab]", "?", "-*", "\\[7\\].py", "ä", "*e*", "find"):
            for depth in (1, 2, 5, 10):
                with self.subTest(pattern=pattern, depth=depth):
                    result = self.scout(root, find=pattern, depth=depth)
                    wanted = self.run_locally("find", root, "-maxdepth", str(depth), "-name",
                                              pattern).rstrip("\n")
                    wanted = wanted or f"No files matching '{pattern}' found in {root}"
                    self.assertEqual(text_of(result), wanted)
                    answer = self.assertScoutOk(result, "find")
                    self.assertEqual(answer["pattern"], pattern)
                    paths = [entry["path"] for entry in answer["entries"]]
                    self.assertEqual(paths, [] if wanted.startswith("No files")
                                     else wanted.split("\n"))

    def test_find_goes_5_levels_down_unless_told(self):
        root = self.make_tree("find-depth")
        found = text_of(self.scout(root, find="*.py")).split("\n")
        self.assertIn(root + "/a/b/c/d/four.py", found)
        self.assertNotIn(root + "/a/b/c/d/e/five.py", found)
        for depth in (0, 11, -3):
            self.assertScoutError(self.scout(root, find="*.py", depth=depth), "invalid-argument",
                                  f"Find failed: depth must be 1-10, got {depth}")

    def test_find_shows_100_and_says_that_there_are_more(self):
        root = os.path.join(self.files, "find-many")
        os.makedirs(root)
        for i in range(100):
            os.makedirs(os.path.join(root, f"d{i}"))
        result = self.scout(root, find="d*")
        self.assertEqual(len(text_of(result).split("\n")), 100)
        self.assertFalse(self.assertScoutOk(result, "find")["truncated"])
        os.makedirs(os.path.join(root, "d100"))
        result = self.scout(root, find="d*")
        lines = text_of(result).split("\n")
        self.assertEqual(len(lines), 101)
        self.assertEqual(lines[-1], "[truncated at 100 matches: there are more]")
        answer = self.assertScoutOk(result, "find")
        self.assertEqual((answer["truncated"], answer["cut"], answer["count"]),
                         (True, "entries", 100))

    def test_find_of_a_file_and_of_nothing(self):
        root = self.make_tree("find-file")
        self.assertEqual(text_of(self.scout(root + "/top.py", find="*.py")), root + "/top.py")
        self.assertEqual(text_of(self.scout(root + "/top.py", find="*.c")),
                         f"No files matching '*.c' found in {root}/top.py")
        self.assertScoutError(self.scout(root + "/none", find="*"), "path-not-found")

    def test_names_with_control_characters(self):
        root = os.path.join(self.files, "odd-names")
        os.makedirs(os.path.join(root, "new\nline"))
        for arguments in ({"find": "new*"}, {"tree": True}):
            result = self.scout(root, **arguments)
            self.assertIn("new?line", text_of(result))
            self.assertEqual(result["structuredContent"]["entries"][0]["path"],
                             root + "/new\nline")


class SftpWalkTest(Walks, harness.ScoutTest):
    host = "demo1"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def test_paths_that_begin_with_a_dash_or_at_home(self):
        root = os.path.join(self.files, "-delete")
        os.makedirs(os.path.join(root, "x"))
        for path in ("-delete", "~/-delete", "./-delete"):
            result = self.scout(path, find="x")
            shown = path.replace("./", "")
            self.assertEqual(text_of(result), f"{shown}/x")
            self.assertIn("└── x", text_of(self.scout(path, tree=True)))
        self.assertTrue(os.path.isdir(os.path.join(root, "x")))

    def test_thousands_of_directories(self):
        root = os.path.join(self.make_large_folder(), "wide")
        for i in range(40):
            for k in range(100):
                os.makedirs(os.path.join(root, f"{i:02}", f"{k:02}", "x", "y"))
        with open(os.path.join(root, "33", "42", "needle"), "w", encoding="utf-8"):
            pass
        result = self.scout(root, find="needle", timeout=30)
        self.assertEqual(text_of(result), root + "/33/42/needle")
        result = self.scout(root, tree=True, timeout=30)
        self.assertEqual(self.assertScoutOk(result, "tree")["count"], 40 + 4000 + 4000 + 1)
        with self.daemon.client() as client:
            client.initialize()
            message_id = client.send("tools/call", {
                "name": "scout", "arguments": {"target": "demo1:" + root, "find": "needle"},
                "_meta": {"progressToken": "walk"}})
            client.result(message_id, 30)
            told = [message["params"]["progress"] for message in client.without_id
                    if message.get("method") == "notifications/progress"]
            self.assertEqual(told, sorted(set(told)))
            self.assertGreater(len(told), 1)

    def test_an_early_deadline_gives_what_was_found_until_then(self):
        root = os.path.join(self.make_large_folder(), "slow")
        for i in range(6000):
            os.makedirs(os.path.join(root, str(i // 200), str(i)))
        daemon = self.make_daemon(self.fleet.ssh_config, "call_timeout = 0.3\n", "impatient")
        with daemon.client() as client:
            client.tool("scout", target="demo1:hello.txt")
            result = client.tool("scout", target="demo1:" + root, find="none")
            answer = self.assertScoutOk(result, "find")
            if answer["truncated"]:  # else it was fast enough
                self.assertEqual(answer["cut"], "time")
                self.assertIn("[incomplete: the time was up after ", text_of(result))
            # Nothing of it is left in the way.
            self.assertIn("hello", text_of(client.tool("scout", target="demo1:hello.txt")))

    def test_what_policy_denies_is_neither_entered_nor_asked_about(self):
        root = os.path.realpath(self.make_tree("denied"))
        config = ('rule "no" {\n  effect = deny\n  verbs = {list}\n'
                  f'  paths = {{"{root}/a/b"}}\n}}\n'
                  'rule "ask" {\n  effect = confirm\n  verbs = {list}\n'
                  f'  paths = {{"{root}/Z"}}\n}}\n')
        daemon = self.make_daemon(self.fleet.ssh_config, config, "strict")
        with daemon.client() as client:
            result = client.tool("scout", target="demo1:" + root, find="*.py")
            lines = text_of(result).split("\n")
            self.assertIn(root + "/a/one.py", lines)
            self.assertNotIn(root + "/a/b/two.py", lines)
            self.assertEqual(lines[-1], "[0 directories could not be read, 2 are not permitted]")
            self.assertEqual(self.assertScoutOk(result, "find")["forbidden"], 2)
            tree = text_of(client.tool("scout", target="demo1:" + root, tree=True))
            self.assertIn("├── Z  [not permitted]\n", tree)
            self.assertIn("├── b  [not permitted]\n", tree)
            for path in ("a/b", "link-to-a/b", "a/b/c"):
                self.assertScoutError(client.tool("scout", target=f"demo1:{root}/{path}", find="*"),
                                      "policy-denied", "no")

    def test_a_cancelled_walk_ends(self):
        root = os.path.join(self.make_large_folder(), "cancelled")
        for i in range(2000):
            os.makedirs(os.path.join(root, str(i)))
        message_id = self.client.send("tools/call", {"name": "scout", "arguments": {
            "target": "demo1:" + root, "find": "*x*"}})
        self.client.notify("notifications/cancelled", {"requestId": message_id})
        self.assertIn("hello", text_of(self.client.scout("demo1:hello.txt")))


class ShellWalkTest(Walks, harness.ScoutTest):
    """A host without SFTP."""

    host = "demo1"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # Its shells read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.fleet.without_sftp("demo1")
        cls.files = cls.fleet.path("demo1")
        cls.client = cls.make_daemon(cls.fleet.ssh_config).client()
        cls.addClassCleanup(cls.client.close)


if __name__ == "__main__":
    harness.main()
