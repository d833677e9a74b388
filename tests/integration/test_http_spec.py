"""What the specification of MCP wants of a server and the official suite does not look at, over
HTTP: the table "Beside the suite" of docs/wire.md."""

import os
import subprocess

import harness
from http_client import Http, HttpDaemon

PROGRAM = os.path.join(harness.BUILD, "scoutd-conformance")
EVENTS = {"Accept": "text/event-stream"}
NAME_SESSIONS_MAX = 1024
KEEPALIVE_S = 15


class FixtureTest(harness.ScoutTest):
    """Against the suite's server, which has slow tools and such as ask."""

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([PROGRAM, "--http", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                      text=True, preexec_fn=harness.die_with_parent)
        cls.addClassCleanup(cls.server.stdout.close)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        cls.port = int(cls.server.stdout.readline().strip().rsplit(":", 1)[1].split("/")[0])

    def http(self, like=None):
        client = Http(self.port)
        self.addCleanup(client.close)
        if like:
            client.session, client.version = like.session, like.version
        return client

    def progress(self, client):
        client.send_legacy("tools/call", {"name": "test_tool_with_progress", "arguments": {},
                                          "_meta": {"progressToken": "p"}})
        return client.response()

    def test_first_events_without_data_are_for_those_who_know_them(self):
        for version in harness.LEGACY:
            client, listener = self.http(), self.http()
            client.initialize(version)
            self.progress(client)
            first = client.event()
            self.assertRegex(first[0], r"^[0-9]+-0$")
            self.assertEqual(first[1] is None, version == "2025-11-25", (version, first))

    def test_a_stream_that_is_taken_up_while_its_old_connection_stands(self):
        """The old one may be dead without the server's knowing."""
        client = self.http()
        client.initialize()
        self.progress(client)
        first = client.event()[0]
        again = self.http(client)
        answer = again.request("GET", headers=again.session_headers(
            {**EVENTS, "Last-Event-ID": first}))
        self.assertEqual(answer.status, 200)
        events = again.events()
        self.assertIn("result", events[-1][1])
        with self.assertRaises((EOFError, ConnectionError)):
            client.events()

    def test_a_listener_gets_signs_of_life(self):
        client = self.http()
        client.initialize()
        listener = self.http(client)
        listener.socket.settimeout(KEEPALIVE_S + 10)
        listener.send("GET", headers=listener.session_headers(EVENTS))
        self.assertEqual(listener.response().status, 200)
        listener.event()
        self.assertEqual(listener.chunk(), b":\n\n")

    def test_many_sessions_of_one_name(self):
        """The one that was idle longest makes room, and one that is listened to does not."""
        listened, idle, client = self.http(), self.http(), self.http()
        listened.initialize()
        listener = self.http(listened)
        listener.send("GET", headers=listener.session_headers(EVENTS))
        self.assertEqual(listener.response().status, 200)
        idle.initialize()
        for _ in range(NAME_SESSIONS_MAX):
            client.session = client.version = None
            client.initialize()
        self.assertEqual(client.legacy("tools/list")[0], 200)
        self.assertEqual(listened.legacy("tools/list")[0], 200)
        self.assertEqual(idle.legacy("tools/list")[0], 404)

    def test_numbers_in_headers(self):
        """No two numbers that differ count as one, and nothing that a proxy would not take for a
        number counts as one at all."""
        for header, value, status in (("16", "16", 200), ("16.0", "16", 200), ("1.6e1", "16", 200),
                                      ("17", "16", 400), ("0x10", "16", 400), ("", "16", 400),
                                      ("9007199254740993", "9007199254740993", 200),
                                      ("9007199254740992", "9007199254740993", 400)):
            client = self.http()
            message = client.message("tools/call", {"name": "test_custom_header",
                                                    "arguments": {"count": int(value)}})
            answer = client.request(body=message, headers={
                **client.modern_headers(message), "Mcp-Param-Count": header})
            self.assertEqual(answer.status, status, (header, value, answer.body))

    def test_the_version_may_be_left_out_in_a_session(self):
        client = self.http()
        client.initialize("2025-06-18")
        self.assertEqual(client.legacy("tools/list", headers={"MCP-Protocol-Version": None})[0],
                         200)
        for wrong in ("1.0", "2025-11-26", ""):
            headers = {"MCP-Protocol-Version": wrong}
            self.assertEqual(client.legacy("tools/list", headers=headers)[0], 400, wrong)
            note = client.request(body={"jsonrpc": "2.0", "method": "notifications/initialized"},
                                  headers=client.session_headers(headers))
            self.assertEqual((note.status, "id" in note.json()), (400, False), wrong)
            for method in ("GET", "DELETE"):
                answer = self.http().request(
                    method, headers={**EVENTS, **client.session_headers(headers)})
                self.assertEqual(answer.status, 400, (method, wrong))
        self.assertEqual(client.legacy("ping")[0], 200)

    def test_sessions_that_are_none(self):
        client = self.http()
        client.initialize()
        for session in ("x", client.session[:-1], client.session + "A", client.session.lower()):
            for method, body in (("POST", client.message("ping", modern=False)), ("GET", None),
                                 ("DELETE", None)):
                answer = self.http().request(method, body=body, headers={
                    **EVENTS, "Mcp-Session-Id": session, "MCP-Protocol-Version": client.version})
                self.assertEqual(answer.status, 404, (method, session))
        for method in ("GET", "DELETE"):
            self.assertEqual(self.http().request(method, headers=EVENTS).status, 405)

    def test_initialize_is_not_cancelled(self):
        client = self.http()
        client.initialize()
        answer = client.request(body={"jsonrpc": "2.0", "method": "notifications/cancelled",
                                      "params": {"requestId": 1}},
                                headers=client.session_headers())
        self.assertEqual(answer.status, 202)
        self.assertEqual(client.legacy("tools/list")[0], 200)

    def test_a_session_ends_while_it_asks(self):
        """And the server goes on; the answer then finds nobody."""
        client, beside = self.http(), self.http()
        client.initialize()
        beside.session, beside.version = client.session, client.version
        client.send(body=client.message("initialize", {
            "protocolVersion": client.version, "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "a", "version": "1"}}, modern=False),
            headers=client.session_headers())
        self.assertEqual(client.response().status, 200)
        client.send_legacy("tools/call", {"name": "test_elicitation",
                                          "arguments": {"message": "m"}})
        client.response()
        asked = [client.event(), client.event()][-1][1]
        self.assertEqual(asked["method"], "elicitation/create")
        self.assertEqual(beside.request("DELETE", headers=beside.session_headers()).status, 204)
        self.assertEqual(client.events(), [])
        self.assertTrue(client.ended())
        self.assertEqual(beside.request(body={"jsonrpc": "2.0", "id": asked["id"],
                                              "result": {"action": "accept", "content": {}}},
                                        headers=beside.session_headers()).status, 404)
        self.assertIsNone(self.server.poll())


class DaemonTest(harness.ScoutTest):
    """Against the daemon, by its socket: what is told about tools and lists."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = os.path.join(cls.folder, "ssh_config")
        with open(cls.ssh_config, "w", encoding="utf-8") as out:
            out.write("Host web1\n  HostName 127.0.0.1\n  Port 1\n")
        cls.daemon = HttpDaemon(cls.folder, cls.ssh_config, "role = operator\n")
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def http(self):
        client = self.daemon.http()
        self.addCleanup(client.close)
        return client

    def test_tools_say_what_they_do(self):
        tools = self.http().modern("tools/list")[1]["result"]["tools"]
        self.assertGreater(len(tools), 3)
        for tool in tools:
            self.assertTrue(tool["title"] and tool["description"], tool["name"])
            self.assertEqual(tool["inputSchema"]["type"], "object")
            self.assertIn("readOnlyHint", tool["annotations"], tool["name"])

    def test_structured_content_is_there_as_text_too(self):
        tools = self.http().modern("tools/list")[1]["result"]["tools"]
        with_schema = [tool["name"] for tool in tools if "outputSchema" in tool]
        result = self.http().modern("tools/call", {
            "name": "scout", "arguments": {"target": "hosts", "probe": False}})[1]["result"]
        if "scout" in with_schema:
            self.assertIn("structuredContent", result)
        self.assertTrue(any("web1" in part["text"] for part in result["content"]
                            if part["type"] == "text"))

    def test_no_logging(self):
        client = self.http()
        self.assertNotIn("logging", client.modern("server/discover")[1]["result"]["capabilities"])
        self.assertNotIn("logging", client.initialize()["capabilities"])
        self.assertEqual(client.legacy("logging/setLevel", {"level": "info"})[1]["error"]["code"],
                         -32601)

    def test_cursors_that_are_none(self):
        client = self.http()
        for method in ("tools/list", "resources/list", "resources/templates/list", "prompts/list"):
            for cursor in ("x", "", "AAAA", 1):
                message = client.modern(method, {"cursor": cursor})[1]
                self.assertEqual(message["error"]["code"], -32602, (method, cursor))

    def test_meta_of_others_is_left_alone(self):
        meta = {"io.modelcontextprotocol/unknown": 1, "com.example/x": {}, "..": [], "traceparent": "x"}
        status, message = self.http().modern("tools/list", {"_meta": meta})
        self.assertEqual((status, "result" in message), (200, True))

    def test_completion_has_its_limits(self):
        client = self.http()
        for params in ({}, {"ref": {"type": "ref/none"}, "argument": {"name": "a", "value": ""}},
                       {"ref": {"type": "ref/prompt", "name": "none"},
                        "argument": {"name": "a", "value": ""}},
                       {"ref": {"type": "ref/prompt", "name": "inspect-host"},
                        "argument": {"name": "hosts", "value": ""}},
                       {"ref": {"type": "ref/prompt", "name": "inspect-host"},
                        "argument": {"name": "host", "value": 7}}):
            self.assertEqual(client.modern("completion/complete", params)[1].get(
                "error", {}).get("code"), -32602, params)


if __name__ == "__main__":
    harness.main()
