"""Each kind of key that OpenSSH makes logs in, from a file and from a real ssh-agent."""

import os
import signal
import subprocess

import harness
from harness import text_of

KINDS = {
    "ed25519": ("-t", "ed25519"),
    "ecdsa256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa521": ("-t", "ecdsa", "-b", "521"),
    "rsa3072": ("-t", "rsa", "-b", "3072"),
    "rsa4096-pem": ("-t", "rsa", "-b", "4096", "-m", "PEM"),
    "ecdsa256-pkcs8": ("-t", "ecdsa", "-b", "256", "-m", "PKCS8"),
}


class KeysTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        authorized = os.path.join(cls.folder, "authorized")
        with open(authorized, "w", encoding="ascii") as out:
            for kind, options in KINDS.items():
                subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", kind, "-f", cls.key(kind),
                                *options], check=True, timeout=60)
                with open(cls.key(kind) + ".pub", encoding="ascii") as public:
                    out.write(public.read())
        cls.fleet = cls.make_fleet(1, AuthorizedKeysFile=authorized)

    @classmethod
    def key(cls, kind):
        return os.path.join(cls.folder, kind)

    def config(self, name, kinds, identity, **keywords):
        """A host for each kind, which names identity(kind)."""
        return self.write(name + ".ssh_config", "".join(
            self.fleet.entry("with-" + kind, "demo1", IdentityFile=identity(kind), **keywords)
            for kind in kinds))

    def reads(self, client, kind):
        result = client.scout("with-" + kind + ":hello.txt")
        self.assertEqual(text_of(result), "hello from demo1\n")

    def test_from_files(self):
        before = self.fleet.logins("demo1")
        daemon = self.make_daemon(self.config("files", KINDS, self.key), name="files")
        with daemon.client() as client:
            for kind in KINDS:
                with self.subTest(kind=kind):
                    self.reads(client, kind)
        # Side by side, too: the slow signatures are made off the loop.
        again = self.make_daemon(self.config("files", KINDS, self.key), name="again")
        with again.client() as client:
            sent = [client.send_scout("with-" + kind + ":hello.txt") for kind in KINDS]
            for message_id in sent:
                self.assertEqual(text_of(client.result(message_id)), "hello from demo1\n")
        self.assertEqual(self.fleet.logins("demo1") - before, 2 * len(KINDS))

    def start_agent(self):
        path = os.path.join(self.folder, "agent.sock")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL,
                                 preexec_fn=harness.die_with_parent)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.send_signal, signal.SIGTERM)
        harness.wait_until(lambda: os.path.exists(path), "the agent listens")
        return path

    def test_from_an_agent(self):
        path = self.start_agent()
        for kind in KINDS:
            subprocess.run(["ssh-add", "-q", self.key(kind)], check=True, timeout=10,
                           env={**os.environ, "SSH_AUTH_SOCK": path})

        def public_only(kind):  # encrypted, so that only the agent can sign with it
            locked = self.key(kind) + ".locked"
            with open(self.key(kind), "rb") as plain, open(locked, "wb") as out:
                out.write(plain.read())
            os.chmod(locked, 0o600)
            subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", locked, "-a", "1"],
                           check=True, timeout=60, stdout=subprocess.DEVNULL)
            return locked

        kinds = [kind for kind in KINDS if "-" not in kind]
        daemon = self.make_daemon(self.config("agent", kinds, public_only),
                                  f'agent = "{path}"\n', name="agent")
        with daemon.client() as client:
            for kind in kinds:
                with self.subTest(kind=kind):
                    self.reads(client, kind)

    def test_no_agent_is_asked_when_the_configuration_says_none(self):
        path = self.start_agent()
        subprocess.run(["ssh-add", "-q", self.key("ed25519")], check=True, timeout=10,
                       env={**os.environ, "SSH_AUTH_SOCK": path})
        config = self.config("none", ["ed25519"], lambda _: "/nonexistent/key",
                             IdentitiesOnly=None)
        for name, setting, reads in (("with", f'"{path}"', True), ("without", "none", False)):
            daemon = self.make_daemon(config, f"agent = {setting}\n", name=name)
            with daemon.client() as client:
                if reads:
                    self.reads(client, "ed25519")
                else:
                    self.assertScoutError(client.scout("with-ed25519:hello.txt"), "key-unusable",
                                          "/nonexistent/key")


if __name__ == "__main__":
    harness.main()
