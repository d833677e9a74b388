"""The tool `undo` against a real sshd: what it gives back, to whom, and for how long."""

import os
import threading

import changes
import harness
from changes import LIMIT
from harness import text_of


class UndoTest(changes.ChangeTest):
    def write_file(self, path, content, **arguments):
        return self.assertScoutOk(self.call("write", path, content=content, **arguments), "write")

    def undo(self, path, **arguments):
        return self.assertScoutOk(self.call("undo", path, **arguments), "undo")

    def undo_id(self, identifier, client=None, **arguments):
        result = (client or self.client).tool("undo", undo=identifier, **arguments)
        self.assertSchema("undo", result)
        return result

    # --- what comes back ---------------------------------------------------------------------

    def test_an_edit(self):
        path = self.put("edit.txt", b"\xef\xbb\xbfa\r\nb\r\n", 0o640)
        edited = self.edit(path, "a", "c")
        result = self.call("undo", path)
        answer = self.assertScoutOk(result, "undo")
        self.assertContent(path, b"\xef\xbb\xbfa\r\nb\r\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
        self.assertEqual(answer["etag_before"], edited["etag"])
        self.assertRegex(answer["diff"], "\n\\+(\ufeff|<U\\+FEFF>)a\r\n")
        self.assertTrue(text_of(result).startswith(f"Wrote demo1:{path}, 9 bytes, etag"))

    def test_one_after_the_other(self):
        path = self.put("steps.txt", "0\n")
        for number in range(3):
            self.edit(path, str(number), str(number + 1))
        for number in (2, 1, 0):
            self.undo(path)
            self.assertContent(path, f"{number}\n")
        self.refused("undo", path, "no-undo", "no change of yours of demo1:" + path, "24 hours")

    def test_taking_an_undo_back(self):
        path = self.put("again.txt", "a\n")
        self.edit(path, "a", "b")
        undone = self.undo(path)
        self.assertContent(path, "a\n")
        again = self.assertScoutOk(self.undo_id(undone["undo"]), "undo")
        self.assertContent(path, "b\n")
        self.assertEqual(again["path"], path)
        self.undo(path)  # as if the edit had been made again
        self.assertContent(path, "a\n")

    def test_by_its_id(self):
        path = self.put("by-id.txt", "a\n")
        first = self.edit(path, "a", "b")
        second = self.edit(path, "b", "c")
        self.assertScoutError(self.undo_id(first["undo"]), "file-changed",
                              "not what that change left")
        self.assertContent(path, "c\n")
        self.assertScoutOk(self.undo_id(second["undo"]), "undo")
        self.assertScoutOk(self.undo_id(first["undo"]), "undo")
        self.assertContent(path, "a\n")
        self.assertScoutError(self.undo_id(first["undo"]), "no-undo", first["undo"])

    def test_a_file_that_was_made(self):
        path = os.path.join(self.files, "made.txt")
        self.write_file(path, "text\n", mode="600")
        result = self.call("undo", path)
        answer = self.assertScoutOk(result, "undo")
        self.assertFalse(os.path.exists(path))
        self.assertTrue(answer["removed"])
        self.assertTrue(text_of(result).startswith(f"Removed demo1:{path}, undo undo_"))
        self.assertTrue(answer["diff"].startswith(f"--- {path}\n+++ /dev/null\n"))
        again = self.assertScoutOk(self.undo_id(answer["undo"]), "undo")
        self.assertContent(path, "text\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
        self.assertTrue(again["created"])
        self.assertTrue(self.undo(path)["removed"])
        self.assertFalse(os.path.exists(path))

    def test_the_mode(self):
        path = self.put("mode.txt", "a\n", 0o604)
        self.write_file(path, "b\n", overwrite=True, mode="755")
        self.undo(path)
        self.assertContent(path, "a\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o604)
        # One that somebody else gave it since stays.
        self.edit(path, "a", "b")
        os.chmod(path, 0o600)
        self.undo(path)
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)

    def test_a_binary_file(self):
        path = self.put("binary", bytes(range(256)) * 40)
        self.write_file(path, "text", overwrite=True)
        self.assertTrue(self.undo(path)["binary"])
        self.assertContent(path, bytes(range(256)) * 40)

    def test_through_a_link(self):
        path = self.put("target.txt", "a\n")
        link = os.path.join(self.files, "link")
        os.symlink("target.txt", link)
        self.edit(link, "a", "b")
        self.undo(path)
        self.assertContent(path, "a\n")
        self.edit(path, "a", "b")
        self.undo(link)
        self.assertContent(path, "a\n")
        self.assertTrue(os.path.islink(link))

    def test_dry_run(self):
        path = self.put("dry.txt", "a\n")
        self.edit(path, "a", "b")
        before, kept = self.state_of(path), self.kept_states()
        answer = self.undo(path, dry_run=True)
        self.assertEqual((self.state_of(path), self.kept_states()), (before, kept))
        self.assertIn("-b\n+a\n", answer["diff"])
        self.undo(path)
        self.assertContent(path, "a\n")
        made = os.path.join(self.files, "dry-made.txt")
        self.write_file(made, "x")
        self.assertTrue(self.undo(made, dry_run=True)["removed"])
        self.assertContent(made, "x")

    # --- what is refused ---------------------------------------------------------------------

    def test_what_somebody_else_changed(self):
        path = self.put("changed.txt", "a\n")
        edited = self.edit(path, "a", "b")
        # Of the same size, and with the same time: only the content tells.
        times = os.stat(path)
        with open(path, "w", encoding="ascii") as out:
            out.write("x\n")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.refused("undo", path, "file-changed", "is not what a change of yours left")
        self.assertScoutError(self.undo_id(edited["undo"]), "file-changed",
                              "not what that change left")
        os.unlink(path)
        self.refused("undo", path, "file-changed", "is not what a change of yours left")
        self.assertScoutError(self.undo_id(edited["undo"]), "file-changed", "not there any more")
        with open(path, "w", encoding="ascii") as out:
            out.write("b\n")
        self.undo(path)  # it is what the edit left, whoever wrote it
        self.assertContent(path, "a\n")

    def test_what_was_made_anew(self):
        path = os.path.join(self.files, "anew.txt")
        self.write_file(path, "a")
        removed = self.undo(path)
        self.put("anew.txt", "b")
        self.assertScoutError(self.undo_id(removed["undo"]), "file-changed", "it is there again")
        self.assertContent(path, "b")

    def test_what_never_was(self):
        path = self.put("never.txt", "a\n")
        self.refused("undo", path, "no-undo")
        self.refused("undo", os.path.join(self.files, "none"), "no-undo")
        self.assertScoutError(self.undo_id("undo_" + "A" * 22), "no-undo")
        for identifier in ("undo_", "undo_" + "A" * 21, "../../../../../etc/passwd01", "",
                           "undo_AAAAAAAAAAAAAAAAAAAAA/"):
            self.assertScoutError(self.undo_id(identifier), "invalid-argument")
        self.assertScoutError(self.client.tool("undo"), "invalid-argument", "give either")
        self.assertScoutError(self.client.tool("undo", target="demo1:/x", undo="undo_" + "A" * 22),
                              "invalid-argument", "give either")

    def test_a_change_that_failed_cannot_be_undone(self):
        path = self.put("failed.txt", "a\n")
        self.refused("edit", path, "no-unique-match", old_string="x", new_string="y")
        self.refused("undo", path, "no-undo")  # behind what other tests left to be dropped
        kept = self.kept_states()
        self.refused("write", os.path.join(self.files, "none", "f"), "path-not-found", content="a")
        self.assertEqual(self.kept_states(), kept)
        self.refused("undo", path, "no-undo")

    def test_a_file_that_has_grown_too_large(self):
        path = self.put("grown.txt", "a\n")
        self.edit(path, "a", "b")
        self.put("grown.txt", "b" * (LIMIT + 1))
        self.refused("undo", path, "limit-exceeded")

    # --- whose, and for how long -------------------------------------------------------------

    def test_many_at_once_one_wins(self):
        path = self.put("race.txt", "a\n")
        edited = self.edit(path, "a", "b")
        results = [None] * 20

        def run(number):
            with self.daemon.client() as client:
                results[number] = client.tool("undo", timeout=30, undo=edited["undo"])
        threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [result for result in results if not result.get("isError")]
        self.assertEqual(len(won), 1)
        for result in results:
            if result is not won[0]:
                self.assertScoutError(result, ["no-undo", "file-changed"])
        self.assertContent(path, "a\n")

    def test_over_a_restart_and_a_kill(self):
        path = self.put("restart.txt", "a\n")
        self.edit(path, "a", "b")
        self.daemon.stop()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.undo(path)
        self.assertContent(path, "a\n")
        self.edit(path, "a", "c")
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.undo(path)
        self.assertContent(path, "a\n")

    def test_the_files_are_ours_alone(self):
        path = self.put("private.txt", "a\n")
        edited = self.edit(path, "a", "b")
        folder = os.path.join(self.daemon.state, "undo")
        self.assertEqual(os.stat(folder).st_mode & 0o7777, 0o700)
        status = os.stat(os.path.join(folder, edited["undo"]))
        self.assertEqual(status.st_mode & 0o7777, 0o600)

    def test_the_oldest_go(self):
        path = self.put("count.txt", "0.\n")
        first = self.edit(path, "0.", "1.")
        pending = []
        for number in range(1, 257):
            pending.append(self.client.send("tools/call", {"name": "write", "arguments": {
                "target": self.target(path), "content": f"{number + 1}.\n", "overwrite": True}}))
        for message in pending:
            self.assertScoutOk(self.client.result(message, 60), "write")
        self.assertEqual(len(self.kept_states()), 256)
        self.assertScoutError(self.undo_id(first["undo"]), "no-undo")
        self.undo(path)


class OwnerTest(changes.ChangeTest):
    """What one client changed, another one cannot take back."""

    def test_a_state_is_its_owners_alone(self):
        tokens = os.path.join(self.folder, "tokens")
        names = {}
        for name in ("one", "two"):
            ended = harness.subprocess.run(
                [harness.SCOUT, "token", "new", name, "operator", tokens], check=True,
                capture_output=True, text=True)
            names[name] = ended.stdout.strip()
        daemon = self.make_daemon(self.fleet.ssh_config, f"tokens = {tokens}\n", "owners")

        def client_of(token):
            client = daemon.client()
            self.addCleanup(client.close)
            client.notify("notifications/scout/token", {"token": token})
            return client
        path = self.put("owned.txt", "a\n")
        one, two = client_of(names["one"]), client_of(names["two"])
        edited = self.assertScoutOk(self.call("edit", path, one, old_string="a", new_string="b"),
                                    "edit")
        for arguments in ({"undo": edited["undo"]}, {"target": self.target(path)}):
            self.assertScoutError(two.tool("undo", **arguments), "no-undo")
        self.assertContent(path, "b\n")
        self.assertScoutOk(one.tool("undo", undo=edited["undo"]), "undo")
        self.assertContent(path, "a\n")


if __name__ == "__main__":
    harness.main()
