"""Copies that are cut off: whatever happens to either side, no half of a file is seen under its name,
and what was begun is taken away again."""

import os
import signal
import subprocess
import time

import harness
from beam_case import KINDS, LIMIT_S, MIB, SIZE, FaultCase, make_large, partial


class BeamFaultTest(FaultCase, harness.ScoutTest):
    # --- what happens to the hosts -----------------------------------------------------------

    def test_a_connection_that_is_killed(self):
        for kind in KINDS:
            for host in self.hosts_of(kind):
                with self.subTest(kind=kind, host=host):
                    processes = self.warm(host)
                    request, folder, there = self.begin(kind)
                    self.signal(processes, signal.SIGKILL)
                    error = self.assertFailed(self.client.result(request, LIMIT_S), "connection-lost")
                    self.assertNotIn("may be left", error["message"])
                    self.assertGone(folder, there)

    def test_a_connection_that_is_stopped(self):
        for kind in KINDS:
            for host in self.hosts_of(kind):
                with self.subTest(kind=kind, host=host):
                    processes = self.warm(host)
                    request, folder, there = self.begin(kind)
                    self.signal(processes, signal.SIGSTOP)
                    try:
                        result = self.client.result(request, LIMIT_S)
                    finally:
                        self.signal(processes, signal.SIGCONT)
                    error = self.assertFailed(result, "deadline-exceeded",
                                              f"{host} answered nothing for 2 s")
                    self.assertNotIn("may be left", error["message"])
                    self.assertGone(folder, there)

    def test_a_host_that_goes_away_is_told_with_what_is_left(self):
        before = os.listdir(self.fleet.path("demo2"))
        request, folder, there = self.begin("up")
        self.fleet.down("demo2")
        self.addCleanup(self.fleet.up, "demo2")
        result = self.client.result(request, LIMIT_S)
        self.assertFailed(result, "connection-lost", "may be left there")
        self.assertTrue(result["structuredContent"]["left_behind"])
        self.assertFalse(os.path.exists(there))
        for name in os.listdir(folder):
            if name.startswith(".scout-") and name not in before:
                self.assertIn(name, harness.text_of(result))
                os.unlink(os.path.join(folder, name))

    # --- no room -----------------------------------------------------------------------------

    def test_a_limit_of_the_hosts_files(self):
        server = "/usr/lib/openssh/sftp-server"
        if not os.access(server, os.X_OK):
            self.skipTest("sftp-server is elsewhere")
        wrapper = self.write("small-sftp", f"#!/bin/sh\ntrap '' XFSZ\nulimit -f 8192\nexec {server}\n")
        os.chmod(wrapper, 0o755)
        fleet = harness.Fleet(os.path.join(self.folder, "small"), 1)
        self.addCleanup(fleet.stop)
        fleet.without_sftp("demo1")
        fleet.down("demo1")
        with open(fleet.home("demo1", "sshd_config"), "a", encoding="utf-8") as out:
            out.write(f"Subsystem sftp {wrapper}\n")
        fleet.up("demo1")
        daemon = self.make_daemon(fleet.ssh_config, self.CONFIG, "small-d")
        here = os.path.join(daemon.state, "transfer", str(os.getuid()))
        make_large(os.path.join(here, "f"), 16 * MIB)
        there = fleet.path("demo1", "f")
        with daemon.client() as client:
            result = client.result(self.send(client, beam="f", target=f"demo1:{there}"), 30)
        self.assertFailed(result, "remote-failure", "may be full")
        self.assertGone(os.path.dirname(there), there)

    def mount(self, path):
        os.makedirs(path, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0777", "none", path],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def test_a_full_disk_at_the_host(self):
        full = self.mount(self.fleet.path("demo2", "full"))
        result = self.beam(beam="source", target=f"demo2:{full}/f")
        self.assertFailed(result, "remote-failure", "may be full")
        self.assertEqual(os.listdir(full), [])
        result = self.beam(beam_source=f"demo1:{self.source}", beam_target=f"demo2:{full}/f")
        self.assertFailed(result, "remote-failure", "may be full")
        self.assertEqual(os.listdir(full), [])

    def test_a_full_disk_here(self):
        full = self.mount(os.path.join(self.here, "full"))
        result = self.beam(beam="full/f", target=f"demo1:{self.source}")
        self.assertFailed(result, "no-space", "No space is left")
        self.assertEqual(os.listdir(full), [])

    # --- a source that changes ---------------------------------------------------------------

    def test_a_source_that_grows_or_shrinks(self):
        for kind in KINDS:
            for change in ("grow", "shrink"):
                with self.subTest(kind=kind, change=change):
                    request, folder, there = self.begin(kind)
                    if change == "grow":
                        with open(self.source, "ab") as out:
                            out.write(b"more")
                    else:
                        os.truncate(self.source, SIZE)
                    self.assertFailed(self.client.result(request, LIMIT_S), "file-changed",
                                      "while it was read")
                    self.assertGone(folder, there)
        os.truncate(self.source, SIZE)

    # --- who asked goes away -----------------------------------------------------------------

    def test_a_cancelled_copy_leaves_nothing(self):
        for kind in KINDS:
            with self.subTest(kind):
                request, folder, there = self.begin(kind)
                self.client.notify("notifications/cancelled", {"requestId": request})
                self.assertGone(folder, there)
                self.client.request("ping")
                self.assertNotIn(request, self.client.answers)

    def test_a_client_that_leaves_takes_its_copy_along(self):
        for kind in KINDS:
            with self.subTest(kind):
                client = self.daemon.client()
                _, folder, there = self.begin(kind, client)
                client.close()
                self.assertGone(folder, there)

    # --- the daemon --------------------------------------------------------------------------

    def test_a_killed_daemon_leaves_no_half_file(self):
        for kind in ("up", "down"):
            with self.subTest(kind):
                daemon = self.make_daemon(self.fleet.ssh_config, self.CONFIG, "killed-" + kind,
                                          variables={"SCOUT_TRANSFER_DIR": self.here})
                with daemon.client() as client:
                    _, folder, there = self.begin(kind, client)
                    daemon.kill()
                self.assertFalse(os.path.exists(there))
                for name in os.listdir(folder):
                    if name.startswith(".scout-"):
                        os.unlink(os.path.join(folder, name))

    def test_a_daemon_that_is_told_to_end_leaves_nothing(self):
        daemon = self.make_daemon(self.fleet.ssh_config, self.CONFIG, "ended",
                                  variables={"SCOUT_TRANSFER_DIR": self.here})
        with daemon.client() as client:
            client.tool("stat", target="demo2:/")
            processes = self.fleet.processes("demo2")[1:]
            _, folder, there = self.begin("up", client)
            self.signal(processes, signal.SIGSTOP)  # it would be done too soon
            daemon.process.terminate()
            time.sleep(0.5)
            self.signal(processes, signal.SIGCONT)
            self.assertEqual(daemon.ends(), 0)
        if os.path.exists(there):  # it was done within the time that calls have
            self.assertSame(self.source, there)
            os.unlink(there)
        self.assertIsNone(partial(folder))


if __name__ == "__main__":
    harness.main()
