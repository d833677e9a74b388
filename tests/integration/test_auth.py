"""Hosts that ask a person: `scout auth` on a terminal, and the service manager's credential."""

import os
import subprocess

import harness
import peers
from harness import text_of
from terminal import Terminal

PASSWORD = "correct horse"
CODE = "271828"


class AuthTest(peers.PeerTest):
    def setUp(self):
        self.make_folder()

    def start(self, light, more="", **variables):
        path = os.path.join(self.folder, "ssh_config")
        with open(light.ssh_config, encoding="utf-8") as text:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text.read() + more)
        self.daemon = harness.Daemon(self.folder, path, "agent = none\n", variables=variables)
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.environment = harness.clean_environment(self.daemon.folder)
        self.environment.update(SCOUT_SOCKET=self.daemon.socket, SCOUT_STATE_DIR=self.daemon.state)

    def auth(self, host, *answers):
        """Answers each question in turn; the exit status and all that was shown."""
        terminal = Terminal([harness.SCOUT, "auth", host], self.environment)
        for i, (question, echo, answer) in enumerate(answers):
            same = sum(before[0] == question for before in answers[:i + 1])
            terminal.wait_for(f"{host} asks: {question}", same)
            harness.wait_until(lambda echo=echo: terminal.echoes() == echo, "the echo is set")
            terminal.type(answer)
        return terminal.ends()

    def look(self, host="light"):
        with self.daemon.client() as client:
            return client.scout(host + ":/")

    def assertLooks(self, host="light"):
        self.assertFalse(self.look(host).get("isError", False), self.look(host))

    def assertForgotten(self, *secrets):
        log = self.daemon.log()
        for secret in secrets:
            self.assertNotIn(secret, log)

    # --- a person ----------------------------------------------------------------------------

    def test_a_password(self):
        light = self.light("--password", PASSWORD, "--authorized", self.other_key())
        self.start(light)
        self.assertScoutError(self.look(), "auth-failed", "scout auth light")
        status, said = self.auth("light", ("Password of light at light:", False, PASSWORD))
        self.assertEqual(status, 0, said)
        self.assertIn("logged in to light", said)
        self.assertNotIn(PASSWORD, said)
        self.assertLooks()
        self.assertEqual(light.stats()["authenticated"], 1)  # its connection serves all
        self.assertForgotten(PASSWORD)

    def test_a_wrong_password_and_then_the_right_one(self):
        light = self.light("--password", PASSWORD, "--authorized", self.other_key())
        self.start(light)
        status, said = self.auth("light", ("Password of", False, "wrong"))
        self.assertEqual(status, 1)
        self.assertIn("the password did not suffice", said)
        self.assertScoutError(self.look(), "auth-failed")
        self.assertEqual(self.auth("light", ("Password of", False, PASSWORD))[0], 0)

    def test_a_password_and_a_code(self):
        light = self.light("--password", PASSWORD, "--code", CODE, "--authorized",
                           self.other_key())
        self.start(light)
        status, said = self.auth("light", ("Password:", False, PASSWORD), ("Code:", True, CODE))
        self.assertEqual(status, 0, said)
        self.assertLooks()
        # A session whose question could not be answered sent no wrong answer.
        self.assertEqual(light.stats()["authenticated"], 1)

    def test_a_key_and_then_a_code(self):
        light = self.light("--code", CODE, "--key-first")
        self.start(light)
        self.assertScoutError(self.look(), "auth-failed", "keyboard-interactive")
        status, said = self.auth("light", ("Code:", True, CODE))
        self.assertEqual(status, 0, said)
        self.assertLooks()

    def test_a_key_and_then_a_password(self):
        light = self.light("--password", PASSWORD, "--key-first")
        self.start(light)
        self.assertEqual(self.auth("light", ("Password of", False, PASSWORD))[0], 0)
        self.assertLooks()

    def test_without_any_key(self):
        light = self.light("--password", PASSWORD, "--authorized", self.other_key())
        self.start(light, light.entry("keyless", IdentityFile="none"))
        self.assertScoutError(self.look("keyless"), "key-unusable")
        self.assertEqual(self.auth("keyless", ("Password of", False, PASSWORD))[0], 0)
        self.assertLooks("keyless")

    def test_one_who_is_not_asked(self):
        self.start(self.light())
        status, said = self.auth("light")
        self.assertEqual((status, said.strip()), (0, "logged in to light"))
        status, said = self.auth("nohost")
        self.assertEqual(status, 1)
        self.assertIn("unknown-host", said)

    def test_it_takes_a_terminal(self):
        self.start(self.light("--password", PASSWORD))
        ended = subprocess.run([harness.SCOUT, "auth", "light"], input=PASSWORD + "\n", text=True,
                               check=False, capture_output=True, timeout=30, env=self.environment,
                               start_new_session=True)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("on a terminal only", ended.stderr)

    # --- a script ----------------------------------------------------------------------------

    def auth_by_descriptor(self, host, text):
        """Without a terminal; the exit status and all that was said."""
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as out:
            out.write(text.encode())
        try:
            ended = subprocess.run([harness.SCOUT, "auth", host, "--password-fd", str(reader)],
                                   check=False, capture_output=True, text=True, timeout=30,
                                   env=self.environment, start_new_session=True,
                                   stdin=subprocess.DEVNULL, pass_fds=(reader,))
        finally:
            os.close(reader)
        return ended.returncode, ended.stdout + ended.stderr

    def test_a_password_from_a_descriptor(self):
        light = self.light("--password", PASSWORD, "--authorized", self.other_key())
        self.start(light)
        status, said = self.auth_by_descriptor("light", "wrong\n")
        self.assertEqual(status, 1)
        self.assertIn("the password did not suffice", said)
        self.assertScoutError(self.look(), "auth-failed")
        status, said = self.auth_by_descriptor("light", PASSWORD + "\nanother line\n")
        self.assertEqual((status, said), (0, "logged in to light\n"))
        self.assertLooks()
        self.assertEqual(light.stats()["authenticated"], 1)
        self.assertForgotten(PASSWORD)

    def test_a_descriptor_does_not_answer_a_code(self):
        light = self.light("--password", PASSWORD, "--code", CODE, "--authorized",
                           self.other_key())
        self.start(light)
        status, said = self.auth_by_descriptor("light", PASSWORD)
        self.assertEqual(status, 1)
        self.assertIn("run scout auth in a terminal", said)
        self.assertNotIn(PASSWORD, said)
        self.assertEqual(light.stats()["authenticated"], 0)

    def test_what_is_no_line_of_a_password(self):
        self.start(self.light("--password", PASSWORD, "--authorized", self.other_key()))
        for text, fragment in (("", "no line"), ("\n", "no line"), ("x" * 1025, "longer than")):
            status, said = self.auth_by_descriptor("light", text)
            self.assertEqual(status, 1)
            self.assertIn(fragment, said)
        for number, status in (("x", 2), ("1x", 2), ("", 2), ("99", 1)):
            ended = subprocess.run([harness.SCOUT, "auth", "light", "--password-fd", number],
                                   check=False, capture_output=True, timeout=30,
                                   env=self.environment, stdin=subprocess.DEVNULL)
            self.assertEqual(ended.returncode, status, number)
        terminal = Terminal([harness.SCOUT, "auth", "light", "--password-fd", "0"],
                            self.environment)
        status, said = terminal.ends()
        self.assertEqual(status, 1)
        self.assertIn("is a terminal", said)

    # --- the service manager -----------------------------------------------------------------

    def test_a_credential(self):
        light = self.light("--password", PASSWORD, "--authorized", self.other_key())
        folder = os.path.join(self.folder, "credentials")
        os.mkdir(folder)
        with open(os.path.join(folder, "ssh-password-light"), "w", encoding="ascii") as out:
            out.write(PASSWORD + "\n")
        self.start(light, CREDENTIALS_DIRECTORY=folder)
        self.assertScoutError(self.look("light-0"), "auth-failed", "scout auth light-0")
        self.assertLooks()  # it is for the host of that name
        self.assertForgotten(PASSWORD)

    def test_a_credential_answers_the_one_hidden_question(self):
        light = self.light("--password", PASSWORD, "--code", CODE, "--authorized",
                           self.other_key())
        folder = os.path.join(self.folder, "credentials")
        os.mkdir(folder)
        with open(os.path.join(folder, "ssh-password-light"), "w", encoding="ascii") as out:
            out.write(PASSWORD)
        self.start(light, CREDENTIALS_DIRECTORY=folder)
        status, said = self.auth("light", ("Code:", True, CODE))
        self.assertEqual(status, 0, said)

    def other_key(self):
        """A key that nobody here has: ours is refused."""
        path = os.path.join(self.folder, "other")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True,
                       timeout=30)
        return path + ".pub"


if __name__ == "__main__":
    harness.main()
