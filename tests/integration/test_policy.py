"""Policy through the daemon and real sshd's: rules of the file, the deny-list, roles, and a person's
word given at a terminal."""

import os
import re
import signal
import subprocess

import harness
from harness import text_of
from terminal import Terminal

SECRET = "the secret of the test\n"


class PolicyTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        # The shells of the sshd's read no start-up files of whoever runs the tests.
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")
        cls.files = os.path.realpath(cls.fleet.path("demo1"))
        for name in ("demo1", "demo2"):
            cls.fleet.write(name, "secret/inside", SECRET)
            cls.fleet.write(name, "open", "for all\n")
            cls.fleet.write(name, ".env", "TOKEN=" + SECRET)
            os.symlink("secret/inside", cls.fleet.path(name, "link"))
            os.symlink("secret", cls.fleet.path(name, "folder"))
            os.symlink(".env", cls.fleet.path(name, "environment"))

    def start(self, config):
        name = self.id().rsplit(".", 1)[1][-20:]
        self.daemon = harness.Daemon(self.folder, self.fleet.ssh_config, config, name)
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def tools(self):
        return {tool["name"]: tool for tool in self.client.request("tools/list")["result"]["tools"]}

    def read(self, path, host="demo1"):
        return self.client.scout(f"{host}:{path}")

    def run_it(self, client=None, **arguments):
        arguments.setdefault("host", "demo1")
        client = client or self.client
        return client.result(client.send("tools/call", {"name": "run", "arguments": arguments}))

    # --- paths -------------------------------------------------------------------------------

    def test_a_denied_path_is_not_read_by_whichever_name(self):
        self.start('rule "no-secrets" {\n  effect = deny\n  verbs = {read}\n  hosts = {demo1}\n'
                   f'  paths = {{"{self.files}/secret"}}\n}}\n')
        for path in ("secret/inside", "link", "folder/inside", "./secret//inside",
                     f"{self.files}/secret/inside", f"{self.files}/./folder/inside"):
            with self.subTest(path=path):
                result = self.read(path)
                self.assertScoutError(result, "policy-denied", 'the rule "no-secrets" denies read')
                self.assertNotIn(SECRET, text_of(result))
        self.assertScoutOk(self.read("open"), "file")
        self.assertScoutOk(self.read("secret"), "directory")  # names are not content
        self.assertEqual(text_of(self.read("link", "demo2")), SECRET)

    def test_secrets_are_denied_by_default_and_the_list_can_be_replaced(self):
        self.start("")
        for path in (".env", "environment", "/etc/shadow"):
            with self.subTest(path=path):
                self.assertScoutError(self.read(path), "policy-denied", "default read deny-list",
                                      "pattern", "read_deny")
        self.assertIn(".env", text_of(self.read(self.files)))
        self.daemon.stop()
        self.start(f'read_deny = {{"{self.files}/open"}}\n')
        self.assertIn("TOKEN", text_of(self.read(".env")))
        self.assertScoutError(self.read("open"), "policy-denied", "the read deny-list")

    def query(self, command, path=None, host="demo1"):
        return self.client.result(self.client.send("tools/call", {"name": "scout", "arguments": {
            "target": f"{host}:{path or self.files}", "query": command}}))

    def test_a_query_reads_no_more_than_a_read(self):
        self.start('rule "no-secrets" {\n  effect = deny\n  verbs = {read}\n  hosts = {demo1}\n'
                   f'  paths = {{"{self.files}/secret"}}\n}}\n')
        for command in ("cat secret/inside", "cat link", "cat folder/inside", "head -1 open link",
                        "grep -r the folder", "grep -r the secret"):
            with self.subTest(command=command):
                result = self.query(command)
                self.assertScoutError(result, "policy-denied", 'the rule "no-secrets"')
        for command in ("cat .env", "cat environment", "head .env"):
            with self.subTest(command=command):
                self.assertScoutError(self.query(command), "policy-denied", "read deny-list")
        # Something below is denied that no base name tells.
        self.assertScoutError(self.query("grep -r the ."), "policy-denied", "something below",
                              f'"{self.files}/secret"')
        self.assertEqual(text_of(self.query("cat open")), "for all\n")
        found = text_of(self.query("grep -r the .", host="demo2", path=os.path.realpath(
            self.fleet.path("demo2"))))
        self.assertIn(SECRET, found)  # no rule is for that host
        self.assertNotIn("TOKEN", found)  # .env is left out

    def test_a_reload_changes_what_is_allowed(self):
        self.start("")
        self.assertScoutOk(self.read("open"), "file")
        with open(self.daemon.config, "w", encoding="utf-8") as out:
            out.write('rule "closed" { effect = deny verbs = {read} }\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: self.read("open").get("isError"), "the rule holds")
        self.assertScoutError(self.read("open"), "policy-denied", 'rule "closed"')
        with open(self.daemon.config, "w", encoding="utf-8") as out:
            out.write('rule "closed" {\n effect = non }\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: f"{self.daemon.config}:2: effect must be" in self.daemon.log(),
                           "it is refused")
        self.assertScoutError(self.read("open"), "policy-denied", 'rule "closed"')

    # --- roles and tools ---------------------------------------------------------------------

    def test_what_nothing_allows_is_neither_listed_nor_callable(self):
        self.start("")
        for tool in self.tools().values():
            self.assertTrue(tool["annotations"]["readOnlyHint"], tool)
        self.assertNotIn("run", self.tools())
        self.assertScoutError(self.run_it(command="true"), "policy-denied", "role reader", "run")

    def test_a_rule_lists_a_tool_and_lets_pass_what_it_says_alone(self):
        self.start('rule "uptime" {\n  effect = allow\n  verbs = {run}\n  hosts = {demo1}\n'
                   '  commands = {"echo hello *"}\n}\n')
        self.assertFalse(self.tools()["run"]["annotations"]["readOnlyHint"])
        self.assertEqual(text_of(self.run_it(command="echo hello you")), "hello you\n")
        self.assertEqual(text_of(self.run_it(argv=["echo", "hello", "a;b"])), "hello a;b\n")
        refused = ({"command": "echo hello; id"}, {"command": "echo hello $(id)"},
                   {"command": "id"}, {"argv": ["/bin/echo", "hello"]},
                   {"command": "echo hello", "host": "demo2"})
        for arguments in refused:
            with self.subTest(arguments=arguments):
                self.assertScoutError(self.run_it(**arguments), "policy-denied")

    def test_a_rule_denies_a_command_to_an_operator(self):
        self.start('role = operator\nrule "no-touch" {\n  effect = deny\n'
                   '  commands = {"touch *"}\n}\n')
        target = self.fleet.path("demo1", "touched")
        for command in (f"touch {target}", f"true; /usr/bin/touch {target}", f"t'ou'ch {target}",
                        f"sh -c 'touch {target}'", f"X=touch; $X {target}"):
            with self.subTest(command=command):
                self.assertScoutError(self.run_it(command=command), "policy-denied",
                                      'rule "no-touch"')
        self.assertFalse(os.path.exists(target))
        self.assertEqual(text_of(self.run_it(command="echo touch | cat")), "touch\n")

    def test_a_wrong_rule_is_refused_with_its_line(self):
        config = self.write("wrong.conf", 'role = reader\nrule "a" {\n  effect = dney\n}\n')
        ended = subprocess.run(
            [harness.SCOUTD, "--config", config, "--socket", os.path.join(self.folder, "w.sock"),
             "--state", os.path.join(self.folder, "w"), "--ssh-config", self.fleet.ssh_config],
            check=False, capture_output=True, text=True, timeout=30,
            env=harness.clean_environment(self.folder))
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f"{config}:3: effect must be allow, deny or confirm", ended.stderr)

    # --- a person's word ---------------------------------------------------------------------

    CONFIRM = 'rule "ask-me" {\n  effect = confirm\n  verbs = {run}\n}\n'

    def environment(self):
        environment = harness.clean_environment(self.daemon.folder)
        environment.update(SCOUT_SOCKET=self.daemon.socket, SCOUT_STATE_DIR=self.daemon.state)
        return environment

    def approve(self, *arguments, answer="y"):
        """Answers the first question; returns exit status and what was said."""
        terminal = Terminal([harness.SCOUT, "approve", *arguments], self.environment())
        terminal.wait_for("Allow this once?")
        terminal.type(answer)
        return terminal.ends()

    def waits(self, **arguments):
        """The call waits for a person; returns its id."""
        result = self.run_it(**arguments)
        error = self.assertScoutError(result, "confirmation-required", 'the rule "ask-me"')
        return re.search(r"scout approve (\w+)", error["message"])[1]

    def test_a_person_says_yes_once(self):
        self.start(self.CONFIRM)
        self.assertIn("run", self.tools())
        asked = self.waits(command="echo done")
        self.assertEqual(self.waits(command="echo done"), asked)
        self.assertNotEqual(self.waits(command="echo other"), asked)
        status, said = self.approve(asked)
        self.assertEqual(status, 0, said)
        for part in (asked, "uid:", "run", "demo1", "echo done", "ask-me", "Approved"):
            self.assertIn(part, said)
        self.assertNotIn("echo other", said)
        self.waits(command="echo done", host="demo2")
        self.waits(command="echo done ")
        self.assertEqual(text_of(self.run_it(command="echo done")), "done\n")
        self.assertNotEqual(self.waits(command="echo done"), asked)
        self.assertIn("call_approved", self.daemon.log())

    def test_a_person_says_no_or_nothing(self):
        self.start(self.CONFIRM)
        asked = self.waits(command="echo a")
        status, said = self.approve(answer="")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.waits(command="echo a"), asked)  # it still waits
        status, said = self.approve(asked, answer="n")
        self.assertEqual(status, 0, said)
        self.assertIn("Refused", said)
        self.assertNotEqual(self.waits(command="echo a"), asked)

    def test_words_are_taken_and_what_is_none_is_asked_again(self):
        """`yes` was silently taken for `later`."""
        self.start(self.CONFIRM)
        for word, said_then in (("yes", "Approved"), ("No", "Refused")):
            asked = self.waits(command=f"echo {word}")
            terminal = Terminal([harness.SCOUT, "approve", asked], self.environment())
            terminal.wait_for("Allow this once?")
            terminal.type("yo")
            terminal.wait_for("Allow this once?", 2)
            terminal.type(word)
            status, said = terminal.ends()
            self.assertEqual(status, 0, said)
            self.assertIn(said_then, said)

    def test_all_of_the_act_is_shown_and_nothing_passes_for_ours(self):
        self.start(self.CONFIRM)
        self.waits(command="echo a\n  rule       nice\nrm\x1b[2J", cwd="/tmp", stdin="typed\n")
        status, said = self.approve(answer="n")
        self.assertEqual(status, 0)
        self.assertIn("| rm\\u001b[2J", said)
        self.assertIn("|   rule       nice", said)
        self.assertIn("/tmp", said)
        self.assertIn("typed", said)

    def test_a_word_is_for_the_act_with_all_its_parts(self):
        self.start(self.CONFIRM)
        asked = self.waits(command="cat", stdin="good")
        self.assertEqual(self.approve(asked)[0], 0)
        self.waits(command="cat", stdin="bad")
        self.waits(command="cat", stdin="good", cwd="/")
        self.assertEqual(text_of(self.run_it(command="cat", stdin="good")), "good")

    def test_a_reload_keeps_what_waits_and_a_rule_that_is_gone_asks_nobody(self):
        self.start(self.CONFIRM)
        asked = self.waits(command="echo a")
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: " reloaded " in self.daemon.log(), "it is reloaded")
        self.assertEqual(self.waits(command="echo a"), asked)
        self.assertEqual(self.approve(asked)[0], 0)
        with open(self.daemon.config, "w", encoding="utf-8") as out:
            out.write('rule "ask-you" { effect = confirm verbs = {run} }\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "ask-you" in text_of(self.run_it(command="echo b")), "it holds")
        # The word was given for another rule.
        self.assertScoutError(self.run_it(command="echo a"), "confirmation-required", "ask-you")

    def test_without_a_terminal_nobody_is_asked(self):
        self.start(self.CONFIRM)
        asked = self.waits(command="echo a")
        ended = subprocess.run([harness.SCOUT, "approve", asked], check=False, input="y\n",
                               capture_output=True, text=True, timeout=30,
                               env=self.environment(), start_new_session=True)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("on a terminal only", ended.stderr)
        self.assertEqual(self.waits(command="echo a"), asked)

    def test_no_call_on_the_agents_socket_approves(self):
        self.start(self.CONFIRM)
        asked = self.waits(command="echo a")
        self.client.send_raw(b'{"op":"approve","id":"' + asked.encode() + b'"}\n')
        for method in ("approve", "confirmations"):
            self.assertRpcError(self.client.request(method, {"op": "approve", "id": asked}), -32601)
        for name in ("approve", "confirm"):
            answer = self.client.request("tools/call", {"name": name, "arguments": {}})
            self.assertRpcError(answer, -32602)
        self.assertEqual(self.waits(command="echo a"), asked)

    def test_a_path_is_confirmed_when_it_is_known(self):
        self.start('rule "ask-me" {\n  effect = confirm\n  verbs = {read}\n'
                   f'  paths = {{"{self.files}/secret"}}\n}}\n')
        self.assertScoutOk(self.read("open"), "file")
        self.assertScoutOk(self.read("secret"), "directory")
        error = self.assertScoutError(self.read("link"), "confirmation-required")
        asked = re.search(r"scout approve (\w+)", error["message"])[1]
        status, said = self.approve()
        self.assertEqual(status, 0, said)
        self.assertIn(asked, said)
        self.assertIn(f"{self.files}/secret/inside", said.replace("\r\n", ""))
        self.assertEqual(text_of(self.read("link")), SECRET)
        self.assertScoutError(self.read("link"), "confirmation-required")

    def test_a_query_is_one_question(self):
        self.start('rule "ask-me" {\n  effect = confirm\n  verbs = {read}\n'
                   f'  paths = {{"{self.files}/secret", "{self.files}/open"}}\n}}\n')
        command = "cat open secret/inside link"
        error = self.assertScoutError(self.query(command), "confirmation-required")
        asked = re.search(r"scout approve (\w+)", error["message"])[1]
        status, said = self.approve(asked)
        self.assertEqual(status, 0, said)
        said = said.replace("\r\n", "")
        for part in (command.replace("cat", "cat --"), f"{self.files}/open",
                     f"{self.files}/secret/inside"):
            self.assertIn(part, said)
        other = self.query("cat secret/inside open link")
        self.assertScoutError(other, "confirmation-required")
        self.assertEqual(text_of(self.query(command)), "for all\n" + SECRET + SECRET)
        self.assertScoutError(self.query(command), "confirmation-required")

    def test_nothing_waits(self):
        self.start(self.CONFIRM)
        terminal = Terminal([harness.SCOUT, "approve"], self.environment())
        status, said = terminal.ends()
        self.assertEqual(status, 0)
        self.assertIn("nothing waits", said)
        terminal = Terminal([harness.SCOUT, "approve", "nosuch"], self.environment())
        self.assertEqual(terminal.ends()[0], 1)


if __name__ == "__main__":
    harness.main()
