"""What waits is bounded: to be sent for all clients together, by HTTP and on the Unix socket, and
behind what a client has asked for and not got yet. Then reading stops, and goes on later."""

import json
import os
import re
import signal
import socket
import threading

import harness
from http_client import Http, HttpDaemon

MIB = 1024 * 1024
SIZE = 4 * MIB - 4096  # of the file; it is twice in an answer
UNSENT_MAX = 256 * MIB
READERS = 80


class SlowReader(Http):
    """Takes nothing, and has little room for what comes."""

    def __init__(self, port, token):  # pylint: disable=super-init-not-called
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.timeout, self.token, self.port, self.buffer, self.last_id = 60, token, port, b"", 0


class Sender(threading.Thread):
    """Sends all of it, as fast as it is taken."""

    def __init__(self, connection, data):
        super().__init__(daemon=True)
        self.connection, self.data, self.sent, self.error = connection, data, 0, None

    def run(self):
        try:
            while self.sent < len(self.data):
                self.sent += self.connection.send(self.data[self.sent:self.sent + (1 << 18)])
        except OSError as error:
            self.error = error

    def wait_for_stall(self):
        """Until nothing more is taken, with much of it left."""
        last = [-1, 0]

        def stands():
            last[1] = last[1] + 1 if self.sent == last[0] and self.sent > 0 else 0
            last[0] = self.sent
            return self.error or not self.is_alive() or last[1] >= 50
        harness.wait_until(stands, "nothing more is taken", timeout=60)


class UnsentTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.large = cls.write("large", ("x" * 63 + "\n") * (SIZE // 64))
        cls.daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config,
                                "raw_output = everyone\nmax_file_size = 4194304\n"
                                "call_timeout = 120\ndetach_after = 0\nmax_client_bytes = 268435456\nrole = operator\n")
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def metric(self, name):
        with self.daemon.http() as client:
            text = client.request("GET", "/metrics").body.decode()
        return int(re.search(rf"^scoutd_{name} (\d+)$", text, re.MULTILINE).group(1))

    def ask(self, client):
        client.send_modern("tools/call", {
            "name": "scout", "arguments": {"target": "demo1:" + self.large},
            "_meta": {"scout/output": "raw"}}, {"Accept": "application/json"})

    def read_whole(self):
        with self.daemon.http(timeout=60) as client:
            self.ask(client)
            return client.response()

    def test_slow_readers_over_http(self):
        whole = self.read_whole()
        self.assertEqual(whole.status, 200)
        self.assertGreater(len(whole.body), 2 * SIZE)
        token, slow = self.daemon.token(), []
        for i in range(READERS):
            slow.append(SlowReader(self.daemon.port, token))
            self.ask(slow[-1])
            if i % 16 == 15:
                harness.wait_until(lambda: self.metric("mcp_in_flight") == 0, "all are answered",
                                   timeout=60)
        self.assertGreater(self.metric("http_results_refused_total"), 0)
        self.assertGreater(self.metric("http_unsent_bytes"), UNSENT_MAX - 3 * SIZE)
        self.assertLess(self.metric("http_unsent_bytes"), UNSENT_MAX + 3 * SIZE)

        refused = self.read_whole()
        self.assertEqual(refused.status, 503)
        self.assertGreater(int(refused.headers["retry-after"]), 0)
        self.assertEqual(refused.json()["error"]["data"]["code"], "limit-exceeded")
        with self.daemon.http() as client:  # what is small does not wait for the others
            self.assertEqual(client.modern("server/discover")[0], 200)

        for reader in slow:
            reader.close()
        harness.wait_until(lambda: self.metric("http_unsent_bytes") == 0, "nothing waits")
        self.assertEqual(self.read_whole().status, 200)

    def test_requests_behind_one_that_runs(self):
        """Far more than is kept of them: the connection stays, and all are answered in order."""
        mark, count = self.fleet.path("demo1", "go"), 512
        with self.daemon.http(timeout=60) as client:
            client.send_modern("tools/call", {"name": "run", "arguments": {
                "host": "demo1", "command": f"until [ -e {mark} ]; do sleep 0.05; done"}},
                {"Accept": "application/json"})
            harness.wait_until(lambda: self.metric("mcp_in_flight") == 1, "it runs")
            message = client.message("server/discover", {"_meta": {"pad": "x" * 100000}}, 7)
            body = json.dumps(message).encode()
            fields = {"Host": "localhost", "Authorization": f"Bearer {client.token}",
                      "Content-Type": "application/json", "Accept": "application/json",
                      "Content-Length": len(body), **client.modern_headers(message)}
            head = "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v)
            one = b"POST /mcp HTTP/1.1\r\n" + head.encode() + b"\r\n" + body
            sender = Sender(client.socket, one * count)
            os.kill(self.daemon.process.pid, signal.SIGSTOP)  # so that much comes at once
            sender.start()
            sender.wait_for_stall()
            os.kill(self.daemon.process.pid, signal.SIGCONT)
            sender.wait_for_stall()
            self.assertIsNone(sender.error)
            self.assertLess(sender.sent, len(sender.data))
            with open(mark, "w", encoding="ascii"):
                pass
            self.assertIn("structuredContent", client.response().json()["result"])
            for _ in range(count):
                answer = client.response()
                self.assertEqual((answer.status, answer.json()["id"]), (200, 7))
            sender.join(harness.ANSWER_S)
            self.assertIsNone(sender.error)

    def write_all(self, paths, text, stalls):
        """Large calls that change files, from a client that reads nothing until all is sent or
        nothing more is taken."""
        with self.daemon.client() as client:
            client.socket.settimeout(60)
            lines = []
            for i, path in enumerate(paths):
                content = f"{i}\n" + text.replace("#", str(i))
                params = {"name": "write", "arguments": {
                    "target": "demo1:" + path, "content": content, "overwrite": True}}
                lines.append(json.dumps({"jsonrpc": "2.0", "id": 1000 + i, "method": "tools/call",
                                         "params": params}).encode() + b"\n")
            sender = Sender(client.socket, b"".join(lines))
            sender.start()
            sender.wait_for_stall()
            self.assertEqual(sender.sent < len(sender.data), stalls)
            results = [client.result(1000 + i, 90) for i in range(len(paths))]
            sender.join(harness.ANSWER_S)
            self.assertFalse(sender.is_alive() or sender.error)
            return results

    def test_large_calls_of_a_client_that_does_not_read(self):
        paths = [self.fleet.path("demo1", f"w{i}") for i in range(64)]
        for result in self.write_all(paths, "y" * (200 * 1024), False):
            self.assertNotIn("isError", result)
        for i, path in enumerate(paths):
            with open(path, encoding="ascii") as text:
                self.assertEqual(text.readline(), f"{i}\n")
            self.assertEqual(os.path.getsize(path), len(f"{i}\n") + 200 * 1024)
        # More, and with a large difference each to tell: the answers fill what may wait, reading
        # stops, and goes on when they are taken.
        paths = [paths[i % 64] for i in range(480)]
        for result in self.write_all(paths, "line of #\n" * 8000, True):
            self.assertNotIn("isError", result)

    def test_clients_of_the_socket_that_come_and_go(self):
        line = b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n'
        lines = b"".join(line % i for i in range(40))
        highest = 0
        for i in range(1000):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(harness.ANSWER_S)
                client.connect(self.daemon.socket)
                client.sendall(lines)
                if i % 3:
                    client.recv(100)
                if i % 100 == 0:
                    harness.wait_until(lambda: self.metric("clients_unsent_bytes") > 0, "it waits")
                    highest = max(highest, self.metric("clients_unsent_bytes"))
        self.assertGreater(highest, 100000)
        harness.wait_until(lambda: self.metric("clients") == 0, "all have gone")
        self.assertEqual(self.metric("clients_unsent_bytes"), 0)


if __name__ == "__main__":
    harness.main()
