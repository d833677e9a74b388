"""Target `hosts` with few and with many known hosts: rows, patterns, groups, probes."""

import subprocess
import time

import harness
import hostile
from harness import text_of


def block(name, port=22):
    return f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User deploy\n\n"


class HostsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.closed = hostile.closed_port()

    def daemon(self, text, name, config=""):
        daemon = self.make_daemon(self.write(name + ".ssh_config", text), config, name)
        client = daemon.client()
        self.addCleanup(client.close)
        return client

    def hosts(self, client, target="hosts", **arguments):
        message_id = client.send("tools/call", {
            "name": "scout", "arguments": {"target": target, **arguments}})
        result = client.result(message_id)
        return text_of(result), self.assertScoutOk(result, "hosts")

    def test_none(self):  # C.2-16
        client = self.daemon("", "none")
        for target in ("hosts", " HOSTS "):
            text, content = self.hosts(client, target)
            self.assertEqual(text, "No SSH hosts configured.")
            self.assertEqual(content, {"kind": "hosts", "hosts": [], "count": 0})

    def test_patterns_choose(self):
        names = [f"web{i}" for i in range(1, 4)] + ["db1", "Mail"]
        client = self.daemon("".join(block(name, self.closed) for name in names), "few")
        for target, expected in (
                ("hosts web*", ["web1", "web2", "web3"]),
                ("HOSTS  web? db*", ["db1", "web1", "web2", "web3"]),
                ("hosts mail", ["Mail"]), ("hosts *1", ["db1", "web1"]), ("hosts nope x*", []),
                ("hosts nope web1 x*", ["web1"])):
            with self.subTest(target=target):
                text, content = self.hosts(client, target)
                self.assertEqual([host["name"] for host in content["hosts"]], expected)
                self.assertEqual(content["count"], len(expected))
                self.assertTrue(all(host["online"] is False for host in content["hosts"]))
                self.assertEqual(content.get("unmatched"),
                                 ["nope", "x*"] if "nope" in target else None)
                if expected:
                    self.assertTrue(text.startswith("Available hosts:\n  [✗] "), text)
                    self.assertEqual(text.endswith("\nNo host matches nope x*"), "nope" in target)
                else:
                    self.assertEqual(text, "No host matches nope x*")
        text, content = self.hosts(client, "hosts web*", probe=False)
        self.assertEqual(text.splitlines()[1], f"  web1 -> deploy@127.0.0.1:{self.closed}")
        self.assertNotIn("online", content)

    def test_one_behind_another_is_not_said_to_be_offline(self):
        """Nobody has tried it: what is said of it has to be that."""
        client = self.daemon(block("gate", self.closed) +
                             block("inner", self.closed) + "  ProxyJump gate\n" +
                             block("piped", self.closed) + "  ProxyCommand nc %h %p\n", "behind")
        text, content = self.hosts(client)
        address = f"-> deploy@127.0.0.1:{self.closed}"
        words = "(not tried: behind another host or a program)"
        self.assertEqual(text.splitlines()[1:], [f"  [✗] gate (offline) {address}",
                                                 f"  [?] inner {words} {address}",
                                                 f"  [?] piped {words} {address}"])
        self.assertEqual([host.get("online") for host in content["hosts"]], [False, None, None])

    def test_a_host_that_policy_leaves_nothing_is_not_shown(self):
        rules = """
            rule "no-hidden" {
              effect = deny
              hosts = {"hidden*"}
            }"""
        client = self.daemon(block("hidden1", self.closed) + block("web1", self.closed), "ruled",
                             rules)
        text, content = self.hosts(client)
        self.assertEqual([host["name"] for host in content["hosts"]], ["web1"])
        self.assertNotIn("hidden", text)
        text, content = self.hosts(client, "hosts hidden*")
        self.assertEqual((text, content["count"]), ("No host matches hidden*", 0))
        text, content = self.hosts(client, "hosts hidden1 web1")  # as one that there is not
        self.assertEqual(content["unmatched"], ["hidden1"])
        client = self.daemon(block("web1"), "blind",
                             'rule "blind" {\n  effect = deny\n  verbs = {hosts}\n}\n')
        result = client.scout("hosts")
        self.assertScoutError(result, "policy-denied", '"blind"')

    def test_the_companion_takes_patterns(self):
        daemon = self.make_daemon(self.write("c.ssh_config", block("web1") + block("db1")), "", "c")
        printed = subprocess.run(
            [harness.SCOUT, "hosts", "--no-probe", "web*", "x"], check=True, capture_output=True,
            text=True, env={**harness.clean_environment(self.folder),
                            "SCOUT_SOCKET": daemon.socket}).stdout
        self.assertEqual(printed, "Available hosts:\n  web1 -> deploy@127.0.0.1:22\n"
                         "No host matches x\n")

    def test_many_are_summed_up_and_patterns_list_them(self):
        names = [f"web{i}" for i in range(1, 41)] + [f"db-{i}.lan" for i in range(1, 13)] + ["mail"]
        client = self.daemon("".join(block(name, self.closed) for name in names), "many")
        text, content = self.hosts(client)
        self.assertEqual(text.splitlines(), [
            "Available hosts: 53, by group:", "  web[1-40]: 40", "  db-[1-12].lan: 12", "  mail: 1",
            "For some of them: target 'hosts PATTERN...', like 'hosts web*'"])
        self.assertEqual(content, {
            "kind": "hosts", "hosts": [], "count": 53, "group_count": 3, "groups": [
                {"name": "web[1-40]", "pattern": "web*", "count": 40},
                {"name": "db-[1-12].lan", "pattern": "db-*.lan", "count": 12},
                {"name": "mail", "pattern": "mail", "count": 1}]})
        for group in content["groups"]:
            _, listed = self.hosts(client, "hosts " + group["pattern"])
            self.assertEqual(len(listed["hosts"]), group["count"])
            _, named = self.hosts(client, "hosts " + group["name"])
            self.assertEqual(named, listed)
            # Up to 20 rows are probed without being asked for.
            self.assertEqual("online" in listed, group["count"] <= 20)
        _, listed = self.hosts(client, "hosts web*", probe=True)
        self.assertEqual(listed["online"], 0)
        # Of what is not listed nothing can be told: that nobody was tried is said.
        told, probed = self.hosts(client, probe=True)
        self.assertEqual(told, text + "\n[none was tried: they are too many to list. Patterns that "
                         "match 256 at most have each tried]")
        self.assertEqual(probed, content)
        self.assertEqual(self.hosts(client, probe=False)[0], text)
        # Fifty are listed without a pattern, and not probed.
        client = self.daemon("".join(block(name) for name in names[:50]), "fifty")
        text, content = self.hosts(client)
        self.assertEqual(len(content["hosts"]), 50)
        self.assertNotIn("online", content)
        self.assertIn("\n[whether they answer was not tried: they are many.", text)
        text, _ = self.hosts(client, probe=False)
        self.assertNotIn("[", text)  # whoever said so knows

    def test_ten_thousand_are_answered_at_once(self):
        client = self.daemon("".join(block(f"rack{i % 100}-node{i}") for i in range(10000)), "huge")
        best = min(self.timed(client) for _ in range(5))
        # A few milliseconds; a sanitizer and a busy machine get more.
        self.assertLess(best, 0.5)
        text, content = self.hosts(client)
        self.assertEqual((content["count"], content["group_count"]), (10000, 100))
        self.assertIn("  rack0-node[0-9900]: 100\n", text)
        # Too many for rows, also with a pattern.
        _, content = self.hosts(client, "hosts rack1*")
        self.assertEqual((content["hosts"], content["group_count"]), ([], 11))
        _, content = self.hosts(client, "hosts rack17-*", probe=False)
        self.assertEqual(len(content["hosts"]), 100)

    def test_progress_of_probes(self):
        dead = hostile.DeadPort()
        self.addCleanup(dead.stop)
        client = self.daemon(block("there", self.closed) + block("dead", dead.port), "slow-probe")
        client.modern = False
        message_id = client.send("tools/call", {
            "name": "scout", "arguments": {"target": "hosts"}, "_meta": {"progressToken": "p"}})
        self.assertScoutOk(client.result(message_id), "hosts")
        self.assertEqual([message["params"] for message in client.without_id], [
            {"progressToken": "p", "progress": done, "total": 2, "message": "hosts tried"}
            for done in (1, 2)])

    def timed(self, client):
        begun = time.monotonic()
        self.hosts(client)
        return time.monotonic() - begun


if __name__ == "__main__":
    harness.main()
