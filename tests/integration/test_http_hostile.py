"""Hostile HTTP clients cost their own connection and nothing else: smuggling, slow and silent
peers, floods, garbage; a good client is served beside all of them."""

import os
import random
import socket
import time

import harness
from http_client import Http, HttpDaemon

CALL = {"name": "scout", "arguments": {"target": "hosts", "probe": False}}
IDLE = 1500


class HostileHttpTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        ssh_config = os.path.join(cls.folder, "ssh_config")
        with open(ssh_config, "w", encoding="utf-8") as out:
            out.write("Host web1\n  HostName 127.0.0.1\n")
        cls.daemon = HttpDaemon(cls.folder, ssh_config, "http_connections = 4000\n"
                                "http_address_connections = 4000\n")
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def setUp(self):
        self.good = self.daemon.http()
        self.addCleanup(self.good.close)

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), self.daemon.log())
        self.assertTrue(self.served(self.good))

    def served(self, client):
        status, message = client.modern("tools/call", CALL)
        return status == 200 and "isError" not in message["result"]

    def raw(self, data):
        """All that comes back until the server closes."""
        client = self.daemon.http()
        try:
            client.send_raw(data)
            client.socket.shutdown(socket.SHUT_WR) if not data else None
            while client.fill():
                pass
        except ConnectionError:
            pass
        finally:
            client.close()
        return client.buffer

    def request(self, headers, body=b"", method="POST", path="/mcp", version="HTTP/1.1"):
        lines = [f"{method} {path} {version}", "Host: 127.0.0.1",
                 f"Authorization: Bearer {self.daemon.token()}", "Content-Type: application/json",
                 *headers]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def test_nothing_is_smuggled(self):
        """What two readers could take differently is refused, and what follows it is not read."""
        second = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
        cases = [
            ["Content-Length: 4", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
            ["Transfer-Encoding : chunked"],
            ["Transfer-Encoding: xchunked"],
            ["Transfer-Encoding: chunked, identity"],
            ["Content-Length: 0", "Content-Length: 35"],
            ["Content-Length: 0, 35"],
            ["Content-Length: +0"],
            ["Content-Length: 0x0"],
            ["Content-Length:\x0b0"],
            ["X: a\rContent-Length: 0"],
            ["X: a\nContent-Length: 0"],
            ["X: a\r\n b", "Content-Length: 0"],
            ["Content_Length: 0"],
            ["Content-Length: 0", "Host: b"],
            ["Content-Length: 0", "X\x00: a"],
        ]
        for headers in cases:
            answer = self.raw(self.request(headers, b"0\r\n\r\n" + second))
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, (headers, answer))
            self.assertRegex(answer, rb"^HTTP/1\.1 (400|411|501) ", headers)
            self.assertNotIn(b"\r\n\r\nOK", answer, headers)
        for body in (b"0\r\nX: y\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\n\r\n", b"1\n{\r\n0\r\n\r\n",
                     b"-1\r\n", b"ffffffffffffffff\r\n", b"2\r\n{}0\r\n\r\n"):
            answer = self.raw(self.request(["Transfer-Encoding: chunked"], body + second))
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, (body, answer))
            self.assertRegex(answer, rb"^HTTP/1\.1 (400|413) ", body)

    def test_bodies_that_are_too_large_or_too_deep(self):
        answer = self.raw(self.request(["Content-Length: 4194305"]))
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        answer = self.raw(self.request(["Transfer-Encoding: chunked"],
                                       b"400001\r\n" + b"x" * 4194305))
        self.assertIn(b"HTTP/1.1 413 ", answer)
        for body in (b"[" * 100000, b'{"a":' * 1000, b"\xff\xfe{}", b'{"jsonrpc":"2.0","id":1',
                     b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', b"\x00" * 100,
                     b'{"jsonrpc":"2.0","id":1,"method":"\xed\xa0\x80"}'):
            with self.daemon.http() as client:
                answer = client.request(body=body)
                self.assertEqual(answer.status, 400, body[:40])
                self.assertEqual(answer.json()["error"]["code"], -32700, body[:40])
                self.assertTrue(self.served(client))  # a wrong message does not end the connection

    def test_an_early_refusal_is_read_while_the_body_is_still_sent(self):
        client = self.daemon.http(token="wrong")
        self.addCleanup(client.close)
        client.send(headers={"Content-Length": "4000000", "Content-Type": "application/json"})
        try:
            for _ in range(60):
                client.send_raw(b"x" * 65536)
        except ConnectionError:
            pass
        self.assertEqual(client.response().status, 401)

    def test_a_client_that_reads_nothing(self):
        """Its answers wait up to a bound; nobody else waits."""
        client = self.daemon.http()
        self.addCleanup(client.close)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(0.5)
        before = self.daemon.memory_bytes()
        try:
            for i in range(20000):
                client.send_modern("tools/list", message_id=i)
        except (TimeoutError, socket.timeout, ConnectionError):
            pass
        self.assertTrue(self.served(self.good))
        self.assertLess(self.daemon.memory_bytes() - before, 32 << 20)

    def test_half_closed_and_gone(self):
        for end in range(0, 400, 7):
            client = self.daemon.http()
            message = client.message("tools/call", CALL)
            body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
            data = self.request([f"Content-Length: {len(body)}"], body)
            client.send_raw(data[:end])
            client.socket.shutdown(socket.SHUT_WR)
            if end % 2:
                client.close()
                continue
            try:
                while client.fill():
                    pass
            except ConnectionError:
                pass
            client.close()
            del message

    def test_garbage(self):
        random.seed(7)
        for _ in range(60):
            data = bytes(random.randrange(256) for _ in range(random.randrange(1, 3000)))
            client = Http(self.daemon.port)
            try:
                client.send_raw(data + b"\r\n\r\n")
                client.socket.shutdown(socket.SHUT_WR)
                while client.fill():
                    pass
            except ConnectionError:
                pass
            client.close()
            self.assertNotIn(b"HTTP/1.1 200", client.buffer)

    def test_many_idle_connections_and_slow_heads(self):
        """Heads that come a byte at a time, and connections that say nothing, delay nobody."""
        idle = []
        try:
            for i in range(IDLE):
                client = Http(self.daemon.port)
                if i % 3 == 0:
                    client.send_raw(b"POST /mcp HTTP/1.1\r\nHost: a\r\nX-")
                idle.append(client)
            end = time.monotonic() + 3
            served = 0
            while time.monotonic() < end:
                for client in idle[served % 50:IDLE:150]:
                    if served % 3 == 0:
                        client.send_raw(b"a")
                self.assertTrue(self.served(self.good))
                served += 1
            self.assertGreater(served, 10)
        finally:
            for client in idle:
                client.close()
        harness.wait_until(lambda: harness.descriptors(self.daemon) < 100, "they are closed")

    def test_a_flood_of_sessions(self):
        """Sessions of one name are bounded: those nobody uses go, and one in use goes on."""
        used, client = self.daemon.http(), self.daemon.http()
        self.addCleanup(used.close)
        self.addCleanup(client.close)
        used.initialize()
        for i in range(4200):
            answer = client.request(body=client.message("initialize", {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "x", "version": "1"}}, modern=False))
            self.assertEqual(answer.status, 200)
            if i % 500 == 0:
                self.assertEqual(used.legacy("tools/list")[0], 200)
        metrics = client.request("GET", "/metrics").body.decode()
        self.assertIn("\nscoutd_http_sessions 1024\n", metrics)


if __name__ == "__main__":
    harness.main()
