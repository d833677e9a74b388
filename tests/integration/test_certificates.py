"""User certificates log in on a real sshd that trusts nothing but their authority."""

import os
import signal
import subprocess

import harness
from harness import text_of

KINDS = {"ecdsa256": ("-t", "ecdsa", "-b", "256"), "ecdsa384": ("-t", "ecdsa", "-b", "384"),
         "ecdsa521": ("-t", "ecdsa", "-b", "521"), "ed25519": ("-t", "ed25519"),
         "rsa3072": ("-t", "rsa", "-b", "3072")}
EVERYWHERE = "ecdsa256"  # a kind that each libssh2 can


def keygen(*options):
    subprocess.run(["ssh-keygen", "-q", *options], check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class CertificatesTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.authority = os.path.join(cls.folder, "authority")
        keygen("-t", "ed25519", "-N", "", "-f", cls.authority)
        nobody = cls.write("nobody", "")
        cls.fleet = cls.make_fleet(1, TrustedUserCAKeys=cls.authority + ".pub",
                                   AuthorizedKeysFile=nobody)

    def setUp(self):
        self.place = os.path.join(self.folder, self.id().rsplit(".", 1)[1])
        self.daemons = 0
        os.mkdir(self.place)

    def key(self, kind, name="id"):
        path = os.path.join(self.place, name)
        keygen("-N", "", "-C", kind, "-f", path, *KINDS[kind])
        return path

    def certify(self, path, validity="always:forever", names=None, options=()):
        """Writes PATH-cert.pub."""
        keygen("-s", self.authority, "-I", "test", "-n", names or harness.user_name(), "-V",
               validity, *options, path + ".pub")
        return path + "-cert.pub"

    def daemon(self, *, agent="none", **keywords):
        entry = self.fleet.entry("web", "demo1", **keywords)
        self.daemons += 1
        path = os.path.join(self.place, f"ssh_config{self.daemons}")
        with open(path, "w", encoding="ascii") as out:
            out.write(entry)
        daemon = harness.Daemon(self.place, path, f'agent = "{agent}"\n', f"d{self.daemons}")
        self.addCleanup(daemon.stop)
        daemon.start()
        client = daemon.client()
        self.addCleanup(client.close)
        return client

    def assertReads(self, client):
        self.assertEqual(text_of(client.scout("web:hello.txt")), "hello from demo1\n")

    def refused(self, client, *fragments):
        return self.assertScoutError(client.scout("web:hello.txt"), ("auth-failed", "key-unusable"),
                                     *fragments)

    def start_agent(self, *keys):
        path = os.path.join(self.place, "agent")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL,
                                 preexec_fn=harness.die_with_parent)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.send_signal, signal.SIGTERM)
        environment = {**os.environ, "SSH_AUTH_SOCK": path}
        harness.wait_until(lambda: subprocess.run(
            ["ssh-add", "-l"], check=False, timeout=30, capture_output=True,
            env=environment).returncode != 2, "the agent answers")
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, timeout=30, env=environment)
        return path

    # --- where it lies -----------------------------------------------------------------------

    def test_beside_the_key(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                path = self.key(kind, kind)
                self.certify(path)
                client = self.daemon(IdentityFile=path)
                if "libssh2 1.10" not in text_of(client.scout("web:hello.txt")):
                    self.assertReads(client)
                else:
                    self.assertFalse(kind.startswith("ecdsa"))
                    self.refused(client, path + "-cert.pub was not used: libssh2 1.10 supports "
                                 "certificates for ECDSA keys only")

    def test_named_by_the_configuration(self):
        path = self.key(EVERYWHERE)
        other = os.path.join(self.place, "elsewhere.pub")
        os.rename(self.certify(path), other)
        self.assertReads(self.daemon(IdentityFile=path, CertificateFile=other))

    def test_without_its_private_key(self):
        path = self.key(EVERYWHERE)
        certificate = self.certify(path)
        client = self.daemon(CertificateFile=certificate)
        self.refused(client, f"the certificate {certificate} was not used: its private key is "
                     "neither an IdentityFile nor in the ssh agent")

    def test_files_that_are_none(self):
        path = self.key(EVERYWHERE)
        with open(path + "-cert.pub", "w", encoding="ascii") as out:
            out.write("ssh-ed25519 AAAA no certificate\n")
        client = self.daemon(IdentityFile=path, CertificateFile="/nonexistent/cert")
        self.refused(client, path + "-cert.pub holds no certificate",
                     "Cannot read the certificate /nonexistent/cert")

    # --- the agent ---------------------------------------------------------------------------

    def test_the_agent_has_both(self):
        path = self.key(EVERYWHERE)
        self.certify(path)  # ssh-add takes it along
        agent = self.start_agent(path)
        for name in (path, path + "-cert.pub"):
            os.unlink(name)
        self.assertReads(self.daemon(agent=agent, IdentityFile=None, IdentitiesOnly=None))

    def test_the_agent_has_the_key_and_a_file_the_certificate(self):
        path = self.key(EVERYWHERE)
        agent = self.start_agent(path)
        certificate = self.certify(path)
        os.unlink(path)
        client = self.daemon(agent=agent, IdentityFile=None, IdentitiesOnly=None,
                             CertificateFile=certificate)
        self.assertReads(client)

    def test_identities_only_and_the_public_half_in_a_file(self):
        path = self.key(EVERYWHERE)
        agent = self.start_agent(path)
        self.certify(path)
        os.unlink(path)
        self.assertReads(self.daemon(agent=agent, IdentityFile=path))

    def test_identities_only_leaves_the_agents_own_out(self):
        path = self.key(EVERYWHERE)
        self.certify(path)
        agent = self.start_agent(path)
        other = self.key(EVERYWHERE, "other")
        self.refused(self.daemon(agent=agent, IdentityFile=other))

    # --- when and for whom -------------------------------------------------------------------

    def test_expired_and_then_renewed(self):
        path = self.key(EVERYWHERE)
        self.certify(path, "20200101:20200102")
        client = self.daemon(IdentityFile=path)
        self.refused(client, path + "-cert.pub was not used: it expired at 2020-01-0", "renew it")
        self.certify(path)
        self.assertReads(client)

    def test_not_valid_yet(self):
        path = self.key(EVERYWHERE)
        self.certify(path, "20900101:20910101")
        self.refused(self.daemon(IdentityFile=path), "it is not valid before 20")

    def test_for_somebody_else(self):
        path = self.key(EVERYWHERE)
        self.certify(path, names="alice,bob")
        self.refused(self.daemon(IdentityFile=path), "-cert.pub, for alice,bob, was not taken")

    def test_a_hosts(self):
        path = self.key(EVERYWHERE)
        self.certify(path, options=("-h",))
        self.refused(self.daemon(IdentityFile=path), "it is a host's, and no user's")

    def test_a_plain_key_still_does(self):
        """An expired certificate uses up no try, and the key without it is offered."""
        path = self.key(EVERYWHERE)
        self.certify(path, "20200101:20200102")
        with open(path + ".pub", encoding="ascii") as public:
            key = public.read()
        with open(os.path.join(self.folder, "nobody"), "w", encoding="ascii") as out:
            out.write(key)
        self.addCleanup(lambda: open(os.path.join(self.folder, "nobody"), "w",
                                     encoding="ascii").close())
        self.assertReads(self.daemon(IdentityFile=path))


if __name__ == "__main__":
    harness.main()
