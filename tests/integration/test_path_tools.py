"""The typed tools `read`, `list` and `stat`, over SFTP and through the shell of a host without it.
Whatever is answered has to satisfy the output schema that tools/list declares."""

import base64
import gzip
import os
import re
import threading
import time

import harness
import schema
from harness import text_of

LIMIT = 8192


class Tools:
    """A class gives `client`, `host`, `files` and whether the last lines of a small file are counted."""

    counts_lines = True

    def call(self, name, path, **arguments):
        result = self.client.tool(name, target=f"{self.host}:{path}", **arguments)
        self.assertEqual(schema.errors(self.schemas()[name], result["structuredContent"]), [])
        return result

    def schemas(self):
        if not hasattr(type(self), "declared"):
            tools = self.client.request("tools/list")["result"]["tools"]
            type(self).declared = {tool["name"]: tool["outputSchema"] for tool in tools}
            hints = {tool["name"]: tool["annotations"] for tool in tools}
            for name in ("read", "list", "stat"):
                self.assertTrue(hints[name]["readOnlyHint"], name)
        return type(self).declared

    def put(self, name, content):
        path = os.path.join(self.files, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def test_read(self):
        path = self.put("read.txt", b"a\xc3\xa4\xffb\n" + b"x" * 100)
        os.chmod(path, 0o640)
        result = self.call("read", path)
        self.assertEqual(text_of(result), "aä\ufffdb\n" + "x" * 100 +
                         "\n\n[some bytes are no utf-8: shown as U+FFFD]")
        answer = self.assertScoutOk(result, "file")
        self.assertEqual((answer["size"], answer["mode"], answer["truncated"], answer["encoding"],
                          answer["ill_formed"], answer["text"]),
                         (106, "0640", False, "utf-8", True, "aä\ufffdb\n" + "x" * 100))

    def test_the_configured_limit_holds(self):
        path = self.put("large.txt", b"x" * (LIMIT + 1))
        for arguments in ({}, {"byte_count": 1 << 30}):
            result = self.call("read", path, **arguments)
            self.assertTrue(text_of(result).endswith(f"x\n\n[truncated at {LIMIT} bytes]"))
            self.assertTrue(self.assertScoutOk(result, "file")["truncated"])
        result = self.call("read", self.put("whole.txt", b"x" * LIMIT))
        self.assertFalse(self.assertScoutOk(result, "file")["truncated"])

    def test_lines(self):
        path = self.put("lines", b"".join(b"line %d\n" % n for n in range(1, 101)))
        result = self.call("read", path, offset=99)
        self.assertEqual(text_of(result), "line 99\nline 100\n")
        answer = self.assertScoutOk(result, "file")
        self.assertEqual((answer["offset"], answer["lines"], answer["truncated"]), (99, 2, False))
        self.assertNotIn("next_offset", answer)
        result = self.call("read", path, offset=2, limit=2, line_numbers=True)
        self.assertEqual(text_of(result), "     2\tline 2\n     3\tline 3\n\n\n"
                         "[more lines follow: offset=4]")
        answer = self.assertScoutOk(result, "file")
        self.assertEqual((answer["text"], answer["next_offset"]), ("line 2\nline 3\n", 4))
        answer = self.assertScoutOk(self.call("read", path, limit=1), "file")
        self.assertEqual((answer["text"], answer["offset"], answer["next_offset"]),
                         ("line 1\n", 1, 2))
        answer = self.assertScoutOk(self.call("read", path, offset=200), "file")
        self.assertEqual((answer["text"], answer["lines"]), ("", 0))
        answer = self.assertScoutOk(self.call("read", path, tail=3), "file")
        self.assertEqual((answer["text"], answer["lines"]), ("line 98\nline 99\nline 100\n", 3))
        self.assertEqual((answer.get("offset"), answer.get("total_lines")),
                         (98, 100) if self.counts_lines else (None, None))

    def test_the_last_lines_have_numbers_where_they_are_known(self):
        path = self.put("few", b"a\nb\nc\n")
        large = path
        if self.counts_lines:
            self.assertEqual(text_of(self.call("read", path, tail=2, line_numbers=True)),
                             "     2\tb\n     3\tc\n")
            self.assertEqual(text_of(self.call("read", path, tail=9, line_numbers=True)),
                             "     1\ta\n     2\tb\n     3\tc\n")
            large = self.put("larger", b"line\n" * 19997 + b"a\nb\nc\n")
        self.assertScoutError(self.call("read", large, tail=2, line_numbers=True),
                              "invalid-argument", "offset and limit go with line_numbers",
                              "without it tail does")
        self.assertEqual(text_of(self.call("read", large, tail=2)), "b\nc\n")
        self.assertScoutError(self.call("read", path, byte_offset=2, line_numbers=True),
                              "invalid-argument", "without it byte_offset does")
        self.assertEqual(text_of(self.call("read", path, byte_offset=0, byte_count=2,
                                           line_numbers=True)), "     1\ta\n")

    def test_beyond_the_end_there_is_nothing(self):
        path = self.put("short", b"four")
        for arguments in ({}, {"line_numbers": True}, {"byte_count": 1}):
            for offset in (4, 5000):
                result = self.call("read", path, byte_offset=offset, **arguments)
                answer = self.assertScoutOk(result, "file")
                self.assertEqual(text_of(result), f"[nothing: the file ends before byte {offset} "
                                 "(its size is 4)]")
                self.assertEqual((answer["text"], answer["size"], answer["byte_offset"],
                                  answer["byte_count"]), ("", 4, offset, 0))
        empty = self.call("read", self.put("nothing", b""), byte_offset=0)
        self.assertEqual(text_of(empty), "")

    def test_lines_that_are_too_many_are_read_on(self):
        """Each answer says where the next one begins, until all is there."""
        text = "".join(f"line {n} {'x' * (n % 90)}\n" for n in range(1, 501))
        path = self.put("many", text.encode())
        got, offset = "", 1
        while offset:
            answer = self.assertScoutOk(self.call("read", path, offset=offset), "file")
            self.assertLessEqual(len(answer["text"]), LIMIT)
            got += answer["text"]
            self.assertGreater(answer.get("next_offset", offset + 1), offset)
            offset = answer.get("next_offset")
        self.assertEqual(got, text)

    def test_bytes(self):
        path = self.put("bytes", bytes(range(256)) * 4)
        result = self.call("read", path)
        answer = self.assertScoutOk(result, "file")
        self.assertEqual(text_of(result),
                         "[binary file, 1024 bytes; byte_offset and byte_count give bytes]")
        self.assertEqual((answer["binary"], answer["encoding"]), (True, "binary"))
        self.assertNotIn("text", answer)
        result = self.call("read", path, byte_offset=250, byte_count=20)
        answer = self.assertScoutOk(result, "file")
        wanted = (bytes(range(256)) * 4)[250:270]
        self.assertEqual(base64.b64decode(answer["base64"]), wanted)
        self.assertEqual((answer["byte_offset"], answer["byte_count"]), (250, 20))
        self.assertEqual(text_of(result), base64.b64encode(wanted).decode() +
                         "\n\n[base64 of 20 bytes from byte 250 of 1024]")
        answer = self.assertScoutOk(self.call("read", path, byte_offset=0x41, byte_count=26), "file")
        self.assertEqual((answer["text"], answer["encoding"]),
                         ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "utf-8"))
        answer = self.assertScoutOk(self.call("read", self.put("z", gzip.compress(b"x"))), "file")
        self.assertEqual((answer["binary"], answer["type"]), (True, "gzip"))

    def test_encodings(self):
        text = "häßlich\nzwei\ndrei €\n"
        for encoding, data, shown in (
                ("utf-8", text.encode(), text),
                ("utf-8-bom", b"\xef\xbb\xbf" + text.encode(), text),
                ("utf-16le", b"\xff\xfe" + text.encode("utf-16-le"), text),
                ("utf-16be", b"\xfe\xff" + text.encode("utf-16-be"), text),
                ("iso-8859-1", "häßlich\n".encode("latin-1"), "häßlich\n")):
            with self.subTest(encoding=encoding):
                result = self.call("read", self.put(encoding, data))
                answer = self.assertScoutOk(result, "file")
                self.assertEqual((text_of(result), answer["text"], answer["encoding"]),
                                 (shown, shown, encoding))
                self.assertNotIn("ill_formed", answer)

    def test_what_did_not_change_is_not_sent_again(self):
        path = self.put("same", b"once\n")
        etag = self.assertScoutOk(self.call("read", path), "file")["etag"]
        result = self.call("read", path, if_none_match=etag)
        answer = self.assertScoutOk(result, "file")
        self.assertEqual((text_of(result), answer["unchanged"], answer["etag"]),
                         ("[unchanged]", True, etag))
        self.assertNotIn("text", answer)
        self.put("same", b"twice\n")
        answer = self.assertScoutOk(self.call("read", path, if_none_match=etag), "file")
        self.assertEqual(answer["text"], "twice\n")
        self.assertNotIn("unchanged", answer)

    def test_the_end_of_a_log_that_grows(self):
        path = self.put("growing", b"")
        with open(path, "ab", buffering=0) as log:
            for n in range(200):
                log.write(b"%06d\n" % n * 100)
                answer = self.assertScoutOk(self.call("read", path, tail=2), "file")
                self.assertEqual(answer["text"], f"{n:06}\n" * 2)

    def test_a_file_of_proc_is_read_to_its_end(self):
        with open("/proc/meminfo", encoding="ascii") as file:
            names = [line.split(":")[0] for line in file]
        whole = self.assertScoutOk(self.call("read", "/proc/meminfo"), "file")
        self.assertEqual([line.split(":")[0] for line in whole["text"].splitlines()], names)
        last = self.assertScoutOk(self.call("read", "/proc/meminfo", tail=1), "file")
        self.assertEqual(last["text"].split(":")[0], names[-1])

    def test_parts_exclude_each_other(self):
        path = self.put("parts", b"x\n")
        for arguments in ({"offset": 1, "tail": 1}, {"limit": 1, "byte_count": 1},
                          {"tail": 1, "byte_offset": 0}):
            self.assertScoutError(self.call("read", path, **arguments), "invalid-argument",
                                  "exclude each other")
        self.assertScoutError(self.call("read", path, offset=0), "invalid-argument", "offset")

    def test_list(self):
        folder = os.path.dirname(self.put("listed/f", b"12"))
        os.symlink("f", os.path.join(folder, "l"))
        result = self.call("list", folder)
        self.assertTrue(text_of(result).startswith("total "), text_of(result))
        entries = {entry["name"]: entry
                   for entry in self.assertScoutOk(result, "directory")["entries"]}
        self.assertEqual(sorted(entries), [".", "..", "f", "l"])
        self.assertEqual((entries["f"]["size"], entries["l"]["target"]), (2, "f"))

    def test_stat_of_a_file(self):
        path = self.put("stat/f", b"12345")
        os.chmod(path, 0o4711)
        os.utime(path, (1767323045, 1767323045))
        status = os.stat(path)
        answer = self.assertScoutOk(self.call("stat", path), "stat")
        self.assertEqual(answer, {
            "kind": "stat", "host": self.host, "path": path, "type": "file", "size": 5,
            "mtime": "2026-01-02T03:04:05.000Z", "mode": "4711", "uid": status.st_uid,
            "gid": status.st_gid, "real_path": path})
        self.assertIn("mode: 4711 (-rws--x--x)\n", text_of(self.call("stat", path)))

    def test_stat_of_links(self):
        path = self.put("links/f", b"123")
        link = os.path.join(self.files, "links", "to-f")
        os.symlink("f", link)
        answer = self.assertScoutOk(self.call("stat", link), "stat")
        self.assertEqual((answer["type"], answer["target"], answer["real_path"]),
                         ("symlink", "f", path))
        self.assertEqual((answer["leads_to"]["type"], answer["leads_to"]["size"]), ("file", 3))
        dangling = os.path.join(self.files, "links", "dangling")
        os.symlink("/no/such\nplace", dangling)
        result = self.call("stat", dangling)
        answer = self.assertScoutOk(result, "stat")
        self.assertEqual((answer["type"], answer["target"]), ("symlink", "/no/such\nplace"))
        self.assertNotIn("leads_to", answer)
        self.assertIn("target: /no/such?place\nleads to nothing\n", text_of(result))

    def test_stat_opens_nothing(self):
        fifo = os.path.join(self.files, "stat-fifo")
        os.mkfifo(fifo)
        begun = time.monotonic()
        self.assertEqual(self.assertScoutOk(self.call("stat", fifo), "stat")["type"], "fifo")
        self.assertEqual(self.assertScoutOk(self.call("stat", "/dev/null"), "stat")["type"], "char")
        self.assertEqual(self.assertScoutOk(self.call("stat", "/"), "stat")["type"], "directory")
        self.assertLess(time.monotonic() - begun, 8)

    def test_what_is_refused(self):
        folder = os.path.dirname(self.put("refused/f", b"1"))
        self.assertScoutError(self.call("read", folder), "not-a-regular-file", "use the tool list")
        self.assertScoutError(self.call("list", folder + "/f"), "not-a-regular-file",
                              "use the tool read")
        os.mkfifo(folder + "/fifo")
        for name in ("read", "list"):
            self.assertScoutError(self.call(name, folder + "/fifo"), "not-a-regular-file", "FIFO")
        for name in ("read", "list", "stat"):
            missing = os.path.join(folder, "none")
            self.assertScoutError(self.call(name, missing), "path-not-found",
                                  "Path not found: " + missing)
            self.assertScoutError(self.call(name, "/a/../b"), "invalid-argument", "traversal")
            result = self.client.tool(name, target="hosts")
            self.assertScoutError(result, "invalid-argument", "Expected 'host:/path'")
            self.assertScoutError(self.client.tool(name, target="nohost:/x"), "unknown-host")
            self.assertScoutError(self.client.tool(name), "invalid-argument", "target")


