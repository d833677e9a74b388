"""Who is admitted to the HTTP endpoint, and how many requests they may make."""

import hashlib
import os
import re
import signal
import subprocess
import time

import harness
from http_client import HttpDaemon

CALL = {"name": "scout", "arguments": {"target": "hosts", "probe": False}}
GOOD_KEY = "a-key-that-is-long-enough"


class AccessTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.ssh_config = cls.write("ssh_config", "Host web1\n  HostName 127.0.0.1\n")
        cls.count = 0

    def start(self, config="", ssh_config=None, **variables):
        type(self).count += 1
        daemon = HttpDaemon(self.folder, ssh_config or self.ssh_config, config,
                            f"d{self.count}", variables=variables)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def discover(self, daemon, token=None, headers=None, source="127.0.0.1"):
        with daemon.http(token=token, source=source) as client:
            message = client.message("server/discover")
            return client.request(body=message, headers={**client.modern_headers(message),
                                                         **(headers or {})})

    def status(self, *arguments, **options):
        return self.discover(*arguments, **options).status

    def logged(self, daemon, text):
        harness.wait_until(lambda: text in daemon.log(), f"{text} is logged")

    def reload(self, daemon, config):
        with open(daemon.config, "w", encoding="utf-8") as out:
            out.write("transport = http\nhttp_port = 0\n" + config)
        before = daemon.log().count(" reloaded ")
        os.kill(daemon.process.pid, signal.SIGHUP)
        harness.wait_until(lambda: daemon.log().count(" reloaded ") > before, "it is reloaded")


class KeysTest(AccessTest):
    def test_api_keys(self):  # C.6-66
        daemon = self.start("", SCOUT_API_KEYS=f"{GOOD_KEY}, short", SCOUT_ROLE="operator")
        answer = self.discover(daemon)
        self.assertEqual((answer.status, answer.json()), (401, {"error": "Missing API key"}))
        answer = self.discover(daemon, headers={"X-API-Key": "wrong-key"})
        self.assertEqual((answer.status, answer.json()), (401, {"error": "Invalid API key"}))
        self.assertIn('error="invalid_token"', answer.headers["www-authenticate"])
        self.assertEqual(self.status(daemon, headers={"X-API-Key": GOOD_KEY}), 200)
        self.assertEqual(self.status(daemon, token="short"), 200)
        self.assertEqual(self.status(daemon, token=daemon.token()), 200)
        with daemon.http(token=None) as client:
            self.assertEqual(client.request("GET", "/health").body, b"OK")
        digits = hashlib.sha256(b"wrong-key").hexdigest()[:8]
        self.logged(daemon, f"token_refused token_sha256={digits} peer=127.0.0.1\n")
        log = daemon.log()
        for text in ("wrong-key", GOOD_KEY, "short "):
            self.assertNotIn(text, log)

    def test_who_has_a_key_is_told_by_its_number(self):
        daemon = self.start("role = operator\n", SCOUT_API_KEYS=f"{GOOD_KEY},{GOOD_KEY}-2")
        for number, key in ((1, GOOD_KEY), (2, GOOD_KEY + "-2")):
            with daemon.http(token=key) as client:
                status, message = client.modern("tools/list")
                self.assertIn("run", [tool["name"] for tool in message["result"]["tools"]])
                client.modern("tools/call", CALL)
            harness.wait_until(lambda n=number: f"who=api-key-{n} " in daemon.log(), "the log")
        self.reload(daemon, "role = reader\n")
        with daemon.http(token=GOOD_KEY) as client:
            status, message = client.modern("tools/list")
            self.assertEqual(status, 200)
            self.assertNotIn("run", [tool["name"] for tool in message["result"]["tools"]])

    def test_keys_are_taken_out_of_the_environment(self):
        daemon = self.start("", SCOUT_API_KEYS=GOOD_KEY)
        with open(f"/proc/{daemon.process.pid}/environ", "rb") as environment:
            self.assertNotIn(GOOD_KEY.encode(), environment.read())
        self.assertEqual(self.status(daemon, token=GOOD_KEY), 200)

    def test_what_is_told_of_keys(self):
        daemon = self.start("", SCOUT_API_KEYS=f"short,{GOOD_KEY},no key,{GOOD_KEY}",
                            SCOUT_AUTH_ENABLED="false")
        log = daemon.log()
        self.assertIn("api_key_weak name=api-key-1 ", log)
        self.assertEqual(log.count("api_key_weak"), 1)
        self.assertIn("api_keys_ignored count=2 ", log)
        self.assertRegex(log, r"variable_ignored .*SCOUT_AUTH_ENABLED")
        self.assertEqual(self.status(daemon), 401)
        quiet = self.start("", SCOUT_API_KEYS=GOOD_KEY, SCOUT_AUTH_ENABLED="true")
        self.assertNotRegex(quiet.log(), "api_key|SCOUT_AUTH_ENABLED")

    def test_the_token_is_printed(self):
        daemon = self.start()
        environment = {**harness.clean_environment(self.folder), "SCOUT_STATE_DIR": daemon.state}
        told = subprocess.run([harness.SCOUT, "token"], capture_output=True, text=True, check=True,
                              env=environment)
        self.assertEqual(self.status(daemon, token=told.stdout.strip()), 200)
        environment["SCOUT_STATE_DIR"] = os.path.join(self.folder, "nowhere")
        told = subprocess.run([harness.SCOUT, "token"], capture_output=True, text=True, check=False,
                              env=environment)
        self.assertEqual((told.returncode, told.stdout), (1, ""))
        self.assertIn("transport = http", told.stderr)


