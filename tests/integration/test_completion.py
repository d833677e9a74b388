"""completion/complete: hosts, paths and names for the templates of resources."""

import json
import os
import socket
import time

import harness
import hostile

ANY = "scout://{host}/{path*}"


class CompletionTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fakes = os.path.join(cls.folder, "fakes")
        os.mkdir(cls.fakes)
        cls.fleet = cls.make_fleet(1)
        cls.fleet.down("demo1")
        with open(cls.fleet.home("demo1", "sshd_config"), "a", encoding="utf-8") as out:
            out.write(f"SetEnv PATH={cls.fakes}:/usr/bin:/bin\n")
        cls.fleet.up("demo1")
        cls.closed = hostile.closed_port()
        entry = cls.fleet.entry
        cls.hosts = (entry("t1", "demo1") + entry("T1b", "demo1") + entry("a_b", "demo1") +
                     entry("down", "demo1", Port=cls.closed))
        cls.daemon = cls.make_daemon(cls.write("ssh_config", cls.hosts))
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def program(self, name, text):
        path = os.path.join(self.fakes, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        self.addCleanup(os.remove, path)

    def ask(self, uri, name, value, client=None, **known):
        params = {"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": name, "value": value}}
        if known:
            params["context"] = {"arguments": known}
        return (client or self.client).request("completion/complete", params)

    def complete(self, uri, name, value, client=None, **known):
        """The values; all of them."""
        completion = self.ask(uri, name, value, client, **known)["result"]["completion"]
        self.assertEqual(completion["total"], len(completion["values"]))
        self.assertIs(completion["hasMore"], False)
        return completion["values"]

    def test_hosts(self):
        for value, expected in (("", ["T1b", "a_b", "down", "t1"]), ("t", ["T1b", "t1"]), ("T1", ["T1b", "t1"]),
                                ("down", ["down"]), ("x", [])):
            self.assertEqual(self.complete(ANY, "host", value), expected)
        self.assertEqual(self.complete("{host}://syslog", "host", ""), ["T1b", "down", "t1"])

    def test_hosts_that_policy_leaves(self):
        config = 'rule "r" { effect = deny  hosts = {"t1"} }\n'
        with self.make_daemon(self.daemon.ssh_config, config, "left").client() as client:
            self.assertEqual(self.complete(ANY, "host", "t", client), ["T1b"])
        config = 'rule "r" { effect = deny  verbs = {hosts} }\n'
        with self.make_daemon(self.daemon.ssh_config, config, "none").client() as client:
            self.assertEqual(self.complete(ANY, "host", "", client), [])

    def test_paths(self):
        for name in ("one.txt", "only/deep", "other", ".hidden", "b c"):
            self.fleet.write("demo1", "paths/" + name, "x")
        os.makedirs(self.fleet.path("demo1", "paths", "open"))
        folder = self.fleet.path("demo1", "paths")
        for uri, known in ((ANY, {"host": "t1"}), ("t1://{path*}", {}), ("{host}://{path*}", {"host": "t1"}),
                           ("scout://a_b/{path*}", {}), (ANY, {"host": "T1"})):
            for root in (folder, folder[1:]):
                for typed, expected in (("/o", ["/one.txt", "/only/", "/open/", "/other"]), ("/on", ["/one.txt", "/only/"]),
                                        ("/", ["/b c", "/one.txt", "/only/", "/open/", "/other"]), ("/.", ["/.hidden"]),
                                        ("/only/", ["/only/deep"]), ("/open/", []), ("/x", []), ("/only/deep/", []),
                                        ("/nope/x", [])):
                    with self.subTest(uri=uri, typed=typed):
                        self.assertEqual(self.complete(uri, "path", root + typed, **known),
                                         [root + value for value in expected])
        self.assertEqual(self.complete("t1://{path*}", "path*", folder + "/ot"), [folder + "/other"])
        self.assertIn("etc/", self.complete("t1://{path*}", "path", "et"))
        for hostile_value in ("../", "/etc/../", "a\u0001/../b", "x" * 5000 + "/"):
            self.assertEqual(self.complete("t1://{path*}", "path", hostile_value), [])

    def test_a_hundred_values_and_how_many_there_are(self):
        for i in range(250):
            self.fleet.write("demo1", f"many/n{i:03}", "")
        folder = self.fleet.path("demo1", "many")
        got = self.ask("t1://{path*}", "path", folder + "/n")["result"]["completion"]
        self.assertEqual(got["values"], [f"{folder}/n{i:03}" for i in range(100)])
        self.assertEqual((got["total"], got["hasMore"]), (250, True))

    def test_paths_that_policy_leaves(self):
        self.fleet.write("demo1", "closed/x", "")
        folder = self.fleet.path("demo1", "closed")
        link = self.fleet.path("demo1", "open-link")
        os.symlink(folder, link)
        self.addCleanup(os.remove, link)
        for effect in ("deny", "confirm"):
            config = f'rule "r" {{ effect = {effect}  verbs = {{list}}  paths = {{"{folder}"}} }}\n'
            daemon = self.make_daemon(self.daemon.ssh_config, config, effect)
            with daemon.client() as client:
                self.assertEqual(self.complete("t1://{path*}", "path", folder + "/", client), [])
                self.assertEqual(self.complete("t1://{path*}", "path", link + "/", client), [])
                self.assertEqual(self.complete("t1://{path*}", "path", folder[:-1], client), [folder + "/"])
            self.assertEqual(self.waiting(daemon), [])

    def test_no_person_is_asked_about_help_with_typing(self):
        folder = self.fleet.path("demo1")
        config = f'rule "r" {{ effect = confirm  verbs = {{list}}  paths = {{"{folder}"}} }}\n'
        daemon = self.make_daemon(self.daemon.ssh_config, config, "unasked")
        with daemon.client() as client:
            meta = {**harness.META, harness.META_CAPABILITIES: {"elicitation": {}}}
            client.send_raw(json.dumps({
                "jsonrpc": "2.0", "id": "c", "method": "completion/complete", "params": {
                    "ref": {"type": "ref/resource", "uri": "t1://{path*}"}, "_meta": meta,
                    "argument": {"name": "path", "value": folder + "/"}}}).encode() + b"\n")
            result = client.wait("c")["result"]
            self.assertEqual((result["resultType"], result["completion"]["values"]), ("complete", []))
        self.assertEqual(self.waiting(daemon), [])

    def waiting(self, daemon):
        """The acts that wait for a person's word."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(os.path.join(daemon.folder, "s-control.sock"))
            control.sendall(b'{"op":"confirmations"}\n')
            return json.loads(control.makefile().readline())["confirmations"]

    def test_names_on_the_host(self):
        self.program("docker", 'case "$1" in ps) printf "plex\\nplay.it\\nOther\\n";; compose) '
                     'echo \'[{"Name":"media"},{"Name":"mail"},{"Name":"x"}]\';; esac\n')
        self.program("zpool", 'printf "tank\\ntape\\nold\\n"\n')
        for uri, name, value, expected in (
                ("t1://docker/{container}/logs", "container", "pl", ["plex", "play.it"]),
                ("t1://docker/{container}/logs", "container", "o", ["Other"]),
                ("t1://compose/{project}", "project", "m", ["media", "mail"]),
                ("t1://compose/{project}/logs", "project", "", ["media", "mail", "x"]),
                ("t1://zfs/{pool}", "pool", "ta", ["tank", "tape"]),
                ("t1://zfs/{pool}/datasets", "pool", "", ["tank", "tape", "old"])):
            with self.subTest(uri=uri):
                self.assertEqual(self.complete(uri, name, value), expected)
                any_host = uri.replace("t1://", "{host}://")
                self.assertEqual(self.complete(any_host, name, value, host="t1"), expected)
                self.assertEqual(self.complete(any_host, name, value), [])
                self.assertEqual(self.complete(any_host, name, value, host="nowhere"), [])

    def test_help_that_does_not_come_is_none(self):
        self.program("zpool", "exec sleep 60\n")
        self.assertEqual(self.complete("down://{path*}", "path", "etc/"), [])
        begin = time.monotonic()
        self.assertEqual(self.complete("t1://zfs/{pool}", "pool", ""), [])
        self.assertLess(time.monotonic() - begin, 8)
        harness.wait_until(lambda: "code=deadline-exceeded" in self.daemon.log(), "the log says why")
        self.assertIn("tool=completion/complete", self.daemon.log())

    def test_what_is_not_there(self):
        for ref, argument in (({"type": "ref/prompt", "name": "x"}, {"name": "a", "value": ""}),
                              ({"type": "ref/resource", "uri": "hosts://list"}, {"name": "host", "value": ""}),
                              ({"type": "ref/resource", "uri": "t1://{nope}"}, {"name": "nope", "value": ""}),
                              ({"type": "ref/resource", "uri": ANY}, {"name": "pool", "value": ""}),
                              ({"type": "ref/resource", "uri": ANY}, {"name": "host", "value": 7}),
                              ({"type": "ref/resource", "uri": ANY}, {"value": ""}),
                              ({"type": "ref/resource", "uri": ANY}, {}), ({}, {"name": "host", "value": ""})):
            answer = self.client.request("completion/complete", {"ref": ref, "argument": argument})
            self.assertRpcError(answer, -32602)
        for params in ({}, {"ref": 1, "argument": {}}, {"ref": {}, "argument": "x"}):
            self.assertRpcError(self.client.request("completion/complete", params), -32602)

    def test_revisions(self):
        for version in harness.LEGACY:
            with self.daemon.client() as client:
                capabilities = client.initialize(version)["capabilities"]
                self.assertEqual("completions" in capabilities, version != "2024-11-05")
                self.assertEqual(self.complete(ANY, "host", "d", client), ["down"])
        self.assertIn("completions", self.client.request("server/discover")["result"]["capabilities"])

    def test_two_thousand_hosts(self):
        names = sorted(f"h{i}" for i in range(2000))
        text = "".join(f"Host {name}\n  HostName 127.0.0.1\n  Port {self.closed}\n" for name in names)
        with self.make_daemon(self.write("thousands.ssh_config", text), "", "thousands").client() as client:
            got = self.ask("{host}://docker", "host", "h1", client)["result"]["completion"]
            wanted = [name for name in names if name.startswith("h1")]
            self.assertEqual(got, {"values": wanted[:100], "total": len(wanted), "hasMore": True})


if __name__ == "__main__":
    harness.main()