class SftpToolsTest(Tools, harness.ScoutTest):
    host = "demo1"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config, f"max_file_size = {LIMIT}\n")
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def test_relative_paths_and_home(self):
        self.put("-n", b"dash\n")
        for path in ("-n", "~/-n", "./-n"):
            self.assertEqual(text_of(self.call("read", path)), "dash\n")
            self.assertEqual(self.assertScoutOk(self.call("stat", path), "stat")["real_path"],
                             os.path.join(self.files, "-n"))

    def test_a_file_that_changes_is_told(self):
        """It grows all the time, so that it does between the question for its size and its end."""
        path = self.put("changing", b"x" * 5000)
        stop = threading.Event()

        def grow():
            with open(path, "ab", buffering=0) as log:
                while not stop.wait(0.0002):
                    log.write(b"more\n")
        writer = threading.Thread(target=grow)
        writer.start()
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                answer = self.assertScoutOk(self.call("read", path, tail=1), "file")
                if answer.get("changed"):
                    break
        finally:
            stop.set()
            writer.join()
        self.assertTrue(answer.get("changed"), answer)
        self.assertNotEqual(answer["etag"], answer["etag_after"])
        quiet = self.assertScoutOk(self.call("read", path, tail=1), "file")
        self.assertNotIn("changed", quiet)

    def test_parts_of_a_huge_file_take_no_memory(self):
        """1 GiB without blocks; how many requests it takes is in the unit test path_get_range."""
        path = self.put("huge", b"first\n")
        with open(path, "r+b") as out:
            out.truncate(1 << 30)
            out.seek((1 << 30) - 6)
            out.write(b"\nlast\n")

        def memory():
            with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
                return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))
        self.call("read", path, tail=1)
        peak = memory()
        for arguments, text in (({"tail": 1}, "last\n"), ({"offset": 1, "limit": 1}, "first\n"),
                                ({"byte_offset": (1 << 30) - 5, "byte_count": 4}, "last")):
            answer = self.assertScoutOk(self.call("read", path, **arguments), "file")
            self.assertEqual(answer["text"], text)
        self.assertLess(memory() - peak, 8192)

    def test_progress_of_a_large_file(self):
        size = 20 << 20
        path = self.put("large", b"x" * size)
        daemon = self.make_daemon(self.fleet.ssh_config, f"max_file_size = {size // 2}\n", "large")
        with daemon.client() as client:
            client.modern = False
            for tool in ("read", "scout"):
                for file, told in ((path, True), (self.put("small", b"x"), False)):
                    client.without_id.clear()
                    client.result(client.send("tools/call", {
                        "name": tool, "arguments": {"target": "demo1:" + file},
                        "_meta": {"progressToken": 7}}))
                    params = [message["params"] for message in client.without_id]
                    self.assertEqual(bool(params), told)
                    numbers = [each["progress"] for each in params]
                    self.assertEqual(numbers, sorted(set(numbers)))
                    # What stands behind the part is read and looked at, too.
                    total = params[0]["total"] if params else size // 2
                    self.assertIn(total, range(size // 2, size // 2 + (8 << 10) + 1))
                    for each in params:
                        self.assertLessEqual(each["progress"], total)
                        self.assertEqual((each["progressToken"], each["total"], each["message"]),
                                         (7, total, "bytes read"))


class ShellToolsTest(Tools, harness.ScoutTest):
    """A host without SFTP."""

    host = "demo1"
    counts_lines = False

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # Its shells read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.fleet.without_sftp("demo1")
        cls.files = cls.fleet.path("demo1")
        cls.client = cls.make_daemon(cls.fleet.ssh_config, f"max_file_size = {LIMIT}\n").client()
        cls.addClassCleanup(cls.client.close)


if __name__ == "__main__":
    harness.main()
