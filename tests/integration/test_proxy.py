"""The TCP proxy in front of plain sockets and of a real sshd: what it promises, measured."""

import os
import socket
import subprocess
import threading
import time

import harness
import peers

DELAY_MS = 20
LATE_MS = 6  # of the best of many round trips, beyond the delay: the machine may be busy
RECEIVE_S = 10


class Echo:
    """A TCP server that gives back what it gets, and ends its stream when the client ends his."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.resets = 0
        self.ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
            except ConnectionResetError:
                self.resets += 1

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class ProxyTest(peers.PeerTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.echo = Echo()
        cls.addClassCleanup(cls.echo.stop)

    def connect(self, proxy):
        client = socket.create_connection(("127.0.0.1", proxy.port), timeout=RECEIVE_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.addCleanup(client.close)
        return client

    def receive(self, client, size):
        got = b""
        while len(got) < size:
            data = client.recv(1 << 16)
            self.assertTrue(data, "the stream ended early")
            got += data
        return got

    def round_trips_ms(self, client, count):
        took = []
        for number in range(count):
            begun = time.perf_counter()
            client.sendall(b"%8d" % number)
            self.assertEqual(self.receive(client, 8), b"%8d" % number)
            took.append((time.perf_counter() - begun) * 1000)
        return took

    def assertSilent(self, client, seconds=0.3):
        client.settimeout(seconds)
        with self.assertRaises(socket.timeout):
            client.recv(1)
        client.settimeout(RECEIVE_S)

    def assertReset(self, client):
        with self.assertRaises(ConnectionResetError):
            while client.recv(1 << 16):
                pass


class LineTest(ProxyTest):
    def test_without_options_it_only_passes_on(self):
        proxy = self.proxy(self.echo.port)
        given = os.urandom(20 << 20)
        client = self.connect(proxy)
        sender = threading.Thread(target=client.sendall, args=(given,))
        sender.start()
        self.assertTrue(self.receive(client, len(given)) == given)
        sender.join()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(client.recv(1), b"")
        harness.wait_until(lambda: proxy.counts()["open"] == 0, "the connection is gone")
        counts = proxy.counts()
        self.assertEqual((counts["up_bytes"], counts["down_bytes"]), (len(given), len(given)))

    def test_the_delay_is_a_round_trip(self):
        proxy = self.proxy(self.echo.port, "--delay-ms", str(DELAY_MS))
        took = self.round_trips_ms(self.connect(proxy), 20)
        self.assertGreaterEqual(min(took), DELAY_MS)
        self.assertLess(min(took), DELAY_MS + LATE_MS)
        counts = proxy.counts()
        self.assertEqual((counts["up_bursts"], counts["down_bursts"]), (20, 20))
        self.assertEqual(counts["connections"], 1)

    def test_packets_of_one_round_trip_are_one_burst(self):
        proxy = self.proxy(self.echo.port, "--delay-ms", "300")
        client = self.connect(proxy)
        for number in range(3):
            for _ in range(4):
                client.sendall(b"packet")
                time.sleep(0.001)
            self.receive(client, 4 * len("packet"))
            self.assertEqual(proxy.counts()["up_bursts"], number + 1)
        self.assertEqual(proxy.counts()["down_bursts"], 3)

    def test_the_delay_can_change(self):
        proxy = self.proxy(self.echo.port)
        client = self.connect(proxy)
        self.assertLess(min(self.round_trips_ms(client, 9)), DELAY_MS)
        proxy.order("delay-ms 40.5")
        self.assertGreaterEqual(min(self.round_trips_ms(client, 3)), 40.5)
        with self.assertRaisesRegex(AssertionError, "unknown"):
            proxy.order("delay-ms -1")
        proxy.order("delay-ms 0")
        self.assertLess(min(self.round_trips_ms(client, 9)), DELAY_MS)

    def test_jitter_keeps_the_order(self):
        proxy = self.proxy(self.echo.port, "--delay-ms", "4", "--jitter-ms", "10")
        client = self.connect(proxy)
        took = self.round_trips_ms(client, 30)
        self.assertGreaterEqual(min(took), 4)
        self.assertGreater(max(took) - min(took), 4)
        given = os.urandom(4 << 20)
        sender = threading.Thread(target=client.sendall, args=(given,))
        sender.start()
        self.assertTrue(self.receive(client, len(given)) == given)
        sender.join()

    def test_a_delay_takes_no_throughput_from_many_in_flight(self):
        proxy = self.proxy(self.echo.port, "--delay-ms", "500")
        client = self.connect(proxy)
        given = os.urandom(2 << 20)  # 64 KiB at a time would take 16 s
        begun = time.monotonic()
        sender = threading.Thread(target=client.sendall, args=(given,))
        sender.start()
        self.assertTrue(self.receive(client, len(given)) == given)
        sender.join()
        self.assertLess(time.monotonic() - begun, 8)

    def test_a_rate(self):
        proxy = self.proxy(self.echo.port, "--rate", "1000000")
        client = self.connect(proxy)
        begun = time.monotonic()
        client.sendall(bytes(400000))
        self.receive(client, 400000)
        self.assertGreater(time.monotonic() - begun, 0.38)
        self.assertLess(time.monotonic() - begun, 2)

    def test_a_dribble(self):
        proxy = self.proxy(self.echo.port, "--dribble-ms", "10")
        client = self.connect(proxy)
        begun = time.monotonic()
        client.sendall(b"0123456789")
        parts = []
        while sum(map(len, parts)) < 10:
            parts.append(client.recv(100))
        self.assertEqual(b"".join(parts), b"0123456789")
        self.assertGreater(len(parts), 5)
        self.assertGreaterEqual(time.monotonic() - begun, 0.09)


class FaultTest(ProxyTest):
    def test_stall_and_resume(self):
        proxy = self.proxy(self.echo.port)
        client = self.connect(proxy)
        self.round_trips_ms(client, 1)
        proxy.order("stall")
        client.sendall(b"kept")
        self.assertSilent(client)
        self.assertEqual(proxy.counts()["up_bytes"], 8 + 4)  # read, and kept
        other = self.connect(proxy)
        other.sendall(b"also")
        self.assertSilent(other)
        proxy.order("resume")
        self.assertEqual(self.receive(client, 4), b"kept")
        self.assertEqual(self.receive(other, 4), b"also")

    def test_blackhole_reads_nothing(self):
        proxy = self.proxy(self.echo.port)
        client = self.connect(proxy)
        self.round_trips_ms(client, 1)
        proxy.order("blackhole")
        client.sendall(b"lost in between")
        other = self.connect(proxy)
        other.sendall(b"another")
        self.assertSilent(client)
        other.close()
        self.assertEqual(proxy.counts()["up_bytes"], 8)
        self.assertEqual(proxy.counts()["open"], 2)  # not even the end is noticed
        ticks = proxy.cpu_ticks()
        time.sleep(0.3)
        self.assertLessEqual(proxy.cpu_ticks() - ticks, 1)
        proxy.order("resume")
        self.assertEqual(self.receive(client, 15), b"lost in between")
        harness.wait_until(lambda: proxy.counts()["open"] == 1, "the other's end is noticed")

    def test_reset(self):
        proxy = self.proxy(self.echo.port)
        clients = [self.connect(proxy) for _ in range(3)]
        for client in clients:
            self.round_trips_ms(client, 1)
        resets = self.echo.resets
        proxy.order("reset")
        for client in clients:
            self.assertReset(client)
        harness.wait_until(lambda: self.echo.resets == resets + 3, "the server sees it, too")
        self.round_trips_ms(self.connect(proxy), 1)

    def test_after_a_number_of_bytes(self):
        for option in ("--stall-after", "--reset-after"):
            for way, size in (("up", 1000), ("down", 1000)):
                with self.subTest(option=option, way=way):
                    proxy = self.proxy(self.echo.port, option, f"{way}:{size}")
                    client = self.connect(proxy)
                    self.round_trips_ms(client, 100)
                    client.sendall(bytes(1000))
                    if option == "--reset-after":
                        self.assertReset(client)
                    else:
                        self.assertSilent(client)
                        self.assertEqual(proxy.counts()["open"], 1)

    def test_half_open(self):
        proxy = self.proxy("127.0.0.1:1", "--half-open")
        client = self.connect(proxy)
        client.sendall(b"hello?")
        self.assertSilent(client)
        self.assertEqual(proxy.counts()["up_bytes"], 0)

    def test_a_server_that_refuses_and_a_client_that_resets(self):
        refusing = self.proxy(1)
        try:
            client = self.connect(refusing)
        except ConnectionResetError:
            pass  # that soon
        else:
            self.assertReset(client)
        proxy = self.proxy(self.echo.port)
        client = self.connect(proxy)
        self.round_trips_ms(client, 1)
        resets = self.echo.resets
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        harness.wait_until(lambda: self.echo.resets == resets + 1, "the server sees the reset")
        harness.wait_until(lambda: proxy.counts()["open"] == 0, "the proxy is done with it")

    def test_idle_costs_nothing(self):
        proxy = self.proxy(self.echo.port, "--delay-ms", "20")
        for client in [self.connect(proxy) for _ in range(20)]:
            self.round_trips_ms(client, 1)
        self.assertTrue(harness.unchanged(proxy.cpu_ticks, 0.5))

    def test_wrong_arguments(self):
        for arguments in ([], ["--to", "nowhere"], ["--to", "127.0.0.1:9", "--delay-ms", "x"],
                          ["--to", "127.0.0.1:9", "--stall-after", "5"], ["--nothing"]):
            with self.subTest(arguments=arguments):
                result = subprocess.run([peers.TCPPROXY, *arguments], capture_output=True,
                                        stdin=subprocess.DEVNULL, timeout=RECEIVE_S, check=False)
                self.assertEqual((result.returncode, result.stdout), (2, b""))


class SshdTest(ProxyTest):
    """OpenSSH's client and server with the proxy between them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fleet = cls.make_fleet(1)

    def start(self, *options):
        proxy = self.proxy(self.fleet.port("demo1"), *options)
        config = self.write(f"config-{proxy.port}", self.fleet.entry(
            "far", "demo1", Port=proxy.port, BatchMode="yes",
            HostKeyAlias=f"[127.0.0.1]:{self.fleet.port('demo1')}"))
        return proxy, ["ssh", "-F", config, "far"]

    @staticmethod
    def end(client):
        client.kill()
        client.wait(RECEIVE_S)
        for pipe in (client.stdin, client.stdout, client.stderr):
            pipe.close()

    def run_cat(self, command):
        client = subprocess.Popen([*command, "exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.addCleanup(self.end, client)
        client.stdin.write(b"first\n")
        self.assertEqual(client.stdout.readline(), b"first\n")
        return client

    def test_the_round_trip_of_a_session(self):
        proxy, command = self.start("--delay-ms", str(DELAY_MS))
        client = self.run_cat(command)
        took = []
        before = proxy.counts()
        for number in range(15):
            begun = time.perf_counter()
            client.stdin.write(b"line %d\n" % number)
            self.assertEqual(client.stdout.readline(), b"line %d\n" % number)
            took.append((time.perf_counter() - begun) * 1000)
        self.assertGreaterEqual(min(took), DELAY_MS)
        self.assertLess(min(took), DELAY_MS + LATE_MS)
        after = proxy.counts()
        self.assertEqual(after["up_bursts"] - before["up_bursts"], 15)
        self.assertEqual(after["down_bursts"] - before["down_bursts"], 15)
        client.stdin.close()
        self.assertEqual(client.wait(RECEIVE_S), 0)

    def test_stall_and_reset(self):
        proxy, command = self.start()
        client = self.run_cat(command)
        proxy.order("stall")
        client.stdin.write(b"second\n")
        os.set_blocking(client.stdout.fileno(), False)
        time.sleep(0.3)
        self.assertIsNone(client.stdout.read())
        proxy.order("resume")
        os.set_blocking(client.stdout.fileno(), True)
        self.assertEqual(client.stdout.readline(), b"second\n")
        proxy.order("reset")
        self.assertEqual(client.wait(RECEIVE_S), 255)

    def test_bulk_is_whole(self):
        _, command = self.start("--delay-ms", "4", "--jitter-ms", "2")
        given = os.urandom(8 << 20)
        result = subprocess.run([*command, "exec cat"], input=given, capture_output=True,
                                timeout=60, check=True)
        self.assertTrue(result.stdout == given)


if __name__ == "__main__":
    harness.main()
