"""What real MCP clients do with a server: both generations of the TypeScript SDK, pinned.

They are installed from the npm registry into build/npm, once for all builds of the tree. Without
node, npm or the registry there is nothing to test: skipped, with the reason.
"""

import os
import re
import shutil
import subprocess
import unittest

import harness
import npm_packages

NPM = npm_packages.of_names("npm", ["@modelcontextprotocol/sdk@1.32.2",
                                    "@modelcontextprotocol/client@2.4.0"])
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


def install():
    """Returns None, or the reason why there are no clients."""
    if not node_major():
        return "node is missing (scripts/deps test installs it)"
    return NPM.install()


CONFIG = """role = "operator"
rule "ask-me" {
  effect = confirm
  verbs = {write}
  paths = {"**/asked-*"}
}
"""


def place(script):
    """A module is looked for from where the script lies; what all
    share is put there in one step."""
    with open(os.path.join(SOURCES, script), "rb") as source:
        text = source.read()
    to = os.path.join(NPM.path, f"{os.getpid()}-{script}" if script != "transport.mjs" else script)
    with open(f"{to}.{os.getpid()}", "wb") as out:
        out.write(text)
    os.replace(f"{to}.{os.getpid()}", to)
    return to


class RealClients:
    """The tests; who inherits says in `server` how it is reached, and has `fleet`, `environment`
    and `control`."""

    @classmethod
    def prepare(cls):
        reason = install()
        if reason:
            raise unittest.SkipTest(reason)
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.environment = harness.clean_environment(cls.folder)

    def drive(self, script, *arguments, server=None):
        place("transport.mjs")
        placed = place(script)
        try:
            ended = subprocess.run(
                ["node", placed, *arguments, *(server or self.server)], cwd=NPM.path, check=False,
                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                env={**self.environment, "SCOUT_CONTROL": self.control})
        finally:
            os.remove(placed)
        self.assertEqual(ended.returncode, 0, ended.stderr + ended.stdout)
        self.assertIn("ok", ended.stdout)

    def need_second(self):
        if node_major() < 20:
            self.skipTest("the second client needs Node.js 20")

    def each_of_the_second(self, drive):
        self.need_second()
        for mode in ("pin", "auto", "legacy"):
            with self.subTest(mode=mode):
                drive(mode)

    def drive_tools(self, mode):
        folder = self.fleet.path("demo1", mode)
        self.fleet.write("demo1", mode + "/file", "x" * 20000)
        self.fleet.write("demo1", mode + "/sub/deep.txt", "deep\n")
        self.drive("client_tools.mjs", mode, "demo1", folder)

    def drive_resources(self, mode):
        folder = self.fleet.path("demo1", "resources-" + mode)
        self.fleet.write("demo1", f"resources-{mode}/note.md", "# Note\n")
        self.fleet.write("demo1", f"resources-{mode}/pixel.png", b"\x89P\0\xff")
        self.drive("client_resources.mjs", mode, "demo1", folder)

    def drive_subscriptions(self, mode):
        path = self.fleet.write("demo1", "watched-" + mode, "")
        self.drive("client_subscriptions.mjs", mode, "demo1", path)

    def drive_asks(self, mode):
        self.drive("client_asks.mjs", mode, "demo1", self.fleet.path("demo1", "asked-" + mode))

    def test_first_generation(self):
        self.drive("client_legacy.mjs", *READ)

    def test_first_generation_with_every_tool(self):
        self.drive_tools("first")

    def test_first_generation_with_resources(self):
        self.drive_resources("first")

    def test_first_generation_with_subscriptions(self):
        self.drive_subscriptions("first")

    def test_first_generation_with_prompts_and_questions(self):
        self.drive_asks("first")

    def second_generation(self, mode, era):
        self.need_second()
        self.drive("client_modern.mjs", mode, era, *READ)

    def test_second_generation_stateless(self):
        self.second_generation("pin", "modern")

    def test_second_generation_choosing_by_itself(self):
        self.second_generation("auto", "modern")

    def test_second_generation_with_a_handshake(self):
        self.second_generation("legacy", "legacy")

    def test_second_generation_with_every_tool(self):
        self.each_of_the_second(self.drive_tools)

    def test_second_generation_with_resources(self):
        self.each_of_the_second(self.drive_resources)

    def test_second_generation_with_subscriptions(self):
        self.each_of_the_second(self.drive_subscriptions)

    def test_second_generation_with_prompts_and_questions(self):
        self.each_of_the_second(self.drive_asks)
