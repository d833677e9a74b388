"""`scout write`, `scout edit` and `scout undo`."""

import json
import os
import subprocess

import harness


class CliChangeTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config, 'role = "operator"\n')
        cls.environment = {**harness.clean_environment(cls.folder),
                           "SCOUT_SOCKET": cls.daemon.socket}

    def scout(self, *arguments, stdin=b""):
        ended = subprocess.run([harness.SCOUT, *arguments], check=False, capture_output=True,
                               input=stdin, timeout=60, env=self.environment)
        return ended.returncode, ended.stdout.decode(), ended.stderr.decode()

    def path(self, name):
        path = self.fleet.path("demo1", name)
        return path, "demo1:" + path

    def assertContent(self, path, content):
        with open(path, "rb") as text:
            self.assertEqual(text.read(), content)

    def test_from_the_first_to_the_last(self):
        path, target = self.path("f")
        code, out, err = self.scout("write", target, "--mode", "0600", stdin=b"a\nb\n")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(f"Created {target}, 4 bytes", out)
        self.assertIn("+b\n", out)
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
        code, out, _ = self.scout("edit", "--json", target, "--old", "b", "--new=")
        self.assertEqual(code, 0)
        self.assertContent(path, b"a\n\n")
        identifier = json.loads(out)["undo"]
        code, out, err = self.scout("undo", identifier, "--dry-run")
        self.assertIn("Would write", out)
        self.assertEqual(self.scout("undo", identifier)[0], 0)
        self.assertContent(path, b"a\nb\n")
        code, out, err = self.scout("undo", target)
        self.assertIn("Removed", out)
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.scout("undo", target)[0], 1)

    def test_all_and_etag(self):
        path, target = self.path("g")
        self.fleet.write("demo1", "g", "x x\n")
        etag = json.loads(self.scout("read", "--json", target)[1])["etag"]
        code, out, err = self.scout("edit", target, "--old", "x", "--new", "y")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("in it 2 times", err)
        self.assertIn("(no-unique-match)", err)
        code, out, err = self.scout("edit", target, "--old", "x", "--new", "yy", "--all",
                                    "--etag", etag)
        self.assertEqual(code, 0, err)
        self.assertContent(path, b"yy yy\n")
        code, _, err = self.scout("write", target, "--etag=" + etag, stdin=b"z")
        self.assertEqual(code, 1)
        self.assertIn("(file-changed)", err)
        code, _, err = self.scout("write", target, stdin=b"z")
        self.assertIn("(already-exists)", err)
        self.assertEqual(self.scout("write", target, "--overwrite", stdin=b"z")[0], 0)
        self.assertContent(path, b"z")

    def test_what_is_written_is_whole(self):
        path, target = self.path("large")
        content = b"0123456789\"\\\n\xc3\xa9\t" * (1024 * 1024 // 16)
        content = content[:1024 * 1024 - 100].decode(errors="ignore").encode()
        code, _, err = self.scout("write", target, stdin=content)
        self.assertEqual(code, 0, err)
        self.assertContent(path, content)
        for stdin in (b"x" * (1024 * 1024 + 1), b"a\0b", b"\xff"):
            code, out, err = self.scout("write", target, "--overwrite", stdin=stdin)
            self.assertEqual((code, out), (2, ""))
            self.assertTrue(err.startswith("scout: "), err)
        self.assertContent(path, content)

    def test_wrong_usage_is_2(self):
        _, target = self.path("none")
        for arguments in (("write",), ("write", "demo1"), ("edit", target),
                          ("edit", target, "--old", "a"), ("edit", target, "--old"),
                          ("undo",), ("undo", "x"), ("undo", target, "--all"),
                          ("write", target, "--old", "a"), ("write", target, "--etag="),
                          ("edit", target, "--old", "a", "--new", b"\xff")):
            with self.subTest(arguments=arguments):
                code, out, err = self.scout(*arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertTrue(err.startswith("scout: "), err)


if __name__ == "__main__":
    harness.main()
