"""The tool `scout` against real sshd's: hosts, a file, a directory, and what a target may say.

Numbers like C.2-17 name the acceptance case that a test covers.
"""

import os
import shutil
import socket
import time

import harness
import hostile
from harness import text_of

LIMIT = 4096  # max_file_size of the daemon under test


class ScoutToolTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(3)
        with open(cls.fleet.ssh_config, encoding="utf-8") as text:
            hosts = text.read()
        cls.closed = hostile.closed_port()
        hosts += cls.fleet.entry("down", "demo1", Port=cls.closed)
        cls.daemon = cls.make_daemon(cls.write("ssh_config", hosts), f"max_file_size = {LIMIT}\n")

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def make(self, name, content, host="demo1"):
        return self.fleet.write(host, name, content)

    # --- targets -----------------------------------------------------------------------------

    def test_wrong_targets_say_what_is_wrong(self):
        cases = {
            "invalid-no-colon": "Invalid target",  # C.1-1
            "demo1:": "Path cannot be empty",  # C.1-2
            ":/var/log": "Host cannot be empty",  # C.1-3
            "demo1:/a/../b": "Path traversal not allowed",
            "demo1:../x": "Path traversal not allowed",
            "x" * 254 + ":/p": "too long",  # C.1-8
        }
        for host in ("h;rm -rf /", "h|cat", "h&x", "h$V", "h`id`", "h\nx", "h\rx", "h\\p", "h/p"):
            cases[host + ":/x"] = "invalid characters"  # C.1-7
        for target, fragment in cases.items():
            with self.subTest(target=target[:40]):
                self.assertScoutError(self.client.scout(target), "invalid-argument", fragment)

    def test_unknown_host_lists_the_known_ones_sorted(self):
        for host in ("unknownhost", "x" * 253):  # C.1-4, C.1-8
            self.assertScoutError(self.client.scout(host + ":/p"), "unknown-host",
                                  f"Unknown host '{host}'", "demo1, demo2, demo3, down")

    def test_nul_is_refused_before_anything_looks_at_it(self):  # C.1-6
        for path in ("/var/\\u0000log", "/var/log\\u0000"):
            self.client.send_raw(
                b'{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"scout",'
                b'"arguments":{"target":"demo1:%s"}}}\n' % path.encode())
            answer = self.client.line()
            self.assertRpcError(answer, -32700)
            self.assertEqual(answer["id"], 77)  # else its client would wait until it gives up

    def test_wrong_arguments_are_a_result_and_an_unknown_tool_is_an_error(self):
        for arguments in ({"target": 5}, {"target": None}, {"nonsense": "x", "target": "hosts"}):
            answer = self.client.request("tools/call", {"name": "scout", "arguments": arguments})
            self.assertScoutError(answer["result"], "invalid-argument")
        answer = self.client.request("tools/call", {"name": "nope", "arguments": {}})
        self.assertRpcError(answer, -32602)

    def test_paths_are_normalised(self):  # C.1-9
        path = self.make("log/x", "found\n")
        folder = os.path.dirname(path)
        result = self.client.scout(f"demo1:{folder}//./x/")
        self.assertEqual(self.assertScoutOk(result, "file")["path"], path)
        self.assertEqual(text_of(result), "found\n")

    def test_names_with_blanks_and_brackets(self):  # C.1-10
        path = self.make("my file [1].log", "odd name\n")
        self.assertEqual(text_of(self.client.scout("demo1:" + path)), "odd name\n")

    def test_the_login_directory(self):  # C.1-12
        self.make("f", "at home\n")
        for target in ("demo1:~/f", "demo1:f", "demo1:./f"):
            self.assertEqual(text_of(self.client.scout(target)), "at home\n", target)
        for target in ("demo1:~", "demo1:~/"):
            listing = self.assertScoutOk(self.client.scout(target), "directory")
            self.assertIn("hello.txt", [entry["name"] for entry in listing["entries"]])

    # --- hosts -------------------------------------------------------------------------------

    def test_hosts_says_who_is_online(self):  # C.1-14, C.2-15
        result = self.client.scout("  HOSTS ")
        answer = self.assertScoutOk(result, "hosts")
        hosts = {host["name"]: host for host in answer["hosts"]}
        self.assertEqual(sorted(hosts), ["demo1", "demo2", "demo3", "down"])
        self.assertEqual((answer["count"], answer["online"]), (4, 3))
        self.assertEqual(hosts["demo2"], {
            "name": "demo2", "user": harness.user_name(), "hostname": "127.0.0.1",
            "port": self.fleet.port("demo2"), "online": True})
        self.assertFalse(hosts["down"]["online"])
        lines = text_of(result).splitlines()
        address = f"{harness.user_name()}@127.0.0.1:"
        up = next(line for line in lines if "demo2" in line)
        down = next(line for line in lines if "down" in line)
        self.assertIn("✓", up)
        self.assertIn("(online)", up)
        self.assertIn(address + str(self.fleet.port("demo2")), up)
        self.assertIn("✗", down)
        self.assertIn("(offline)", down)
        self.assertIn(address + str(self.closed), down)

    def test_hosts_makes_no_ssh_login(self):
        before = [self.fleet.logins(name) for name in ("demo1", "demo2", "demo3")]
        self.client.scout("hosts")
        after = [self.fleet.logins(name) for name in ("demo1", "demo2", "demo3")]
        self.assertEqual(before, after)

    # --- files -------------------------------------------------------------------------------

    def test_a_file_is_told_whole_and_exactly(self):  # C.2-17
        path = self.make("plain.txt", "line one\n\ttabbed \"quoted\" \\ back\nÄ → 😀 no newline")
        os.chmod(path, 0o640)
        os.utime(path, (1767323045, 1767323045))
        result = self.client.scout("demo1:" + path)
        with open(path, encoding="utf-8") as text:
            content = text.read()
        self.assertEqual(text_of(result), content)
        answer = self.assertScoutOk(result, "file")
        etag = answer.pop("etag")
        self.assertRegex(etag, r'^"[0-9a-f]+-[0-9a-f]+"$')
        self.assertEqual(answer, {
            "kind": "file", "host": "demo1", "path": path, "size": len(content.encode()),
            "mtime": "2026-01-02T03:04:05.000Z", "mode": "0640", "truncated": False,
            "text": content})
        with open(path, "a", encoding="utf-8") as out:
            out.write(".")
        again = self.assertScoutOk(self.client.scout("demo1:" + path), "file")
        self.assertNotEqual(again["etag"], etag)
        self.assertEqual(again["text"], content + ".")

    def test_an_empty_file(self):
        path = self.make("empty.txt", "")
        result = self.client.scout("demo1:" + path)
        self.assertEqual(text_of(result), "")
        self.assertEqual(self.assertScoutOk(result, "file")["size"], 0)

    def test_a_symbolic_link_leads_to_its_target(self):
        path = self.make("link/target.txt", "through the link\n")
        link = os.path.join(os.path.dirname(path), "link")
        os.symlink("target.txt", link)
        self.assertEqual(text_of(self.client.scout("demo1:" + link)), "through the link\n")
        os.symlink("nowhere", link + ".broken")
        self.assertScoutError(self.client.scout(f"demo1:{link}.broken"), "path-not-found")

    def test_a_missing_path(self):  # C.2-18
        result = self.client.scout("demo1:/no/such/path")
        error = self.assertScoutError(result, "path-not-found")
        self.assertEqual(text_of(result), "Error: Path not found: /no/such/path")
        self.assertEqual(error["stage"], "running")

    def test_permission_denied(self):
        if os.getuid() == 0:
            self.skipTest("root may read everything")
        path = self.make("secret.txt", "secret\n")
        os.chmod(path, 0)
        self.assertScoutError(self.client.scout("demo1:" + path), "permission-denied", path)

    def test_a_big_file_is_cut_at_the_limit_and_says_so(self):
        path = self.make("big.txt", "a" * (LIMIT + 1))
        result = self.client.scout("demo1:" + path)
        self.assertEqual(text_of(result), "a" * LIMIT + f"\n\n[truncated at {LIMIT} bytes]")
        answer = self.assertScoutOk(result, "file")
        self.assertTrue(answer["truncated"])
        self.assertEqual((answer["size"], answer["text"]), (LIMIT + 1, "a" * LIMIT))

    def test_a_file_of_exactly_the_limit_is_whole(self):
        path = self.make("exact.txt", "a" * LIMIT)
        result = self.client.scout("demo1:" + path)
        self.assertEqual(text_of(result), "a" * LIMIT)
        self.assertFalse(self.assertScoutOk(result, "file")["truncated"])

    def test_invalid_utf8_becomes_the_replacement_character(self):  # C.2-20
        path = self.make("latin1.txt", b"caf\xe9\n\xff\xfe end\n")
        result = self.client.scout("demo1:" + path)
        self.assertEqual(text_of(result), "caf\ufffd\n\ufffd\ufffd end\n")
        self.assertScoutOk(result, "file")

    def test_nul_and_control_bytes_in_a_file_arrive(self):
        path = self.make("binary", b"a\0b\x01\x1f\x7fc")
        result = self.assertScoutOk(self.client.scout("demo1:" + path), "file")
        self.assertEqual(result["text"], "a\ufffdb\u2401\u241f\u2421c")
        with self.daemon.client().raw() as client:
            result = self.assertScoutOk(client.scout("demo1:" + path), "file")
        self.assertEqual(result["text"], "a\ufffdb\x01\x1f\x7fc")

    def test_what_is_no_file_is_refused_at_once(self):
        """An sftp-server opens with a blocking open: a FIFO would hang all of the connection."""
        fifo = self.fleet.path("demo1", "fifo")
        os.mkfifo(fifo)
        unix = self.fleet.path("demo1", "unix")
        with socket.socket(socket.AF_UNIX) as listener:
            # Bound by a short name: the folder's may be longer than a Unix address.
            listener.bind(os.path.join(self.folder, "u"))
            os.rename(os.path.join(self.folder, "u"), unix)
            for path in (fifo, unix, "/dev/zero", "/dev/null"):
                begun = time.monotonic()
                self.assertScoutError(self.client.scout("demo1:" + path), "not-a-regular-file")
                self.assertLess(time.monotonic() - begun, 2, path)
        self.assertIn("hello", text_of(self.client.scout("demo1:hello.txt")))

    def test_a_file_of_size_zero_that_has_content(self):
        with open("/proc/version", encoding="utf-8") as text:
            content = text.read()
        self.assertEqual(text_of(self.client.scout("demo1:/proc/version")), content)

    # --- directories -------------------------------------------------------------------------

    def test_a_directory_lists_its_entries(self):  # C.2-21
        folder = self.fleet.path("demo1", "listing")
        os.makedirs(os.path.join(folder, "sub"))
        for name in ("b", "a", "Z", "ä", ".hidden", "with blank"):
            self.make(os.path.join("listing", name), name)
        os.symlink("a", os.path.join(folder, "link"))
        os.mkfifo(os.path.join(folder, "pipe"))
        os.chmod(os.path.join(folder, "a"), 0o600)
        result = self.client.scout("demo1:" + folder)
        answer = self.assertScoutOk(result, "directory")
        self.assertEqual((answer["host"], answer["path"]), ("demo1", folder))
        names = [e["name"] for e in answer["entries"] if e["name"] not in (".", "..")]
        self.assertEqual(names, [".hidden", "Z", "a", "b", "link", "pipe", "sub", "with blank",
                                 "ä"])
        self.assertEqual(answer["count"], len(answer["entries"]))
        self.assertFalse(answer["truncated"])
        entries = {entry["name"]: entry for entry in answer["entries"]}
        self.assertEqual({name: entries[name]["type"] for name in ("a", "link", "pipe", "sub")},
                         {"a": "file", "link": "symlink", "pipe": "fifo", "sub": "directory"})
        status = os.stat(os.path.join(folder, "a"))
        entry = entries["a"]
        self.assertEqual((entry["size"], entry["mode"], entry["uid"], entry["gid"]),
                         (1, "0600", status.st_uid, status.st_gid))
        self.assertRegex(entry["mtime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        text = text_of(result)
        line = next(line for line in text.splitlines() if line.endswith(" a"))
        self.assertTrue(line.startswith("-rw-------"), line)
        self.assertIn("with blank", text)

    def test_an_empty_directory(self):
        result = self.client.scout("demo1:notes/empty")
        answer = self.assertScoutOk(result, "directory")
        self.assertEqual([e for e in answer["entries"] if e["name"] not in (".", "..")], [])

    def test_a_large_directory_is_whole(self):
        folder = self.fleet.path("demo1", "many")
        os.makedirs(folder)
        wanted = [f"file-{index:04}" for index in range(1500)]
        for name in wanted:
            with open(os.path.join(folder, name), "wb"):
                pass
        result = self.client.tool("scout", target="demo1:" + folder, max_output=1000000)
        answer = self.assertScoutOk(result, "directory")
        names = [e["name"] for e in answer["entries"] if e["name"] not in (".", "..")]
        self.assertEqual(names, wanted)
        self.assertNotIn("output", answer)
        shutil.rmtree(folder)

    # --- many at once ------------------------------------------------------------------------

    def test_64_reads_in_flight_each_get_their_own_content(self):
        wanted = {}
        for index in range(64):
            content = f"content {index} " * (index + 1)
            path = self.make(f"flight/{index}", content, "demo2")
            wanted[self.client.send_scout("demo2:" + path)] = content
        for message_id, content in wanted.items():
            self.assertEqual(text_of(self.client.result(message_id)), content)

    def test_100_concurrent_reads_share_one_connection(self):  # C.6-55
        self.assertEqual(self.fleet.logins("demo3"), 0, "no other test of this class uses demo3")
        clients = [self.daemon.client() for _ in range(4)]
        sent = [(client, client.send_scout("demo3:hello.txt"))
                for _ in range(25) for client in clients]
        for client, message_id in sent:
            self.assertEqual(text_of(client.result(message_id)), "hello from demo3\n")
        for client in clients:
            client.close()
        self.assertEqual(self.fleet.logins("demo3"), 1)


class NoHostsTest(harness.ScoutTest):
    def test_no_hosts_configured(self):  # C.2-16
        self.make_folder()
        daemon = self.make_daemon(self.write("ssh_config", ""))
        with daemon.client() as client:
            result = client.scout("hosts")
            self.assertEqual(text_of(result), "No SSH hosts configured.")
            self.assertEqual(self.assertScoutOk(result, "hosts")["count"], 0)


class DeadHostsTest(harness.ScoutTest):
    def test_20_dead_hosts_are_probed_side_by_side(self):  # C.2-15
        self.make_folder()
        dead = hostile.DeadPort()
        self.addCleanup(dead.stop)
        hosts = "".join(f"Host dead{index:02}\n  HostName 127.0.0.1\n  Port {dead.port}\n"
                        for index in range(20))
        daemon = self.make_daemon(self.write("ssh_config", hosts))
        with daemon.client() as client:
            begun = time.monotonic()
            answer = self.assertScoutOk(client.scout("hosts"), "hosts")
            self.assertLess(time.monotonic() - begun, 4)
            self.assertEqual((answer["count"], answer["online"]), (20, 0))


if __name__ == "__main__":
    harness.main()
