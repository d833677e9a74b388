"""`scout setup`: each client's entry is written once, and what else is there stays."""

import json
import os
import stat
import subprocess

import harness

SCOUT = os.path.realpath(harness.SCOUT)
ENTRY = {"command": SCOUT, "args": ["mcp"]}
FAKE_CLAUDE = """#!/bin/sh
echo "$@" >>"$HOME/calls"
case "$2" in
get) cat "$HOME/known" 2>/dev/null ;;
remove) rm "$HOME/known" ;;
add) shift 6; echo "Command: $*" >"$HOME/known"; echo added ;;
esac
"""


class SetupTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()

    def setUp(self):
        self.home = os.path.join(self.folder, self.id().rsplit(".", 1)[1][-24:])
        os.mkdir(self.home)
        self.environment = harness.clean_environment(self.home)
        self.environment["PATH"] = "/usr/bin:/bin"  # without the machine's own claude

    def scout(self, *arguments, code=0):
        ended = subprocess.run([SCOUT, "setup", *arguments], check=False, capture_output=True,
                               text=True, timeout=60, env=self.environment, cwd=self.home)
        self.assertEqual(ended.returncode, code, ended)
        return ended.stdout, ended.stderr

    def path(self, *below):
        return os.path.join(self.home, *below)

    def load(self, *below):
        with open(self.path(*below), encoding="utf-8") as text:
            return json.load(text)

    def test_each_client_gets_its_file(self):
        for client, file, servers, entry in (
                ("claude", ".mcp.json", "mcpServers", ENTRY),
                ("cursor", ".cursor/mcp.json", "mcpServers", ENTRY),
                ("vscode", ".config/Code/User/mcp.json", "servers", {"type": "stdio", **ENTRY})):
            with self.subTest(client=client):
                self.assertIn(file, self.scout(client)[0])
                self.assertEqual(self.load(file), {servers: {"scout": entry}})
                self.assertIn("nothing to do", self.scout(client)[0])
                self.assertEqual(self.load(file), {servers: {"scout": entry}})
                self.assertFalse(os.path.exists(self.path(file + ".before-scout")))

    def test_what_is_written_starts_an_mcp_server(self):
        self.scout("cursor")
        entry = self.load(".cursor", "mcp.json")["mcpServers"]["scout"]
        state = self.path("state")
        self.environment.update(SCOUT_SOCKET=self.path("s.sock"), SCOUT_STATE_DIR=state)
        request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "x", "version": "1"}}}
        ended = subprocess.run([entry["command"], *entry["args"]], check=True, timeout=60,
                               input=json.dumps(request) + "\n", capture_output=True, text=True,
                               env=self.environment)
        self.addCleanup(os.kill, harness.lock_holder(os.path.join(state, "lock")), 15)
        self.assertIn("scout_mcp", ended.stdout)

    def test_other_entries_the_mode_and_a_link_stay_and_a_copy_is_kept(self):
        real = self.path("dotfiles.json")
        before = '{\n\t"mcpServers": {\n\t\t"other": {"command": "x"}\n\t},\n\t"more": [1,2 ]\n}\n'
        with open(real, "w", encoding="utf-8") as out:
            out.write(before)
        os.chmod(real, 0o640)
        os.mkdir(self.path(".cursor"))
        os.symlink(real, self.path(".cursor", "mcp.json"))
        self.scout("cursor")
        self.assertTrue(os.path.islink(self.path(".cursor", "mcp.json")))
        self.assertEqual(stat.S_IMODE(os.stat(real).st_mode), 0o640)
        with open(real, encoding="utf-8") as text:
            after = text.read()
        self.assertTrue(after.startswith('{\n\t"mcpServers": {\n\t\t"other": {"command": "x"},\n\t\t'))
        self.assertTrue(after.endswith('\n\t},\n\t"more": [1,2 ]\n}\n'))
        self.assertEqual(json.loads(after)["mcpServers"]["scout"], ENTRY)
        with open(real + ".before-scout", encoding="utf-8") as text:
            self.assertEqual(text.read(), before)
        self.assertEqual(sorted(os.listdir(self.home)),
                         [".cursor", "dotfiles.json", "dotfiles.json.before-scout"])

    def test_a_file_that_is_no_json_is_left_alone(self):
        with open(self.path(".mcp.json"), "w", encoding="utf-8") as out:
            out.write('{\n  // mine\n  "mcpServers": {}\n}\n')
        error = self.scout("claude", code=1)[1]
        self.assertIn(".mcp.json is left as it is: line 2, column 3", error)
        with open(self.path(".mcp.json"), encoding="utf-8") as text:
            self.assertIn("// mine", text.read())
        self.assertEqual(os.listdir(self.home), [".mcp.json"])

    def test_print_only_shows(self):
        out, error = self.scout("cursor", "--print")
        self.assertEqual(json.loads(out), {"mcpServers": {"scout": ENTRY}})
        self.assertIn(self.path(".cursor", "mcp.json"), error)
        self.assertEqual(os.listdir(self.home), [])

    def test_the_entry_leads_to_the_daemon_that_was_named(self):
        """An operator's socket or a token were left out: the client asked another daemon, as somebody else."""
        self.scout("cursor")
        ended = subprocess.run(
            [SCOUT, "--socket", "/run/scoutd/operator.sock", "--token-file", "token", "setup", "cursor"],
            check=True, capture_output=True, text=True, timeout=60, env=self.environment,
            cwd=self.home)
        self.assertIn("written", ended.stdout)
        entry = self.load(".cursor", "mcp.json")["mcpServers"]["scout"]
        self.assertEqual(entry, {"command": SCOUT, "args": [
            "--socket", "/run/scoutd/operator.sock", "--token-file", self.path("token"), "mcp"]})
        self.environment["SCOUT_SOCKET"] = "/run/scoutd/operator.sock"
        self.assertEqual(json.loads(self.scout("vscode", "--print")[0])["servers"]["scout"]["args"],
                         ["--socket", "/run/scoutd/operator.sock", "mcp"])

    def test_claude_is_asked_by_its_own_command(self):
        os.mkdir(self.path("bin"))
        with open(self.path("bin", "claude"), "w", encoding="ascii") as out:
            out.write(FAKE_CLAUDE)
        os.chmod(self.path("bin", "claude"), 0o755)
        self.environment["PATH"] = self.path("bin") + ":/usr/bin:/bin"
        add = f"mcp add --scope user scout -- {SCOUT} mcp"
        self.assertEqual(self.scout("claude", "--print")[0], f"claude {add}\n")
        self.assertFalse(os.path.exists(self.path("calls")))

        def calls():
            with open(self.path("calls"), encoding="utf-8") as text:
                told = text.read().splitlines()
            os.remove(self.path("calls"))
            return told

        self.scout("claude")
        self.assertEqual(calls()[-1], add)
        self.assertFalse(os.path.exists(self.path(".mcp.json")))
        self.assertIn("knows it already", self.scout("claude")[0])
        self.assertEqual(calls(), ["mcp get scout"])
        with open(self.path("known"), "w", encoding="ascii") as out:
            out.write("Command: /old/scout mcp\n")
        self.scout("claude")
        self.assertEqual(calls(), ["mcp get scout", "mcp remove --scope user scout", add])
        self.environment["SCOUT_SOCKET"] = "/s.sock"
        add = add.removesuffix("mcp") + "--socket /s.sock mcp"
        self.scout("claude")
        self.assertEqual(calls(), ["mcp get scout", "mcp remove --scope user scout", add])
        self.assertIn("knows it already", self.scout("claude")[0])

    def test_other_clients(self):
        self.assertIn("claude, cursor or vscode", self.scout("emacs", code=2)[1])
        self.scout(code=2)


if __name__ == "__main__":
    harness.main()
