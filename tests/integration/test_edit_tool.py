"""The tool `edit` against a real sshd."""

import os
import re
import signal
import subprocess
import threading
import time

import changes
import harness
from changes import LIMIT
from harness import text_of

CLIENTS = 50  # edits of one file at once


class EditTest(changes.ChangeTest):

    # --- what is changed ---------------------------------------------------------------------

    def test_one_match(self):
        path = self.put("one.txt", "a\nb\nc\n", 0o640)
        answer = self.edit(path, "b", "B\nB2")
        self.assertContent(path, "a\nB\nB2\nc\n")
        status = os.stat(path)
        self.assertEqual(status.st_mode & 0o7777, 0o640)
        self.assertEqual(answer["etag"], f'"{int(status.st_mtime):x}-{status.st_size:x}"')
        self.assertTrue(answer["etag_before"].endswith('-6"'))
        self.assertEqual({key: answer[key] for key in (
            "host", "path", "real_path", "changed", "created", "removed", "dry_run",
            "replacements", "size", "mode", "owner_kept", "diff", "diff_truncated", "binary")}, {
                "host": "demo1", "path": path, "real_path": path, "changed": True,
                "created": False, "removed": False, "dry_run": False, "replacements": 1,
                "size": 9, "mode": "0640", "owner_kept": True,
                "diff": f"--- {path}\n+++ {path}\n@@ -1,3 +1,4 @@\n a\n-b\n+B\n+B2\n c\n",
                "diff_truncated": False, "binary": False})
        self.assertRegex(answer["undo"], r"^undo_[A-Za-z0-9_-]{22}$")

    def test_the_text(self):
        path = self.put("text.txt", "a\nb\n")
        result = self.call("edit", path, old_string="b", new_string="c")
        content = result["structuredContent"]
        self.assertEqual(text_of(result), (
            f"Edited demo1:{path}, 1 replacement, 4 bytes, etag {content['etag']}, undo "
            f"{content['undo']}\n{content['diff']}"))

    def test_all_matches(self):
        path = self.put("all.txt", "x = 1\ny = x\nx\n")
        answer = self.edit(path, "x", "zz", replace_all=True)
        self.assertContent(path, "zz = 1\ny = zz\nzz\n")
        self.assertEqual(answer["replacements"], 3)

    def test_line_breaks_and_the_byte_order_mark_stay(self):
        path = self.put("crlf.txt", b"\xef\xbb\xbfa\r\nb\r\nc\r\n")
        self.edit(path, "a\nb\n", "a\nb1\nb2\n")
        self.assertContent(path, b"\xef\xbb\xbfa\r\nb1\r\nb2\r\nc\r\n")
        self.edit(path, "b1\r\nb2", "b")
        self.assertContent(path, b"\xef\xbb\xbfa\r\nb\r\nc\r\n")

    def test_a_link_stays_and_its_target_is_edited(self):
        path = self.put("links/target.txt", "a\n", 0o604)
        link = os.path.join(self.files, "links", "link")
        os.symlink("target.txt", link)
        answer = self.edit(link, "a", "b")
        self.assertTrue(os.path.islink(link))
        self.assertContent(path, "b\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o604)
        self.assertEqual((answer["path"], answer["real_path"]), (link, path))

    @changes.as_root
    def test_owner_and_group_are_kept(self):
        path = self.put("owned.txt", "a\n", 0o640)
        os.chown(path, 12345, 23456)
        answer = self.edit(path, "a", "b")
        status = os.stat(path)
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777),
                         (12345, 23456, 0o640))
        self.assertTrue(answer["owner_kept"])

    def test_a_file_that_its_owner_may_only_read(self):
        path = self.put("sudoers", "root ALL=(ALL) ALL\n", 0o440)
        self.assertEqual(self.edit(path, "root", "admin")["mode"], "0440")
        self.assertContent(path, "admin ALL=(ALL) ALL\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o440)

    def test_relative_paths(self):
        path = self.put("relative.txt", "a\n")
        for number, name in enumerate(("relative.txt", "~/relative.txt", "./relative.txt")):
            answer = self.edit(name, "a" * (number + 1), "a" * (number + 2))
            self.assertEqual(answer["real_path"], path)
        self.assertContent(path, "aaaa\n")

    def test_dry_run(self):
        path = self.put("dry.txt", "a\n")
        before, kept = self.state_of(path), self.kept_states()
        result = self.call("edit", path, old_string="a", new_string="b", dry_run=True)
        answer = self.assertScoutOk(result, "edit")
        self.assertEqual(self.state_of(path), before)
        self.assertEqual(self.kept_states(), kept)
        self.assertTrue(answer["dry_run"] and answer["changed"])
        self.assertIn("-a\n+b\n", answer["diff"])
        self.assertNotIn("undo", answer)
        self.assertTrue(text_of(result).startswith(f"Would edit demo1:{path}, 1 replacement"))
        self.refused("edit", path, "no-unique-match", old_string="x", new_string="b", dry_run=True)

    def test_a_long_difference_is_cut_and_says_so(self):
        path = self.put("long.txt", "x\n" * 30000)
        result = self.call("edit", path, old_string="x", new_string="y", replace_all=True)
        answer = self.assertScoutOk(result, "edit")
        self.assertTrue(answer["diff_truncated"])
        self.assertLessEqual(len(answer["diff"]), 65536)
        self.assertTrue(text_of(result).endswith("\n[truncated: the difference is longer]\n"))
        self.assertContent(path, "y\n" * 30000)

    # --- what is refused ---------------------------------------------------------------------

    def test_no_match_and_several(self):
        path = self.put("match.txt", "one\n\ttwo  three\none\n")
        self.refused("edit", path, "no-unique-match", f"demo1:{path}: old_string is in it 2 times",
                     "at lines 1, 3", "replace_all", old_string="one", new_string="x")
        self.refused("edit", path, "no-unique-match", "not in it",
                     "With other white space (blanks, tabs, line breaks) it is at line 2",
                     old_string="    two three", new_string="x")
        self.refused("edit", path, "no-unique-match", "quotes or dashes", "at line 2",
                     old_string="\tTwo  three", new_string="x")
        self.refused("edit", path, "no-unique-match", "Nothing comes near", replace_all=True,
                     old_string="four", new_string="x")

    def test_what_means_nothing(self):
        path = self.put("nothing.txt", "a\n")
        self.refused("edit", path, "invalid-argument", "old_string is empty", "write",
                     old_string="", new_string="x")
        self.refused("edit", path, "invalid-argument", "are the same", old_string="a",
                     new_string="a")
        self.assertScoutError(self.client.tool("edit", target="hosts", old_string="a",
                                               new_string="b"), "invalid-argument")
        self.assertScoutError(self.client.tool("edit", target=self.target(path), old_string="a"),
                              "invalid-argument", "new_string")

    def test_what_is_no_text(self):
        path = self.put("binary", b"a\nb\0c")
        self.refused("edit", path, "not-text", f"demo1:{path}: it is a binary file: a NUL at byte 4",
                     old_string="a", new_string="b")
        path = self.put("latin1", b"a\nb\xe9c\n")
        self.refused("edit", path, "not-text", "not UTF-8: ill-formed at byte 4, in line 2",
                     old_string="a", new_string="b")

    def test_what_is_no_file(self):
        self.refused("edit", os.path.join(self.files, "none"), "path-not-found",
                     old_string="a", new_string="b")
        folder = os.path.dirname(self.put("folder/f", "a"))
        self.refused("edit", folder, "not-a-regular-file", "is a directory",
                     old_string="a", new_string="b")
        fifo = os.path.join(folder, "fifo")
        os.mkfifo(fifo)
        self.refused("edit", fifo, "not-a-regular-file", "FIFO", old_string="a", new_string="b")
        dangling = os.path.join(folder, "dangling")
        os.symlink("nowhere", dangling)
        self.refused("edit", dangling, "path-not-found", old_string="a", new_string="b")

    def test_what_is_too_large(self):
        path = self.put("huge", b"x" * LIMIT + b"a")
        self.refused("edit", path, "limit-exceeded", f"it has {LIMIT + 1} bytes",
                     f"at most {LIMIT} (max_file_size)", old_string="a", new_string="b")
        path = self.put("grows", b"x" * LIMIT)
        self.refused("edit", path, "limit-exceeded", f"more than {LIMIT} bytes afterwards",
                     old_string="x", new_string="xx", replace_all=True)

    def test_etag(self):
        path = self.put("etag.txt", "a\n")
        etag = self.client.tool("read", target=self.target(path))["structuredContent"]["etag"]
        self.refused("edit", path, "file-changed", f"its etag is {etag}, not \"1-2\"",
                     etag='"1-2"', old_string="a", new_string="b")
        answer = self.edit(path, "a", "bc", etag=etag)
        self.refused("edit", path, "file-changed", answer["etag"], etag=etag, old_string="bc",
                     new_string="b")

    def test_two_edits_within_a_second_leave_different_etags(self):
        path = self.put("quick.txt", "a\n")
        etags = [self.edit(path, old, new)["etag"] for old, new in ("ab", "bc", "cd", "de")]
        self.assertEqual(len(set(etags)), 4, etags)
        self.refused("edit", path, "file-changed", etag=etags[2], old_string="e", new_string="f")

    def test_what_stands_for_a_secret(self):
        path = self.put("secret.txt", "password = hunter22\nuser = a\n")
        marker = "[redacted:password:0123abcd]"
        for strings in (("user = a", f"x {marker}"), (f"password = {marker}", "x")):
            self.refused("edit", path, "invalid-argument", marker, "secret",
                         old_string=strings[0], new_string=strings[1])

    def test_a_secret_beside_an_edit_stays_and_is_not_shown(self):
        secret = "ghp_" + "A1b2C3d4E5" * 4
        path = self.put("beside.txt", f"user = a\ntoken = {secret}\nname = b\n")
        shown = text_of(self.client.tool("read", target=self.target(path)))
        marker = re.search(r"\[redacted:[a-z-]+:[0-9a-f]{8}\]", shown)[0]
        result = self.call("edit", path, old_string="name = b", new_string="name = c")
        answer = self.assertScoutOk(result, "edit")
        for text in (text_of(result), answer["diff"]):
            self.assertIn(marker, text)
            self.assertNotIn(secret, text)
        self.assertRegex(answer["undo"], "^undo_")  # nothing that is no secret is taken for one
        self.assertContent(path, f"user = a\ntoken = {secret}\nname = c\n")
        # What was shown cannot be written back.
        self.refused("write", path, "invalid-argument", marker, content=shown, overwrite=True)
        self.refused("edit", path, "invalid-argument", marker, old_string=f"token = {marker}",
                     new_string="token = x")
        self.assertScoutOk(self.call("undo", path), "undo")
        self.assertContent(path, f"user = a\ntoken = {secret}\nname = b\n")

    @changes.as_root
    def test_a_full_disk(self):
        folder = os.path.join(self.files, "small")
        os.mkdir(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder],
                                 check=False, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        path = self.put("small/f", "a\n" * 10000)
        self.refused("edit", path, ["remote-failure", "no-space"], replace_all=True, old_string="a",
                     new_string="aaaa")
        self.assertNothingLeft()
        self.edit(path, "a\n" * 10000, "b\n")
        self.assertContent(path, "b\n")

    # --- many at once ------------------------------------------------------------------------

    def at_once(self, path, arguments):
        """Sends one edit for each of `arguments` from a client of its own, all at the same time;
        the results in their order."""
        results = [None] * len(arguments)
        barrier = threading.Barrier(len(arguments))

        def run(number):
            with self.daemon.client() as client:
                barrier.wait(20)
                results[number] = client.tool("edit", timeout=60, target=self.target(path),
                                              **arguments[number])
        threads = [threading.Thread(target=run, args=(number,))
                   for number in range(len(arguments))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_many_edits_of_one_file_all_come(self):
        path = self.put("many.txt", "".join(f"line {i:02}.\n" for i in range(CLIENTS)))
        results = self.at_once(path, [{"old_string": f"line {i:02}.", "new_string": f"LINE {i:02}."}
                                      for i in range(CLIENTS)])
        for result in results:
            self.assertScoutOk(result, "edit")
        self.assertContent(path, "".join(f"LINE {i:02}.\n" for i in range(CLIENTS)))

    def test_many_edits_of_one_etag_one_wins(self):
        path = self.put("race.txt", "line 00.\n")
        etag = self.client.tool("read", target=self.target(path))["structuredContent"]["etag"]
        results = self.at_once(path, [{"old_string": "line 00", "new_string": f"LINE {i:02}",
                                       "etag": etag} for i in range(CLIENTS)])
        won = [i for i, result in enumerate(results) if not result.get("isError")]
        self.assertEqual(len(won), 1, [text_of(result) for result in results])
        for i, result in enumerate(results):
            if i != won[0]:
                self.assertScoutError(result, "file-changed", "read it again")
        self.assertContent(path, f"LINE {won[0]:02}.\n")

    def test_somebody_else_changes_it_meanwhile(self):
        """Another program replaces the file all the time: each edit is made, or refused as what it
        is, and the file is always one that somebody wrote."""
        path = self.put("else.txt", "count 0\n" + "x" * 1000 + "\n")
        stop = threading.Event()
        written, edits = [], 0

        def write():
            while not stop.is_set():
                text = "other" * (len(written) % 7 + 1) + "\ncount 0\n"
                with open(path + ".tmp", "w", encoding="ascii") as out:
                    out.write(text)
                os.rename(path + ".tmp", path)
                written.append(text)
                stop.wait(0.01)
        thread = threading.Thread(target=write)
        thread.start()
        try:
            while edits < 30 or len(written) < 10:
                edits += 1
                result = self.call("edit", path, old_string="count 0", new_string="count 1")
                if result.get("isError"):
                    self.assertScoutError(result, ["file-changed", "no-unique-match",
                                                   "path-not-found", "not-a-regular-file"])
        finally:
            stop.set()
            thread.join()
        with open(path, encoding="ascii") as text:
            content = text.read()
        self.assertIn(content.replace("count 1", "count 0"), written)

    # --- cancelled, killed -------------------------------------------------------------------

    def test_a_client_that_leaves_changes_all_or_nothing(self):
        path = self.put("leave.txt", "a" * 50000)
        contents = {b"a" * 50000, b"b" * 50000}
        for delay in range(0, 20):
            client = self.daemon.client()
            client.send("tools/call", {"name": "edit", "arguments": {
                "target": self.target(path), "old_string": "a", "new_string": "b",
                "replace_all": True}})
            threading.Event().wait(delay / 500)
            client.close()
        harness.wait_until(lambda: not self.call("stat", path).get("isError"), "it answers")
        with open(path, "rb") as text:
            self.assertIn(text.read(), contents)
        harness.wait_until(lambda: not [name for name in os.listdir(self.files)
                                        if name.startswith(".scout-")], "nothing is left")


    def test_a_connection_that_is_lost_at_any_time(self):
        old, new = b"old\n" * 15000, b"new\n" * 15000
        path = self.put("lost.txt", old)
        whole = self.duration(path)
        for part in range(24):
            self.put("lost.txt", old)
            self.assertScoutOk(self.call("stat", path), "stat")
            message = self.client.send("tools/call", {"name": "edit", "arguments": {
                "target": self.target(path), "old_string": "old", "new_string": "new",
                "replace_all": True}})
            threading.Event().wait(whole * part / 16)
            for pid in reversed(self.fleet.processes("demo1")[1:]):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            result = self.client.result(message, 30)
            with open(path, "rb") as text:
                content = text.read()
            if result.get("isError"):
                error = self.assertScoutError(result, "connection-lost")
                self.assertEqual(content == new, "in place nevertheless" in error["message"])
            self.assertEqual(content, new if not result.get("isError") else content)
            self.assertIn(content, (old, new))
            self.assertNothingLeft()


class KillTest(changes.ChangeTest):
    """kill -9 of the daemon at any time leaves the old file or the new one."""

    def test_kill_at_any_time(self):
        old, new = b"old\n" * 15000, b"new\n" * 15000
        path = self.put("killed.txt", old)
        seen, whole = set(), self.duration(path)
        for part in range(24):
            self.put("killed.txt", old)
            client = self.daemon.client()
            client.tool("stat", target=self.target(path))
            client.send("tools/call", {"name": "edit", "arguments": {
                "target": self.target(path), "old_string": "old", "new_string": "new",
                "replace_all": True}})
            threading.Event().wait(whole * part / 16)
            self.daemon.kill()
            client.close()
            # What sshd still does of what it got.
            harness.wait_until(lambda: len(self.fleet.processes("demo1")) == 1, "sshd is done")
            with open(path, "rb") as text:
                content = text.read()
            self.assertIn(content, (old, new), part)
            seen.add(content)
            left = [name for name in os.listdir(self.files) if name.startswith(".scout-")]
            self.assertLessEqual(len(left), 1, left)
            for name in left:  # one hidden file of that form is what a kill may leave
                self.assertRegex(name, r"^\.scout-[a-z2-7]{8}\.tmp$")
                os.unlink(os.path.join(self.files, name))
            self.daemon.start()
            # What was kept fits the file, or is known not to.
            with self.daemon.client() as client:
                result = client.tool("undo", target=self.target(path))
            if content == new:
                self.assertScoutOk(result, "undo")
            else:
                self.assertScoutError(result, ["no-undo", "file-changed"])
            self.assertContent(path, old)
        self.assertIn(old, seen)


class MemoryTest(changes.ChangeTest):
    """What the changes of one client hold is bounded; who waits for a turn holds nothing of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon = cls.make_daemon(
            cls.fleet.ssh_config,
            'role = "operator"\nmax_file_size = 1048576\nmax_client_bytes = 1048576\n', "m")

    def test_one_that_is_too_large_is_refused(self):
        path = self.put("large.txt", "a" + "x" * 400000)
        self.refused("edit", path, "limit-exceeded", "max_client_bytes", old_string="a",
                     new_string="b")
        path = self.put("fits.txt", "a" + "x" * 200000)
        self.edit(path, "a", "b")
        # What was kept of it counts, too.
        self.assertScoutOk(self.call("write", path, content="c", overwrite=True), "write")
        self.assertScoutOk(self.call("undo", path), "undo")

    def test_many_of_one_file_get_on_one_after_the_other(self):
        count = 12
        path = self.put("many.txt", "".join(f"[{i}]" for i in range(count)) + "x" * 200000)
        pending = [self.client.send("tools/call", {"name": "edit", "arguments": {
            "target": self.target(path), "old_string": f"[{i}]", "new_string": f"<{i}>"}})
            for i in range(count)]
        begun = time.monotonic()
        results = [self.client.result(message, 60) for message in pending]
        self.assertLess(time.monotonic() - begun, 25)  # nobody waits for somebody who waits for him
        for result in results:
            if result.get("isError"):
                self.assertScoutError(result, "limit-exceeded", "max_client_bytes")
        self.assertGreaterEqual(sum(not result.get("isError") for result in results), 1)
        self.edit(path, "x" * 1000, "y", replace_all=True)


class WithoutSftpTest(changes.ChangeTest):
    """By the host's shell, with the same promises; only a file that was made is not removed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fleet.without_sftp("demo1")

    def test_edits_and_undo(self):
        path = self.put("f", "a\r\n", 0o640)
        etags = [self.edit(path, old, new)["etag"] for old, new in ("ab", "bc", "cd")]
        self.assertEqual(len(set(etags)), 3, etags)
        self.assertContent(path, "d\r\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
        self.refused("edit", path, "file-changed", etag=etags[1], old_string="d", new_string="e")
        for content in ("c", "b", "a"):
            self.assertScoutOk(self.call("undo", path), "undo")
            self.assertContent(path, content + "\r\n")

    def test_a_new_file(self):
        path = os.path.join(self.files, "it's new")
        self.assertTrue(self.assertScoutOk(self.call("write", path, content="a"), "write")["created"])
        self.assertContent(path, "a")
        self.refused("write", path, "already-exists", content="b")
        self.refused("undo", path, "sftp-unavailable", "removing a file needs")


if __name__ == "__main__":
    harness.main()
