"""Tokens: who brings one is who it says, on whatever socket, as long as it counts."""

import hashlib
import json
import os
import signal
import stat
import subprocess

import harness
from harness import text_of

METHOD = "notifications/scout/token"


def token_line(token):
    return json.dumps({"jsonrpc": "2.0", "method": METHOD,
                       "params": {"token": token}}).encode() + b"\n"


class TokensTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.count = 0

    def setUp(self):
        type(self).count += 1
        name = f"t{self.count}"
        self.file = os.path.join(self.folder, name + "_tokens")
        self.token = self.make("ci", "operator")
        self.daemon = harness.Daemon(self.folder, self.fleet.ssh_config,
                                     f'tokens = "{self.file}"\n', name)
        self.addCleanup(self.daemon.stop)

    def scout(self, *words, **variables):
        return subprocess.run(
            [harness.SCOUT, *words], check=False, capture_output=True, text=True, timeout=30,
            stdin=subprocess.DEVNULL,
            env={**harness.clean_environment(self.folder), **variables})

    def make(self, name, role):
        told = self.scout("token", "new", name, role, self.file)
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        return told.stdout.strip()

    def client(self, first=b""):
        client = self.daemon.client()
        self.addCleanup(client.close)
        if first:
            client.send_raw(first)
        return client

    def tools(self, client):
        return {tool["name"] for tool in client.request("tools/list")["result"]["tools"]}

    def run_command(self, client):
        return client.result(client.send("tools/call", {
            "name": "run", "arguments": {"host": "demo1", "command": "echo done"}}))

    def reload(self):
        before = self.daemon.log().count(" reloaded ")
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: self.daemon.log().count(" reloaded ") > before, "the reload")

    def refused(self, first):
        client = self.client(first)
        message = client.line()
        self.assertEqual(message["error"]["data"]["code"], "not-admitted", message)
        self.assertNotIn("id", message)
        self.assertIsNone(client.line())

    def test_a_new_token(self):
        self.assertRegex(self.token, r"^scout_[A-Za-z0-9_-]{43}$")
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        other = self.make("bot", "reader")
        self.assertNotEqual(other, self.token)
        with open(self.file, encoding="ascii") as text:
            self.assertEqual(text.read(), "".join(
                f"{name} {role} {hashlib.sha256(token.encode()).hexdigest()}\n"
                for name, role, token in (("ci", "operator", self.token),
                                          ("bot", "reader", other))))
        for words in (("new", "x"), ("new", "a b", "reader", self.file),
                      ("new", "x", "root", self.file), ("old", "x", "reader", self.file)):
            self.assertEqual(self.scout("token", *words).returncode, 2, words)

    def test_who_brings_it_has_its_name_and_role(self):
        self.daemon.start()
        plain, known = self.client(), self.client(token_line(self.token))
        self.assertNotIn("run", self.tools(plain))
        self.assertIn("run", self.tools(known))
        self.assertEqual(text_of(self.run_command(known)).strip(), "done")
        with open(os.path.join(self.daemon.state, "audit.log"), encoding="utf-8") as text:
            self.assertIn('"ci"', text.read())  # written before the effect

    def test_the_line_comes_with_what_follows_it(self):
        self.daemon.start()
        client = self.client(b"\n" + token_line(self.token) +
                             b'{"jsonrpc":"2.0","id":7,"method":"tools/list"}\n')
        self.assertIn("run", json.dumps(client.wait(7)))

    def test_wrong_tokens(self):
        self.daemon.start()
        for first in (token_line("wrong"), token_line(self.token + "x"), token_line(""),
                      token_line(self.token[:-1]), token_line("x" * 1000), token_line(5),
                      token_line(self.token)[:-1],  # half of it
                      b"\n" + token_line(hashlib.sha256(self.token.encode()).hexdigest())):
            self.refused(first)
        harness.wait_until(lambda: "client_refused" in self.daemon.log(), "it is logged")
        self.assertNotIn(self.token, self.daemon.log())
        self.assertIn("run", self.tools(self.client(token_line(self.token))))

    def test_without_a_tokens_file_every_token_is_wrong(self):
        with open(self.daemon.config, "w", encoding="utf-8"):
            pass
        self.daemon.start()
        self.refused(token_line(self.token))

    def test_only_the_first_line_counts(self):
        self.daemon.start()
        client = self.client()
        self.assertNotIn("run", self.tools(client))
        client.send_raw(token_line(self.token))
        self.assertNotIn("run", self.tools(client))

    def test_a_reload_changes_and_ends_what_tokens_stand_for(self):
        self.daemon.start()
        bot_token = self.make("bot", "reader")
        self.refused(token_line(bot_token))
        self.reload()
        ci, bot = self.client(token_line(self.token)), self.client(token_line(bot_token))
        self.assertIn("run", self.tools(ci))
        self.assertNotIn("run", self.tools(bot))
        with open(self.file, encoding="ascii") as text:
            lines = text.read().splitlines()
        with open(self.file, "w", encoding="ascii") as out:
            out.write(lines[0].replace("operator", "reader") + "\n")
        self.reload()
        self.assertNotIn("run", self.tools(ci))
        self.assertIsNone(bot.line())  # its token is no more

    def test_a_file_that_others_may_read_is_refused(self):
        os.chmod(self.file, 0o644)
        self.daemon.launch()
        self.assertEqual(self.daemon.ends(), 1)
        self.assertIn("chmod 600", self.daemon.log())
        self.assertIn(self.file, self.daemon.log())

    def test_scout_shows_a_token(self):
        self.daemon.start()
        secret = self.write(f"secret{self.count}", self.token + "\n")
        words = ("--socket", self.daemon.socket, "run", "demo1", "--", "echo done")
        told = self.scout(*words)
        self.assertIn("policy-denied", told.stderr)
        os.chmod(secret, 0o644)
        told = self.scout("--token-file", secret, *words)
        self.assertIn("chmod 600", told.stderr)
        os.chmod(secret, 0o600)
        for told in (self.scout("--token-file", secret, *words),
                     self.scout(*words, SCOUT_TOKEN_FILE=secret)):
            self.assertEqual((told.returncode, told.stdout), (0, "done\n"), told.stderr)
        wrong = self.write(f"wrong{self.count}", "scout_wrong\n")
        os.chmod(wrong, 0o600)
        told = self.scout("--token-file", wrong, *words)
        self.assertIn("(not-admitted)", told.stderr)

    def test_the_shim_shows_a_token(self):
        self.daemon.start()
        secret = self.write(f"shim_secret{self.count}", self.token)
        os.chmod(secret, 0o600)
        asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}) + "\n"
        told = subprocess.run([harness.SCOUT, "--socket", self.daemon.socket, "--token-file",
                               secret, "mcp"], check=True, input=asked, capture_output=True,
                              text=True, timeout=30, env=harness.clean_environment(self.folder))
        self.assertIn('"run"', told.stdout)


if __name__ == "__main__":
    harness.main()
