"""A directory's text is what `LC_ALL=C ls -la` prints on the host, but for the blocks of `total`."""

import os
import re
import socket
import subprocess
import time

import harness
import peers
from harness import text_of

OLD_S = 1577934245  # 2020-01-02


class Listing:
    """A class gives `client`, `host`, `files` and the time zone that its dates are in."""

    zone = None

    def make_entries(self):
        folder = os.path.join(self.files, "entries")
        os.makedirs(os.path.join(folder, "sub", "below"))
        for name, size in (("a", 0), ("large", 123456), (".hidden", 4097), ("Z", 1), ("b c", 4096),
                           ("-rf", 7), ("ümlaut", 3), ("old", 9), ("future", 8), ("setuid", 2)):
            with open(os.path.join(folder, name), "wb") as out:
                out.write(b"x" * size)
        for name, target in (("link", "a"), ("dangling", "/no where/at all"), ("to-sub", "sub/"),
                             ("odd name -> x", "b c")):
            os.symlink(target, os.path.join(folder, name))
        os.mkfifo(os.path.join(folder, "fifo"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(self.folder, "u"))
            os.rename(os.path.join(self.folder, "u"), os.path.join(folder, "socket"))
        os.link(os.path.join(folder, "a"), os.path.join(folder, "a-again"))
        os.utime(os.path.join(folder, "old"), (OLD_S, OLD_S))
        later = time.time() + 1000000
        os.utime(os.path.join(folder, "future"), (later, later))
        os.chmod(os.path.join(folder, "setuid"), 0o4755)
        os.chmod(os.path.join(folder, "Z"), 0o2644)
        os.chmod(os.path.join(folder, "sub"), 0o1777)
        if os.getuid() == 0:
            os.chown(os.path.join(folder, "b c"), 1, 2)
            os.chown(os.path.join(folder, "large"), 4000001, 4000002)
        return folder

    def ls(self, folder):
        zone = {"TZ": self.zone} if self.zone else {}
        done = subprocess.run(["ls", "-la", folder], check=True, capture_output=True, timeout=30,
                              env={**os.environ, **zone, "LC_ALL": "C"})
        return done.stdout.decode()

    def test_it_is_what_ls_prints(self):  # C.2-21
        folder = self.make_entries()
        result = self.client.scout(f"{self.host}:{folder}")
        said, wanted = text_of(result), self.ls(folder)
        self.assertRegex(said, r"^total \d+\n")
        self.assertEqual(said.split("\n", 1)[1], wanted.split("\n", 1)[1])
        targets = {entry["name"]: entry.get("target")
                   for entry in self.assertScoutOk(result, "directory")["entries"]}
        self.assertEqual(targets["dangling"], "/no where/at all")
        self.assertEqual(targets["odd name -> x"], "b c")
        self.assertIsNone(targets["a"])

    def test_total_counts_blocks_of_4_kib(self):
        folder = os.path.join(self.files, "total")
        os.makedirs(folder)
        for name, size in (("none", 0), ("one", 1), ("full", 4096), ("two", 4097)):
            with open(os.path.join(folder, name), "wb") as out:
                out.write(b"x" * size)
        os.symlink("none", os.path.join(folder, "link"))
        said = text_of(self.client.scout(f"{self.host}:{folder}"))
        own, above = (os.stat(os.path.join(folder, name)).st_size for name in (".", ".."))
        blocks = sum(-(-size // 4096) for size in (own, above, 0, 1, 4096, 4097))
        self.assertEqual(said.split("\n", 1)[0], f"total {4 * blocks}")

    def test_many_links(self):
        folder = os.path.join(self.files, "many-links")
        os.makedirs(folder)
        for i in range(500):
            os.symlink(f"target/of/{i}", os.path.join(folder, f"l{i:03}"))
        said = text_of(self.client.tool("scout", target=f"{self.host}:{folder}", max_output=100000))
        self.assertEqual(said.split("\n", 1)[1], self.ls(folder).split("\n", 1)[1])

    def test_names_with_control_characters(self):
        folder = os.path.join(self.files, "controls")
        os.makedirs(folder)
        os.symlink("to\x1b[2J", os.path.join(folder, "new\nline\x7f"))
        result = self.client.scout(f"{self.host}:{folder}")
        self.assertIn(" new?line? -> to?[2J\n", text_of(result))
        answer = self.assertScoutOk(result, "directory")
        entry = answer["entries"][-1]
        self.assertEqual((entry["name"], entry["target"]), ("new\nline\u2421", "to"))
        self.assertEqual(answer["output"]["neutralised"], {"escapes": 2, "bidi": 0, "invisible": 0})
        with self.daemon.client().raw() as client:
            result = client.scout(f"{self.host}:{folder}")
        self.assertTrue(text_of(result).endswith(" new?line? -> to?[2J\n"), text_of(result))
        entry = self.assertScoutOk(result, "directory")["entries"][-1]
        self.assertEqual((entry["name"], entry["target"]), ("new\nline\x7f", "to\x1b[2J"))


class SftpListingTest(Listing, harness.ScoutTest):
    host = "demo1"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def test_a_directory_of_100000_entries_is_cut_and_says_so(self):
        folder = self.make_large_folder()
        for i in range(100000):
            os.symlink("x", os.path.join(folder, str(i)))
        with self.daemon.client().raw() as client:
            result = client.scout(f"{self.host}:{folder}")
        answer = self.assertScoutOk(result, "directory")
        self.assertTrue(answer["truncated"])
        self.assertEqual(answer["count"], 10000)
        self.assertTrue(text_of(result).endswith("\n\n[truncated at 10000 entries]"))
        self.assertEqual(len(re.findall(r" -> x\n", text_of(result))),
                         sum("target" in entry for entry in answer["entries"]))


class ShellListingTest(Listing, harness.ScoutTest):
    """A host without SFTP: its script does not tell its time zone, so dates are in UTC."""

    host = "demo1"
    zone = "UTC"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # Its shells read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.fleet.without_sftp("demo1")
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)


class SparseListingTest(peers.PeerTest):
    """A server that lists neither `.` nor `..`, and sends no lines of its own."""

    def test_it_looks_the_same(self):
        self.make_folder()
        light = self.light()
        with self.make_daemon(light.ssh_config).client() as client:
            result = client.scout("light:/dir-3")
            names = [entry["name"] for entry in self.assertScoutOk(result, "directory")["entries"]]
            self.assertEqual(names, [".", "..", "file-0", "file-1", "file-2"])
            lines = text_of(result).splitlines()
            self.assertRegex(lines[0], r"^total \d+$")
            for line, name in zip(lines[1:], names):
                self.assertRegex(line, r"^[d-][rwx-]{9} \? \S+ +\S+ +\d+ .{12} " + name + "$")


if __name__ == "__main__":
    harness.main()
