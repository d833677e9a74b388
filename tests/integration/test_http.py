"""MCP over Streamable HTTP: what is served, who is let in, and what becomes of a stream."""

import json
import os
import signal
import stat
import subprocess

import harness
from harness import MODERN, text_of
from http_client import Http, HttpDaemon

CALL = {"name": "scout", "arguments": {"target": "hosts", "probe": False}}


class HttpTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.file = cls.fleet.write("demo1", "a.txt", "over HTTP\n")
        cls.daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config,
                                'role = operator\nhttp_names = "scout.example.org"\n'
                                'http_origins = "https://ui.example.org"\n', "d")
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def http(self, **options):
        client = self.daemon.http(**options)
        self.addCleanup(client.close)
        return client

    def sleep_call(self, seconds, **meta):
        params = {"name": "run", "arguments": {"host": "demo1", "command": f"sleep {seconds}"}}
        return {**params, "_meta": meta} if meta else params

    def sleeping(self, seconds):
        """Whether such a command runs on the host."""
        return subprocess.run(["pgrep", "-f", f"^sleep {seconds}$"], check=False,
                              stdout=subprocess.DEVNULL).returncode == 0

    # ---- who is let in ----

    def test_health_needs_no_token(self):
        answer = self.http(token=None).request("GET", "/health")
        self.assertEqual((answer.status, answer.body), (200, b"OK"))
        self.assertEqual(answer.headers["content-type"], "text/plain")
        self.assertEqual(self.http(token=None).request("POST", "/health", {}).status, 405)

    def test_a_token_is_always_needed(self):
        mode = os.stat(os.path.join(self.daemon.state, "http-token")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        for token, text in ((None, "Missing API key"), ("scout_wrong", "Invalid API key")):
            client = self.http(token=token)
            answer = client.request(body=client.message("server/discover"))
            self.assertEqual((answer.status, answer.json()), (401, {"error": text}))
            self.assertTrue(answer.headers["www-authenticate"].startswith("Bearer"))
            self.assertTrue(client.ended())
        self.assertNotIn("scout_wrong", self.daemon.log())
        harness.wait_until(lambda: "token_refused token_sha256=" in self.daemon.log(), "the log")
        client = self.http(token=None)
        message = client.message("server/discover")
        answer = client.request(body=message, headers={
            **client.modern_headers(message), "X-API-Key": self.daemon.token()})
        self.assertEqual(answer.status, 200)
        both = {**client.modern_headers(message), "X-API-Key": self.daemon.token(),
                "Authorization": "Bearer other"}
        answer = client.request(body=message, headers=both)
        self.assertEqual((answer.status, answer.json()),
                         (400, {"error": "There are two API keys that differ"}))
        self.assertIn('error="invalid_request"', answer.headers["www-authenticate"])
        for field, status in ((f"Bearer {self.daemon.token()}", 200),
                              (f"bearer   {self.daemon.token()}", 200),
                              (f"Bearer{self.daemon.token()}", 401), ("Bearer", 401)):
            with self.http(token=None) as one:
                answer = one.request(body=message, headers={
                    **client.modern_headers(message), "Authorization": field})
                self.assertEqual(answer.status, status, field)

    def test_names_and_origins(self):
        cases = [({"Host": f"127.0.0.1:{self.daemon.port}"}, 200), ({"Host": "localhost"}, 200),
                 ({"Host": "LocalHost:1"}, 200), ({"Host": "localhostt"}, 421),
                 ({"Host": "LOCALHOST:1", "Origin": "http://localhost:1"}, 200),
                 ({"Host": "[::1]:80"}, 200), ({"Host": "scout.example.org:443"}, 200),
                 ({"Host": "SCOUT.example.org"}, 200), ({"Host": "evil.example.com"}, 421),
                 ({"Host": "[::1].example.com"}, 421), ({"Host": "localhost:1.example.com"}, 421),
                 ({"Host": "evil.example.com", "Origin": "http://evil.example.com"}, 421),
                 ({"Origin": "http://evil.example.com"}, 403), ({"Origin": "null"}, 403),
                 ({"Origin": f"http://127.0.0.1:{self.daemon.port}"}, 200),
                 ({"Origin": f"http://127.0.0.1:{self.daemon.port}.evil.com"}, 403),
                 ({"Origin": "https://ui.example.org"}, 200)]
        for headers, status in cases:
            client = self.http()
            message = client.message("server/discover")
            answer = client.request(body=message,
                                    headers={**client.modern_headers(message), **headers})
            self.assertEqual(answer.status, status, headers)

    def test_what_is_not_there(self):
        client = self.http()
        self.assertEqual(client.request("GET", "/").status, 404)
        self.assertEqual(client.request("GET", "/mcp/x").status, 404)
        answer = client.request("PUT", "/nowhere", b"")
        self.assertEqual(answer.status, 404)
        for method in ("GET", "DELETE"):
            answer = client.request(method, "/mcp")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST"))
        answer = client.request("OPTIONS", "/mcp")
        self.assertEqual(answer.status, 405)
        answer = client.request(body={}, headers={"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 415)
        self.assertTrue(client.ended())

    # ---- 2026-07-28 ----

    def test_a_stateless_call(self):
        client = self.http()
        status, message = client.modern("tools/call", {
            "name": "scout", "arguments": {"target": f"demo1:{self.file}"}})
        self.assertEqual(status, 200)
        self.assertEqual(message["result"]["resultType"], "complete")
        self.assertEqual(text_of(message["result"]), "over HTTP\n")
        status, message = client.modern("tools/list")
        self.assertIn("run", {tool["name"] for tool in message["result"]["tools"]})

    def test_the_status_says_what_was_wrong(self):
        client = self.http()
        cases = [("unknown/method", None, {}, 404, -32601),
                 ("ping", None, {}, 404, -32601),
                 ("tools/call", {"name": "none"}, {}, 200, -32602),
                 ("tools/list", None, {"Mcp-Method": None}, 400, -32020),
                 ("tools/list", None, {"Mcp-Method": "tools/call"}, 400, -32020),
                 ("tools/list", None, {"MCP-Protocol-Version": None}, 400, -32020),
                 ("tools/list", None, {"MCP-Protocol-Version": "2025-11-25"}, 400, -32020),
                 ("tools/call", CALL, {"Mcp-Name": None}, 400, -32020),
                 ("tools/call", CALL, {"Mcp-Name": "run"}, 400, -32020),
                 ("tools/call", CALL, {"Mcp-Name": "=?base64?c2NvdXQ=?="}, 200, None),
                 ("tools/call", CALL, {"Mcp-Name": "=?base64?c2NvdXQ?="}, 400, -32020),
                 ("tools/list", {"_meta": {harness.META_VERSION: "v999"}}, {}, 400, -32022)]
        for method, params, headers, status, code in cases:
            found, message = client.modern(method, params, headers)
            self.assertEqual((found, message.get("error", {}).get("code")), (status, code),
                             (method, headers, message))
        for body, code in ((b"{", -32700), (b"[]", -32600), (b'{"id":1}', -32600)):
            answer = client.request(body=body, headers={"MCP-Protocol-Version": MODERN})
            self.assertEqual((answer.status, answer.json()["error"]["code"]), (400, code))
        answer = client.request(body={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
                                headers={"MCP-Protocol-Version": MODERN,
                                         "Mcp-Method": "tools/list"})
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (400, -32602))
        answer = client.request(body={"jsonrpc": "2.0", "method": "notifications/x"},
                                headers={"MCP-Protocol-Version": MODERN})
        self.assertEqual((answer.status, answer.body), (202, b""))

    def test_json_with_line_breaks_and_chunks(self):
        client = self.http()
        message = client.message("tools/call", CALL)
        text = json.dumps(message, indent=2).encode()
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(text[i:i + 7]), text[i:i + 7])
                          for i in range(0, len(text), 7)) + b"0\r\n\r\n"
        client.send(headers={**client.modern_headers(message), "Transfer-Encoding": "chunked",
                             "Content-Type": "application/json; charset=utf-8"})
        client.send_raw(pieces)
        answer = client.response()
        self.assertEqual(answer.status, 200)
        self.assertNotIn("isError", answer.json()["result"])

    def test_progress_comes_as_events(self):
        client = self.http()
        command = "for i in 1 2 3; do echo $i; sleep 0.3; done"
        client.send_modern("tools/call", {
            "name": "run", "arguments": {"host": "demo1", "command": command},
            "_meta": {"progressToken": "p"}})
        answer = client.response()
        self.assertEqual((answer.status, answer.headers["content-type"]),
                         (200, "text/event-stream"))
        events = [message for _, message in client.events()]
        self.assertGreater(len(events), 1)
        for message in events[:-1]:
            self.assertEqual(message["method"], "notifications/progress")
            self.assertEqual(message["params"]["progressToken"], "p")
        self.assertEqual(events[-1]["result"]["structuredContent"]["stdout"], "1\n2\n3\n")
        status, message = client.modern("tools/call", CALL)  # the connection goes on
        self.assertEqual(status, 200)

    def test_without_events_only_the_answer_counts(self):
        client = self.http()
        client.send_modern("tools/call", self.sleep_call("0.4", progressToken=1),
                           {"Accept": "application/json"})
        answer = client.response()
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertNotIn("isError", answer.json()["result"])

    def test_closing_cancels(self):
        client = self.http()
        client.send_modern("tools/call", self.sleep_call("47.1"))
        harness.wait_until(lambda: self.sleeping("47.1"), "the command runs")
        client.close()
        harness.wait_until(lambda: not self.sleeping("47.1"), "the command was stopped")

    def test_requests_one_behind_the_other(self):
        client = self.http()
        for i in range(20):
            client.send_modern("tools/call", CALL, message_id=i)
        for i in range(20):
            self.assertEqual(client.response().json()["id"], i)

    # ---- sessions ----

    def test_a_session(self):
        client = self.http()
        for version in harness.LEGACY:
            self.assertEqual(client.initialize(version)["protocolVersion"], version)
            status, message = client.legacy("tools/call", CALL)
            self.assertEqual((status, message["result"].get("isError")), (200, None))
            status, message = client.legacy("nothing")
            self.assertEqual((status, message["error"]["code"]), (200, -32601))
        answer = client.request("DELETE", headers=client.session_headers())
        self.assertEqual((answer.status, answer.body), (204, None))
        self.assertEqual(client.legacy("tools/list")[0], 404)

    def test_a_session_is_its_owners(self):
        client = self.http()
        client.initialize()
        tokens = os.path.join(self.folder, "tokens")
        told = subprocess.run([harness.SCOUT, "token", "new", "other", "operator", tokens],
                              check=True, capture_output=True, text=True,
                              env=harness.clean_environment(self.folder))
        other = HttpDaemon(self.folder, self.fleet.ssh_config, f'tokens = "{tokens}"\n', "other")
        self.addCleanup(other.stop)
        other.start()
        first = other.http()
        self.addCleanup(first.close)
        first.initialize()
        thief = other.http(token=told.stdout.strip())
        self.addCleanup(thief.close)
        thief.session, thief.version = first.session, first.version
        self.assertEqual(thief.legacy("tools/list")[0], 404)
        self.assertEqual(first.legacy("tools/list")[0], 200)

    def test_old_versions_and_batches(self):
        client = self.http()
        client.initialize("2025-03-26")
        batch = [client.message("ping", modern=False), client.message("tools/call", CALL,
                                                                      modern=False)]
        answer = client.request(body=batch, headers=client.session_headers())
        self.assertEqual({item["id"] for item in answer.json()}, {batch[0]["id"], batch[1]["id"]})
        # One that is wrong is so for itself: the others have been done.
        answer = client.request(body=[client.message("ping", modern=False), {"jsonrpc": "1.0"}],
                                headers=client.session_headers())
        self.assertEqual((answer.status, len(answer.json())), (200, 2))
        status, message = client.legacy("tools/list", headers={"MCP-Protocol-Version": "1999"})
        self.assertEqual((status, message["error"]["code"]), (400, -32600))

    def test_a_cancelled_request_is_not_answered(self):
        client, second = self.http(), self.http()
        client.initialize()
        second.session, second.version = client.session, client.version
        number = client.send_legacy("tools/call", self.sleep_call("47.2"))
        harness.wait_until(lambda: self.sleeping("47.2"), "the command runs")
        answer = second.request(body={"jsonrpc": "2.0", "method": "notifications/cancelled",
                                      "params": {"requestId": number}},
                                headers=second.session_headers())
        self.assertEqual(answer.status, 202)
        harness.wait_until(lambda: not self.sleeping("47.2"), "the command was stopped")
        self.assertEqual(client.response().status, 202)
        self.assertEqual(client.legacy("tools/call", CALL)[0], 200)

    def test_a_lost_stream_is_taken_up_again(self):
        """Revision 2025-11-25: a disconnection is no cancellation."""
        client = self.http()
        client.initialize()
        command = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.3; done"
        client.send_legacy("tools/call", {
            "name": "run", "arguments": {"host": "demo1", "command": command},
            "_meta": {"progressToken": 7}})
        self.assertEqual(client.response().headers["content-type"], "text/event-stream")
        first, message = client.event()
        self.assertIsNone(message)
        last, message = client.event()
        self.assertEqual(message["method"], "notifications/progress")
        client.close()
        for resume_from in (first, last):
            again = self.http()
            answer = again.request("GET", headers=client.session_headers({
                "Accept": "text/event-stream", "Last-Event-ID": resume_from}))
            self.assertEqual(answer.headers["content-type"], "text/event-stream")
            events = again.events()
            self.assertEqual(events[-1][1]["result"]["structuredContent"]["stdout"],
                             "".join(f"{i}\n" for i in range(1, 9)))
            self.assertEqual(last in [event[0] for event in events], resume_from == first)
        for wrong in ("999-0", "1-999999", "x", "1-", "-1"):
            answer = again.request("GET", headers=client.session_headers({
                "Accept": "text/event-stream", "Last-Event-ID": wrong}))
            self.assertEqual(answer.status, 404, wrong)

    def test_listening(self):
        client, other = self.http(), self.http()
        client.initialize()
        self.assertEqual(client.request("GET", headers=client.session_headers()).status, 406)
        client.send("GET", headers=client.session_headers({"Accept": "text/event-stream"}))
        self.assertEqual(client.response().headers["content-type"], "text/event-stream")
        self.assertIsNone(client.event()[1])
        # A newer listener takes its place.
        other.send("GET", headers=client.session_headers({"Accept": "text/event-stream"}))
        self.assertEqual(other.response().status, 200)
        self.assertIsNone(client.event())
        # The session's end ends it.
        third = self.http()
        third.request("DELETE", headers=client.session_headers())
        self.assertEqual([message for _, message in other.events()], [None])

    # ---- the end ----

    def test_the_daemon_ends_with_streams_open(self):
        daemon = HttpDaemon(self.folder, self.fleet.ssh_config, "role = operator\n", "end")
        self.addCleanup(daemon.stop)
        daemon.start()
        idle, listener, busy = (daemon.http() for _ in range(3))
        for client in (idle, listener, busy):
            self.addCleanup(client.close)
        listener.initialize()
        listener.send("GET", headers=listener.session_headers({"Accept": "text/event-stream"}))
        listener.response()
        listener.event()
        busy.send_modern("tools/call", self.sleep_call("0.7"))
        harness.wait_until(lambda: self.sleeping("0.7"), "the command runs")
        daemon.process.send_signal(signal.SIGTERM)
        answer = busy.response()
        self.assertNotIn("isError", answer.json()["result"])
        self.assertIsNone(listener.event())
        self.assertTrue(idle.ended())
        daemon.stop()

    def test_off_by_default_and_only_loopback(self):
        daemon = harness.Daemon(self.folder, self.fleet.ssh_config, "", "off")
        self.addCleanup(daemon.stop)
        daemon.start()
        self.assertNotIn("http_ready", daemon.log())
        for host in ("0.0.0.0", "::", "192.0.2.1"):
            refused = harness.Daemon(self.folder, self.fleet.ssh_config,
                                     f'transport = http\nhttp_host = "{host}"\n', "far")
            refused.launch()
            self.assertEqual(refused.ends(), 1)
            self.assertIn("loopback", refused.log())
            # A check says it, too, and a reload refuses it.
            checked = subprocess.run([*refused.command(), "--check-config"], capture_output=True,
                                     text=True, timeout=harness.READY_S, check=False)
            self.assertEqual(checked.returncode, 1)
            self.assertIn("loopback", checked.stderr)

    def test_the_flag(self):
        for host, address in (("[::1]", "::1"), ("localhost", "127.0.0.1")):
            daemon = harness.Daemon(self.folder, self.fleet.ssh_config, "", "flag" + address)
            self.addCleanup(daemon.stop)
            command = [*daemon.command(), "--http", host + ":0"]
            daemon.command = lambda words=command: words
            daemon.start()
            harness.wait_until(lambda: f" http_ready address={address} " in daemon.log(), host)

    def test_a_flag_that_is_wrong_is_refused(self):
        """A variable would be passed over, and the daemon would listen elsewhere."""
        for wrong in ("127.0.0.1", "127.0.0.1:", ":8000", "127.0.0.1:65536", "127.0.0.1:80x",
                      "127.0.0.1:-1", "no.address:8000", "[::1:8000", "127.0.0.1:99999999999"):
            daemon = harness.Daemon(self.folder, self.fleet.ssh_config, "", "wrong")
            ended = subprocess.run([*daemon.command(), "--http", wrong], capture_output=True,
                                   text=True, timeout=harness.READY_S, check=False)
            self.assertEqual(ended.returncode, 2, wrong)
            self.assertIn(f"--http takes HOST:PORT, an address or localhost, and a port up to 65535, not '{wrong}'",
                          ended.stderr)


class EndTest(harness.ScoutTest):
    def test_calls_that_take_long_are_answered_when_the_daemon_ends(self):
        self.make_folder()
        fleet = self.make_fleet(1)
        daemon = HttpDaemon(self.folder, fleet.ssh_config, "role = operator\n")
        self.addCleanup(daemon.stop)
        daemon.start()
        call = {"name": "run", "arguments": {"host": "demo1", "command": "echo so far; sleep 62.3"}}
        modern, session, second = daemon.http(timeout=20), daemon.http(timeout=20), daemon.http(timeout=20)
        for client in (modern, session, second):
            self.addCleanup(client.close)
        modern.send_modern("tools/call", call)
        session.initialize()
        second.session, second.version = session.session, session.version
        session.send_legacy("tools/call", call, message_id="a")
        second.send_legacy("tools/call", call, message_id="b")
        harness.wait_until(lambda: subprocess.run(
            ["pgrep", "-cf", "^sleep 62.3$"], capture_output=True, text=True,
            check=False).stdout.strip() == "3", "all three run")
        daemon.process.terminate()
        for client in (modern, session, second):
            answer = client.response()
            message = answer.json() if answer.body is not None else client.events()[-1][1]
            content = message["result"]["structuredContent"]
            self.assertEqual((content["state"], content["reason"], content["stdout"]),
                             ("stopped", "cancelled", "so far\n"))
        self.assertEqual(daemon.ends(), 0, daemon.log())

    def test_one_whose_host_stops_it_slowly_is_answered_too(self):
        """A stop may take longer than its client had left."""
        self.make_folder()
        slow = os.path.join(self.folder, "slow")
        fleet = self.make_fleet(1, ForceCommand=f'test -e {slow} && sleep 4; eval "$SSH_ORIGINAL_COMMAND"')
        daemon = HttpDaemon(self.folder, fleet.ssh_config, "role = operator\n")
        self.addCleanup(daemon.stop)
        daemon.start()
        client = daemon.http(timeout=20)
        self.addCleanup(client.close)
        client.send_modern("tools/call", {"name": "run", "arguments": {
            "host": "demo1", "command": "exec sleep 63.3"}})
        harness.wait_until(lambda: subprocess.run(["pgrep", "-f", "^sleep 63.3$"], check=False,
                                                  capture_output=True).returncode == 0, "it runs")
        with open(slow, "w", encoding="ascii"):
            daemon.process.terminate()
        content = client.response().json()["result"]["structuredContent"]
        self.assertEqual(content["reason"], "cancelled", content)
        self.assertEqual(daemon.ends(), 0, daemon.log())


class LimitsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        ssh_config = os.path.join(cls.folder, "ssh_config")
        with open(ssh_config, "w", encoding="utf-8"):
            pass
        cls.daemon = HttpDaemon(cls.folder, ssh_config, "http_connections = 4\n"
                                "http_address_connections = 3\n")
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def test_connections_of_one_address_and_of_all(self):
        clients = [self.daemon.http() for _ in range(3)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertEqual(client.request("GET", "/health").status, 200)
        self.assertFalse(self.is_let_in("127.0.0.1"))
        fourth = Http(self.daemon.port, source="127.0.0.2")
        self.addCleanup(fourth.close)
        self.assertEqual(fourth.request("GET", "/health").status, 200)
        self.assertFalse(self.is_let_in("127.0.0.3"))
        clients[0].close()
        harness.wait_until(lambda: self.is_let_in("127.0.0.1"), "a place is free again")

    def is_let_in(self, source):
        with Http(self.daemon.port, source=source) as client:
            try:
                return client.request("GET", "/health").status == 200
            except (EOFError, ConnectionError):
                return False


if __name__ == "__main__":
    harness.main()
