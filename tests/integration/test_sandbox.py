"""The process as others see it, and what it may still reach when it is shut in."""

import ctypes
import os
import shutil
import signal
import subprocess

import harness
from harness import text_of


def landlock_version():
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


class SandboxTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        if landlock_version() < 1:
            cls.skipTest(cls, "the kernel has no Landlock")
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        for folder in ("keys", "elsewhere", "config"):
            os.mkdir(os.path.join(cls.folder, folder), 0o700)
        cls.key = os.path.join(cls.folder, "keys", "key")
        shutil.copy(cls.fleet.user_key, cls.key)
        cls.hidden = os.path.join(cls.folder, "elsewhere", "key")
        shutil.copy(cls.fleet.user_key, cls.hidden)
        cls.ssh_config = cls.write("config/ssh_config",
                                   cls.fleet.entry("demo1", "demo1", IdentityFile=cls.key))

    def start(self, name, config=""):
        daemon = harness.Daemon(os.path.join(self.folder, "homes"), self.ssh_config, config, name)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def read(self, daemon):
        with daemon.client() as client:
            return client.scout("demo1:hello.txt")

    def status(self, daemon, name):
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as text:
            return next(line.split()[1] for line in text if line.startswith(name + ":"))

    def test_it_gains_no_rights_and_leaves_no_dump(self):
        daemon = self.start("limits")
        self.assertNotIn("sandbox_unavailable", daemon.log())
        self.assertEqual(self.status(daemon, "NoNewPrivs"), "1")
        with open(f"/proc/{daemon.process.pid}/limits", encoding="ascii") as text:
            core = next(line.split() for line in text if line.startswith("Max core file size"))
        self.assertEqual(core[4:6], ["0", "0"])

    def test_keys_that_the_configuration_names_are_used(self):
        self.assertEqual(text_of(self.read(self.start("named"))), "hello from demo1\n")

    def test_what_the_configuration_does_not_name_is_out_of_reach(self):
        daemon = self.start("unnamed")
        told = subprocess.run([harness.SCOUT, "--socket", daemon.socket, "unlock", self.hidden],
                              check=False, capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL,
                              env=harness.clean_environment(daemon.folder))
        self.assertNotEqual(told.returncode, 0)
        self.assertIn("Permission denied", told.stderr)

    def test_what_changes_in_its_places_counts(self):
        """Keys and known_hosts are replaced by renaming, as editors and ssh-keygen do it."""
        daemon = self.start("changes", "idle_timeout = 0\n")
        self.assertEqual(text_of(self.read(daemon)), "hello from demo1\n")
        os.remove(self.key)
        self.addCleanup(shutil.copy, self.fleet.user_key, self.key)
        self.assertScoutError(self.read(daemon), ("auth-failed", "key-unusable"))
        shutil.copy(self.fleet.user_key, self.key + ".new")
        os.rename(self.key + ".new", self.key)
        self.assertEqual(text_of(self.read(daemon)), "hello from demo1\n")

    def test_a_reload_tells_what_lies_outside(self):
        daemon = self.start("reload")
        text = self.fleet.entry("demo1", "demo1", IdentityFile=self.hidden)
        with open(self.ssh_config, encoding="utf-8") as old:
            self.addCleanup(self.write, "config/ssh_config", old.read())
        self.write("config/ssh_config", text)
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: " reloaded " in daemon.log(), "the reload")
        self.assertIn(f"restart_needed path={os.path.dirname(self.hidden)} ", daemon.log())
        self.assertScoutError(self.read(daemon), ("auth-failed", "key-unusable"))
        daemon.stop()
        daemon.start()
        self.assertEqual(text_of(self.read(daemon)), "hello from demo1\n")

    def test_a_reload_that_is_refused_tells_it_too(self):
        daemon = self.start("tokens")
        with open(daemon.config, "a", encoding="utf-8") as out:
            out.write('tokens = "%s"\n' % self.write("elsewhere/tokens", ""))
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: " unchanged " in daemon.log(), "the reload")
        self.assertIn("outside of what the daemon may read since its start", daemon.log())

    def test_memory_at_rest(self):
        if "san" in os.path.basename(harness.BUILD):
            self.skipTest("a sanitizer's own memory counts")
        daemon = self.start("rest")
        self.assertLess(int(self.status(daemon, "RssAnon")), 8 * 1024)


if __name__ == "__main__":
    harness.main()
