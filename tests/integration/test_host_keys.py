"""Host keys are checked strictly: unknown, changed and revoked ones are refused, each by name."""

import os
import subprocess

import harness
from harness import text_of


class HostKeyTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        key, other = cls.fleet.host_key("demo1"), cls.fleet.host_key("demo2")
        address = f"[127.0.0.1]:{cls.fleet.port('demo1')}"
        files = {
            "changed": f"# a comment\n{address} {other}\n",
            "unknown": f"[127.0.0.1]:1 {key}\n",
            "revoked": f"{address} {key}\n@revoked * {key}\n",
            "authority": f"@cert-authority * {key}\n",
            "wildcard": f"[127.0.0.*]:{cls.fleet.port('demo1')} {key}\n",
        }
        with open(cls.fleet.ssh_config, encoding="utf-8") as text:
            config = text.read()
        cls.files = {}
        for name, content in files.items():
            cls.files[name] = cls.write(f"known_hosts_{name}", content)
            config += cls.fleet.entry(name, "demo1", UserKnownHostsFile=cls.files[name])
        cls.missing = os.path.join(cls.folder, "no", "known_hosts")
        config += cls.fleet.entry("missing", "demo1", UserKnownHostsFile=cls.missing)
        cls.daemon = cls.make_daemon(cls.write("ssh_config", config))

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        # A good connection to the same address is there: the others must not ride on it.
        self.assertEqual(text_of(self.client.scout("demo1:hello.txt")), "hello from demo1\n")

    def refused(self, host, code, *fragments):
        before = self.fleet.logins("demo1")
        result = self.client.scout(host + ":hello.txt")
        error = self.assertScoutError(result, code, *fragments)
        self.assertEqual(self.fleet.logins("demo1"), before)
        return error

    def test_a_changed_key(self):
        self.refused("changed", "host-key-changed", self.files["changed"] + ":2")

    def test_an_unknown_key(self):
        self.refused("unknown", "host-key-unknown")

    def test_a_revoked_key(self):
        self.refused("revoked", "host-key-revoked")

    def test_only_an_authority(self):
        """Certificates of hosts cannot be checked: said, not skipped."""
        self.refused("authority", "host-key-unknown")

    def test_no_known_hosts_file_stops_connections_and_not_the_daemon(self):  # C.6-64
        error = self.refused("missing", "known-hosts-missing", self.missing)
        self.assertIn("ssh", error["message"])  # a remedy is named
        self.assertEqual(text_of(self.client.scout("demo1:hello.txt")), "hello from demo1\n")

    def test_a_pattern_matches(self):
        self.assertEqual(text_of(self.client.scout("wildcard:hello.txt")), "hello from demo1\n")


class HashedTest(harness.ScoutTest):
    def test_hashed_names_as_ssh_keygen_writes_them(self):
        self.make_folder()
        fleet = self.make_fleet(1)
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", fleet.known_hosts], check=True,
                       capture_output=True, timeout=30)
        with open(fleet.known_hosts, encoding="ascii") as text:
            self.assertTrue(text.read().startswith("|1|"))
        daemon = self.make_daemon(fleet.ssh_config)
        with daemon.client() as client:
            self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")


if __name__ == "__main__":
    harness.main()
