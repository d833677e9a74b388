"""GET /metrics: that it is the text format that it says, and that each number moves."""

import re
import shutil
import socket
import subprocess
import unittest

import harness
from http_client import HttpDaemon

CALL = {"name": "scout", "arguments": {"target": "hosts", "probe": False}}
SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="[^"\\\n]*",?)+)\})? (\S+)')
LABELS = {"tool", "code", "stage", "status", "version", "le"}


class Metrics:
    """A strict reader of the format: what it does not know is an error."""

    def __init__(self, text):
        self.types, self.samples, self.helped = {}, {}, set()
        family = None
        assert text.endswith("\n") and "\n\n" not in text
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family, words = line[7:].split(" ", 1)
                assert family not in self.helped and words.endswith("."), line
                self.helped.add(family)
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                assert name == family and name not in self.types, line
                self.types[name] = kind
            else:
                self.add(line, family)
        self.check_names()
        self.check_histograms()

    def add(self, line, family):
        found = SAMPLE.fullmatch(line)
        assert found, line
        name, labels, value = found.groups()
        labels = tuple(sorted(re.findall(r'([a-z_]+)="([^"]*)"', labels or "")))
        base = name
        if self.types[family] == "histogram":
            base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert base == family, f"{line} is not among its own"
        assert (name, labels) not in self.samples, f"{line} is there twice"
        assert {key for key, _ in labels} <= LABELS, line
        self.samples[name, labels] = float(value)
        assert self.samples[name, labels] >= 0, line

    def check_names(self):
        for name, kind in self.types.items():
            assert re.fullmatch(r"scoutd(_[a-z0-9]+)+", name), name
            assert kind in ("counter", "gauge", "histogram"), name
            assert (kind == "counter") == name.endswith("_total"), name
            assert not re.search(r"_(ms|ns|milliseconds|kb|count|sum|bucket)(_total)?$", name), name

    def check_histograms(self):
        for name, kind in self.types.items():
            if kind != "histogram":
                continue
            series = {}
            for (sample, labels), value in self.samples.items():
                if sample == name + "_bucket":
                    rest = tuple(pair for pair in labels if pair[0] != "le")
                    series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
            for rest, buckets in series.items():
                assert buckets == sorted(buckets), (name, rest)
                assert [count for _, count in buckets] == sorted(count for _, count in buckets)
                assert buckets[-1] == (float("inf"), self.samples[name + "_count", rest]), name
                assert (name + "_sum", rest) in self.samples

    def value(self, name, **labels):
        return self.samples.get(("scoutd_" + name, tuple(sorted(labels.items()))), 0)


def scrape(daemon, headers=None, token=None):
    with daemon.http(token=token) as client:
        return client.request("GET", "/metrics", headers=headers)


class HttpSource:
    """Scrapes from an address of its own."""

    def __init__(self, address, daemon):
        self.address, self.daemon = address, daemon

    def metrics(self):
        with self.daemon.http(token=None, source=self.address) as client:
            return Metrics(client.request("GET", "/metrics").body.decode())

    def value(self, name):
        return self.metrics().value(name)


class MetricsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.file = cls.fleet.write("demo1", "a.txt", "a\n")
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            cls.dead = closed.getsockname()[1]
        with open(cls.fleet.ssh_config, "a", encoding="utf-8") as out:
            out.write(cls.fleet.entry("dead", "demo1", Port=cls.dead))
        cls.daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config, "role = operator\n"
                                'http_proxies = "127.0.0.9"\n')
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def metrics(self):
        answer = scrape(self.daemon)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        return Metrics(answer.body.decode("ascii"))

    def moved(self, before, name, **labels):
        return self.metrics().value(name, **labels) - before.value(name, **labels)

    def call(self, name, **arguments):
        with self.daemon.http() as client:
            return client.modern("tools/call", {"name": name, "arguments": arguments})[1]["result"]

    def test_calls_by_tool_and_code(self):
        before = self.metrics()
        self.call("read", target=f"demo1:{self.file}")
        self.call("read", target=f"demo1:{self.file}")
        self.call("read", target="demo1:/nowhere")
        with self.daemon.client() as client:
            client.scout("hosts")
        self.assertEqual(self.moved(before, "requests_total", tool="read", code="ok"), 2)
        self.assertEqual(self.moved(before, "requests_total", tool="read", code="path-not-found"),
                         1)
        self.assertEqual(self.moved(before, "requests_total", tool="scout", code="ok"), 1)
        self.assertEqual(self.moved(before, "request_duration_seconds_count", tool="read"), 3)
        self.assertGreater(self.moved(before, "request_duration_seconds_sum", tool="read"), 0)
        self.assertEqual(self.moved(before, "mcp_calls_total"), 4)
        self.assertEqual(self.moved(before, "mcp_call_errors_total"), 1)
        for name in ("mcp_messages_total", "mcp_requests_total"):
            self.assertGreaterEqual(self.moved(before, name), 4)
        with self.daemon.client() as client:
            client.send_raw(b"{\n")
            client.request("ping")
        self.assertEqual(self.moved(before, "mcp_malformed_total"), 1)

    def test_the_pool(self):
        self.call("read", target=f"demo1:{self.file}")
        before = self.metrics()
        self.assertEqual(before.value("pool_connections"), 1)
        self.assertEqual(before.value("pool_misses_total"), before.value("pool_connects_total"))
        self.call("read", target=f"demo1:{self.file}")
        self.assertEqual(self.moved(before, "pool_hits_total"), 1)
        self.call("read", target="dead:/x")
        self.assertEqual(self.moved(before, "pool_connect_failures_total", code="connect-failed"), 1)
        self.assertEqual(self.moved(before, "pool_misses_total"), 1)
        self.call("run", host="demo1", command="true")
        self.assertEqual(self.moved(before, "pool_commands_total"), 1)
        stage = {"stage": "running"}
        self.assertEqual(self.moved(before, "pool_stage_duration_seconds_count", **stage), 1)

    def test_calls_in_flight(self):
        with self.daemon.client() as client:
            number = client.send("tools/call", {"name": "run", "arguments": {
                "host": "demo1", "command": "sleep 30"}})
            harness.wait_until(lambda: self.metrics().value("pool_in_flight") == 1, "it runs")
            now = self.metrics()
            self.assertEqual(now.value("mcp_in_flight"), 1)
            self.assertGreaterEqual(now.value("mcp_in_flight_highest"), 1)
            self.assertEqual(now.value("clients"), 1)
            client.notify("notifications/cancelled", {"requestId": number})
            harness.wait_until(lambda: self.metrics().value("mcp_in_flight") == 0, "it ended")
            before = self.metrics()
            self.assertGreaterEqual(before.value("pool_stops_total"), 1)

    def test_http_and_tokens(self):
        before = self.metrics()
        with self.daemon.http() as client:
            client.initialize()
            self.assertEqual(self.moved(before, "http_sessions"), 1)
            client.request("DELETE", headers=client.session_headers())
        for token in (None, "wrong"):
            with self.daemon.http(token=token) as client:
                client.request(body=client.message("server/discover"))
        self.assertEqual(self.moved(before, "http_token_missing_total"), 1)
        self.assertEqual(self.moved(before, "http_token_refused_total"), 1)
        self.assertEqual(self.moved(before, "http_admitted_total"), 3)
        self.assertEqual(self.moved(before, "http_responses_total", status="4xx"), 2)
        self.assertGreater(self.moved(before, "http_responses_total", status="2xx"), 3)
        self.assertGreater(self.moved(before, "http_requests_total"), 5)
        self.assertGreater(self.moved(before, "http_connections_accepted_total"), 3)
        self.assertGreater(self.moved(before, "http_request_duration_seconds_count"), 5)
        self.assertGreater(self.moved(before, "clients_total"), 3)
        self.assertEqual(self.moved(before, "http_sessions"), 0)
        self.assertGreaterEqual(self.metrics().value("http_connections"), 1)

    def test_what_is_limited(self):
        daemon = HttpDaemon(self.folder, self.fleet.ssh_config, "http_rate_per_minute = 1\n"
                            "http_rate_burst = 2\nhttp_address_connections = 3\n", "limited")
        self.addCleanup(daemon.stop)
        daemon.start()
        with daemon.http(token="wrong") as client:
            client.request(body={})
        for _ in range(4):
            with daemon.http() as client:
                client.modern("tools/list")
        other = HttpSource("127.0.0.2", daemon)
        harness.wait_until(lambda: other.value("http_connections") == 1, "they are closed")
        clients = [daemon.http() for _ in range(4)]
        harness.wait_until(lambda: other.value("http_connections_refused_total") == 1, "one")
        for client in clients:
            client.close()
        now = other.metrics()
        self.assertEqual(now.value("http_rate_limited_total"), 2)

    def test_the_process_the_loop_and_the_record(self):
        before = self.metrics()
        self.call("read", target=f"demo1:{self.file}")
        self.call("run", host="demo1", command="true")
        harness.wait_until(lambda: self.moved(before, "audit_records_total") == 3, "the records")
        for name in ("audit_writes_total", "audit_syncs_total", "loop_passes_total",
                     "loop_events_total", "loop_submits_total"):
            harness.wait_until(lambda n=name: self.moved(before, n) >= 1, name)
        self.assertEqual(before.value("audit_records_lost_total"), 0)
        self.assertEqual(before.value("audit_available"), 1)
        memory = before.value("resident_memory_bytes")
        self.assertLess(abs(memory - self.daemon.memory_bytes()), 16 << 20)
        self.assertGreater(self.metrics().value("cpu_seconds_total"), 0)
        self.assertGreater(before.value("start_time_seconds"), 1.6e9)
        self.assertGreater(before.value("loop_operations"), 0)

    def test_nothing_of_hosts_or_clients_is_told(self):
        self.call("read", target=f"demo1:{self.file}")
        text = scrape(self.daemon).body.decode()
        for word in ("demo1", "a.txt", "127.0.0.1", self.daemon.token(), self.folder, "uid:"):
            self.assertNotIn(word, text)

    def test_a_token_is_needed_where_it_may_be_somebody_else(self):
        self.assertEqual(scrape(self.daemon, {"X-Forwarded-For": "127.0.0.1"}).status, 401)
        for header in ("Forwarded", "Via", "X-Real-IP"):
            self.assertEqual(scrape(self.daemon, {header: "x"}).status, 401)
        token = self.daemon.token()
        self.assertEqual(scrape(self.daemon, {"Via": "x"}, token).status, 200)
        for forwarded, status in (("192.0.2.1", 401), ("127.0.0.1", 200)):
            with self.daemon.http(token=None, source="127.0.0.9") as client:
                answer = client.request("GET", "/metrics", headers={"X-Forwarded-For": forwarded})
                self.assertEqual(answer.status, status, forwarded)
        with self.daemon.http(token=None) as client:
            self.assertEqual(client.request("POST", "/metrics", body={}).status, 405)

    @unittest.skipUnless(shutil.which("promtool"), "there is no promtool")
    def test_promtool_agrees(self):
        self.call("read", target=f"demo1:{self.file}")
        told = subprocess.run(["promtool", "check", "metrics"], input=scrape(self.daemon).body,
                              capture_output=True, check=False)
        self.assertEqual((told.returncode, told.stdout + told.stderr), (0, b""))


if __name__ == "__main__":
    harness.main()
