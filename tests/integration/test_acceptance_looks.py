"""The acceptance cases C.1 and C.2 (15 to 22), each named by its number: two real sshd's t1 and t2, a
closed port `down`, and `hid`, which is not to be seen."""

import os
import shutil
import time

import harness
import hostile
from harness import text_of


class LooksTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.closed = hostile.closed_port()
        cls.files = cls.fleet.path("demo1")
        hosts = (cls.fleet.entry("t1", "demo1") + cls.fleet.entry("t2", "demo2") +
                 cls.fleet.entry("down", "demo1", Port=cls.closed) +
                 cls.fleet.entry("hid", "demo1"))
        cls.daemon = cls.make_daemon(cls.write("ssh_config", hosts), 'block_hosts = "hid"\n')
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def scout(self, target, **arguments):
        return self.client.tool("scout", target=target, **arguments)

    def put(self, name, content):
        return self.fleet.write("demo1", name, content)

    # --- C.1 -----------------------------------------------------------------------------------

    def test_c1_01_no_colon(self):
        result = self.scout("invalid-no-colon")
        self.assertTrue(text_of(result).startswith("Error:"))
        self.assertScoutError(result, "invalid-argument", "Invalid target 'invalid-no-colon'")

    def test_c1_02_no_path(self):
        self.assertScoutError(self.scout("t1:"), "invalid-argument", "Path cannot be empty")

    def test_c1_03_no_host(self):
        self.assertScoutError(self.scout(":/var/log"), "invalid-argument", "Host cannot be empty")

    def test_c1_04_unknown_host(self):
        self.assertScoutError(self.scout("unknownhost:/p"), "unknown-host",
                              "Unknown host 'unknownhost'. Available: down, t1, t2")

    def test_c1_06_null_bytes(self):
        """U+0000 is refused on the wire, before any tool: the same refusal, one layer earlier."""
        for path in ("/var/\\u0000log", "/var/log\\u0000"):
            self.client.send_raw(
                b'{"jsonrpc":"2.0","id":"nul","method":"tools/call","params":{"name":"scout",'
                b'"arguments":{"target":"t1:%s"}}}\n' % path.encode())
            answer = self.client.line()
            self.assertRpcError(answer, -32700, "nul")
            self.assertEqual(answer["id"], "nul")
            self.assertIn("null byte", answer["error"]["message"])

    def test_c1_07_characters_of_hosts(self):
        for host in ("h;rm -rf /", "h|cat", "h&x", "h$V", "h`id`", "h\n", "h\r", "h\\p", "h/p"):
            with self.subTest(host=host):
                self.assertScoutError(self.scout(host + ":/x"), "invalid-argument",
                                      "Host contains invalid characters")

    def test_c1_08_long_hosts(self):
        self.assertScoutError(self.scout("h" * 254 + ":/x"), "invalid-argument",
                              "Host name too long: 254 chars")
        self.assertScoutError(self.scout("h" * 253 + ":/x"), "unknown-host", "Unknown host")

    def test_c1_09_normal_form(self):
        path = self.put("log/x", "found\n")
        result = self.scout(f"t1:{os.path.dirname(path)}//./x/")
        self.assertEqual(text_of(result), "found\n")
        self.assertEqual(self.assertScoutOk(result, "file")["path"], path)

    def test_c1_10_odd_names(self):
        for name in ("my file [1].log", "-rf", "it's", "$(id)", "a:b", "*"):
            with self.subTest(name=name):
                path = self.put(name, f"this is {name}\n")
                self.assertEqual(text_of(self.scout("t1:" + path)), f"this is {name}\n")

    def test_c1_12_home(self):
        self.put("f", "at home\n")
        for target in ("t1:~/f", "t1:f"):
            self.assertEqual(text_of(self.scout(target)), "at home\n")

    def test_c1_14_hosts_in_any_form(self):
        for target in (" HOSTS ", "Hosts", "hosts\n"):
            self.assertTrue(text_of(self.scout(target)).startswith("Available hosts:\n"))

    # --- C.2 -----------------------------------------------------------------------------------

    def test_c2_15_hosts(self):
        text = text_of(self.scout("hosts"))
        user = harness.user_name()
        self.assertIn(f"\n  [✓] t1 (online) -> {user}@127.0.0.1:{self.fleet.port('demo1')}", text)
        self.assertIn(f"\n  [✗] down (offline) -> {user}@127.0.0.1:{self.closed}", text)
        self.assertNotIn("hid", text)
        self.assertScoutError(self.scout("hid:/etc/hostname"), "unknown-host",
                              "Available: down, t1, t2")

    def test_c2_17_a_file(self):
        content = "one\n\ttwo \"quoted\" \\ \u00e4\u20ac\U0001f600\r\nno newline at the end"
        path = self.put("exact", content)
        self.assertEqual(text_of(self.scout("t1:" + path)), content)

    def test_c2_18_a_missing_file(self):
        self.assertScoutError(self.scout("t1:/no/such/file"), "path-not-found",
                              "Path not found: /no/such/file")
        self.assertEqual(text_of(self.scout("t1:~/no such")), "Error: Path not found: ~/no such")

    def test_c2_20_invalid_utf8(self):
        path = self.put("latin1", b"gr\xfc\xdfe \xff\n")
        result = self.scout("t1:" + path)
        self.assertEqual(text_of(result), "gr\ufffd\ufffde \ufffd\n")
        self.assertFalse(self.assertScoutOk(result, "file")["truncated"])

    def test_c2_20_the_mark_of_truncation(self):
        """A file of exactly the limit is whole, and what U+FFFD adds does not count."""
        daemon = self.make_daemon(os.path.join(self.folder, "ssh_config"), "max_file_size = 64\n",
                                  "small")
        with daemon.client() as client:
            for content, truncated in ((b"x" * 64, False), (b"x" * 65, True), (b"\xff" * 64, False),
                                       (b"", False)):
                path = self.put("limit", content)
                result = client.scout("t1:" + path)
                wanted = content[:64].decode(errors="replace")
                wanted += "\n\n[truncated at 64 bytes]" if truncated else ""
                self.assertEqual(text_of(result), wanted)
                self.assertEqual(self.assertScoutOk(result, "file")["truncated"], truncated)

    def make_tree(self):
        shutil.rmtree(os.path.join(self.files, "tree"), ignore_errors=True)
        for path in ("tree/a.py", "tree/sub/b.py", "tree/sub/deep/c.py", "tree/other.txt"):
            self.put(path, path)
        return os.path.join(self.files, "tree")

    def test_c2_21_a_directory(self):
        root = self.make_tree()
        lines = text_of(self.scout("t1:" + root)).split("\n")
        self.assertRegex(lines[0], r"^total \d+$")
        self.assertRegex(lines[1], r"^drwx.* \.$")
        self.assertRegex(lines[2], r"^drwx.* \.\.$")
        self.assertEqual([line.split(" ")[-1] for line in lines[3:6]], ["a.py", "other.txt", "sub"])

    def test_c2_21_a_tree_without_any_program(self):
        root = self.make_tree()
        self.assertEqual(text_of(self.scout("t1:" + root, tree=True)),
                         f"{root}\n├── a.py\n├── other.txt\n└── sub\n    ├── b.py\n    └── deep\n"
                         "        └── c.py\n")
        self.assertEqual(text_of(self.scout(f"t1:{root}/a.py", tree=True)), "tree/a.py")

    def test_c2_22_find(self):
        root = self.make_tree()
        found = text_of(self.scout("t1:" + root, find="*.py")).split("\n")
        self.assertEqual(sorted(found),
                         [root + name for name in ("/a.py", "/sub/b.py", "/sub/deep/c.py")])
        self.assertEqual(text_of(self.scout("t1:" + root, find="*.c")),
                         f"No files matching '*.c' found in {root}")
        found = text_of(self.scout("t1:" + root, find="*.py", depth=2)).split("\n")
        self.assertEqual(sorted(found), [root + "/a.py", root + "/sub/b.py"])

    # --- what the tables of A.2 say besides -------------------------------------------------------

    def test_order_of_dispatch(self):
        root = self.make_tree()
        both = self.scout("t1:" + root, find="a.py", tree=True)
        self.assertEqual(text_of(both), root + "/a.py")
        self.assertTrue(text_of(self.scout("t1:" + root, find="", tree=False)).startswith("total "))

    def test_a_closed_port_is_told(self):
        begun = time.monotonic()
        self.assertScoutError(self.scout("down:/etc/hostname"), "connect-failed", "down")
        self.assertLess(time.monotonic() - begun, 5)

    def test_two_hosts_are_two(self):
        self.assertEqual(text_of(self.scout("t1:hello.txt")), "hello from demo1\n")
        self.assertEqual(text_of(self.scout("t2:hello.txt")), "hello from demo2\n")


class NoHostsTest(harness.ScoutTest):
    def test_c2_16_no_hosts(self):
        self.make_folder()
        with self.make_daemon(self.write("ssh_config", "")).client() as client:
            self.assertEqual(text_of(client.scout("hosts")), "No SSH hosts configured.")


class DeadHostsTest(harness.ScoutTest):
    def test_c2_15_20_dead_hosts_take_about_2_s(self):
        self.make_folder()
        dead = hostile.DeadPort()
        self.addCleanup(dead.stop)
        hosts = "".join(f"Host dead{i}\n  HostName 127.0.0.1\n  Port {dead.port}\n"
                        for i in range(20))
        with self.make_daemon(self.write("ssh_config", hosts)).client() as client:
            begun = time.monotonic()
            self.assertEqual(text_of(client.scout("hosts")).count("(offline)"), 20)
            self.assertLess(time.monotonic() - begun, 4)


if __name__ == "__main__":
    harness.main()
