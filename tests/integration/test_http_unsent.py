"""What waits to be sent is bounded for all clients together, by HTTP and on the Unix socket."""

import re
import socket

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


class UnsentTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.large = cls.write("large", ("x" * 63 + "\n") * (SIZE // 64))
        cls.daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config,
                                "raw_output = everyone\nmax_file_size = 4194304\n"
                                "call_timeout = 120\nrole = operator\n")
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
