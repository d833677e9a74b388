"""MCP over HTTPS: handshakes, tickets, a renewed certificate, and peers that are none."""

import os
import signal
import socket
import ssl
import subprocess
import threading
import warnings

import harness
from http_client import Http, HttpDaemon

CALL = {"name": "scout", "arguments": {"target": "hosts", "probe": False}}


class HttpsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = os.path.join(cls.folder, "ssh_config")
        with open(cls.ssh_config, "w", encoding="utf-8") as out:
            out.write("Host web1\n  HostName 127.0.0.1\n")
        cls.certificate, cls.key = cls.make_certificate("first.example.org")
        cls.config = f'tls_certificate = "{cls.certificate}"\ntls_key = "{cls.key}"\n'
        cls.daemon = HttpDaemon(cls.folder, cls.ssh_config, cls.config)
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    @classmethod
    def make_certificate(cls, name, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
                         file="pair"):
        """A new pair of files, each put in the place of an old one as renewals do."""
        certificate, key = (os.path.join(cls.folder, f"{file}.{end}") for end in ("crt", "key"))
        for path in (certificate, key):
            if os.path.exists(path):
                os.remove(path)
        subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-addext",
                        f"subjectAltName=DNS:{name},IP:127.0.0.1", "-keyout", key, "-out",
                        certificate], check=True, capture_output=True)
        return certificate, key

    def context(self, certificate=None, **options):
        context = ssl.create_default_context(cafile=certificate or self.certificate)
        context.check_hostname = False
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def https(self, context=None, session=None, daemon=None):
        daemon = daemon or self.daemon
        client = Http(daemon.port, token=daemon.token())
        client.socket = (context or self.context()).wrap_socket(client.socket, session=session)
        self.addCleanup(client.close)
        return client

    def behind_handshake(self, context, session, data):
        """The answer to what was sent at once with the last of a handshake, which is the client's
        where a session is taken up again, and in TLS 1.3."""
        came, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(came, out, session=session)
        peer = socket.create_connection(("127.0.0.1", self.daemon.port), harness.ANSWER_S)
        self.addCleanup(peer.close)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                peer.sendall(out.read())
                came.write(peer.recv(1 << 16))
        tls.write(data)
        peer.sendall(out.read())
        while True:
            try:
                return tls.read(1 << 16)
            except ssl.SSLWantReadError:
                got = peer.recv(1 << 16)
                self.assertTrue(got, "the server closed")
                came.write(got)

    def test_a_large_request_right_behind_the_handshake(self):
        """It comes while a helper thread has the session: it is not too much, it has to wait."""
        body = b" " * 3_500_000 + b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        data = (f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                f"{self.daemon.token()}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        context = self.context()
        with self.https(context) as client:
            self.assertTrue(self.served(client))
            session = client.socket.session
        for _ in range(5):
            self.assertTrue(self.behind_handshake(context, session, data)
                            .startswith(b"HTTP/1.1 200 "))

    def test_the_end_is_said(self):
        """Else a client cannot tell it from an answer that somebody on the way cut short."""
        client = Http(self.daemon.port, token=self.daemon.token())
        client.socket = self.context().wrap_socket(client.socket, suppress_ragged_eofs=False)
        self.addCleanup(client.close)
        self.assertEqual(client.request("GET", "/health", headers={"Connection": "close"}).status,
                         200)
        self.assertEqual(client.socket.recv(1), b"")

    def served(self, client):
        status, message = client.modern("tools/call", CALL)
        return status == 200 and "isError" not in message["result"]

    def test_calls(self):
        for version in (ssl.TLSVersion.TLSv1_2, None):
            options = {"maximum_version": version} if version else {}
            client = self.https(self.context(**options))
            self.assertTrue(self.served(client))
            self.assertIn(client.socket.version(), ("TLSv1.2", "TLSv1.3"))
            self.assertIn("GCM", client.socket.cipher()[0] + "CHACHA20 GCM")
            for _ in range(20):
                self.assertTrue(self.served(client))
        self.assertIn("http_ready", self.daemon.log())
        self.assertIn("tls=yes", self.daemon.log())

    def test_a_large_body_and_a_large_answer(self):
        client = self.https()
        message = client.message("tools/call", {
            "name": "scout", "arguments": {"target": "hosts", "find": "x" * 300000}})
        answer = client.request(body=message, headers=client.modern_headers(message))
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json()["id"], message["id"])

    def test_old_versions_and_weak_suites_are_refused(self):
        warnings.simplefilter("ignore", DeprecationWarning)
        old = self.context()
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        weak = self.context(maximum_version=ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        for context in (old, weak):
            with self.assertRaises((ssl.SSLError, OSError)):
                self.https(context)
        self.assertTrue(self.served(self.https()))

    def test_a_ticket_spares_the_handshake(self):
        context = self.context(maximum_version=ssl.TLSVersion.TLSv1_2)
        first = self.https(context)
        self.assertTrue(self.served(first))
        again = self.https(context, session=first.socket.session)
        self.assertTrue(again.socket.session_reused)
        self.assertTrue(self.served(again))

    def test_plain_http_and_garbage_cost_only_themselves(self):
        good = self.https()
        for data in (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                     os.urandom(5000), b"\x16", b"\x15\x03\x03\x00\x02\x02\x28", b"\x80" * 400000):
            client = Http(self.daemon.port)
            try:
                client.send_raw(data)
                client.socket.shutdown(socket.SHUT_WR)
                while client.fill():
                    pass
                self.assertNotIn(b"HTTP/1.1 200", client.buffer)
            except (ConnectionError, BrokenPipeError):
                pass
            client.close()
        self.assertTrue(self.served(good))

    def test_many_handshakes_at_once(self):
        failures = []

        def one():
            try:
                if not self.served(self.https()):
                    failures.append("not served")
            except Exception as error:  # pylint: disable=broad-except
                failures.append(repr(error))
        threads = [threading.Thread(target=one) for _ in range(40)]
        silent = [Http(self.daemon.port) for _ in range(40)]  # that never begin theirs
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in silent:
            client.close()
        self.assertEqual(failures, [])

    def test_a_client_that_closes_in_its_handshake(self):
        for length in (1, 5, 60, 200, 600):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            hello = self.context().wrap_bio(incoming, outgoing)
            with self.assertRaises(ssl.SSLWantReadError):
                hello.do_handshake()
            client = Http(self.daemon.port)
            client.send_raw(outgoing.read()[:length])
            client.close()
        self.assertTrue(self.served(self.https()))

    def test_a_renewed_certificate_is_taken_at_a_reload(self):
        certificate, key = self.make_certificate("old.example.org", file="renewed")
        daemon = HttpDaemon(self.folder, self.ssh_config, f'tls_certificate = "{certificate}"\n'
                            f'tls_key = "{key}"\n', "renewed")
        self.addCleanup(daemon.stop)
        daemon.start()
        before = self.https(self.context(certificate), daemon=daemon)
        self.make_certificate("new.example.org", ("rsa:2048",), "renewed")
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: " reloaded " in daemon.log(), "the reload")
        after = self.https(self.context(certificate), daemon=daemon)
        subject = dict(pair[0] for pair in after.socket.getpeercert()["subject"])
        self.assertEqual(subject["commonName"], "new.example.org")
        self.assertTrue(self.served(before))
        self.assertTrue(self.served(after))
        os.truncate(key, 100)  # one that is broken changes nothing
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: " reload_refused " in daemon.log(), "the refusal")
        self.assertTrue(self.served(self.https(self.context(certificate), daemon=daemon)))

    def test_what_is_wrong_is_said_at_the_start(self):
        other = os.path.join(self.folder, "other.pem")
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        other], check=True, capture_output=True)
        open_to_all = os.path.join(self.folder, "open.pem")
        with open(self.key, "rb") as key, open(open_to_all, "wb") as out:
            out.write(key.read())
        os.chmod(open_to_all, 0o644)
        no_key = os.path.join(self.folder, "no_key.pem")
        with open(no_key, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as out:
            out.write("no key\n")
        for config, words in (
                (f'tls_certificate = "{self.certificate}"\n', "need each other"),
                (f'tls_certificate = "{self.certificate}"\ntls_key = "{other}"\n',
                 "does not belong to the certificate"),
                (f'tls_certificate = "{self.folder}/none"\ntls_key = "{other}"\n', "No such file"),
                (f'tls_certificate = "{self.folder}"\ntls_key = "{other}"\n', "no regular file"),
                (f'tls_certificate = "{self.certificate}"\ntls_key = "{open_to_all}"\n',
                 "everybody may use it"),
                (f'tls_certificate = "{self.certificate}"\ntls_key = "{no_key}"\n',
                 "Cannot use the key")):
            daemon = harness.Daemon(self.folder, self.ssh_config, config, "wrong")
            daemon.launch()
            self.assertEqual(daemon.ends(), 1)
            self.assertIn(words, daemon.log())
            os.remove(daemon.log_path)

    def test_beyond_loopback_with_tls(self):
        daemon = HttpDaemon(self.folder, self.ssh_config, self.config + 'http_host = "0.0.0.0"\n',
                            "far")
        self.addCleanup(daemon.stop)
        daemon.start()
        self.assertTrue(self.served(self.https(daemon=daemon)))


if __name__ == "__main__":
    harness.main()