class RevokedTest(AccessTest):
    """A reload ends what lasts of those who are not admitted any more."""

    def make(self, file, name):
        told = subprocess.run([harness.SCOUT, "token", "new", name, "reader", file], check=True,
                              capture_output=True, text=True,
                              env=harness.clean_environment(self.folder))
        return told.stdout.strip()

    def test_streams_and_sessions(self):
        file = os.path.join(self.folder, "revoked_tokens")
        gone, stays = self.make(file, "gone"), self.make(file, "stays")
        config = f'http_rate_per_minute = 0\ntokens = "{file}"\n'
        daemon = self.start(config)
        ended, going = [], []
        for token, clients in ((gone, ended), (stays, going)):
            listener = daemon.http(token=token)
            listener.initialize()
            listener.request("GET", headers=listener.session_headers(
                {"Accept": "text/event-stream"}))
            watcher = daemon.http(token=token)
            watcher.send_modern("subscriptions/listen",
                                {"notifications": {"resourcesListChanged": True}})
            self.assertEqual(watcher.response().status, 200)
            clients += [listener, watcher]
            for client in (listener, watcher):
                self.addCleanup(client.close)
        self.assertIn("acknowledged", going[1].event()[1]["method"])
        with open(file, encoding="ascii") as text:
            lines = [line for line in text if not line.startswith("gone ")]
        with open(file, "w", encoding="ascii") as out:
            out.writelines(lines)
        self.reload(daemon, config)
        for client in ended:
            client.events()  # to the end of the stream, and the connection's behind it
            self.assertTrue(client.ended())
        for client, status in ((ended[0], 401), (going[0], 200)):
            with daemon.http(token=client.token) as other:
                other.session, other.version = client.session, client.version
                self.assertEqual(other.request(body=other.message("tools/list", modern=False),
                                               headers=other.session_headers()).status, status)
        # Those that stay go on: they hear of the next reload, which brings another host.
        with open(self.ssh_config, "a", encoding="utf-8") as out:
            out.write("Host web2\n  HostName 127.0.0.1\n")
        self.reload(daemon, config)
        self.assertEqual(going[1].event()[1]["method"], "notifications/resources/list_changed")


    def test_a_token_that_was_replaced_by_one_of_the_same_name(self):
        file = os.path.join(self.folder, "rotated_tokens")
        old = self.make(file, "name")
        config = f'http_rate_per_minute = 0\ntokens = "{file}"\n'
        daemon = self.start(config)
        listener, watcher = daemon.http(token=old), daemon.http(token=old)
        self.addCleanup(listener.close)
        self.addCleanup(watcher.close)
        listener.initialize()
        listener.request("GET", headers=listener.session_headers({"Accept": "text/event-stream"}))
        watcher.send_modern("subscriptions/listen",
                            {"notifications": {"resourcesListChanged": True}})
        self.assertEqual(watcher.response().status, 200)
        self.reload(daemon, config)  # nothing has changed: the session is there
        with daemon.http(token=old) as other:
            other.session, other.version = listener.session, listener.version
            self.assertEqual(other.request(body=other.message("tools/list", modern=False),
                                           headers=other.session_headers()).status, 200)
        os.unlink(file)
        new = self.make(file, "name")
        self.reload(daemon, config)
        for client in (listener, watcher):
            client.events()
            self.assertTrue(client.ended())
        for token, status in ((old, 401), (new, 404)):
            with daemon.http(token=token) as other:
                other.session, other.version = listener.session, listener.version
                self.assertEqual(other.request(body=other.message("tools/list", modern=False),
                                               headers=other.session_headers()).status, status)
        with daemon.http(token=new) as other:
            other.initialize()


