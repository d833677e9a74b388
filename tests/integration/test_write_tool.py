"""The tool `write` against a real sshd, and what policy says of changes."""

import os
import re
import subprocess
import threading

import changes
import harness
from harness import text_of
from terminal import Terminal


class WriteTest(changes.ChangeTest):
    def write_file(self, path, content, **arguments):
        return self.assertScoutOk(self.call("write", path, content=content, **arguments), "write")

    # --- what is written ---------------------------------------------------------------------

    def test_a_new_file(self):
        path = os.path.join(self.files, "new.txt")
        result = self.call("write", path, content="a\nb\n")
        answer = self.assertScoutOk(result, "write")
        self.assertContent(path, "a\nb\n")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o644)
        self.assertTrue(answer["created"] and answer["changed"])
        self.assertNotIn("etag_before", answer)
        self.assertEqual(answer["diff"], f"--- /dev/null\n+++ {path}\n@@ -0,0 +1,2 @@\n+a\n+b\n")
        self.assertEqual(text_of(result), (
            f"Created demo1:{path}, 4 bytes, etag {answer['etag']}, undo {answer['undo']}\n"
            f"{answer['diff']}"))

    def test_an_empty_file(self):
        path = os.path.join(self.files, "empty.txt")
        self.assertEqual(self.write_file(path, "")["size"], 0)
        self.assertContent(path, "")

    def test_mode(self):
        path = os.path.join(self.files, "mode.txt")
        self.assertEqual(self.write_file(path, "a", mode="0600")["mode"], "0600")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
        self.write_file(path, "b", overwrite=True)
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
        answer = self.write_file(path, "b", overwrite=True, mode="755")
        self.assertTrue(answer["changed"])
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o755)
        for mode in ("4755", "8", "rwx", "00644", "-644", "07777", "64"):
            self.assertScoutError(self.call("write", path, content="c", overwrite=True, mode=mode),
                                  "invalid-argument", "mode")
        self.assertContent(path, "b")

    def test_a_file_that_is_there(self):
        path = self.put("there.txt", "old\n", 0o640)
        self.refused("write", path, "already-exists", f"demo1:{path}: there is a file already",
                     "overwrite", "edit", content="new\n")
        self.refused("write", path, "file-changed", content="new\n", etag='"0-0"')
        self.refused("write", path, "file-changed", content="new\n", etag='"0-0"', overwrite=True)
        etag = self.client.tool("read", target=self.target(path))["structuredContent"]["etag"]
        answer = self.write_file(path, "new\n", etag=etag)
        self.assertContent(path, "new\n")
        self.assertEqual((answer["etag_before"], answer["created"], answer["mode"]),
                         (etag, False, "0640"))
        self.assertIn("-old\n+new\n", answer["diff"])
        self.write_file(path, "newer\n", overwrite=True)
        self.assertContent(path, "newer\n")
        missing = os.path.join(self.files, "missing.txt")
        self.refused("write", missing, "file-changed", "not there", content="x", etag=etag)

    def test_what_is_there_already(self):
        path = self.put("same.txt", "same\n")
        before, kept = self.state_of(path), self.kept_states()
        result = self.call("write", path, content="same\n", overwrite=True)
        answer = self.assertScoutOk(result, "write")
        self.assertFalse(answer["changed"])
        self.assertEqual((self.state_of(path), self.kept_states()), (before, kept))
        self.assertEqual(text_of(result),
                         f"Nothing to change: demo1:{path} has this content already\n")

    def test_a_binary_file_is_replaced_without_a_difference(self):
        path = self.put("binary", b"a\0b")
        result = self.call("write", path, content="text\n", overwrite=True)
        answer = self.assertScoutOk(result, "write")
        self.assertTrue(answer["binary"])
        self.assertNotIn("diff", answer)
        self.assertIn("one side is binary", text_of(result))
        self.assertContent(path, "text\n")

    def test_exactly_as_it_is(self):
        path = os.path.join(self.files, "exact.txt")
        text = "\ufeff\r\n\t\u20ac\U0001f600 no newline\r"
        self.write_file(path, text)
        self.assertContent(path, text.encode())
        large = "0123456789abcdef" * 65536
        self.write_file(os.path.join(self.files, "large.txt"), large)
        self.assertContent(os.path.join(self.files, "large.txt"), large)

    def test_a_link_to_nothing_makes_its_target(self):
        link = os.path.join(self.files, "to-new")
        os.symlink("made.txt", link)
        answer = self.write_file(link, "x")
        self.assertTrue(os.path.islink(link))
        self.assertContent(os.path.join(self.files, "made.txt"), "x")
        self.assertEqual(answer["real_path"], os.path.join(self.files, "made.txt"))

    def test_dry_run(self):
        path = os.path.join(self.files, "dry.txt")
        result = self.call("write", path, content="a\n", dry_run=True)
        answer = self.assertScoutOk(result, "write")
        self.assertFalse(os.path.exists(path))
        self.assertTrue(answer["dry_run"] and answer["created"] and answer["changed"])
        self.assertIn("+a\n", answer["diff"])
        self.assertTrue(text_of(result).startswith(f"Would create demo1:{path}, 2 bytes\n"))
        self.refused("write", os.path.join(self.files, "none", "f"), "path-not-found",
                     content="a", dry_run=True)
        path = self.put("dry2.txt", "a\n")
        self.refused("write", path, "already-exists", content="b\n", dry_run=True)

    # --- what is refused ---------------------------------------------------------------------

    def test_what_cannot_be_written(self):
        self.refused("write", os.path.join(self.files, "none", "f"), "path-not-found", content="a")
        folder = os.path.join(self.files, "a-folder")
        os.mkdir(folder)
        self.refused("write", folder, "not-a-regular-file", content="a", overwrite=True)
        fifo = os.path.join(self.files, "fifo")
        os.mkfifo(fifo)
        self.refused("write", fifo, "not-a-regular-file", content="a", overwrite=True)
        path = self.put("huge", b"x" * (changes.LIMIT + 1))
        self.refused("write", path, "limit-exceeded", "max_file_size", content="a", overwrite=True)
        self.assertScoutError(self.call("write", path, content="x" * (1024 * 1024 + 1)),
                              "invalid-argument", "content")

    def test_what_stands_for_a_secret(self):
        path = os.path.join(self.files, "secret.txt")
        self.refused("write", path, "invalid-argument", "[redacted:token:89abcdef]", "secret",
                     content="a\ntoken [redacted:token:89abcdef]\n")
        self.assertTrue(self.write_file(path, "[redacted:token:89abcde]\n")["created"])

    @changes.as_root
    def test_a_disk_that_is_read_only(self):
        folder = os.path.join(self.files, "read-only")
        os.mkdir(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", folder], check=False,
                                 capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        self.refused("write", os.path.join(folder, "f"), ["remote-failure", "permission-denied"],
                     content="a")

    def test_many_make_the_same_file_one_wins(self):
        path = os.path.join(self.files, "race.txt")
        results = [None] * 20

        def run(number):
            with self.daemon.client() as client:
                results[number] = client.tool("write", timeout=30, target=self.target(path),
                                              content=f"text {number}\n")
        threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [i for i, result in enumerate(results) if not result.get("isError")]
        self.assertEqual(len(won), 1)
        for i, result in enumerate(results):
            if i != won[0]:
                self.assertScoutError(result, "already-exists")
        self.assertContent(path, f"text {won[0]}\n")

    # --- what is on record -------------------------------------------------------------------

    def test_the_record(self):
        path = os.path.join(self.files, "recorded.txt")
        answer = self.write_file(path, "Sesame-open\n")
        with open(os.path.join(self.daemon.state, "audit.log"), encoding="utf-8") as log:
            lines = [line for line in log if path in line]  # before the effect, so it is there
        self.assertEqual([re.search(r'"event":"(\w+)"', line)[1] for line in lines][0], "begin")
        self.assertIn('"tool":"write","verb":"write","host":"demo1"', lines[0])
        self.daemon.stop()
        with open(os.path.join(self.daemon.state, "audit.log"), encoding="utf-8") as log:
            record = log.read()
        self.assertIn('"event":"end"', record)
        for text in (record, self.daemon.log()):
            self.assertNotIn("Sesame", text)
            self.assertNotIn(answer["undo"], text)
        self.daemon.start()

    def test_what_cannot_be_kept_is_not_changed(self):
        path = self.put("unkept.txt", "a\n")
        state = os.path.join(self.folder, "unkept-state")
        os.mkdir(state, 0o700)
        folder = os.path.join(state, "undo")
        with open(folder, "w", encoding="ascii"):
            pass
        daemon = self.make_daemon(self.fleet.ssh_config, 'role = "operator"\n', "unkept",
                                  state=state)
        self.client = daemon.client()
        self.addCleanup(self.client.close)
        self.refused("write", path, "undo-unavailable", folder, content="b\n", overwrite=True)
        harness.wait_until(lambda: "undo_unavailable" in daemon.log(), "it is in the log")
        os.unlink(folder)
        self.write_file(path, "b\n", overwrite=True)
        self.assertContent(path, "b\n")
        harness.wait_until(lambda: "undo_available" in daemon.log(), "it is in the log")


class PolicyTest(changes.ChangeTest):
    """A reader who may write below one folder, with exceptions."""

    role = "reader"
    config = """
rule "guarded" { effect = deny verbs = {write} paths = {"**/guarded"} }
rule "asked" { effect = confirm verbs = {write} paths = {"**/asked"} }
rule "unread" { effect = deny verbs = {read} paths = {"**/unread"} }
rule "files" { effect = allow verbs = {write} paths = {"**/files"} }
"""

    def environment(self):
        return {**harness.clean_environment(self.folder), "SCOUT_SOCKET": self.daemon.socket,
                "SCOUT_STATE_DIR": self.daemon.state}

    def approve(self, asked, answer="y"):
        terminal = Terminal([harness.SCOUT, "approve", asked], self.environment())
        terminal.wait_for("Allow this once?")
        terminal.type(answer)
        return terminal.ends()

    def test_what_a_rule_allows(self):
        path = os.path.join(self.files, "allowed.txt")
        self.assertScoutOk(self.call("write", path, content="a\n"), "write")
        self.edit(path, "a", "b")
        self.assertScoutOk(self.call("undo", path), "undo")
        self.assertContent(path, "a\n")

    def test_what_is_elsewhere(self):
        outside = os.path.join(self.folder, "outside.txt")
        with open(outside, "w", encoding="ascii") as out:
            out.write("a\n")
        for tool, arguments in (("write", {"content": "b", "overwrite": True}),
                                ("edit", {"old_string": "a", "new_string": "b"}),
                                ("undo", {})):
            self.refused(tool, outside, "policy-denied", "role reader may not write", **arguments)
            link = os.path.join(self.files, "to-outside-" + tool)
            os.symlink(outside, link)
            self.refused(tool, link, "policy-denied", "may not write " + outside, **arguments)
        link = os.path.join(self.files, "way-out")
        os.symlink(self.folder, link)
        new = os.path.join(link, "new.txt")
        self.refused("write", new, "policy-denied", content="a")
        self.refused("write", new, "policy-denied", content="a", dry_run=True)

    def test_what_a_rule_denies(self):
        path = self.put("guarded/f", "a\n")
        self.refused("write", path, "policy-denied", '"guarded" denies write', content="b",
                     overwrite=True)
        self.refused("edit", path, "policy-denied", '"guarded"', old_string="a", new_string="b",
                     dry_run=True)

    def test_the_read_deny_list_holds(self):
        path = self.put("app/.env", "KEY=a\n")
        for arguments in ({}, {"dry_run": True}):
            self.refused("edit", path, "policy-denied", "read deny-list", old_string="a",
                         new_string="b", **arguments)
            self.refused("write", path, "policy-denied", "read deny-list", content="b",
                         overwrite=True, **arguments)
            self.refused("write", os.path.join(self.files, "new.key"), "policy-denied",
                         "read deny-list", content="b", **arguments)

    def test_who_may_not_read_is_shown_nothing(self):
        path = self.put("unread/f", "hidden\n")
        self.refused("edit", path, "policy-denied", '"unread" denies read', old_string="x",
                     new_string="y")
        for dry_run in (True, False):
            result = self.call("write", path, content="b\n", overwrite=True, dry_run=dry_run)
            answer = self.assertScoutOk(result, "write")
            self.assertNotIn("diff", answer)
            self.assertNotIn("hidden", text_of(result))
            self.assertIn("policy does not let you read it", text_of(result))
        self.assertContent(path, "b\n")
        # Nor is told whether a guess was right.
        result = self.call("write", path, content="b\n", overwrite=True)
        self.assertTrue(self.assertScoutOk(result, "write")["changed"])
        result = self.call("undo", path)
        self.assertNotIn("diff", self.assertScoutOk(result, "undo"))

    def test_a_person_is_asked_about_the_whole_change(self):
        path = self.put("asked/f", "a\nb\n")
        arguments = {"old_string": "b", "new_string": "c"}
        dry = self.assertScoutOk(self.call("edit", path, dry_run=True, **arguments), "edit")
        self.assertEqual(dry["confirm"], "asked")
        error = self.refused("edit", path, "confirmation-required", 'the rule "asked"', **arguments)
        asked = re.search(r"scout approve (\w+)", error["message"])[1]
        # Something else is another question.
        other = self.refused("edit", path, "confirmation-required", old_string="b", new_string="d")
        self.assertNotIn(asked, other["message"])
        status, said = self.approve(asked)
        self.assertEqual(status, 0, said)
        self.assertIn("-b", said)
        self.assertIn("+c", said)
        self.refused("edit", path, "confirmation-required", old_string="b", new_string="d")
        self.edit(path, "b", "c")
        self.assertContent(path, "a\nc\n")
        os.unlink(path)
        self.put("asked/f", "a\nb\n")
        self.refused("edit", path, "confirmation-required", **arguments)  # the word was for once

    def test_a_person_is_asked_about_a_new_file(self):
        folder = os.path.dirname(self.put("asked/other", ""))
        path = os.path.join(folder, "new")
        error = self.refused("write", path, "confirmation-required", content="text\n", mode="600")
        asked = re.search(r"scout approve (\w+)", error["message"])[1]
        self.refused("write", path, "confirmation-required", content="text\n", mode="755")
        status, said = self.approve(asked)
        self.assertEqual(status, 0, said)
        self.assertIn("mode 0600", said)
        self.assertScoutOk(self.call("write", path, content="text\n", mode="600"), "write")

    def test_a_change_that_nobody_can_judge(self):
        path = self.put("asked/long", "x\n")
        self.refused("write", path, "policy-denied", "too long to be judged",
                     content="y\n" * 20000, overwrite=True)


@changes.as_root
class GuestTest(changes.ChangeTest):
    """A login that is not the files' owner."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for folder in (cls.folder, cls.fleet.folder, cls.fleet.home("demo1"), cls.files,
                       os.path.dirname(cls.fleet.home("demo1"))):
            os.chmod(folder, 0o755)
        os.chmod(cls.fleet.user_key + ".pub", 0o644)
        config = cls.write("guest_config", cls.fleet.entry("guest", "demo1", User="nobody"))
        cls.daemon = cls.make_daemon(config, 'role = "operator"\n', "guest")

    def target(self, path):
        return "guest:" + path

    def test_a_folder_that_may_not_be_written(self):
        path = self.put("closed.txt", "a\n", 0o666)
        self.refused("edit", path, "permission-denied", old_string="a", new_string="b")
        self.refused("write", os.path.join(self.files, "new.txt"), "permission-denied", content="a")
        harness.wait_until(lambda: not self.kept_states(), "what was kept for nothing goes")

    def test_a_file_that_may_not_be_read(self):
        path = self.put("open/secret", "a\n", 0o600)
        os.chmod(os.path.dirname(path), 0o777)
        self.refused("edit", path, "permission-denied", old_string="a", new_string="b")
        self.refused("write", path, "permission-denied", content="b", overwrite=True)

    def test_an_owner_that_cannot_be_kept_is_told(self):
        path = self.put("open/owned", "a\n", 0o674)
        os.chmod(os.path.dirname(path), 0o777)
        result = self.call("edit", path, old_string="a", new_string="b")
        answer = self.assertScoutOk(result, "edit")
        self.assertFalse(answer["owner_kept"])
        self.assertIn("[its owner or group could not be kept]", text_of(result))
        status = os.stat(path)
        self.assertEqual(status.st_uid, 65534)
        # Who is in the new group gets no more than everybody.
        self.assertEqual((answer["mode"], status.st_mode & 0o7777), ("0644", 0o644))


class ReaderTest(changes.ChangeTest):
    """A reader sees none of these tools, and can call none."""

    role = "reader"

    def test_they_are_not_there(self):
        tools = [tool["name"] for tool in self.client.request("tools/list")["result"]["tools"]]
        self.assertIn("read", tools)
        path = self.put("f", "a\n")
        for name, arguments in (("write", {"content": "b", "overwrite": True}),
                                ("edit", {"old_string": "a", "new_string": "b"}), ("undo", {})):
            self.assertNotIn(name, tools)
            result = self.client.tool(name, target=self.target(path), **arguments)
            self.assertScoutError(result, "policy-denied", "role reader may not write")
        self.assertContent(path, "a\n")
        self.assertEqual(self.kept_states(), [])


class SizeTest(changes.ChangeTest):
    def test_the_descriptions_are_short(self):
        tools = {tool["name"]: tool for tool in
                 self.client.request("tools/list")["result"]["tools"]}
        size = sum(len(harness.json.dumps(tools[name], separators=(",", ":")))
                   for name in ("write", "edit", "undo"))
        self.assertLess(size, 3500)
        for name in ("write", "edit", "undo"):
            self.assertFalse(tools[name]["annotations"]["readOnlyHint"])
            self.assertTrue(tools[name]["annotations"]["destructiveHint"])


if __name__ == "__main__":
    harness.main()
