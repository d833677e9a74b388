"""The typed tools `read`, `list` and `stat`, over SFTP and through the shell of a host without it.
Whatever is answered has to satisfy the output schema that tools/list declares."""

import os
import time

import harness
import schema
from harness import text_of

LIMIT = 8192


class Tools:
    """A class gives `client`, `host` and `files`."""

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
        path = self.put("read.txt", b"a\xffb\n" + b"x" * 100)
        os.chmod(path, 0o640)
        result = self.call("read", path)
        self.assertEqual(text_of(result), "a\ufffdb\n" + "x" * 100)
        answer = self.assertScoutOk(result, "file")
        self.assertEqual((answer["size"], answer["mode"], answer["truncated"]),
                         (104, "0640", False))
        result = self.call("read", path, limit=4)
        self.assertEqual(text_of(result), "a\ufffdb\n\n\n[truncated at 4 bytes]")
        self.assertTrue(self.assertScoutOk(result, "file")["truncated"])
        result = self.call("read", path, limit=104)
        self.assertFalse(self.assertScoutOk(result, "file")["truncated"])

    def test_no_limit_lifts_the_configured_one(self):
        path = self.put("large.txt", b"x" * (LIMIT + 1))
        self.assertTrue(text_of(self.call("read", path, limit=1 << 30)).endswith(
            f"\n\n[truncated at {LIMIT} bytes]"))

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
        cls.client = cls.make_daemon(cls.fleet.ssh_config, f"max_file_size = {LIMIT}\n").client()
        cls.addClassCleanup(cls.client.close)

    def test_relative_paths_and_home(self):
        self.put("-n", b"dash\n")
        for path in ("-n", "~/-n", "./-n"):
            self.assertEqual(text_of(self.call("read", path)), "dash\n")
            self.assertEqual(self.assertScoutOk(self.call("stat", path), "stat")["real_path"],
                             os.path.join(self.files, "-n"))

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
                    for each in params:
                        self.assertLessEqual(each["progress"], size // 2)
                        self.assertEqual((each["progressToken"], each["total"], each["message"]),
                                         (7, size // 2, "bytes read"))


class ShellToolsTest(Tools, harness.ScoutTest):
    """A host without SFTP."""

    host = "demo1"

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
