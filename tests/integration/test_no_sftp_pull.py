"""Copying files from a host without SFTP, by its shell: the same promises as over SFTP."""

import os
import signal
import stat

import harness
from beam_case import MIB, NoSftpCase, SIZE, make_large, wait_for_partial


class NoSftpPullTest(NoSftpCase, harness.ScoutTest):
    def down(self, name, there, **more):
        return self.beam(beam=name, target=f"demo1:{there}", direction="download", **more)

    def test_a_file_comes_as_it_is(self):
        content = os.urandom(3 * MIB + 11) + b"\n@scout-content\n" + bytes(range(256))
        there = self.fleet.write("demo1", "it's one; $(touch x) \\n", content)
        os.chmod(there, 0o4751)
        told = self.assertDone(self.down("one", there, verify="sha256"))
        self.assertEqual(told["bytes"], len(content))
        self.assertEqual(told["verified"], "sha256")
        here = os.path.join(self.here, "one")
        self.assertEqual(self.read(here), content)
        self.assertEqual(stat.S_IMODE(os.stat(here).st_mode), 0o751)
        self.assertNothingLeft(self.here)

    def test_an_empty_file(self):
        there = self.fleet.write("demo1", "empty", b"")
        self.assertEqual(self.assertDone(self.down("empty", there))["bytes"], 0)
        self.assertEqual(self.read(os.path.join(self.here, "empty")), b"")

    def test_what_leads_to_a_file(self):
        there = self.fleet.write("demo1", "real", b"content")
        link = self.fleet.path("demo1", "link")
        os.symlink("real", link)
        self.assertDone(self.down("by-link", link))
        self.assertEqual(self.read(os.path.join(self.here, "by-link")), b"content")
        self.assertDone(self.down("itself", there))

    def test_what_cannot_be_copied(self):
        folder = self.fleet.path("demo1")
        os.makedirs(os.path.join(folder, "dir"), exist_ok=True)
        os.mkfifo(os.path.join(folder, "fifo"))
        self.assertFailed(self.down("no", os.path.join(folder, "dir")), "not-a-regular-file", "directory")
        self.assertFailed(self.down("no", os.path.join(folder, "fifo")), "not-a-regular-file")
        self.assertFailed(self.down("no", os.path.join(folder, "missing")), "path-not-found")
        self.assertFailed(self.down("no", "/proc/self/status"), "not-a-regular-file", "no size of its own")
        self.assertFailed(self.down("no", "/etc/shadow"), "policy-denied")
        key = self.fleet.write("demo1", "site.key", b"x")
        os.symlink(key, os.path.join(folder, "innocent"))
        self.assertFailed(self.down("no", os.path.join(folder, "innocent")), "policy-denied")
        self.assertNothingLeft(self.here)
        self.assertFalse(os.path.exists(os.path.join(self.here, "no")))

    def test_what_is_here_is_kept_unless_it_may_go(self):
        there = self.fleet.write("demo1", "o", b"new")
        self.local("o", b"old")
        self.assertFailed(self.down("o", there), "already-exists")
        self.assertEqual(self.read(os.path.join(self.here, "o")), b"old")
        self.assertDone(self.down("o", there, overwrite=True))
        self.assertEqual(self.read(os.path.join(self.here, "o")), b"new")

    def test_between_hosts(self):
        source = make_large(self.fleet.path("demo1", "from"), 20 * MIB + 3)
        there = self.fleet.path("demo2", "to")
        self.assertDone(self.beam(beam_source=f"demo1:{source}", beam_target=f"demo2:{there}", verify="sha256"))
        self.assertSame(source, there)
        again = self.fleet.path("demo1", "again")
        self.assertDone(self.beam(beam_source=f"demo1:{source}", beam_target=f"demo1:{again}"))
        self.assertSame(source, again)

    def test_a_large_file_takes_no_memory(self):
        there = make_large(self.fleet.path("demo1", "large"), SIZE)
        before = self.daemon.memory_bytes()
        request = self.send(beam="large", target=f"demo1:{there}", direction="download")
        wait_for_partial(self.here, SIZE * 3 // 4)
        self.assertLess(self.daemon.memory_bytes() - before, 32 * MIB)
        self.assertDone(self.client.result(request, 60))
        self.assertSame(there, os.path.join(self.here, "large"))

    def test_a_file_that_changes(self):
        there = make_large(self.fleet.path("demo1", "changes"), SIZE)
        request = self.send(beam="changes", target=f"demo1:{there}", direction="download")
        wait_for_partial(self.here, MIB)
        with open(there, "ab") as out:
            out.write(b"more")
        self.assertFailed(self.client.result(request, 60), "file-changed")
        self.assertNothingLeft(self.here)

    def test_one_that_is_cut_off_leaves_nothing(self):
        there = make_large(self.fleet.path("demo1", "big"), SIZE)
        for way in ("cancelled", "killed"):
            with self.subTest(way):
                self.cut_off(way, self.here, beam="big", target=f"demo1:{there}",
                             direction="download")
                self.assertNothingLeft(self.here)
                self.assertFalse(os.path.exists(os.path.join(self.here, "big")))

    def test_one_that_is_cut_off_goes_on(self):
        there = make_large(self.fleet.path("demo1", "resumed"), SIZE)
        processes = self.warm()
        request = self.send(beam="resumed", target=f"demo1:{there}", direction="download", resume=True)
        wait_for_partial(self.here, 8 * MIB)
        self.signal(processes, signal.SIGKILL)
        self.assertFailed(self.client.result(request, 60), "connection-lost")
        told = self.assertDone(self.down("resumed", there, resume=True, verify="sha256"))
        self.assertGreater(told["resumed"], 0)
        self.assertSame(there, os.path.join(self.here, "resumed"))
        self.assertNothingLeft(self.here)


if __name__ == "__main__":
    harness.main()
