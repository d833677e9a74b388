"""`scout run` and `scout query`: streams, exit codes, and what becomes of a command."""

import json
import os
import signal
import subprocess

import harness


class CliRunTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # The shells of the sshd's read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config,
                                     'role = "operator"\nmax_file_size = 5000\n')
        cls.environment = {**harness.clean_environment(cls.folder),
                           "SCOUT_SOCKET": cls.daemon.socket}

    def scout(self, *arguments, environment=None):
        ended = subprocess.run([harness.SCOUT, *arguments], check=False, capture_output=True,
                               stdin=subprocess.DEVNULL, timeout=60,
                               env=environment or self.environment)
        return ended.returncode, ended.stdout.decode(), ended.stderr.decode()

    def run_it(self, *words):
        return self.scout("run", "demo1", "--", *words)

    def test_streams_and_exit_codes(self):
        self.assertEqual(self.run_it("echo out; echo err >&2; exit 7"), (7, "out\n", "err\n"))
        self.assertEqual(self.run_it("true"), (0, "", ""))
        self.assertEqual(self.run_it("echo", "a  b", "$HOME", "it's", "-n", "*"),
                         (0, "a  b $HOME it's -n *\n", ""))
        self.assertEqual(self.run_it("kill -9 $$"), (128 + signal.SIGKILL, "", ""))
        self.assertEqual(self.run_it("cat")[:2], (0, ""))  # nothing on its stdin

    def test_json(self):
        code, out, _ = self.scout("run", "--json", "demo1", "--", "echo a; exit 3")
        content = json.loads(out)
        self.assertEqual((code, content["stdout"], content["exit_code"]), (3, "a\n", 3))

    def test_what_was_not_run_is_255(self):
        code, out, err = self.scout("run", "nowhere", "--", "id")
        self.assertEqual((code, out), (255, ""))
        self.assertIn("Unknown host 'nowhere'", err)
        code, out, err = self.run_it("yes")
        self.assertEqual((code, len(out)), (255, 5000))
        self.assertIn("[stopped: limit-exceeded]", err)
        reader = self.make_daemon(self.fleet.ssh_config, "", "reader")
        code, out, err = self.scout("run", "demo1", "--", "touch canary", environment={
            **self.environment, "SCOUT_SOCKET": reader.socket})
        self.assertEqual((code, out), (255, ""))
        self.assertIn("(policy-denied)", err)

    def test_wrong_usage_is_2(self):
        for arguments in (("run",), ("run", "demo1"), ("query", "demo1:/etc"),
                          ("query", "demo1", "--", "ls"), ("run", "demo1", "ls", "-l"),
                          ("run", "demo1", "--", b"\xff")):
            with self.subTest(arguments=arguments):
                code, out, err = self.scout(*arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertTrue(err.startswith("scout: "), err)

    def test_query(self):
        self.fleet.write("demo1", "work/it's here", "found this\n")
        folder = "demo1:" + self.fleet.path("demo1", "work")
        self.assertEqual(self.scout("query", folder, "--", "grep", "-h", "d t", "it's here"),
                         (0, "found this\n", ""))
        self.assertEqual(self.scout("query", folder, "--", "grep", "none", "it's here"),
                         (1, "", ""))
        code, out, err = self.scout("query", folder, "--", "rm", "it's here")
        self.assertEqual((code, out), (255, ""))
        self.assertIn("Command 'rm' not allowed", err)

    def test_its_end_is_the_commands_end(self):
        path = self.fleet.path("demo1", "interrupted.pid")
        process = subprocess.Popen(
            [harness.SCOUT, "run", "demo1", "--", f"echo $$ > {path}; sleep 300"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self.environment,
            preexec_fn=harness.die_with_parent)
        self.addCleanup(process.kill)
        harness.wait_until(lambda: os.path.exists(path) and os.path.getsize(path), "it runs")
        with open(path, encoding="ascii") as text:
            pid = int(text.read())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), -signal.SIGINT)
        harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "it is gone")


if __name__ == "__main__":
    harness.main()
