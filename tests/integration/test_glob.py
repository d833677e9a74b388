"""The tool `glob`, over SFTP, through a shell with GNU's find and with busybox's: the same files, which
are those that Python's glob finds."""

import glob
import os
import unittest

import harness
import schema
import search
from harness import text_of

class Globs:
    """A class gives `client`, `host`, `files` and whether the host tells times."""

    times = True

    def call(self, path, pattern, **arguments):
        result = self.client.tool("glob", target=f"{self.host}:{path}", pattern=pattern,
                                  **arguments)
        self.assertEqual(schema.errors(self.declared()["outputSchema"],
                                       result["structuredContent"]), [])
        return result

    def declared(self):
        if not hasattr(type(self), "tool"):
            tools = self.client.request("tools/list")["result"]["tools"]
            type(self).tool = next(tool for tool in tools if tool["name"] == "glob")
            self.assertTrue(self.tool["annotations"]["readOnlyHint"])
        return self.tool

    def make_tree(self, name):
        root = os.path.join(self.files, name)
        for index, path in enumerate((
                "top.py", "a/one.py", "a/b/two.py", "a/b/c/d/e/f/g/h/deep.py", ".hidden/six.py",
                "a b/[7].py", "-x/-n.py", "ümlaut/ä.txt", "a/b/notes.md", ".dot.py", "a/one.c",
                "a/.git/objects/in.py", "a/.git.py", "lib/.svn/x.py")):
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as out:
                out.write(path)
            os.utime(full, (1700000000 + 7 * (index * 5 % 14),) * 2)
        os.makedirs(os.path.join(root, "folder.py"))
        os.symlink("a", os.path.join(root, "link-to-a"))
        return root

    def expected(self, root, pattern):
        """What Python finds, but for what the tool leaves out."""
        found = set()
        for form in search.brace_forms(pattern):
            for path in glob.glob(form, root_dir=root, recursive=True, include_hidden=True):
                full = os.path.join(root, path)
                parts = path.split("/")
                behind_link = any(os.path.islink(os.path.join(root, *parts[:n]))
                                  for n in range(1, len(parts)))
                history = {".git", ".svn"} & set(parts[:-1])
                if (os.path.islink(full) or not os.path.isdir(full)) and not behind_link \
                        and not history:
                    found.add(full)
        return found

    def test_a_slash_at_the_end_finds_directories(self):
        root = self.make_tree("folders")
        for pattern in ("*/", "a/*/", "a/**/", "**/b/", "{a,lib}/", "**/c/*/", "none*/", ".*/",
                        "top.py/", "**/*.py/", "a/*/*/"):
            with self.subTest(pattern=pattern):
                expected = set()
                for form in search.brace_forms(pattern):
                    for path in glob.glob(form, root_dir=root, recursive=True, include_hidden=True):
                        parts = path.rstrip("/").split("/")
                        if not {".git", ".svn", "link-to-a"} & set(parts):
                            expected.add(os.path.join(root, *parts))
                if pattern == "a/**/":
                    expected.discard(root + "/a")  # Python has the folder itself, too
                answer = self.assertScoutOk(self.call(root, pattern), "glob")
                self.assertEqual(set(answer["paths"]), expected)

    def test_it_finds_what_python_finds(self):
        root = self.make_tree("tree")
        for pattern in ("*.py", "**/*.py", "a/**/*.py", "a/*", "**/*.{py,c}", "{a,ümlaut}/*.{c,txt}",
                        "**", "a/**", "*/*.py", "?top.py", "[t]*.py", "**/[[]7].py", "**/b/*",
                        "*/?.txt", ".*", "none*", "a b/*", "-x/*", "**/d/**/h/*.py"):
            with self.subTest(pattern=pattern):
                answer = self.assertScoutOk(self.call(root, pattern), "glob")
                self.assertEqual(set(answer["paths"]), self.expected(root, pattern))
                self.assertEqual((answer["count"], answer["truncated"], answer["pattern"]),
                                 (len(answer["paths"]), False, pattern))

    def test_the_newest_come_first(self):
        root = self.make_tree("order")
        answer = self.assertScoutOk(self.call(root, "**/*.py"), "glob")
        paths = answer["paths"]
        key = (lambda path: (-os.stat(path).st_mtime, path)) if self.times else None
        self.assertEqual(paths, sorted(paths, key=key))
        result = self.call(root, "**/*.py", limit=3)
        few = self.assertScoutOk(result, "glob")
        self.assertEqual((few["paths"], few["count"], few["truncated"]), (paths[:3], 3, True))
        self.assertEqual(text_of(result),
                         "\n".join(paths[:3]) + "\n[the newest 3: there are more]")
        self.assertEqual(text_of(self.call(root, "*.none")), "No files match *.none")

    def test_what_may_not_be_read_is_not_named(self):
        root = os.path.join(self.files, "secrets")
        for path in ("sub/.env", "sub/x.conf", "id_rsa", ".ssh/key", "sub/host.key"):
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8"):
                pass
        answer = self.assertScoutOk(self.call(root, "**"), "glob")
        self.assertEqual((answer["paths"], answer["count"]), ([root + "/sub/x.conf"], 1))

    def test_refusals(self):
        root = self.make_tree("refused")
        self.assertScoutError(self.call(root + "/top.py", "*"), "not-a-regular-file",
                              "no directory")
        self.assertScoutError(self.call(root + "/none", "*"), "path-not-found")
        for pattern, fragment in (("/etc/*", "relative to the target"), ("../*", "`..`"),
                                  ("a[", "has no `]`")):
            self.assertScoutError(self.call(root, pattern), "invalid-argument", fragment)

    def test_many(self):
        root = os.path.join(self.files, "many")
        for folder in range(40):
            os.makedirs(os.path.join(root, str(folder)))
            for name in range(50):
                with open(os.path.join(root, str(folder), f"{name}.log"), "w",
                          encoding="utf-8") as out:
                    out.write("x")
        answer = self.assertScoutOk(self.call(root, "**/*.log"), "glob")
        self.assertEqual((answer["count"], answer["truncated"]), (100, True))
        answer = self.assertScoutOk(self.call(root, "7/*.log", limit=1000), "glob")
        self.assertEqual((answer["count"], answer["truncated"]), (50, False))


