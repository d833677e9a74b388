"""Random HTTP clients, many side by side: requests of both eras, streams that are left and taken up
again, sessions that end while they are used, questions answered late, twice or never, and the end
of the server in the midst of it all. Nothing of it may cost more than the client's own connection.

The numbers come from a seed. `test_http_stress.py SECONDS SEED` runs longer; SCOUT_BUILD says which
build, best one with AddressSanitizer.
"""

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import harness
from http_client import Http, HttpDaemon

PROGRAM = os.path.join(harness.BUILD, "scoutd-conformance")
SECONDS = 5
SEED = 1
CLIENTS = 8
END_S = 30
VERSIONS = ("2025-11-25", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
CAN = {"elicitation": {}, "sampling": {}, "roots": {}}
TOOLS = ("test_tool_with_progress", "test_tool_with_progress", "test_reconnection", "test_elicitation",
         "test_sampling", "test_elicitation_sep1034_defaults", "test_simple_text",
         "test_error_handling", "test_image_content", "test_trigger_tool_change", "scout", "none")
ARGUMENTS = {"message": "m", "prompt": "p", "target": "hosts", "probe": False}
GONE = (OSError, EOFError, ValueError, IndexError, AssertionError)


class Shared:
    """What the clients of one run share: sessions, ids of events, and ids of questions."""

    def __init__(self, connect, end):
        self.connect, self.end = connect, end
        self.sessions, self.events = [], []
        self.steps = self.answers = 0


class Stresser(threading.Thread):
    def __init__(self, shared, seed):
        super().__init__(daemon=True)
        self.shared = shared
        self.random = random.Random(seed)
        self.client = None
        self.failure = None

    def run(self):
        while time.monotonic() < self.shared.end:
            try:
                self.step()
                self.shared.steps += 1
            except GONE:
                self.drop()
        self.drop()

    def drop(self):
        if not self.client:
            return
        if self.random.random() < 0.3:
            try:  # with a reset
                self.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              b"\x01\x00\x00\x00\x00\x00\x00\x00")
            except OSError:
                pass
        self.client.close()
        self.client = None

    def step(self):
        if not self.client:
            self.client = self.shared.connect()
        pick = self.random.random()
        if pick < 0.03:
            self.drop()
        elif pick < 0.06:
            self.client.send_raw(self.random.choice(
                (b"\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00",
                 b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")))
            self.drop()
        else:
            self.random.choice((self.initialize, self.call, self.call, self.call, self.listen,
                                self.resume, self.delete, self.cancel, self.answer, self.modern,
                                self.modern, self.modern_listen, self.subscribe, self.batch))()

    # ---- sessions ----

    def use_session(self):
        self.client.session, self.client.version = (
            self.random.choice(self.shared.sessions or [("nothing", VERSIONS[0])]))

    def initialize(self):
        version = self.random.choice(VERSIONS)
        self.client.send(body=self.client.message("initialize", {
            "protocolVersion": version, "capabilities": CAN,
            "clientInfo": {"name": "stress", "version": "1"}}, modern=False))
        answer = self.client.response()
        if "mcp-session-id" in answer.headers:
            self.shared.sessions.append((answer.headers["mcp-session-id"], version))
            del self.shared.sessions[:-6]

    def read(self, answer):
        """What comes, or only some of it."""
        if answer.body is not None:
            return
        most = self.random.choice((0, 1, 2, 5, 100))
        self.client.socket.settimeout(self.random.choice((0.02, 0.2, 2)))
        while most > 0:
            event = self.client.event()
            if event is None:
                self.client.socket.settimeout(5)
                return
            if event[0]:
                self.shared.events.append((self.client.session, self.client.version, event[0]))
                del self.shared.events[:-20]
            if event[1] and "method" in event[1] and "id" in event[1]:
                self.give(event[1]["id"])
            most -= 1
        self.drop()

    def tool(self):
        params = {"name": self.random.choice(TOOLS), "arguments": ARGUMENTS}
        if self.random.random() < 0.7:
            params["_meta"] = {"progressToken": self.random.randrange(100)}
        return params

    def call(self):
        self.use_session()
        headers = {} if self.random.random() < 0.9 else {"Accept": "application/json"}
        self.client.send_legacy("tools/call", self.tool(), headers, self.random.randrange(20))
        if self.random.random() < 0.2:
            self.drop()
        else:
            self.read(self.client.response())

    def listen(self):
        self.use_session()
        self.client.send("GET", headers=self.client.session_headers({"Accept": "text/event-stream"}))
        self.read(self.client.response())

    def resume(self):
        if not self.shared.events:
            return
        self.client.session, self.client.version, event = self.random.choice(self.shared.events)
        self.client.send("GET", headers=self.client.session_headers(
            {"Accept": "text/event-stream", "Last-Event-ID": event}))
        self.read(self.client.response())

    def delete(self):
        if self.random.random() < 0.5:
            return
        self.use_session()
        self.client.request("DELETE", headers=self.client.session_headers())

    # ---- messages that get no answer ----

    def tell(self, message):
        with self.shared.connect() as beside:
            beside.session, beside.version = self.client.session, self.client.version
            beside.request(body=message, headers=beside.session_headers())

    def cancel(self):
        self.use_session()
        self.tell({"jsonrpc": "2.0", "method": "notifications/cancelled",
                   "params": {"requestId": self.random.randrange(20)}})

    def give(self, question):
        """An answer: never, once or twice; good or bad."""
        for _ in range(self.random.choice((0, 1, 1, 2))):
            result = self.random.choice((
                {"result": {"action": "accept", "content": {}, "role": "assistant", "roots": [],
                            "model": "m"}},
                {"result": {"action": "decline"}}, {"error": {"code": -1, "message": "no"}}))
            self.tell({"jsonrpc": "2.0", "id": question, **result})
            self.shared.answers += 1

    def answer(self):
        self.use_session()
        self.give(f"scout-{self.random.randrange(1, 12)}")

    def subscribe(self):
        self.use_session()
        self.client.send_legacy(self.random.choice(("resources/subscribe", "resources/unsubscribe")),
                                {"uri": "test://watched-resource"})
        self.read(self.client.response())

    def batch(self):
        self.use_session()
        self.client.send(body=[self.client.message("tools/call", self.tool(),
                                                   self.random.randrange(20), modern=False)
                               for _ in range(self.random.randrange(1, 5))],
                         headers=self.client.session_headers())
        self.read(self.client.response())

    # ---- without sessions ----

    def modern(self):
        self.client.send_modern("tools/call", self.tool())
        if self.random.random() < 0.3:
            self.drop()
        else:
            self.read(self.client.response())

    def modern_listen(self):
        self.client.send_modern("subscriptions/listen", {"notifications": {
            "toolsListChanged": True, "resourcesListChanged": True,
            "resourceSubscriptions": ["test://watched-resource"]}})
        self.read(self.client.response())


class StressTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()

    def stress(self, connect):
        shared = Shared(connect, time.monotonic() + SECONDS)
        clients = [Stresser(shared, f"{SEED}/{i}") for i in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(SECONDS * 0.9)
        return shared, clients

    def finish(self, shared, clients, process):
        """SIGTERM comes while the clients are at it."""
        process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join(END_S)
            self.assertFalse(client.is_alive())
        self.assertEqual(process.wait(END_S), 0)
        self.assertGreater(shared.steps, 20)

    def test_a_server_that_asks(self):
        server = subprocess.Popen([PROGRAM, "--http", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                  text=True, preexec_fn=harness.die_with_parent)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        port = int(server.stdout.readline().strip().rsplit(":", 1)[1].split("/")[0])
        shared, clients = self.stress(lambda: Http(port, timeout=5))
        self.assertIsNone(server.poll())
        self.finish(shared, clients, server)
        self.assertGreater(shared.answers, 0)

    def test_the_daemon_with_tls(self):
        ssh_config = os.path.join(self.folder, "ssh_config")
        with open(ssh_config, "w", encoding="utf-8") as out:
            out.write("Host web1\n  HostName 127.0.0.1\n  Port 1\n")
        certificate, key = (os.path.join(self.folder, f"pair.{end}") for end in ("crt", "key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=a",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        daemon = HttpDaemon(self.folder, ssh_config,
                            f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n')
        self.addCleanup(daemon.stop)
        daemon.start()
        token = daemon.token()
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

        def connect():
            client = Http(daemon.port, token=token, timeout=5)
            client.socket = context.wrap_socket(client.socket)
            return client

        shared, clients = self.stress(connect)
        with connect() as client:
            self.assertEqual(client.modern("server/discover")[0], 200)
        self.finish(shared, clients, daemon.process)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SECONDS = int(sys.argv[1])
        SEED = sys.argv[2] if len(sys.argv) > 2 else SEED
        del sys.argv[1:]
    harness.main()
