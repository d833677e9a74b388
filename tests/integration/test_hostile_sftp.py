"""Hosts whose SFTP server lies, stalls, and answers what nobody asked: each costs its own calls, and no more."""

import json
import os
import random
import time

import harness
from harness import text_of

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile_sftp.py")
CHAOS_S = 6


class HostileSftpTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(3)
        for host, seed in (("demo1", ""), ("demo2", "4")):
            cls.fleet.without_sftp(host)
            cls.fleet.down(host)
            with open(cls.fleet.home(host, "sshd_config"), encoding="utf-8") as config:
                rest = config.read()
            with open(cls.fleet.home(host, "sshd_config"), "w", encoding="utf-8") as config:
                config.write(f"Subsystem sftp /usr/bin/python3 -B {SERVER} {seed}\n{rest}")
            cls.fleet.up(host)
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config,
                                     "role = operator\ncall_timeout = 8\ntransfer_idle_timeout = 4\n")
        cls.here = os.path.join(cls.daemon.state, "transfer", str(os.getuid()))
        os.makedirs(cls.here, 0o700)

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def tool(self, name, path, **arguments):
        result = self.client.tool(name, timeout=30, target="demo1:/evil/" + path, **arguments)
        for bad in ("\\u001b", "\\u202e", "hunter2"):
            self.assertNotIn(bad, json.dumps(result))
        return result

    def test_what_is_read(self):
        # A file that came in short pieces was opened twice at the same time, and the daemon ended.
        answer = self.assertScoutOk(self.tool("read", "short"), "file")
        self.assertEqual(answer["text"], "A" * 2000)
        self.assertEqual(self.assertScoutOk(self.tool("read", "few"), "file")["size"], 100000)
        self.assertScoutOk(self.tool("read", "never"), "file")
        self.assertTrue(self.assertScoutOk(self.tool("read", "huge"), "file")["truncated"])
        for name in ("zero", "more"):
            self.assertScoutError(self.tool("read", name), "sftp-protocol")
        self.assertScoutError(self.tool("read", "error"), "remote-failure", "[redacted:password:")

    def test_what_is_copied(self):
        for name, code in (("grow", "file-changed"), ("few", "file-changed"), ("never", "file-changed"),
                           ("zero", "sftp-protocol"), ("more", "sftp-protocol"), ("error", "remote-failure")):
            result = self.tool("scout", name, beam="got-" + name)
            self.assertEqual(result["structuredContent"]["error"]["code"], code, name)
        self.assertFalse(self.tool("scout", "suid", beam="suid").get("isError"))
        self.assertEqual(os.listdir(self.here), ["suid"])
        self.assertEqual(os.stat(os.path.join(self.here, "suid")).st_mode & 0o7777, 0o777)

    def test_what_is_listed(self):
        # Names with a slash were listed, and completed, as if they were paths below.
        entries = self.assertScoutOk(self.tool("list", "d"), "directory")["entries"]
        names = {entry["name"] for entry in entries}
        self.assertIn(".", names)
        self.assertFalse({name for name in names if "/" in name or not name}, names)
        completed = self.client.request("completion/complete", {
            "ref": {"type": "ref/resource", "uri": "scout://{host}/{path*}"}, "argument": {"name": "path", "value": "evil/d/"},
            "context": {"arguments": {"host": "demo1"}}})["result"]["completion"]["values"]
        self.assertGreater(len(completed), 2)
        self.assertFalse([value for value in completed if value.count("/") != 2 or "\x1b" in value], completed)
        self.assertTrue(self.assertScoutOk(self.tool("list", "dendless"), "directory")["truncated"])
        for arguments in ({"tree": True}, {"find": "*"}):
            self.assertFalse(self.tool("scout", "d", **arguments).get("isError"))

    def test_answers_in_any_order(self):
        """Every look and change at a host whose answers are odd and out of order: all end, and the daemon stays."""
        with open(os.path.join(self.here, "up"), "wb") as out:
            out.write(b"x" * 200000)
        self.addCleanup(os.unlink, os.path.join(self.here, "up"))
        chance, waiting, done, begun = random.Random(1), [], 0, time.monotonic()
        while time.monotonic() - begun < CHAOS_S or waiting:
            while time.monotonic() - begun < CHAOS_S and len(waiting) < 24:
                target = "demo2:/q/" + chance.choice("dfff") + str(chance.randrange(50))
                name, arguments = chance.choice((
                    ("read", {}), ("read", {"tail": 5}), ("read", {"offset": 900, "limit": 5}), ("read", {"byte_offset": 900, "byte_count": 90000}),
                    ("stat", {}), ("list", {}), ("scout", {}), ("scout", {"tree": True}), ("scout", {"find": "*"}), ("glob", {"pattern": "**"}),
                    ("grep", {"pattern": "A"}), ("write", {"content": "x", "overwrite": True}), ("edit", {"old_string": "A", "new_string": "b", "replace_all": True}),
                    ("undo", {}), ("scout", {"beam": "up", "overwrite": True, "direction": "upload"}), ("scout", {"diff": target + "x"}),
                    ("scout", {"beam": "got", "overwrite": True, "direction": "download", "resume": True}), ("scout", {"targets": [target, "demo3:/etc/hostname"]})))
                waiting.append(self.client.send("tools/call", {"name": name, "arguments": {"target": target, **arguments}}))
            message = waiting.pop(0)
            if chance.random() < 0.05:
                self.client.notify("notifications/cancelled", {"requestId": message})
            else:
                self.client.result(message, 30)
                done += 1
        self.assertGreater(done, 20)
        self.assertIn("demo", text_of(self.client.scout("hosts")))
        self.assertTrue(os.path.exists(f"/proc/{self.daemon.process.pid}"))
        if os.path.exists(os.path.join(self.here, "got")):
            os.unlink(os.path.join(self.here, "got"))


if __name__ == "__main__":
    harness.main()