class LimitTest(AccessTest):
    def test_a_burst_is_limited(self):  # C.6-67
        """With a long burst behind it, nothing is earned within the test: one request in 10 s."""
        daemon = self.start("http_rate_per_minute = 6\n", SCOUT_API_KEYS=GOOD_KEY)
        for _ in range(10):
            self.assertEqual(self.status(daemon, token=GOOD_KEY), 200)
        answer = self.discover(daemon, token=GOOD_KEY)
        self.assertEqual(answer.status, 429)
        error = answer.json()["error"]
        wait = re.fullmatch(r"Rate limit exceeded\. Retry after (\d+\.\d) seconds\.", error)
        self.assertIsNotNone(wait, error)
        self.assertEqual(int(answer.headers["retry-after"]),
                         int(float(wait.group(1)) - 0.05) + 1)  # the text is rounded
        self.assertNotIn("www-authenticate", answer.headers)
        # Others are not affected, and health never is.
        self.assertEqual(self.status(daemon, token=daemon.token()), 200)
        with daemon.http(token=None) as client:
            for _ in range(30):
                self.assertEqual(client.request("GET", "/health").status, 200)

    def test_the_limit_by_default(self):
        daemon = self.start("", SCOUT_RATE_LIMIT_PER_MINUTE="60")
        began = time.monotonic()
        with daemon.http() as client:
            served = sum(client.modern("tools/list")[0] == 200 for _ in range(10))
        self.assertEqual(served, 10)
        statuses = []
        while 429 not in statuses and time.monotonic() - began < 10:
            statuses.append(self.status(daemon, token=daemon.token()))
        self.assertIn(429, statuses)
        self.assertLessEqual(len(statuses) - 1, 1 + time.monotonic() - began)
        # It is earned again.
        harness.wait_until(lambda: self.status(daemon, token=daemon.token()) == 200, "it is earned")

    def test_settings_of_the_limit(self):
        for config, variables, expected in (
                ("http_rate_per_minute = 1\nhttp_rate_burst = 2\n", {}, 2),
                ("http_rate_per_minute = 1\n", {"SCOUT_RATE_LIMIT_BURST": "3"}, 3),
                ("http_rate_per_minute = 1\nhttp_rate_burst = 2\n",
                 {"SCOUT_RATE_LIMIT_PER_MINUTE": "-1"}, 20),
                ("http_rate_per_minute = 1\nhttp_rate_burst = 2\n",
                 {"SCOUT_RATE_LIMIT_PER_MINUTE": "0"}, 20),
                ("http_rate_per_minute = 0\nhttp_rate_burst = 2\n", {}, 20)):
            with self.subTest(config=config, variables=variables):
                daemon = self.start(config, **variables)
                statuses = [self.status(daemon, token=daemon.token()) for _ in range(20)]
                self.assertEqual(statuses.count(200), expected)
        self.reload(daemon, "http_rate_per_minute = 1\nhttp_rate_burst = 1\n")
        statuses = [self.status(daemon, token=daemon.token()) for _ in range(4)]
        self.assertEqual(statuses, [200, 429, 429, 429])

    def test_guesses_are_limited_by_address(self):
        daemon = self.start("http_rate_per_minute = 6\nhttp_rate_burst = 3\n",
                            SCOUT_API_KEYS=GOOD_KEY)
        guesses = [self.status(daemon, token=f"guess-{i}", source="127.0.0.2") for i in range(6)]
        self.assertEqual(guesses, [401, 401, 401, 429, 429, 429])
        harness.wait_until(lambda: daemon.log().count("token_refused") == 3, "the log")
        # From there a right guess looks like a wrong one; from elsewhere it is let in.
        self.assertEqual(self.status(daemon, token=GOOD_KEY, source="127.0.0.2"), 429)
        self.assertEqual(self.status(daemon, token=GOOD_KEY, source="127.0.0.3"), 200)
        # Nobody guesses 256 random bits.
        self.assertEqual(self.status(daemon, token=daemon.token(), source="127.0.0.2"), 200)
        self.assertEqual(daemon.log().count("token_refused"), 3)