class SftpGlobTest(Globs, harness.ScoutTest):
    host = "demo1"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def test_directories_that_policy_denies_are_not_entered(self):
        root = self.make_tree("denied")
        daemon = self.make_daemon(
            self.fleet.ssh_config,
            f'rule "no" {{\neffect = deny\npaths = {{"{root}/a/b"}}\n}}\n', "denied")
        with daemon.client() as client:
            answer = client.tool("glob", target=f"demo1:{root}", pattern="**/*.py")
        answer = self.assertScoutOk(answer, "glob")
        self.assertEqual(answer["forbidden"], 1)
        self.assertIn(root + "/a/one.py", answer["paths"])
        self.assertNotIn(root + "/a/b/two.py", answer["paths"])

    def test_relative_paths(self):
        self.make_tree("relative")
        answer = self.assertScoutOk(self.call("~/relative", "*.py"), "glob")
        self.assertIn("~/relative/top.py", answer["paths"])


class ShellGlobTest(Globs, harness.ScoutTest):
    """A host without SFTP."""

    host = "demo1"
    path = os.environ["PATH"]

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder} PATH={cls.tools()}")
        cls.fleet.without_sftp("demo1")
        cls.files = cls.fleet.path("demo1")
        cls.client = cls.make_daemon(cls.fleet.ssh_config).client()
        cls.addClassCleanup(cls.client.close)

    @classmethod
    def tools(cls):
        return cls.path


class BusyboxGlobTest(ShellGlobTest):
    times = False

    @classmethod
    def tools(cls):
        if not os.path.exists(search.BUSYBOX):
            raise unittest.SkipTest("there is no busybox")
        return search.folder_of_tools(cls.folder, "busybox", busybox=True)


if __name__ == "__main__":
    harness.main()
