"""Clients that are known by their certificates: over real TLS, with an authority of openssl's."""

import json
import os
import signal
import ssl
import subprocess
import time

import harness
from authority import Authority
from http_client import Http, HttpDaemon
from test_metrics import Metrics

RATE = "http_rate_per_minute = 0\n"
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class CertificateTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = cls.write("ssh_config", "Host web1\n  HostName 127.0.0.1\n")
        cls.server = Authority(cls.folder, "server")
        cls.pair = cls.server.client("localhost", "IP:127.0.0.1", use="server")
        cls.ca = Authority(cls.folder, "clients")
        cls.ci = cls.ca.client("ci", "DNS:ci.example.org", "URI:spiffe://example.org/ci")
        cls.ann = cls.ca.client("ann", "email:ann@example.org")
        cls.bob = cls.ca.client("bob")
        cls.nobody = cls.ca.client("nobody", "DNS:nobody.example.org")
        cls.count = 0

    def sections(self, ci="operator", bob=True):
        text = (f'client_certificate "ci" {{ role = {ci} '
                'match = {"uri:spiffe://example.org/ci", "cn:other"} }\n'
                'client_certificate "people" { match = {"email:ann@example.org"')
        return text + (f', "sha256:{self.ca.fingerprint(self.bob)}"}} }}\n' if bob else "} }\n")

    def config(self, more="", sections=None, ca=None):
        return (f'tls_certificate = "{self.pair[0]}"\ntls_key = "{self.pair[1]}"\n'
                f'tls_client_ca = "{ca or self.ca.certificate}"\n' + more
                + (self.sections() if sections is None else sections))

    def start(self, *arguments, **options):
        type(self).count += 1
        rate = options.pop("rate", "")
        daemon = HttpDaemon(self.folder, self.ssh_config, rate + self.config(*arguments, **options),
                            f"d{self.count}")
        self.addCleanup(daemon.stop)
        return daemon.start()

    def context(self, pair=None, version=None):
        context = ssl.create_default_context(cafile=self.server.certificate)
        if pair:
            context.load_cert_chain(*pair)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, daemon, pair=None, token=None, context=None, session=None):
        client = Http(daemon.port, token=token)
        self.addCleanup(client.close)
        client.socket = (context or self.context(pair)).wrap_socket(
            client.socket, server_hostname="127.0.0.1", session=session)
        return client

    def ask(self, client, headers=None):
        message = client.message("tools/list")
        return client.request(body=message,
                              headers={**client.modern_headers(message), **(headers or {})})

    def tools(self, *arguments, **options):
        answer = self.ask(self.connect(*arguments, **options))
        self.assertEqual(answer.status, 200, answer.body)
        return {tool["name"] for tool in answer.json()["result"]["tools"]}

    def refused(self, daemon, pair, words, **options):
        """In the handshake, of which TLS 1.3's client sees the end with its first read."""
        before = daemon.log().count(words)
        with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
            self.ask(self.connect(daemon, pair, token=daemon.token(), **options))
        harness.wait_until(lambda: daemon.log().count(words) > before, words)

    def reload(self, daemon, config, word=" reloaded "):
        with open(daemon.config, "w", encoding="utf-8") as out:
            out.write("transport = http\nhttp_port = 0\n" + RATE + config)
        before = daemon.log().count(word)
        os.kill(daemon.process.pid, signal.SIGHUP)
        harness.wait_until(lambda: daemon.log().count(word) > before, word)

    def versions(self, daemon):
        for version in VERSIONS:
            try:
                self.connect(daemon, context=self.context(version=version))
                yield version
            except ssl.SSLError:
                self.assertEqual(version, ssl.TLSVersion.TLSv1_3)

    # ---- who is who ----

    def test_a_certificate_is_an_identity(self):
        daemon = self.start()
        for version in self.versions(daemon):
            with self.subTest(version=version):
                self.assertIn("run", self.tools(daemon, context=self.context(self.ci, version)))
                for pair in (self.ann, self.bob):
                    self.assertNotIn("run", self.tools(daemon,
                                                       context=self.context(pair, version)))
        client = self.connect(daemon, self.ann)
        for name, arguments in (("scout", {"target": "hosts", "probe": False}),
                                ("read", {"target": "web1:/etc/shadow"})):
            status, _ = client.modern("tools/call", {"name": name, "arguments": arguments})
            self.assertEqual(status, 200)
        harness.wait_until(lambda: " who=cert:people " in daemon.log(), "the log")
        def audit():
            with open(os.path.join(daemon.state, "audit.log"), encoding="utf-8") as log:
                return log.read()
        harness.wait_until(lambda: '"cert:people"' in audit(), "the record")

    def test_rules_know_it(self):
        rule = 'rule "r" { effect = allow verbs = {run} identities = {"cert:people"} }\n'
        daemon = self.start(rule)
        self.assertIn("run", self.tools(daemon, self.ann))

    def test_a_token_comes_before_it(self):
        daemon = self.start('tokens = "%s"\n' % self.tokens())
        self.assertNotIn("run", self.tools(daemon, self.ci, token=self.reader))
        answer = self.ask(self.connect(daemon, self.ci, token="scout_wrong"))
        self.assertEqual(answer.status, 401)
        two = self.connect(daemon, self.ci, token=self.reader)
        self.assertEqual(self.ask(two, {"X-API-Key": "scout_other"}).status, 400)
        # Without a certificate, or with one that is nobody's, tokens count as ever.
        self.assertNotIn("run", self.tools(daemon, token=self.reader))
        self.assertNotIn("run", self.tools(daemon, self.nobody, token=self.reader))

    def tokens(self):
        path = os.path.join(self.folder, "tokens")
        told = subprocess.run([harness.SCOUT, "token", "new", "r", "reader", path], check=True,
                              capture_output=True, text=True)
        self.reader = told.stdout.strip().splitlines()[-1].split()[-1]
        return path

    def test_nobodys_certificate(self):
        daemon = self.start()
        answer = self.ask(self.connect(daemon, self.nobody))
        self.assertEqual(answer.status, 401)
        self.assertIn("nobody is known by", answer.json()["error"])
        digits = self.ca.fingerprint(self.nobody).replace(":", "").lower()
        harness.wait_until(lambda: f"sha256={digits}" in daemon.log(), "the log")
        self.assertEqual(self.ask(self.connect(daemon)).status, 401)

    def test_bad_certificates_end_the_handshake(self):
        daemon = self.start()
        stranger = Authority(self.folder, "stranger")
        alike = Authority(os.path.join(self.folder, "stranger"), "clients")
        for pair, words in (
                (stranger.client("ci", "URI:spiffe://example.org/ci"), "no authority"),
                (alike.client("ci", "URI:spiffe://example.org/ci"), "no authority"),
                (self.ca.client("ci", "URI:spiffe://example.org/ci", days=(-3, -1)), "has expired"),
                (self.ca.client("ci", "URI:spiffe://example.org/ci", days=(1, 2)),
                 "does not count yet"),
                (self.ca.client("ci", "URI:spiffe://example.org/ci", use="server"),
                 "not for clients"),
                (self.ca.client("ci", "URI:spiffe://example.org/ci", use="encipher"),
                 "not for clients")):
            for version in self.versions(daemon):
                with self.subTest(words=words, version=version):
                    self.refused(daemon, None, words, context=self.context(pair, version))
        page = self.connect(daemon, self.ci).request("GET", "/metrics").body.decode()
        self.assertGreaterEqual(Metrics(page).value("tls_certificates_refused_total"), 6)
        self.assertIn("run", self.tools(daemon, self.ci))

    def test_chains(self):
        middle = Authority(self.folder, "middle", self.ca)
        daemon = self.start()
        name = "URI:spiffe://example.org/ci"
        self.assertIn("run", self.tools(daemon, middle.client("ci", name, chain=(middle,))))
        self.refused(daemon, middle.client("ci", name), "no authority")
        leaf = self.ca.client("leaf", use="client")  # is no authority, and signs nevertheless
        fake = Authority(self.folder, "fake", self.ca)
        for end, path in (("crt", leaf[0]), ("key", leaf[1])):
            with open(path, encoding="ascii") as text:
                fake.write("ca." + end, text.read())
        self.refused(daemon, fake.client("ci", name, chain=(fake,)), "no authority")
        last, chain = middle, [middle]
        for i in range(5):
            last = Authority(self.folder, f"deep{i}", last)
            chain.insert(0, last)
            if len(chain) == 3:
                self.assertIn("run", self.tools(daemon, last.client("ci", name, chain=chain)))
        self.refused(daemon, last.client("ci", name, chain=chain), "too long")

    def test_required(self):
        versions = list(self.versions(self.start()))
        daemon = self.start("tls_client_required = true\n")
        for version in versions:
            self.assertIn("run", self.tools(daemon, context=self.context(self.ci, version)))
            self.refused(daemon, None, 'reason="there is none"',
                         context=self.context(version=version))
        self.assertNotIn("run", self.tools(daemon, self.nobody, token=daemon.token()))

    def test_limits_are_by_name(self):
        daemon = self.start(rate="http_rate_per_minute = 1\nhttp_rate_burst = 2\n")
        for _ in range(2):
            self.assertEqual(self.ask(self.connect(daemon, self.ann)).status, 200)
        self.assertEqual(self.ask(self.connect(daemon, self.bob)).status, 429)
        self.assertEqual(self.ask(self.connect(daemon, self.ci)).status, 200)

    # ---- revoked, and reloads ----

    def crl(self, *texts):
        self.list = self.write("revoked.crl", "".join(texts))
        os.chmod(self.list, 0o600)
        return f'tls_client_crl = "{self.list}"\n'

    def test_revoked(self):
        middle = Authority(self.folder, "revoking", self.ca)
        name = "URI:spiffe://example.org/ci"
        two = middle.client("two", name, chain=(middle,))
        three = middle.client("three", name, chain=(middle,))
        one = self.ca.client("one", name)
        daemon = self.start(self.crl(self.ca.crl(), middle.crl()))
        for pair in (one, two, three):
            self.assertIn("run", self.tools(daemon, pair))
        held = self.connect(daemon, one)
        ticket = self.context(one, ssl.TLSVersion.TLSv1_2)
        first = self.connect(daemon, context=ticket)
        for client in (held, first):
            self.assertEqual(self.ask(client).status, 200)
        session = first.socket.session
        again = self.connect(daemon, context=ticket, session=session)
        self.assertTrue(again.socket.session_reused)
        self.assertEqual(self.ask(again).status, 200)
        plain = self.connect(daemon, token=daemon.token())
        self.assertEqual(self.ask(plain).status, 200)
        self.ca.revoke(one)
        middle.revoke(two)
        self.crl(self.ca.crl(), middle.crl())
        self.reload(daemon, self.config(f'tls_client_crl = "{self.list}"\n'))
        for client in (held, first, again):
            self.assertTrue(client.ended(), "it goes on")
        self.assertEqual(self.ask(plain).status, 200)
        self.refused(daemon, one, "has been revoked")
        self.refused(daemon, two, "has been revoked")
        self.assertIn("run", self.tools(daemon, three))
        self.refused(daemon, None, "has been revoked", context=ticket, session=session)
        self.ca.revoke(middle.certificate)
        self.crl(self.ca.crl(), middle.crl())
        self.reload(daemon, self.config(f'tls_client_crl = "{self.list}"\n'))
        self.refused(daemon, three, "has been revoked")

    def test_lists_that_are_missing_or_old(self):
        middle = Authority(self.folder, "listed", self.ca)
        below = middle.client("two", "URI:spiffe://example.org/ci", chain=(middle,))
        daemon = self.start(self.crl(self.ca.crl()))
        self.assertIn("run", self.tools(daemon, self.ci))
        self.refused(daemon, below, "no good revocation list")
        self.crl(self.ca.crl("-crl_lastupdate", stamp_of(-2), "-crl_nextupdate", stamp_of(-1)))
        self.reload(daemon, self.config(f'tls_client_crl = "{self.list}"\n'))
        self.refused(daemon, self.ci, "out of date")
        other = Authority(self.folder, "forger")
        forged = Authority(os.path.join(self.folder, "forger"), "clients")
        self.assertTrue(other)
        self.crl(forged.crl())
        self.reload(daemon, self.config(f'tls_client_crl = "{self.list}"\n'))
        self.refused(daemon, self.ci, "no good revocation list")

    def test_one_that_is_removed_while_it_is_in_use(self):
        daemon = self.start()
        held = {}
        for who, pair in (("ann", self.ann), ("bob", self.bob)):
            context = self.context(pair, ssl.TLSVersion.TLSv1_2)
            held[who] = self.connect(daemon, context=context)
            self.assertEqual(self.ask(held[who]).status, 200)
            held[who, "context"] = context
        session = held["bob"].socket.session
        streams = {}
        for who, pair in (("ann", self.ann), ("bob", self.bob)):
            streams[who] = self.connect(daemon, pair)
            message = streams[who].message("subscriptions/listen",
                                           {"notifications": {"toolsListChanged": True}})
            streams[who].send(body=message, headers=streams[who].modern_headers(message))
            self.assertEqual(streams[who].head().status, 200)
            streams[who].until(b"acknowledged")
        self.reload(daemon, self.config(sections=self.sections(bob=False)))
        self.assertEqual(self.ask(held["ann"]).status, 200)
        self.assertEqual(self.ask(held["bob"]).status, 401)
        again = self.connect(daemon, context=held["bob", "context"], session=session)
        self.assertFalse(again.socket.session_reused)
        self.assertEqual(self.ask(again).status, 401)
        while streams["bob"].fill():  # the name stands, the certificate is not its any more
            pass
        streams["ann"].socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            while streams["ann"].fill():
                pass

    def test_a_role_changes_and_an_authority_goes(self):
        daemon = self.start()
        held = self.connect(daemon, self.ci)
        self.assertIn("run", {t["name"] for t in self.ask(held).json()["result"]["tools"]})
        self.reload(daemon, self.config(sections=self.sections(ci="reader")))
        self.assertNotIn("run", {t["name"] for t in self.ask(held).json()["result"]["tools"]})
        other = Authority(self.folder, "successor")
        self.reload(daemon, self.config(ca=other.certificate))
        self.assertTrue(held.ended(), "it goes on")
        self.refused(daemon, self.ci, "no authority")
        self.assertIn("run", self.tools(daemon, other.client("x", "URI:spiffe://example.org/ci")))
        plain = self.connect(daemon, token=daemon.token())
        self.assertEqual(self.ask(plain).status, 200)
        self.reload(daemon, self.config("tls_client_required = true\n"))
        self.assertTrue(plain.ended(), "it goes on")

    def test_a_session_is_its_names(self):
        daemon = self.start()
        client = self.connect(daemon, self.ann)
        client.initialize()
        same = self.connect(daemon, self.bob)
        other = self.connect(daemon, self.ci)
        for who, status in ((same, 200), (other, 404)):
            who.session, who.version = client.session, client.version
            self.assertEqual(who.legacy("tools/list")[0], status)

    def test_one_that_expires_while_it_is_connected(self):
        daemon = self.start()
        seconds = 3
        pair = self.ca.client("ci", "URI:spiffe://example.org/ci", days=(-1, seconds / 86400))
        client = self.connect(daemon, pair)
        self.assertEqual(self.ask(client).status, 200)
        harness.wait_until(lambda: self.ask(client).status == 401, "it expires")
        self.refused(daemon, pair, "has expired")

    # ---- what is wrong with the configuration ----

    def test_what_is_wrong_is_said_at_the_start(self):
        with open(self.ca.certificate, encoding="ascii") as text:
            writable = self.write("writable.pem", text.read())
        os.chmod(writable, 0o666)
        text = self.write("text.pem", "no certificate\n")
        no_tls = f'tls_client_ca = "{self.ca.certificate}"\n'
        for config, words in (
                (no_tls, "only tls_client_ca is set"),
                (self.config(ca="/none"), "authority of clients /none: No such file"),
                (self.config(ca=text), "authority of clients"),
                (self.config(ca=writable), "others may write to it"),
                (self.config(f'tls_client_crl = "{self.ca.certificate}"\n'), "revocation list"),
                (self.config().replace("tls_client_ca", "#"), "need tls_client_ca"),
                (self.config(sections="tls_client_required = true\n")
                 .replace("tls_client_ca", "#"), "need tls_client_ca")):
            with self.subTest(words=words):
                path = self.write("wrong.conf", config)
                told = subprocess.run([harness.SCOUTD, "--check-config", "--config", path,
                                       "--ssh-config", self.ssh_config], check=False,
                                      capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                      env=harness.clean_environment(self.folder))
                self.assertEqual(told.returncode, 1)
                self.assertIn(words, told.stderr)

    def test_what_is_printed_reads_as_the_same(self):
        def check(path):
            told = subprocess.run([harness.SCOUTD, "--check-config", "--config", path,
                                   "--ssh-config", self.ssh_config], check=False,
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                  env=harness.clean_environment(self.folder))
            self.assertEqual(told.returncode, 0, told.stderr)
            return told.stdout
        first = check(self.write("first.conf", self.config()))
        again = check(self.write("again.conf", first))
        sections = [[line for line in text.splitlines() if line.startswith("client_certificate ")]
                    for text in (first, again)]
        self.assertEqual(len(sections[0]), 2)
        self.assertEqual(*sections)

    def test_curl(self):
        daemon = self.start()
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        told = subprocess.run(
            ["curl", "-sS", "--cacert", self.server.certificate, "--cert", self.ci[0], "--key",
             self.ci[1], "-H", "Content-Type: application/json", "-H",
             "Accept: application/json, text/event-stream", "-d", json.dumps(body), "-w",
             "%{http_code}", f"https://127.0.0.1:{daemon.port}/mcp"], check=False,
            capture_output=True, text=True, timeout=harness.ANSWER_S)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertTrue(told.stdout.endswith("200") or told.stdout.endswith("400"), told.stdout)


def stamp_of(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


if __name__ == "__main__":
    harness.main()
