"""scripts/fleet itself: what every other test stands on. Two fleets side by side; nothing stays."""

import os
import shutil
import subprocess

import harness


class FleetTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)

    def ssh(self, fleet, host, command):
        return subprocess.run(
            ["ssh", "-F", fleet.ssh_config, "-o", "BatchMode=yes",
             "-o", "GlobalKnownHostsFile=/dev/null", host, command],
            check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)

    def test_openssh_reaches_each_host(self):
        for name in ("demo1", "demo2"):
            answer = self.ssh(self.fleet, name, "cat " + self.fleet.path(name, "hello.txt"))
            self.assertEqual(answer.stdout, f"hello from {name}\n", answer.stderr)

    def test_a_host_goes_down_and_comes_back(self):
        port = self.fleet.port("demo2")
        self.fleet.down("demo2")
        self.assertEqual(self.ssh(self.fleet, "demo2", "true").returncode, 255)
        self.fleet.up("demo2")
        self.assertEqual(self.fleet.port("demo2"), port)
        self.assertEqual(self.ssh(self.fleet, "demo2", "true").returncode, 0)

    def test_a_second_fleet_stops_without_touching_the_first(self):
        folder = os.path.join(self.folder, "second")
        other = harness.Fleet(folder, 1)
        busy = subprocess.Popen(
            ["ssh", "-F", other.ssh_config, "-o", "BatchMode=yes", "demo1", "sleep 300"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: other.logins("demo1") == 1, "a session runs on the host")
        processes = other.processes("demo1")
        self.assertGreaterEqual(len(processes), 2)
        other.stop()
        busy.wait(10)
        for pid in processes:
            self.assertIn(harness.process_state(pid), (None, "Z"))
        self.assertFalse(os.path.exists(other.folder))
        self.assertEqual(self.ssh(self.fleet, "demo1", "true").returncode, 0)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    harness.main()
