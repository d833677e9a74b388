"""Peers that mean harm before, in and behind a handshake of TLS; others are served meanwhile."""

import os
import select
import socket
import ssl
import subprocess
import threading
import time

import der
import harness
from authority import Authority
from http_client import Http, HttpDaemon

HELD_S = 30  # of a handshake (HTTP_REQUEST_TIME_MS)


class TlsHostileTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = cls.write("ssh_config", "Host web1\n  HostName 127.0.0.1\n")
        server = Authority(cls.folder, "server")
        cls.ca = server.certificate
        certificate, key = server.client("localhost", "IP:127.0.0.1", use="server")
        cls.daemon = HttpDaemon(cls.folder, cls.ssh_config, f'tls_certificate = "{certificate}"\n'
                                f'tls_key = "{key}"\ntls_client_ca = "{cls.ca}"\n')
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def context(self, *pair, version=None, alpn=()):
        context = ssl.create_default_context(cafile=self.ca)
        if pair:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.load_cert_chain(*pair)
        if version:
            context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    def wrap(self, context=None, source="127.0.0.1"):
        client = Http(self.daemon.port, token=self.daemon.token(), source=source)
        self.addCleanup(client.close)
        client.socket = (context or self.context()).wrap_socket(client.socket,
                                                                server_hostname="127.0.0.1")
        return client

    def served(self, client):
        return client.modern("tools/list")[0] == 200

    def hello(self):
        """The bytes of a ClientHello."""
        out = ssl.MemoryBIO()
        tls = self.context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="127.0.0.1")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        return out.read()

    def raw(self, source="127.0.0.1"):
        peer = socket.create_connection(("127.0.0.1", self.daemon.port), harness.ANSWER_S,
                                        (source, 0))
        self.addCleanup(peer.close)
        return peer

    def slow_chain(self):
        """Own files of a client's chain that takes very long to be checked, and of its key."""
        key = os.path.join(self.folder, "slow.key")
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        key], check=True, capture_output=True)
        public = subprocess.run(["openssl", "ec", "-in", key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout
        leaf = der.certificate(public, signature=b"\x55" * 1024, authority=False)
        chain = [leaf] + [der.certificate(der.slow_key(8192)) for _ in range(5)]
        return self.write("slow.crt", "".join(der.pem(one) for one in chain)), key

    def test_chains_that_take_long_delay_their_own(self):
        context = self.context(*self.slow_chain(), version=ssl.TLSVersion.TLSv1_2)
        done, started, count = [], [], 12

        def attack():
            peer = self.raw("127.0.0.2")
            peer.settimeout(120)
            started.append(True)
            try:
                context.wrap_socket(peer, server_hostname="127.0.0.1").recv(1)
            except (ssl.SSLError, OSError):
                done.append(True)
        threads = [threading.Thread(target=attack) for _ in range(count)]
        for thread in threads:
            thread.start()
        harness.wait_until(lambda: len(started) == count and done, "the flood is under way")
        for _ in range(3):
            self.assertTrue(self.served(self.wrap()))
        self.assertLess(len(done), count, "the flood is over: it proves nothing")
        for thread in threads:
            thread.join()
        self.assertEqual(len(done), count)

    def test_a_flood_of_hellos(self):
        """Whoever is in, other transports and newcomers go on; what waits is bounded."""
        hello, stop = self.hello(), threading.Event()
        within = self.wrap()
        local = self.daemon.client()
        self.addCleanup(local.close)
        counts = [0]

        def flood():
            while not stop.is_set():
                peers = []
                try:
                    for _ in range(40):
                        peers.append(socket.create_connection(("127.0.0.1", self.daemon.port), 5,
                                                              ("127.0.0.3", 0)))
                        peers[-1].sendall(hello)
                        counts[0] += 1
                    select.select(peers, [], [], 5)
                except OSError:
                    pass
                for peer in peers:
                    peer.close()
        threads = [threading.Thread(target=flood) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            harness.wait_until(lambda: counts[0] > 200, "the flood is under way")
            worst = 0
            for _ in range(30):
                begin = time.monotonic()
                self.assertTrue(self.served(within))
                self.assertIn("result", local.request("tools/list"))
                worst = max(worst, time.monotonic() - begin)
            self.assertTrue(self.served(self.wrap()))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertLess(worst, 2)
        harness.wait_until(lambda: self.daemon.memory_bytes() < 200 << 20, "its memory is bounded")

    def test_handshakes_that_are_held_end(self):
        hello = self.hello()
        begin = time.monotonic()
        held = {"nothing": b"", "a byte": hello[:1], "half a record": hello[:50],
                "a hello": hello}
        peers = {what: self.raw() for what in held}
        for what, data in held.items():
            peers[what].sendall(data)
        dribble = self.raw()
        dribble.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ended, sent = set(), 0
        while len(ended) <= len(held) and time.monotonic() - begin < HELD_S + 15:
            try:
                dribble.sendall(hello[sent:sent + 1])
                sent += 1
            except OSError:
                ended.add("dribble")
            ready, _, _ = select.select([p for w, p in peers.items() if w not in ended], [], [], 1)
            for what in [w for w, p in peers.items() if p in ready]:
                try:
                    data = peers[what].recv(1 << 16)
                except OSError:
                    data = b""
                if not data:
                    ended.add(what)
                    self.assertGreater(time.monotonic() - begin, HELD_S - 5)
        self.assertEqual(ended, {*held, "dribble"})
        self.assertTrue(self.served(self.wrap()))

    def test_records_byte_by_byte(self):
        came, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context().wrap_bio(came, out, server_hostname="127.0.0.1")
        peer = self.raw()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step(what):
            while True:
                try:
                    result = what()
                    send()
                    return result
                except ssl.SSLWantReadError:
                    send()
                    came.write(peer.recv(1 << 16))

        def send():
            for byte in out.read():
                peer.sendall(bytes([byte]))
        step(tls.do_handshake)
        tls.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        send()
        self.assertTrue(step(lambda: tls.read(1 << 16)).startswith(b"HTTP/1.1 200 "))

    def test_no_handshake_within_another(self):
        """It would be worked on by the loop, and not by a helper thread."""
        openssl = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.daemon.port}", "-tls1_2",
             "-CAfile", self.ca], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.addCleanup(openssl.wait)
        self.addCleanup(openssl.kill)
        self.addCleanup(openssl.stdout.close)
        self.addCleanup(openssl.stdin.close)
        openssl.stdin.write(b"R\n")
        openssl.stdin.flush()
        told = b""
        while b"no renegotiation" not in told:
            data = os.read(openssl.stdout.fileno(), 1 << 16)
            self.assertTrue(data, told)
            told += data
        self.assertTrue(self.served(self.wrap()))

    def test_protocols(self):
        client = self.wrap(self.context(alpn=["h2", "http/1.1"]))
        self.assertEqual(client.socket.selected_alpn_protocol(), "http/1.1")
        self.assertTrue(self.served(client))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.wrap(self.context(alpn=["h2"]))

    def test_bad_records_behind_the_handshake(self):
        for data in (b"\x17\x03\x03\x00\x20" + bytes(32), b"\x17\x03\x03\xff\xff", b"\x16\x03\x01\x00",
                     b"GET / HTTP/1.1\r\n\r\n", b"\x14\x03\x03\x00\x01\x01" * 1000,
                     b"\x15\x03\x03\x00\x02\x01\x00" * 1000, b"\x17\x03\x03\x00\x00" * 1000):
            client = self.wrap()
            self.assertTrue(self.served(client))
            under = socket.socket(fileno=os.dup(client.socket.fileno()))
            self.addCleanup(under.close)
            under.settimeout(harness.ANSWER_S)
            try:
                under.sendall(data)
                under.shutdown(socket.SHUT_WR)
                while under.recv(1 << 16):
                    pass
            except OSError:
                pass
        self.assertTrue(self.served(self.wrap()))

    def test_a_request_that_is_cut_short_is_none(self):
        """Nothing tells a connection that somebody cut from one whose client has died."""
        before = self.daemon.log().count("method=tools/call")
        for length in (10, 100, 350):
            client = self.wrap()
            message = client.message("tools/call", {"name": "scout", "arguments": {
                "target": "hosts", "probe": False}})
            body = client.send_raw
            sent = []
            client.send_raw = sent.append
            client.send(body=message, headers=client.modern_headers(message))
            body(b"".join(sent)[:length])
            client.socket.shutdown(socket.SHUT_RDWR)
        self.assertTrue(self.served(self.wrap()))
        self.assertEqual(self.daemon.log().count("method=tools/call"), before)

    def test_chains_of_garbage(self):
        """The certificates of a client that are none, too many, or too large."""
        key = os.path.join(self.folder, "garbage.key")
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        key], check=True, capture_output=True)
        public = subprocess.run(["openssl", "ec", "-in", key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout
        leaf = der.certificate(public, authority=False)
        same = der.certificate(public)
        for chain in ([leaf], [leaf] + [same] * 40, [leaf] + [same] * 200,
                      [der.certificate(public, subject="s" * 20000)],
                      [der.certificate(public, signature=b"\x55" * 60000)]):
            path = self.write("garbage.crt", "".join(der.pem(one) for one in chain))
            for version in (ssl.TLSVersion.TLSv1_2, None):
                with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                    self.served(self.wrap(self.context(path, key, version=version)))
        self.assertTrue(self.served(self.wrap()))


if __name__ == "__main__":
    harness.main()
