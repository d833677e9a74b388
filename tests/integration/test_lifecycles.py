"""Both lifecycles of MCP on the Unix socket: `initialize`, and the stateless 2026-07-28."""

import json

import harness
from harness import LEGACY, META, META_CAPABILITIES, META_VERSION, MODERN, text_of


class LifecycleTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def check_tool(self, tools):
        tool = next(tool for tool in tools if tool["name"] == "scout")
        self.assertEqual(tool["inputSchema"]["type"], "object")
        self.assertEqual(tool["inputSchema"]["properties"]["target"]["type"], "string")
        self.assertEqual(tool["outputSchema"]["type"], "object")
        self.assertTrue(tool["description"])
        self.assertTrue(tool["annotations"]["readOnlyHint"])

    def test_each_legacy_revision(self):
        for version in LEGACY:
            with self.subTest(version=version), self.daemon.client() as client:
                result = client.initialize(version)
                self.assertEqual(result["protocolVersion"], version)
                self.assertEqual(result["serverInfo"]["name"], "scout_mcp")
                self.assertIn("tools", result["capabilities"])
                self.assertEqual(client.request("ping")["result"], {})
                self.check_tool(client.request("tools/list")["result"]["tools"])
                self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")

    def test_an_unknown_or_stateless_revision_gets_the_latest_handshake(self):
        for version in ("1999-01-01", MODERN):
            with self.daemon.client() as client:
                self.assertEqual(client.initialize(version)["protocolVersion"], LEGACY[-1])

    def test_tools_list_without_params(self):
        self.client.initialize()
        self.client.send_raw(b'{"method":"tools/list","id":0,"jsonrpc":"2.0"}\n')
        self.check_tool(self.client.wait(0)["result"]["tools"])

    def test_discover_list_and_call_without_a_handshake(self):
        found = self.client.request("server/discover")["result"]
        self.assertEqual(found["resultType"], "complete")
        self.assertEqual(found["supportedVersions"], [MODERN])
        self.assertIn("tools", found["capabilities"])
        self.assertIn("ttlMs", found)
        self.assertIn(found["cacheScope"], ("public", "private"))
        listed = self.client.request("tools/list")["result"]
        self.assertEqual(listed["resultType"], "complete")
        self.assertGreaterEqual(listed["ttlMs"], 0)
        self.assertIn(listed["cacheScope"], ("public", "private"))
        self.check_tool(listed["tools"])
        called = self.client.scout("demo1:hello.txt")
        self.assertEqual(called["resultType"], "complete")
        self.assertEqual(text_of(called), "hello from demo1\n")

    def test_an_unknown_stateless_version(self):
        meta = {**META, META_VERSION: "2099-01-01"}
        self.client.modern = False
        answer = self.client.request("tools/list", {"_meta": meta})
        self.assertRpcError(answer, -32022)
        self.assertEqual(answer["error"]["data"],
                         {"supported": [MODERN], "requested": "2099-01-01"})

    def test_a_level_of_logs_that_is_none(self):
        self.client.modern = False
        for level in ("verbose", "", 5, None, ["info"], "debug\u0041"):
            meta = {**META, "io.modelcontextprotocol/logLevel": level}
            self.assertRpcError(self.client.request("tools/list", {"_meta": meta}), -32602)
        for level in ("debug", "emergency"):  # there are no log messages, whatever is asked for
            meta = {**META, "io.modelcontextprotocol/logLevel": level}
            self.assertIn("tools", self.client.request("tools/list", {"_meta": meta})["result"])

    def test_a_request_without_capabilities(self):
        meta = {META_VERSION: MODERN}
        self.client.modern = False
        self.assertRpcError(self.client.request("tools/list", {"_meta": meta}), -32602)
        meta = {META_CAPABILITIES: {}, META_VERSION: 7}
        self.assertRpcError(self.client.request("tools/list", {"_meta": meta}), -32602)

    def test_legacy_methods_do_not_exist_statelessly(self):
        for method in ("initialize", "ping", "logging/setLevel", "no/such/method"):
            self.assertRpcError(self.client.request(method, {}), -32601)

    def test_both_lifecycles_on_one_connection(self):
        self.client.initialize()
        legacy = self.client.request("tools/list")["result"]
        self.client.modern = True
        modern = self.client.request("tools/list")["result"]
        self.assertEqual(legacy["tools"], modern["tools"])
        self.assertNotIn("resultType", legacy)
        self.assertEqual(modern["resultType"], "complete")

    def test_ids_come_back_as_they_were_written(self):
        for message_id in ('"1"', "1", '""', "-7", "9007199254740993", '"\\u00e4 \\"x\\""'):
            self.client.send_raw(
                b'{"jsonrpc":"2.0","id":%s,"method":"tools/list","params":{"_meta":%s}}\n'
                % (message_id.encode(), json.dumps(META).encode()))
            answer = self.client.line()
            self.assertIn("result", answer)
            self.assertEqual(answer["id"], json.loads(message_id))
            self.assertIs(type(answer["id"]), type(json.loads(message_id)))

    def test_notifications_get_no_answer(self):
        self.client.notify("notifications/whatever")
        self.client.notify("notifications/cancelled", {"requestId": 12345})
        message_id = self.client.send("tools/list")
        self.assertEqual(self.client.line()["id"], message_id)

    def test_half_close_gets_the_answers_it_waits_for(self):
        sent = [self.client.send_scout("demo1:hello.txt") for _ in range(20)]
        self.client.socket.shutdown(1)
        for message_id in sent:
            self.assertEqual(text_of(self.client.result(message_id)), "hello from demo1\n")
        self.assertIsNone(self.client.line())

    def test_batches(self):
        """A batch is refused, except after 2025-03-26 was negotiated."""
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        batch = json.dumps([ping, {**ping, "id": 2}]).encode() + b"\n"
        self.client.send_raw(batch)
        self.assertRpcError(self.client.line(), -32600)
        with self.daemon.client() as client:
            client.initialize("2025-03-26")
            client.send_raw(batch)
            answer = client.line()
            # The answers of a batch are an array of their own.
            self.assertEqual(sorted(one["id"] for one in answer), [1, 2])


if __name__ == "__main__":
    harness.main()
