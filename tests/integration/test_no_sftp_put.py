"""Writing files to a host without SFTP, by its shell: the same promises as over SFTP."""

import os
import stat

import harness
from beam_case import MIB, NoSftpCase, make_large


class NoSftpPutTest(NoSftpCase, harness.ScoutTest):
    def up(self, name, there, **more):
        return self.beam(beam=name, target=f"demo1:{there}", direction="upload", **more)

    def test_a_new_file(self):
        content = os.urandom(3 * MIB + 11)
        self.local("new", content, 0o750)
        there = self.fleet.path("demo1", "it's new; $(touch x) \\n")
        told = self.assertDone(self.up("new", there, verify="sha256"))
        self.assertEqual(self.read(there), content)
        seen = os.stat(there)
        self.assertEqual(stat.S_IMODE(seen.st_mode), 0o750)
        self.assertEqual(told["etag"], f'"{int(seen.st_mtime):x}-{seen.st_size:x}"')
        self.assertTrue(told["created"] and told["owner_kept"])
        self.assertNothingLeft(self.fleet.path("demo1"))

    def test_an_empty_file(self):
        self.local("empty", b"")
        there = self.fleet.path("demo1", "empty")
        self.assertEqual(self.assertDone(self.up("empty", there))["bytes"], 0)
        self.assertEqual(self.read(there), b"")

    def test_what_is_there_is_kept_unless_it_may_go(self):
        self.local("o", b"new")
        there = self.fleet.write("demo1", "o", b"old")
        self.assertFailed(self.up("o", there), "already-exists")
        self.assertFailed(self.up("o", there, etag='"1-1"'), "file-changed")
        self.assertEqual(self.read(there), b"old")
        seen = os.stat(there)
        told = self.assertDone(
            self.up("o", there, etag=f'"{int(seen.st_mtime):x}-{seen.st_size:x}"'))
        self.assertFalse(told["created"])
        self.assertEqual(self.read(there), b"new")
        self.local("o", b"newer")
        self.assertDone(self.up("o", there, overwrite=True))
        self.assertEqual(self.read(there), b"newer")

    def test_the_owner_is_kept(self):
        if os.getuid() != 0:
            self.skipTest("only root gives files away")
        self.local("own", b"new")
        there = self.fleet.write("demo1", "own", b"old")
        os.chown(there, 12345, 23456)
        told = self.assertDone(self.up("own", there, overwrite=True))
        self.assertTrue(told["owner_kept"])
        self.assertEqual((os.stat(there).st_uid, os.stat(there).st_gid), (12345, 23456))

    def test_links_and_what_is_no_file(self):
        self.local("l", b"new")
        target = self.fleet.write("demo1", "l-target", b"old")
        link = self.fleet.path("demo1", "l-link")
        os.symlink("l-target", link)
        self.assertDone(self.up("l", link, overwrite=True))
        self.assertTrue(os.path.islink(link))
        self.assertEqual(self.read(target), b"new")
        os.mkfifo(self.fleet.path("demo1", "l-fifo"))
        for name, code in (("l-fifo", "not-a-regular-file"), ("notes", "not-a-regular-file"),
                           ("nope/x", "path-not-found")):
            with self.subTest(name):
                self.assertFailed(self.up("l", self.fleet.path("demo1", name), overwrite=True), code)

    def test_a_copy_that_is_cut_off_leaves_nothing(self):
        make_large(self.local("big"), 64 * MIB)
        folder = self.fleet.path("demo1")
        there = os.path.join(folder, "big")
        for way in ("cancelled", "killed"):
            with self.subTest(way):
                self.cut_off(way, folder, beam="big", target=f"demo1:{there}", direction="upload")
                self.assertNothingLeft(folder)
                self.assertFalse(os.path.exists(there))

    def test_from_another_host(self):
        source = make_large(self.fleet.path("demo2", "from"), 2 * MIB + 3)
        there = self.fleet.path("demo1", "from")
        self.assertDone(self.beam(beam_source=f"demo2:{source}", beam_target=f"demo1:{there}"))
        self.assertSame(source, there)


if __name__ == "__main__":
    harness.main()