class ProxyTest(AccessTest):
    def guess(self, daemon, forwarded, source="127.0.0.1"):
        return self.status(daemon, token="guess", headers={"X-Forwarded-For": forwarded},
                           source=source)

    def test_only_listed_proxies_are_believed(self):
        limit = "http_rate_per_minute = 1\nhttp_rate_burst = 2\n"
        daemon = self.start(limit + 'http_proxies = "127.0.0.1, 10.0.0.0/8"\n')
        for client in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
            told = [self.guess(daemon, f"203.0.113.{i}, {client}, 10.1.1.1") for i in range(4)]
            self.assertEqual(told, [401, 401, 429, 429], client)
            self.logged(daemon, f" peer={client}\n")
        # Who is no proxy is itself, whatever it says; and so is a neighbour in the same /64.
        self.assertEqual([self.guess(daemon, f"192.0.2.{i}", "127.0.0.5") for i in range(3)],
                         [401, 401, 429])
        self.logged(daemon, " peer=127.0.0.5\n")
        self.assertEqual(self.guess(daemon, "2001:db8::2"), 429)
        self.assertEqual(self.guess(daemon, "2001:db8:0:1::1"), 401)
        self.reload(daemon, limit)
        self.assertEqual([self.guess(daemon, f"198.51.100.{i}") for i in range(3)],
                         [401, 401, 429])

    def test_proxies_have_as_many_connections_as_they_want(self):
        for config, expected in (("", 2), ('http_proxies = "127.0.0.0/8"\n', 6)):
            daemon = self.start("http_address_connections = 2\n" + config)
            clients = [daemon.http() for _ in range(6)]
            served = 0
            for client in clients:
                try:
                    served += client.request("GET", "/health").status == 200
                except (EOFError, ConnectionError):
                    pass
            for client in clients:
                client.close()
            self.assertEqual(served, expected)

    def test_what_is_no_network_is_refused(self):
        path = self.write("wrong.conf", 'http_proxies = "10.0.0.0/40"\n')
        told = subprocess.run([harness.SCOUTD, "--check-config", "--config", path], check=False,
                              capture_output=True, text=True,
                              env=harness.clean_environment(self.folder))
        self.assertEqual(told.returncode, 1)
        self.assertIn("http_proxies must be addresses or networks", told.stderr)
        self.assertIn("10.0.0.0/40", told.stderr)


class BeamTest(AccessTest):
    def test_http_has_no_files_of_the_daemon(self):
        fleet = self.make_fleet(2)
        target = os.path.join(os.path.dirname(fleet.write("demo2", "there", "x")), "copy")
        source = fleet.write("demo1", "a.txt", "from host to host\n")
        shared = os.path.join(self.folder, "shared")
        os.mkdir(shared, 0o700)
        for config in ("", f'transfer_dir = "{shared}"\n'):
            daemon = self.start("role = operator\n" + config, fleet.ssh_config)
            with daemon.http() as client:
                for direction in ("upload", "download", None):
                    arguments = {"target": f"demo1:{source}", "beam": "local.txt"}
                    if direction:
                        arguments["direction"] = direction
                    status, message = client.modern("tools/call", {"name": "scout",
                                                                   "arguments": arguments})
                    self.assertEqual(status, 200)
                    self.assertScoutError(message["result"], "policy-denied")
            own = os.path.join(daemon.state, "transfer", "4294967295")
            self.assertFalse(os.path.exists(own))
            self.assertEqual(os.listdir(shared), [])
            with daemon.http() as client:
                _, message = client.modern("tools/call", {"name": "scout", "arguments": {
                    "target": "hosts", "beam_source": f"demo1:{source}",
                    "beam_target": f"demo2:{target}"}})
                self.assertFalse(message["result"].get("isError"), message)
            with open(target, encoding="utf-8") as copy:
                self.assertEqual(copy.read(), "from host to host\n")
            os.remove(target)


if __name__ == "__main__":
    harness.main()
