"""HTTP as the tests need it: over a socket, byte for byte, with server-sent events as they come."""

import json
import os
import re
import socket

import harness
from harness import META, META_VERSION, MODERN

ANSWER_S = harness.ANSWER_S


class HttpDaemon(harness.Daemon):
    """A daemon that serves HTTP, too, on a port of its own choice; without a limit of requests,
    unless the test says one."""

    def __init__(self, folder, ssh_config, config="", name="d", **options):
        super().__init__(folder, ssh_config,
                         'transport = http\nhttp_port = 0\n'
                         + ("" if "http_rate" in config else "http_rate_per_minute = 0\n")
                         + config, name, **options)

    def start(self):
        super().start()
        harness.wait_until(lambda: " http_ready " in self.log(), "http_ready")
        self.port = int(re.search(r" http_ready .*port=(\d+)", self.log()).group(1))
        return self

    def token(self):
        with open(os.path.join(self.state, "http-token"), encoding="ascii") as text:
            return text.read().strip()

    def http(self, **options):
        options.setdefault("token", self.token())
        return Http(self.port, **options)


class Response:
    def __init__(self, status, headers, body=None):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Http:
    """One connection."""

    def __init__(self, port, token=None, timeout=ANSWER_S, source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))
        self.timeout = timeout
        self.token = token
        self.port = port
        self.buffer = b""
        self.session = None
        self.version = None
        self.last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # ---- bytes ----

    def send_raw(self, data):
        self.socket.sendall(data)

    def fill(self):
        data = self.socket.recv(1 << 18)
        self.buffer += data
        return bool(data)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise EOFError(f"the server closed after {self.buffer[:200]!r}")
        part, self.buffer = self.buffer.split(mark, 1)
        return part

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise EOFError("the server closed within a body")
        part, self.buffer = self.buffer[:count], self.buffer[count:]
        return part

    def ended(self):
        """Whether the server has closed, and sent nothing more."""
        self.socket.settimeout(self.timeout)
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    # ---- requests and responses ----

    def send(self, method="POST", path="/mcp", body=None, headers=None):
        fields = {"Host": f"127.0.0.1:{self.port}"}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
            fields["Accept"] = "application/json, text/event-stream"
            fields["Content-Length"] = str(len(body))
        fields.update(headers or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items()
                       if value is not None)
        self.send_raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b""))

    def head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in headers, lines
            headers[name.lower()] = value.strip()
        return Response(int(lines[0].split()[1]), headers)

    def response(self):
        """The next one, whole; its body is None for a stream, which is read by events()."""
        answer = self.head()
        if answer.status == 100:
            return answer
        if "content-length" in answer.headers:
            answer.body = self.exactly(int(answer.headers["content-length"]))
        return answer

    def request(self, *arguments, **options):
        self.send(*arguments, **options)
        return self.response()

    def chunk(self):
        size = int(self.until(b"\r\n"), 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def event(self):
        """The next event as (id, message); None at the end of the stream. Comments are skipped."""
        while True:
            data = self.chunk()
            if not data:
                return None
            assert data.endswith(b"\n\n"), data
            if data.startswith(b":"):
                continue
            fields = dict(line.split(": ", 1) for line in data.decode().rstrip("\n").split("\n")
                          if ": " in line)
            text = fields.get("data", "")
            return fields.get("id"), json.loads(text) if text else None

    def events(self):
        found = []
        while (event := self.event()) is not None:
            found.append(event)
        return found

    # ---- MCP ----

    def message(self, method, params=None, message_id=None, modern=True):
        if message_id is None:
            self.last_id += 1
            message_id = self.last_id
        message = {"jsonrpc": "2.0", "id": message_id, "method": method}
        if modern:
            params = {**(params or {}), "_meta": {**META, **(params or {}).get("_meta", {})}}
        if params is not None:
            message["params"] = params
        return message

    def modern_headers(self, message):
        params = message.get("params", {})
        named = params.get("uri") or params.get("name")
        return {"MCP-Protocol-Version": params.get("_meta", {}).get(META_VERSION, MODERN),
                "Mcp-Method": message["method"], "Mcp-Name": named}

    def send_modern(self, method, params=None, headers=None, message_id=None):
        message = self.message(method, params, message_id)
        self.send(body=message, headers={**self.modern_headers(message), **(headers or {})})
        return message["id"]

    def modern(self, method, params=None, headers=None):
        """The answer to a stateless request: (status, message)."""
        self.send_modern(method, params, headers)
        answer = self.response()
        if answer.body is None:
            return answer.status, self.events()[-1][1]
        return answer.status, json.loads(answer.body)

    def session_headers(self, headers=None):
        return {"Mcp-Session-Id": self.session, "MCP-Protocol-Version": self.version,
                **(headers or {})}

    def initialize(self, version=harness.LEGACY[-1]):
        answer = self.request(body=self.message("initialize", {
            "protocolVersion": version, "capabilities": {},
            "clientInfo": {"name": "harness", "version": "1"}}, modern=False))
        assert answer.status == 200, (answer.status, answer.body)
        self.session = answer.headers["mcp-session-id"]
        self.version = version
        note = self.request(body={"jsonrpc": "2.0", "method": "notifications/initialized"},
                            headers=self.session_headers())
        assert (note.status, note.body) == (202, b""), note.status
        return answer.json()["result"]

    def send_legacy(self, method, params=None, headers=None, message_id=None):
        message = self.message(method, params, message_id, modern=False)
        self.send(body=message, headers=self.session_headers(headers))
        return message["id"]

    def legacy(self, method, params=None, headers=None):
        self.send_legacy(method, params, headers)
        answer = self.response()
        if answer.body is None:
            return answer.status, self.events()[-1][1]
        return answer.status, answer.json() if answer.body else None

