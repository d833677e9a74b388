"""Real MCP clients drive `scout mcp`: both generations of the TypeScript SDK, pinned.

They are installed from the npm registry into build/npm, once for all builds of the tree. Without
node, npm or the registry there is nothing to test: skipped, with the reason.
"""

import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import unittest

import harness

PACKAGES = {"@modelcontextprotocol/sdk": "1.32.2", "@modelcontextprotocol/client": "2.4.0"}
NPM = os.path.join(harness.ROOT, "build", "npm")
INSTALL_S = 150
MCP = (harness.SCOUT, "mcp")
READ = ("demo1:hello.txt", "hello from demo1\n")
SOURCES = os.path.dirname(os.path.abspath(__file__))


def node_major():
    """0 without node."""
    if not shutil.which("node"):
        return 0
    told = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True,
                          timeout=30).stdout
    found = re.match(r"v(\d+)\.", told)
    return int(found.group(1)) if found else 0


def installed(mark):
    try:
        with open(mark, encoding="ascii") as text:
            return text.read().split()
    except FileNotFoundError:
        return []


def install():
    """Returns None, or the reason why there are no clients."""
    if not node_major() or not shutil.which("npm"):
        return "node or npm is missing (scripts/deps test installs them)"
    os.makedirs(NPM, exist_ok=True)
    with open(os.path.join(NPM, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
        mark = os.path.join(NPM, ".installed")
        if installed(mark) == wanted:
            return None
        with open(os.path.join(NPM, "package.json"), "w", encoding="ascii") as out:
            out.write('{"private":true}\n')
        try:
            ended = subprocess.run(
                ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund",
                 "--ignore-scripts", *wanted], cwd=NPM, check=False, capture_output=True,
                text=True, stdin=subprocess.DEVNULL, timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            return f"npm install took more than {INSTALL_S} s"
        if ended.returncode != 0:
            return "npm install failed: " + " ".join(ended.stderr.split())[-300:]
        with open(mark, "w", encoding="ascii") as out:
            out.write("\n".join(wanted))
    return None


class RealClientTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        reason = install()
        if reason:
            raise unittest.SkipTest(reason)
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.state = os.path.join(cls.folder, "state")
        cls.environment = harness.clean_environment(cls.folder)
        cls.environment.update(
            SCOUT_SOCKET=os.path.join(cls.folder, "s.sock"), SCOUT_STATE_DIR=cls.state,
            SCOUT_CONFIG=cls.write("scoutd.conf", 'role = "operator"\n'), SCOUT_SSH_CONFIG=cls.fleet.ssh_config)
        cls.addClassCleanup(cls.end_daemon)

    @classmethod
    def end_daemon(cls):
        lock = os.path.join(cls.state, "lock")
        pid = harness.lock_holder(lock)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            harness.wait_until(lambda: harness.lock_holder(lock) is None, "the daemon ends")

    def drive(self, script, *arguments):
        # A module is looked for from where the script lies.
        place = shutil.copy(os.path.join(SOURCES, script),
                            os.path.join(NPM, f"{os.getpid()}-{script}"))
        try:
            ended = subprocess.run(
                ["node", place, *arguments], cwd=NPM, check=False, capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=60, env=self.environment)
        finally:
            os.remove(place)
        self.assertEqual(ended.returncode, 0, ended.stderr + ended.stdout)
        self.assertIn("ok", ended.stdout)

    def drive_tools(self, mode):
        folder = self.fleet.path("demo1", mode)
        self.fleet.write("demo1", mode + "/file", "x" * 20000)
        self.fleet.write("demo1", mode + "/sub/deep.txt", "deep\n")
        self.drive("client_tools.mjs", mode, "demo1", folder, *MCP)

    def drive_resources(self, mode):
        folder = self.fleet.path("demo1", "resources-" + mode)
        self.fleet.write("demo1", f"resources-{mode}/note.md", "# Note\n")
        self.fleet.write("demo1", f"resources-{mode}/pixel.png", b"\x89P\0\xff")
        self.drive("client_resources.mjs", mode, "demo1", folder, *MCP)

    def test_first_generation_with_resources(self):
        self.drive_resources("first")

    def test_second_generation_with_resources(self):
        self.need_second()
        for mode in ("pin", "auto", "legacy"):
            with self.subTest(mode=mode):
                self.drive_resources(mode)

    def drive_subscriptions(self, mode):
        path = self.fleet.write("demo1", "watched-" + mode, "")
        self.drive("client_subscriptions.mjs", mode, "demo1", path, *MCP)

    def test_first_generation_with_subscriptions(self):
        self.drive_subscriptions("first")

    def test_second_generation_with_subscriptions(self):
        self.need_second()
        for mode in ("pin", "auto", "legacy"):
            with self.subTest(mode=mode):
                self.drive_subscriptions(mode)

    def test_first_generation(self):
        self.drive("client_legacy.mjs", *READ, *MCP)

    def test_first_generation_with_every_tool(self):
        self.drive_tools("first")

    def test_through_a_bastion(self):
        """ssh -T bastion scout mcp, as the client's command."""
        paths = [f"{name}={value}" for name, value in self.environment.items()
                 if name.startswith("SCOUT_")]
        remote = shlex.join(["env", *paths, harness.SCOUT, "mcp"])
        self.drive("client_legacy.mjs", *READ, "ssh", "-T", "-o", "BatchMode=yes", "-F",
                   self.fleet.ssh_config, "demo1", remote)

    def second_generation(self, mode, era):
        self.need_second()
        self.drive("client_modern.mjs", mode, era, *READ, *MCP)

    def need_second(self):
        if node_major() < 20:
            self.skipTest("the second client needs Node.js 20")

    def test_second_generation_with_every_tool(self):
        self.need_second()
        for mode in ("pin", "legacy"):
            with self.subTest(mode=mode):
                self.drive_tools(mode)

    def test_second_generation_stateless(self):
        self.second_generation("pin", "modern")

    def test_second_generation_choosing_by_itself(self):
        self.second_generation("auto", "modern")

    def test_second_generation_with_a_handshake(self):
        self.second_generation("legacy", "legacy")


if __name__ == "__main__":
    harness.main()
