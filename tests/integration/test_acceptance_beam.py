"""The scout tool with `beam`, `beam_source` and `beam_target` (cases C.4 41 to 46) against real
sshd's: what is there afterwards, what is refused, and in which words."""

import json
import os
import re
import socket
import stat
import subprocess

import harness
from beam_case import BeamCase, MIB, digest, make_large
from harness import text_of


class BeamTest(BeamCase, harness.ScoutTest):
    # --- cases 41 to 46 ----------------------------------------------------------------------

    def test_41_up_and_down(self):
        content = os.urandom(123457)
        self.local("up.bin", content, 0o640)
        there = self.fleet.path("demo1", "up.bin")
        result = self.beam(beam="up.bin", target=f"demo1:{there}")
        told = self.assertDone(result,
                               f"✓ Uploaded up.bin → demo1:{there}\n  Size: 120.56 KB")
        with open(there, "rb") as text:
            self.assertEqual(text.read(), content)
        self.assertEqual(stat.S_IMODE(os.stat(there).st_mode), 0o640)
        seen = os.stat(there)
        self.assertEqual(told["etag"], f'"{int(seen.st_mtime):x}-{seen.st_size:x}"')
        for key, value in {"direction": "upload", "source": {"path": "up.bin"}, "bytes": 123457,
                           "destination": {"host": "demo1", "path": there}, "mode": "0640",
                           "verified": "size", "created": True, "synced": True,
                           "owner_kept": True}.items():
            self.assertEqual(told[key], value, key)
        result = self.beam(beam="down.bin", target=f"demo1:{there}")
        told = self.assertDone(result,
                               f"✓ Downloaded demo1:{there} → down.bin\n  Size: 120.56 KB")
        self.assertEqual(told["direction"], "download")
        self.assertSame(self.local("down.bin"), there)
        self.assertEqual(stat.S_IMODE(os.stat(self.local("down.bin")).st_mode), 0o640)
        self.assertNothingLeft(self.here, self.fleet.path("demo1"))

    def test_43_the_four_errors(self):
        cases = [
            ({"beam": "x", "beam_source": "demo1:/x", "target": "demo1:/y"},
             "Error: Cannot use both 'beam' and 'beam_source/beam_target'. Use 'beam' for local "
             "transfers or 'beam_source/beam_target' for remote-to-remote."),
            ({"beam_source": "demo1:/x"}, "Error: beam_source requires beam_target to be specified."),
            ({"beam_target": "demo1:/x"}, "Error: beam_target requires beam_source to be specified."),
            ({"beam": "x", "target": "hosts"},
             "Error: beam parameter requires a valid host:/path target, not 'hosts'"),
        ]
        for arguments, words in cases:
            with self.subTest(arguments):
                self.assertEqual(text_of(self.beam(**arguments)), words)

    def test_43_hosts_in_the_wrong_place(self):
        self.assertEqual(text_of(self.beam(beam_source="hosts", beam_target="demo1:/x")),
                         "Error: beam_source must be in format 'host:/path'")
        self.assertEqual(text_of(self.beam(beam_source="demo1:/x", beam_target="hosts")),
                         "Error: beam_target must be in format 'host:/path'")
        self.assertEqual(text_of(self.beam(beam_source="no:/x", beam_target="demo1:/x")),
                         "Error: Unknown source host 'no'. Available: demo1, demo2")
        self.assertEqual(text_of(self.beam(beam_source="demo1:/x", beam_target="no:/x")),
                         "Error: Unknown target host 'no'. Available: demo1, demo2")

    def test_44_between_hosts(self):
        source = make_large(self.fleet.path("demo1", "large"), 10 * MIB + 1)
        there = self.fleet.path("demo2", "large")
        before = self.daemon.memory_bytes()
        result = self.beam(beam_source=f"demo1:{source}", beam_target=f"demo2:{there}")
        self.assertDone(result, f"✓ Streamed demo1:{source} → demo2:{there} (remote-to-remote)\n"
                                "  Size: 10240.00 KB")
        self.assertSame(source, there)
        if "san" not in harness.BUILD:
            self.assertLess(self.daemon.memory_bytes() - before, 24 * MIB)
        self.assertNothingLeft(self.fleet.path("demo2"))

    def test_44_from_a_host_to_itself(self):
        source = make_large(self.fleet.path("demo1", "one"), 3 * MIB + 17)
        there = self.fleet.path("demo1", "two")
        self.assertDone(self.beam(beam_source=f"demo1:{source}", beam_target=f"demo1:{there}"))
        self.assertSame(source, there)
        self.assertNothingLeft(self.fleet.path("demo1"))

    def test_whose_path_is_not_there_is_said(self):
        """Both ends often have the same path: the text alone did not tell them apart."""
        there = self.fleet.write("demo1", "mine", b"x\n")
        for source, target, host in (("demo1:/no/such", "demo2:/tmp/x", "demo1"),
                                     (f"demo1:{there}", "demo2:/no/such", "demo2")):
            self.assertIn(f"Path not found: /no/such ({host})",
                          text_of(self.beam(beam_source=source, beam_target=target)))

    def test_46_a_name_of_this_machine_is_a_host_like_any(self):
        alias = socket.gethostname()
        with open(self.fleet.ssh_config, encoding="utf-8") as text:
            hosts = text.read()
        path = self.write("ssh_config_46", hosts + self.fleet.entry(alias, "demo1"))
        daemon = self.make_daemon(path, self.CONFIG, "alias")
        source = self.fleet.write("demo1", "from-here", b"mine\n")
        there = self.fleet.path("demo2", "from-here")
        with daemon.client() as client:
            result = client.result(self.send(client, beam_source=f"{alias}:{source}",
                                             beam_target=f"demo2:{there}"), 30)
        self.assertDone(result)
        self.assertSame(source, there)

    # --- what is there afterwards ------------------------------------------------------------

    def test_digests_are_compared(self):
        source = make_large(self.local("d"), 2 * MIB + 5)
        there = self.fleet.path("demo1", "d")
        for arguments in ({"beam": "d", "target": f"demo1:{there}"},
                          {"beam": "d2", "target": f"demo1:{there}"},
                          {"beam_source": f"demo1:{there}",
                           "beam_target": f"demo2:{self.fleet.path('demo2', 'd')}"}):
            with self.subTest(arguments):
                told = self.assertDone(self.beam(**arguments, verify="sha256"))
                self.assertEqual(told["verified"], "sha256")
                self.assertEqual(told["sha256"], digest(source))
                self.assertGreater(told["verify_s"], 0)

    def test_a_host_without_sha256sum_is_read_back(self):
        fleet = harness.Fleet(os.path.join(self.folder, "bare"), 1, SetEnv="PATH=/nowhere")
        self.addCleanup(fleet.stop)
        daemon = self.make_daemon(fleet.ssh_config, self.CONFIG, "bare-d")
        here = os.path.join(daemon.state, "transfer", str(os.getuid()))
        source = make_large(os.path.join(here, "f"), 3 * MIB + 1)
        with daemon.client() as client:
            result = client.result(self.send(client, beam="f", verify="sha256",
                                             target=f"demo1:{fleet.path('demo1', 'f')}"), 60)
        self.assertEqual(self.assertDone(result)["sha256"], digest(source))

    def test_setuid_is_dropped(self):
        self.local("s", b"x", 0o4755)
        there = self.fleet.path("demo1", "s")
        self.assertDone(self.beam(beam="s", target=f"demo1:{there}"))
        self.assertEqual(stat.S_IMODE(os.stat(there).st_mode), 0o755)

    def test_nothing_is_overwritten_unless_it_is_asked_for(self):
        self.local("o", b"new")
        there = self.fleet.write("demo1", "o", b"old")
        target = f"demo1:{there}"
        self.assertFailed(self.beam(beam="o", target=target), "already-exists",
                          "overwrite=true")
        with open(there, "rb") as text:
            self.assertEqual(text.read(), b"old")
        self.assertFailed(self.beam(beam="o", target=target, etag='"1-1"'), "file-changed")
        etag = self.client.tool("read", target=target)["structuredContent"]["etag"]
        told = self.assertDone(self.beam(beam="o", target=target, etag=etag))
        self.assertFalse(told["created"])
        self.local("o", b"newer")
        self.assertDone(self.beam(beam="o", target=target, overwrite=True))
        with open(there, "rb") as text:
            self.assertEqual(text.read(), b"newer")

    def test_absolute_paths_inside_and_folders_below(self):
        self.local("deep/er/f", b"deep")
        there = self.fleet.path("demo1", "deep-f")
        self.assertDone(self.beam(beam=self.local("deep/er/f"), target=f"demo1:{there}"))
        self.assertDone(self.beam(beam="deep/../deep/er/g", target=f"demo1:{there}"))
        with open(self.local("deep/er/g"), "rb") as text:
            self.assertEqual(text.read(), b"deep")

    def test_the_direction_can_be_said(self):
        there = self.fleet.write("demo1", "said", b"theirs")
        self.local("said", b"mine")
        call = {"beam": "said", "target": f"demo1:{there}"}
        self.assertFailed(self.beam(**call, direction="download"), "already-exists")
        self.assertFailed(self.beam(**{**call, "beam": "unsaid"}, direction="upload"),
                          "path-not-found")
        self.assertFailed(self.beam(**call, direction="up"), "invalid-argument")
        told = self.assertDone(self.beam(**call, direction="download", overwrite=True))
        self.assertEqual(told["direction"], "download")
        with open(self.local("said"), "rb") as text:
            self.assertEqual(text.read(), b"theirs")

    def test_from_a_terminal(self):
        def scout(*words):
            return subprocess.run(
                [harness.SCOUT, "beam", "--socket", self.daemon.socket, *words],
                capture_output=True, text=True, timeout=60, check=False,
                env=harness.clean_environment(self.folder))

        self.local("cli", b"from here")
        there = self.fleet.path("demo1", "cli")
        ran = scout("cli", f"demo1:{there}", "--verify")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn(f"✓ Uploaded cli → demo1:{there}", ran.stdout)
        self.assertIn("SHA-256: ", ran.stdout)
        ran = scout(f"demo1:{there}", "cli")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("already-exists", ran.stderr)
        ran = scout(f"demo1:{there}", f"demo2:{self.fleet.path('demo2', 'cli')}", "--json")
        self.assertEqual(json.loads(ran.stdout)["direction"], "between")
        self.assertEqual(scout("a", "b").returncode, 2)
        self.assertEqual(scout("demo1:/a").returncode, 2)

    def test_an_empty_file(self):
        self.local("empty", b"")
        there = self.fleet.path("demo1", "empty-there")
        self.assertEqual(self.assertDone(self.beam(beam="empty", target=f"demo1:{there}"))["bytes"],
                         0)
        self.assertDone(self.beam(beam="empty2", target=f"demo1:{there}"))
        self.assertEqual(os.path.getsize(self.local("empty2")), 0)

    def test_the_directory_of_the_configuration(self):
        place = os.path.join(self.folder, "exchange")
        daemon = self.make_daemon(self.fleet.ssh_config, self.CONFIG, "other",
                                  variables={"SCOUT_TRANSFER_DIR": place})
        there = self.fleet.write("demo1", "for-exchange", b"here\n")
        with daemon.client() as client:
            self.assertDone(client.result(self.send(client, beam="x", target=f"demo1:{there}"), 30))
        self.assertSame(os.path.join(place, "x"), there)
        self.assertEqual(stat.S_IMODE(os.stat(place).st_mode), 0o700)

    # --- what is refused ---------------------------------------------------------------------

    def test_nothing_outside_is_reached(self):
        outside = os.path.join(self.folder, "outside")
        with open(outside, "w", encoding="ascii") as out:
            out.write("secret")
        links = {"link-out": outside, "folder-out": self.folder, "magic": "/proc/self/root",
                 "up": "../../../outside"}
        for name, leads in links.items():
            if not os.path.lexists(self.local(name)):
                os.symlink(leads, self.local(name))
        there = self.fleet.path("demo1", "stolen")
        for name in ("link-out", "up", "folder-out/outside", "../../../outside",
                     "magic" + outside, outside, "/etc/hostname", "~/x"):
            with self.subTest(name):
                result = self.beam(beam=name, target=f"demo1:{there}")
                self.assertTrue(result.get("isError"), result)
                self.assertIn(result["structuredContent"]["error"]["code"],
                              ("permission-denied", "invalid-argument", "path-not-found"))
                self.assertFalse(os.path.exists(there))
        source = self.fleet.write("demo1", "payload", b"payload")
        for name in ("folder-out/planted", "../../../planted", "magic" + self.folder + "/planted"):
            with self.subTest(name):
                self.assertFailed(self.beam(beam=name, target=f"demo1:{source}"),
                                  "permission-denied")
        os.symlink("nothing", self.local("dangling"))
        self.assertFailed(self.beam(beam="dangling", target=f"demo1:{source}"),
                          "not-a-regular-file")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "planted")))
        with open(outside, encoding="ascii") as text:
            self.assertEqual(text.read(), "secret")

    def test_only_regular_files(self):
        os.makedirs(self.local("d-here"), exist_ok=True)
        os.mkfifo(self.local("p-here"))
        os.makedirs(self.fleet.path("demo1", "d-there"), exist_ok=True)
        os.mkfifo(self.fleet.path("demo1", "p-there"))
        ok = self.fleet.path("demo1", "ok")
        for name in ("d-here", "p-here"):
            self.assertFailed(self.beam(beam=name, target=f"demo1:{ok}"), "not-a-regular-file")
        for name in ("d-there", "p-there"):
            there = self.fleet.path("demo1", name)
            self.assertFailed(self.beam(beam="new", target=f"demo1:{there}"), "not-a-regular-file")
            self.local("full", b"x")
            self.assertFailed(self.beam(beam="full", target=f"demo1:{there}", overwrite=True),
                              "not-a-regular-file")
        self.assertFailed(self.beam(beam="new", target="demo1:/nope"), "path-not-found")
        self.assertFailed(self.beam(beam="full", target="demo1:/nope/x"), "path-not-found")

    def test_a_reader_copies_nothing(self):
        daemon = self.make_daemon(self.fleet.ssh_config, "", "reader")
        source = self.fleet.write("demo1", "r", b"x")
        with daemon.client() as client:
            for arguments in ({"beam": "x", "target": f"demo1:{source}"},
                              {"beam_source": f"demo1:{source}",
                               "beam_target": f"demo2:{source}"}):
                result = client.result(self.send(client, **arguments))
                self.assertFailed(result, "policy-denied", "transfer")
            tools = client.request("tools/list")["result"]["tools"]
        scout = next(t for t in tools if t["name"] == "scout")
        self.assertTrue(scout["annotations"]["readOnlyHint"])
        # Nor is it told of it: the arguments are there for whom a rule lets copy.
        copying = {"beam", "direction", "beam_source", "beam_target", "overwrite", "etag", "verify",
                   "resume"}
        self.assertFalse(copying & set(scout["inputSchema"]["properties"]))
        self.assertTrue(scout["description"].endswith("Changes nothing there."))
        rule = 'rule "copies" { effect = allow verbs = {transfer} hosts = {demo2} }\n'
        with self.make_daemon(self.fleet.ssh_config, rule, "copies").client() as client:
            tools = client.request("tools/list")["result"]["tools"]
        scout = next(t for t in tools if t["name"] == "scout")
        self.assertFalse(scout["annotations"]["readOnlyHint"])
        self.assertLess(copying, set(scout["inputSchema"]["properties"]))
        self.assertIn("copies a file", scout["description"])

    def test_policy_holds_for_both_ends_and_their_real_paths(self):
        config = self.CONFIG + '''
            rule "no-reads" { effect = deny verbs = {read} paths = {"**/private"} }
            rule "no-writes" { effect = deny verbs = {write} paths = {"**/fixed"} }
            '''
        daemon = self.make_daemon(self.fleet.ssh_config, config, "rules")
        private = self.fleet.write("demo1", "private/f", b"private")
        fixed = self.fleet.write("demo1", "fixed/f", b"fixed")
        key = self.fleet.write("demo1", "id_rsa", b"key")
        link = self.fleet.path("demo1", "innocent")
        os.symlink(private, link)
        folder = self.fleet.path("demo1", "way-in")
        os.symlink(os.path.dirname(fixed), folder)
        with daemon.client() as client:
            def call(**arguments):
                return client.result(self.send(client, **arguments), 30)
            for path in (private, link, key):
                with self.subTest(path):
                    self.assertFailed(call(beam="stolen", target=f"demo1:{path}"), "policy-denied")
                    self.assertFailed(call(beam_source=f"demo1:{path}", beam_target="demo2:stolen"),
                                      "policy-denied")
            for path in (fixed, folder + "/new"):
                with self.subTest(path):
                    self.assertFailed(call(beam_source=f"demo1:{fixed}", overwrite=True,
                                           beam_target=f"demo1:{path}"), "policy-denied")
            self.assertDone(call(beam="from-fixed", target=f"demo1:{fixed}"))
            self.assertDone(call(beam="from-fixed", target=f"demo1:{os.path.dirname(private)}/new"))
        self.assertEqual(os.listdir(os.path.dirname(fixed)), ["f"])

    def test_a_person_is_asked_about_each_end(self):
        daemon = self.make_daemon(self.fleet.ssh_config, self.CONFIG +
                                  'rule "ask" { effect = confirm verbs = {transfer} }\n', "confirm")

        def approve(result):
            error = self.assertFailed(result, "confirmation-required", "scout approve")
            asked = re.search(r"scout approve (\w+)", error["message"])[1]
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(daemon.socket.replace(".sock", "-control.sock"))
                control.sendall(json.dumps({"op": "approve", "id": asked}).encode() + b"\n")
                self.assertTrue(json.loads(control.recv(65536))["ok"])

        source = self.fleet.write("demo1", "asked", b"x")
        there = self.fleet.path("demo2", "asked")
        with daemon.client() as client:
            def call():
                return client.result(self.send(client, beam_source=f"demo1:{source}",
                                               beam_target=f"demo2:{there}"), 30)
            approve(call())
            self.assertFalse(os.path.exists(there))
            approve(call())
            self.assertFalse(os.path.exists(there))
            self.assertDone(call())
            self.assertSame(source, there)

    # --- on record, and told -----------------------------------------------------------------

    def test_a_copy_is_on_record_before_it_begins(self):
        self.local("rec", b"x")
        there = self.fleet.path("demo1", "rec")
        self.assertDone(self.beam(beam="rec", target=f"demo1:{there}"))

        def read():
            with open(os.path.join(self.daemon.state, "audit.log"), encoding="utf-8") as log:
                found = [json.loads(line) for line in log]
            found = [r for r in found if r.get("path") == there and r.get("verb") == "transfer"]
            return found if len(found) > 1 else None

        records = harness.wait_until(read, "the record of its end")
        self.assertEqual([r["event"] for r in records], ["begin", "end"])
        self.assertEqual(records[0]["argv"], ["beam", "rec", f"demo1:{there}"])
        self.assertEqual(records[1]["code"], "ok")

    def test_progress_is_told_in_bytes(self):
        size = 64 * MIB
        source = make_large(self.fleet.path("demo1", "progress"), size)
        there = self.fleet.path("demo2", "progress")
        message = self.client.last_id = self.client.last_id + 1
        self.client.send_raw(json.dumps({
            "jsonrpc": "2.0", "id": message, "method": "tools/call",
            "params": {"name": "scout",
                       "arguments": {"beam_source": f"demo1:{source}",
                                     "beam_target": f"demo2:{there}"},
                       "_meta": {**harness.META, "progressToken": "p"}}}).encode() + b"\n")
        self.assertDone(self.client.result(message, 60))
        told = [m["params"] for m in self.client.without_id
                if m["method"] == "notifications/progress"]
        self.assertTrue(told)
        self.assertEqual({t["total"] for t in told}, {size})
        self.assertEqual(sorted(t["progress"] for t in told), [t["progress"] for t in told])


if __name__ == "__main__":
    harness.main()
