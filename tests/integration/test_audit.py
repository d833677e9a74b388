"""The audit log of a daemon with real sshd's: what is on record, whatever ends it."""

import json
import os
import resource
import stat
import subprocess

import harness


class AuditTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)

    def start(self, name):
        daemon = self.make_daemon(self.fleet.ssh_config, 'role = "operator"\n', name=name)
        self.addCleanup(daemon.stop)
        return daemon

    @staticmethod
    def path(daemon):
        return os.path.join(daemon.state, "audit.log")

    def records(self, daemon, event=None):
        """All records, or those of an event; torn lines are none."""
        found = []
        with open(self.path(daemon), "rb") as lines:
            for line in lines:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return [record for record in found if event in (None, record["event"])]

    def verify(self, *words, daemon=None):
        environment = {**harness.clean_environment("/nonexistent"),
                       **({"SCOUT_STATE_DIR": daemon.state} if daemon else {})}
        return subprocess.run([harness.SCOUT, "audit", "verify", *words], check=False, timeout=30,
                              capture_output=True, text=True, env=environment)

    def assertChain(self, daemon, *words):
        def settled():  # a daemon that just started still writes
            verified = self.verify(daemon=daemon)
            self.assertEqual(verified.returncode, 0, verified.stderr)
            records = self.records(daemon)
            whole = f"{len(records)} records" in verified.stdout
            return verified if whole and records[-1]["time"] in verified.stdout else None

        verified = harness.wait_until(settled, "the chain has all that was written", 30)
        for word in words:
            self.assertIn(word, verified.stdout)

    @staticmethod
    def run_it(client, command):
        return client.result(client.send("tools/call", {
            "name": "run", "arguments": {"host": "demo1", "command": command}}), 25)

    # --- records -----------------------------------------------------------------------------

    def test_each_call_is_on_record(self):
        daemon = self.start("each")
        path = self.fleet.write("demo1", "note", "the content")
        with daemon.client() as client:
            for _ in range(1000):
                client.send("tools/call", {"name": "scout", "arguments": {
                    "target": "hosts", "probe": False}})
            for message_id in range(1, 1001):
                client.wait(message_id)
            client.scout("demo1:note")
            client.scout("nowhere:/x")
            self.run_it(client, "echo printed --password=hunter2; exit 3")
        daemon.stop()
        calls = self.records(daemon, "call")
        self.assertEqual(len(calls), 1002)
        self.assertEqual({record["verb"] for record in calls[:1000]}, {"hosts"})
        self.assertEqual({record["uid"] for record in calls}, {os.getuid()})
        self.assertEqual({record["pid"] for record in calls}, {os.getpid()})
        self.assertEqual(calls[1000]["path"], os.path.realpath(path))
        self.assertEqual(calls[1000]["host"], "demo1")
        self.assertGreater(calls[1000]["bytes"], len("the content"))
        self.assertEqual(calls[1001]["code"], "unknown-host")
        begin, = self.records(daemon, "begin")
        end, = self.records(daemon, "end")
        self.assertEqual(begin["call"], end["call"])
        self.assertEqual(begin["argv"], ["echo printed --password=*** exit 3"])
        self.assertNotIn("code", begin)
        self.assertEqual((end["code"], end["exit"]), ("ok", 3))
        with open(self.path(daemon), encoding="utf-8") as text:
            whole = text.read()
        for secret in ("hunter2", "the content"):
            self.assertNotIn(secret, whole)
        self.assertEqual(stat.S_IMODE(os.stat(self.path(daemon)).st_mode), 0o600)
        events = [record["event"] for record in self.records(daemon)]
        self.assertEqual((events[0], events[-1]), ("start", "stop"))
        self.assertChain(daemon, "0 effects without an end, 0 torn records, 0 records lost")
        log = daemon.log()
        self.assertIn("request tool=scout verb=read host=demo1 who=", log)
        self.assertRegex(log, r"request tool=run verb=run host=demo1 who=\S+ client=\d+ code=ok "
                              r"connection_s=\d\S* run_s=\d\S* total_s=\d\S* bytes=\d+( slow=yes)?\n")

    def test_what_was_asked_for_is_on_record_where_the_host_has_no_such_path(self):
        """A path from the login's home was on no record when there was none: nobody could see what was tried."""
        daemon = self.start("tried")
        with daemon.client() as client:
            for name in ("read", "list", "stat"):
                client.tool(name, target="demo1:no/such")
            client.scout("demo1:~/such")
            client.tool("write", target="demo1:no/file", content="")
            client.tool("scout", target="demo1:no", query="ls")
            client.tool("scout", target="demo1:none-such", beam="no.txt")
        daemon.stop()
        self.assertEqual(
            [record.get("path") for record in self.records(daemon, "call")],
            ["no/such", "no/such", "no/such", "~/such", "no/file", "no", "none-such"])

    def test_what_a_reader_tried_is_on_record(self):
        """A tool that is not listed was refused before anybody looked at what it was to do."""
        daemon = self.make_daemon(self.fleet.ssh_config, name="reader")
        self.addCleanup(daemon.stop)
        with daemon.client() as client:
            client.tool("run", host="demo1", command="rm -rf / --password=hunter2")
            client.tool("run", host="nowhere", argv=["id", "-u"])
            client.tool("edit", target="demo1:/etc/hosts", old_string="a", new_string="b")
            client.tool("run", nonsense=1)
        daemon.stop()
        self.assertEqual(
            [[record.get(key) for key in ("verb", "host", "path", "argv", "code")]
             for record in self.records(daemon, "call")],
            [["run", "demo1", None, ["rm -rf / --password=***"], "policy-denied"],
             ["run", "nowhere", None, ["id", "-u"], "policy-denied"],
             ["write", "demo1", "/etc/hosts", None, "policy-denied"],
             ["run", None, None, None, "policy-denied"]])

    def test_what_is_no_log_is_no_log(self):
        daemon = self.start("odd")
        daemon.stop()
        odd = os.path.join(daemon.folder, "odd")
        with open(odd, "w", encoding="ascii") as file:
            file.write("no record")
        self.assertEqual(self.verify(odd).returncode, 1)
        with open(self.path(daemon), encoding="ascii") as file:
            lines = file.read()
        with open(odd, "w", encoding="ascii") as file:
            file.write(lines + lines[:20])
        self.assertIn("last 20 bytes are no whole line", self.verify(odd).stdout)
        os.unlink(odd)
        os.mkfifo(odd)
        self.assertIn("no regular file", self.verify(odd).stderr)

    def test_a_changed_line_is_found(self):
        daemon = self.start("changed")
        with daemon.client() as client:
            for _ in range(20):
                client.scout("hosts")
        daemon.stop()
        with open(self.path(daemon), "rb") as file:
            lines = file.readlines()
        lines[7] = lines[7].replace(b'"code":"ok"', b'"code":"no"')
        other = os.path.join(daemon.folder, "tampered")
        with open(other, "wb") as file:
            file.writelines(lines)
        verified = self.verify(other)
        self.assertEqual(verified.returncode, 1)
        self.assertIn("line 9", verified.stderr)
        self.assertEqual(self.verify(self.path(daemon)).returncode, 0)
        self.assertEqual(self.verify("/nonexistent/audit.log").returncode, 1)
        self.assertEqual(self.verify("a", "b").returncode, 2)

    def test_kill_9_in_a_storm_of_effects(self):
        daemon = self.start("killed")
        ran = self.fleet.path("demo1", "ran")
        os.makedirs(os.path.dirname(ran), exist_ok=True)

        def effects():
            try:
                with open(ran, encoding="ascii") as text:
                    return text.read().split()
            except FileNotFoundError:
                return []

        for round_ in range(3):
            harness.wait_until(lambda: harness.unchanged(effects, 0.3), "the last ones have ended", 30)
            with daemon.client() as client:
                for number in range(60):
                    client.send("tools/call", {"name": "run", "arguments": {
                        "host": "demo1", "command": f"echo r{round_}n{number} >>{ran}"}})
                before = len(effects())
                harness.wait_until(lambda: len(effects()) > before + 10, "effects", 60)
                daemon.kill()
            daemon.start()
            begun = {record["argv"][0].split()[1] for record in self.records(daemon, "begin")}
            self.assertLessEqual(set(effects()), begun)
            self.assertChain(daemon)
        self.assertEqual(len(self.records(daemon, "start")), 4)

    def test_what_a_person_did_is_on_record(self):
        daemon = self.start("person")
        subprocess.run([harness.SCOUT, "--socket", daemon.socket, "lock"], check=True, timeout=30,
                       stdout=subprocess.DEVNULL, env=harness.clean_environment(daemon.folder))
        daemon.stop()
        person, = self.records(daemon, "person")
        self.assertEqual((person["act"], person["count"]), ("keys_locked", "0"))
        self.assertChain(daemon)

    # --- no room -----------------------------------------------------------------------------

    def test_without_room_nothing_is_changed(self):
        daemon = self.start("full")
        pid = daemon.process.pid
        ran = self.fleet.path("demo1", "must_not_run")
        self.fleet.write("demo1", "seen", "seen")
        with daemon.client() as client:
            client.scout("demo1:seen")
            self.run_it(client, "true")
            harness.wait_until(lambda: self.records(daemon, "end"), "all is written", 30)
            resource.prlimit(pid, resource.RLIMIT_FSIZE,
                             (os.path.getsize(self.path(daemon)) + 10, resource.RLIM_INFINITY))
            result = self.run_it(client, f"touch {ran}")
            self.assertEqual(result["structuredContent"]["error"]["code"], "audit-unavailable")
            self.assertFalse(os.path.exists(ran))
            self.assertEqual(client.scout("demo1:seen")["structuredContent"]["text"], "seen")
            self.assertEqual(self.run_it(client, f"touch {ran}")["structuredContent"]["error"]["code"],
                             "audit-unavailable")
            resource.prlimit(pid, resource.RLIMIT_FSIZE,
                             (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            harness.wait_until(
                lambda: "error" not in self.run_it(client, f"touch {ran}")["structuredContent"],
                "effects are recorded again", 30)
            self.assertTrue(os.path.exists(ran))
        daemon.stop()
        self.assertIn("audit_available", daemon.log())
        gaps = self.records(daemon, "gap")
        self.assertGreaterEqual(sum(record["lost"] for record in gaps), 1)
        self.assertEqual(self.verify(daemon=daemon).returncode, 0)

    def test_a_log_that_is_none_of_ours_stops_the_start(self):
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config, name="link")
        os.makedirs(daemon.state)
        target = os.path.join(daemon.folder, "target")
        os.symlink(target, self.path(daemon))
        daemon.launch()
        self.assertEqual(daemon.ends(), 1)
        self.assertIn("audit.log", daemon.log())
        self.assertFalse(os.path.exists(target))


if __name__ == "__main__":
    harness.main()
