"""Clients that misbehave: each costs its own connection at most, the others go on."""

import json
import socket
import time

import harness
from harness import META, text_of

LINE_MAX = 4 << 20


class ClientsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.large = cls.fleet.write("demo1", "large", b"y" * 200000)
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def read_good(self, client=None, within=1):
        begun = time.monotonic()
        result = (client or self.client).scout("demo1:hello.txt")
        self.assertEqual(text_of(result), "hello from demo1\n")
        self.assertLess(time.monotonic() - begun, within)

    def refused(self, line, code, reason=None, client=None):
        """The line gets an error without id, and the session goes on."""
        client = client or self.client
        client.send_raw(line + b"\n")
        answer = client.line()
        self.assertRpcError(answer, code, reason)
        return answer

    def test_half_a_line_disturbs_nobody(self):
        lazy = [self.daemon.client() for _ in range(20)]
        for client in lazy:
            client.send_raw(b'{"jsonrpc":"2.0","id":1,"meth')
        self.read_good()
        for client in lazy:
            client.send_raw(b'od":"tools/list","params":{"_meta":%s}}\n'
                            % json.dumps(META).encode())
            self.assertIn("result", client.wait(1))
            client.close()

    def test_byte_by_byte(self):
        line = json.dumps({"jsonrpc": "2.0", "id": "bytes", "method": "tools/call", "params": {
            "name": "scout", "arguments": {"target": "demo1:hello.txt"}, "_meta": META}})
        for byte in line.encode() + b"\r\n":
            self.client.send_raw(bytes([byte]))
        self.assertEqual(text_of(self.client.result("bytes")), "hello from demo1\n")

    def test_many_messages_in_one_write(self):
        lines = b"".join(
            json.dumps({"jsonrpc": "2.0", "id": index, "method": "tools/list",
                        "params": {"_meta": META}}).encode() + b"\n" for index in range(200))
        self.client.send_raw(lines)
        for index in range(200):
            self.assertIn("result", self.client.wait(index))

    def test_more_calls_than_places_by_a_client_that_half_closes(self):
        count = 1500  # more than may be in flight, and more than may wait
        with self.daemon.client() as client:
            client.send_raw(b"".join(json.dumps({
                "jsonrpc": "2.0", "id": index, "method": "tools/call", "params": {
                    "name": "scout", "arguments": {"target": "demo1:hello.txt"}, "_meta": META}
            }).encode() + b"\n" for index in range(count)))
            client.socket.shutdown(socket.SHUT_WR)
            for index in range(count):
                self.assertEqual(text_of(client.result(index, 30)), "hello from demo1\n")
            self.assertIsNone(client.line())

    def test_200_clients(self):
        clients = [self.daemon.client() for _ in range(200)]
        for client in clients:
            self.addCleanup(client.close)
        sent = [client.send_scout("demo1:hello.txt") for client in clients]
        for client, message_id in zip(clients, sent):
            self.assertEqual(text_of(client.result(message_id)), "hello from demo1\n")
        self.read_good()

    def test_clients_that_come_and_go(self):
        for index in range(200):
            client = self.daemon.client()
            if index % 2:
                client.send_scout("demo1:" + self.large)
            client.close()
        self.read_good()

    def test_lines_that_are_no_json(self):
        for line in (b"garbage", b"{", b'{"a":1}x', b"'single'", b"\x00", b"nul", b"[1,2", b"}{",
                     b'{"jsonrpc":"2.0","id":1,"method":"ping",}', b'"\x01"'):
            with self.subTest(line=line):
                answer = self.refused(line, -32700)
                self.assertNotIn("id", answer)
                self.assertIn("offset", answer["error"]["data"])
        self.read_good()

    def test_what_a_later_parser_could_take_differently(self):
        envelope = b'{"jsonrpc":"2.0","id":5,"method":"tools/list","params":%s}'
        no_text = (b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}',
                   b"[" * 100 + b"]" * 100)
        # Each reader finds the same id in them.
        text = (b'{"a":"\\u0000"}', b'{"a\\u0000b":1}', b'{"a":1,"a":2}',
                b'{"a":1,"\\u0061":2}', b'{"a":"\\ud800"}')
        for params in no_text + text:
            with self.subTest(params=params[:30]):
                answer = self.refused(envelope % params, -32700)
                self.assertEqual(answer.get("id"), 5 if params in text else None)
                self.assertTrue(answer["error"]["data"]["reason"])
        self.read_good()

    def test_json_that_is_no_request(self):
        for line in (b"1", b'"x"', b"null", b"true", b"{}", b'{"id":1}', b"[]", b"[1]",
                     b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
                     b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
                     b'{"jsonrpc":"1.0","id":3,"method":"ping"}',
                     b'{"jsonrpc":"2.0","id":3,"method":7}'):
            with self.subTest(line=line):
                self.refused(line, -32600)
        answer = self.refused(b'{"jsonrpc":"2.0","id":3,"method":7}', -32600)
        self.assertEqual(answer["id"], 3)
        self.read_good()

    def test_malformed_params(self):
        for params in ("7", "[]", '"x"', "null"):
            self.client.send_raw(b'{"jsonrpc":"2.0","id":8,"method":"tools/call","params":%s}\n'
                                 % params.encode())
            self.assertRpcError(self.client.wait(8), -32602)

    def test_empty_lines_are_passed_over(self):
        self.client.send_raw(b"\n\r\n\n")
        self.read_good()

    def test_a_long_line_within_the_limit(self):
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list",
                   "params": {"_meta": META, "padding": ""}}
        message["params"]["padding"] = "p" * (LINE_MAX - len(json.dumps(message)))
        line = json.dumps(message).encode()
        self.assertEqual(len(line), LINE_MAX)
        self.client.send_raw(line + b"\n")
        self.assertIn("result", self.client.wait(1))
        self.read_good()

    def test_a_line_over_the_limit_ends_that_client(self):
        bad = self.daemon.client()
        self.addCleanup(bad.close)
        try:
            bad.send_raw(b"x" * (LINE_MAX + 65536))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was closed before all of it was sent
        self.assertRpcError(bad.line(), -32600, "line-too-long")
        self.assertIsNone(bad.line())
        self.read_good()

    def test_a_client_that_never_reads_is_held_back_and_the_others_go_on(self):
        memory = self.daemon.memory_bytes()
        lazy = self.daemon.client()
        self.addCleanup(lazy.close)
        lazy.socket.setblocking(False)
        def line(number):
            return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {
                "name": "scout", "arguments": {"target": "demo1:" + self.large},
                "_meta": harness.RAW_META}}).encode() + b"\n"

        sent = blocked = 0
        data = b""
        end = time.monotonic() + 20
        while sent < 20000 and blocked < 20 and time.monotonic() < end:
            data = data or line(sent)
            try:
                data = data[lazy.socket.send(data):]
                sent += not data
                blocked = 0
            except BlockingIOError:
                # Its requests are not taken up any more: that is the back-pressure.
                blocked += 1
                # Behind 50 MB that the same host is sending: a busy machine takes its time.
                self.read_good(within=5)
                time.sleep(0.05)
        self.assertEqual(blocked, 20, f"{sent} requests were taken without one answer read")
        self.assertLess(self.daemon.memory_bytes() - memory, 200 << 20)
        self.read_good()
        # When it reads at last, it gets every answer that it asked for.
        lazy.socket.setblocking(True)
        lazy.socket.shutdown(socket.SHUT_WR)
        answers = 0
        while True:
            try:
                message = lazy.line()
            except AssertionError:
                break
            if message is None:
                break
            if "error" in message:  # it did not fit what may wait for a client, and that is said
                self.assertEqual(message["error"]["data"]["code"], "limit-exceeded")
                answers += 1
            else:
                self.assertEqual(len(text_of(message["result"])), 200000)
                answers += 1
        # The last line may have been cut by the shutdown.
        self.assertGreaterEqual(answers, sent)

    def test_clients_that_vanish_in_mid_answer(self):
        for _ in range(30):
            client = self.daemon.client()
            for _ in range(10):
                client.send_scout("demo1:" + self.large)
            client.socket.recv(100)
            client.close()
        self.read_good()

    def test_cancelled_calls_are_forgotten(self):
        for _ in range(50):
            message_id = self.client.send_scout("demo1:" + self.large)
            self.client.notify("notifications/cancelled", {"requestId": message_id})
        self.read_good()


class CrowdTest(harness.ScoutTest):
    """Clients that take nothing of what they ask for."""

    def test_what_waits_for_all_together_is_limited(self):
        self.make_folder()
        fleet = self.make_fleet(1)
        fleet.write("demo1", "large", b"x" * (1 << 20))
        fleet.write("demo1", "small", "small")
        daemon = self.make_daemon(fleet.ssh_config)
        clients = [daemon.client().raw() for _ in range(6)]
        # Of text and structured content, 60 MiB for each: below what may wait for one of them.
        sent = [[client.send_scout("demo1:large") for _ in range(30)] for client in clients]
        harness.wait_until(
            lambda: daemon.log().count("request tool=scout") >= 180, "all have ended", 60)
        with daemon.client().raw() as other:
            self.assertEqual(text_of(other.scout("demo1:large")), "x" * (1 << 20))
        codes = set()
        for client, message_ids in zip(clients, sent):
            for message_id in message_ids:
                answer = client.wait(message_id, 30)
                codes.add(answer.get("error", {}).get("data", {}).get("code"))
            self.assertEqual(text_of(client.scout("demo1:small")), "small")
            client.close()
        self.assertEqual(codes, {None, "limit-exceeded"})


if __name__ == "__main__":
    harness.main()
