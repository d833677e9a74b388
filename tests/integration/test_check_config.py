"""scoutd --check-config: what is in effect and whence, what is refused, and that a start agrees."""

import os
import subprocess

import harness

CORPUS = os.path.join(harness.ROOT, "tests", "integration", "config")


class CheckTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = cls.write("ssh_config", "Host a b\nHost c\n  Port 99\n")

    def check(self, config, *flags, **variables):
        environment = {**harness.clean_environment(self.folder), **variables}
        return subprocess.run(
            [harness.SCOUTD, "--check-config", "--config", config, "--ssh-config", self.ssh_config,
             *flags], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=30, env=environment)

    def settings(self, told):
        """key -> (value, whence) of what was printed."""
        self.assertEqual(told.returncode, 0, told.stderr)
        lines = [line for line in told.stdout.splitlines() if " = " in line and " # " in line]
        return {line.split(" = ")[0]: tuple(line.split(" = ", 1)[1].rsplit(" # ", 1))
                for line in lines}

    def files(self, kind):
        folder = os.path.join(CORPUS, kind)
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def test_valid_files(self):
        for path in self.files("valid"):
            with self.subTest(path=path):
                told = self.check(path)
                self.assertEqual(told.returncode, 0, told.stderr)
                self.assertEqual(told.stderr, "")

    def test_what_is_printed_reads_as_the_same(self):
        for path in self.files("valid"):
            with self.subTest(path=path):
                first = self.settings(self.check(path))
                again = self.write("again.conf", self.check(path).stdout)
                second = self.settings(self.check(again))
                self.assertEqual({key: value[0] for key, value in first.items()},
                                 {key: value[0] for key, value in second.items()})

    def test_invalid_files(self):
        for path in self.files("invalid"):
            with self.subTest(path=path), open(path, encoding="utf-8") as text:
                expected = text.readline().split(": ", 1)[1].rstrip("\n")
                told = self.check(path)
                self.assertEqual(told.returncode, 1)
                self.assertEqual(told.stdout, "")
                line = f"{path}:{expected}" if expected[0].isdigit() else f"{path}: {expected}"
                self.assertIn(line + " (", told.stderr)
                self.assertEqual(told.stderr.count("\n"), 1)

    def test_a_start_refuses_what_the_check_refuses(self):
        path = os.path.join(CORPUS, "invalid", "section_wrong_role.conf")
        with open(path, encoding="utf-8") as text:
            daemon = harness.Daemon(self.folder, self.ssh_config, text.read(), "refused")
        daemon.launch()
        self.addCleanup(daemon.stop)
        self.assertEqual(daemon.ends(), 1)
        self.assertEqual(daemon.log(), self.check(daemon.config).stderr)

    def test_where_values_come_from(self):
        path = self.write("some.conf", "# a comment\nmax_file_size = 5\nidle_timeout = 6\n")
        told = self.check(path, SCOUT_IDLE_TIMEOUT="7", MCP_CAT_COMMAND_TIMEOUT="8",
                          SCOUT_MAX_POOL_SIZE="many")
        found = self.settings(told)
        self.assertEqual(found["max_file_size"], ("5", path + ":2"))
        self.assertEqual(found["idle_timeout"], ("7", "SCOUT_IDLE_TIMEOUT"))
        self.assertEqual(found["command_timeout"], ("8", "MCP_CAT_COMMAND_TIMEOUT"))
        self.assertEqual(found["max_connections"], ("100", "default"))
        self.assertEqual(told.stderr, "scoutd: warning: SCOUT_MAX_POOL_SIZE must be from 1 to "
                                      "100000, not 'many': it is passed over\n")

    def test_hosts_and_host_keys(self):
        path = os.path.join(CORPUS, "valid", "empty.conf")
        told = self.check(path).stdout
        self.assertIn(f"# hosts: 3 in {self.ssh_config} (read)", told)
        self.assertIn(f"# known_hosts: {self.folder}/.ssh/known_hosts (missing", told)
        self.assertIn("MITM", self.check(path, SCOUT_KNOWN_HOSTS="none").stdout)

    def test_a_broken_ssh_config(self):
        broken = self.write("broken", "Host a\n  Port many\n")
        told = self.check(os.path.join(CORPUS, "valid", "empty.conf"), "--ssh-config", broken)
        self.assertEqual(told.returncode, 1)
        self.assertIn(broken + ":2", told.stderr)


if __name__ == "__main__":
    harness.main()
