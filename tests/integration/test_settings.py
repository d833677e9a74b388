"""Settings from the file and from variables, by what they change."""

import os
import threading

import harness
from harness import text_of


class SettingsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.count = 0

    def start(self, config="", ssh_config=None, **variables):
        type(self).count += 1
        daemon = harness.Daemon(self.folder, ssh_config or self.fleet.ssh_config, config,
                                f"d{self.count}", variables=variables)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def names(self, daemon):
        with daemon.client() as client:
            result = client.scout("hosts")
        return [host["name"] for host in result["structuredContent"]["hosts"]]

    def logged(self, daemon, text):
        """The first line of the log that has `text`."""
        return harness.wait_until(
            lambda: next((line for line in daemon.log().splitlines() if text in line), None),
            f"{text} is logged")

    def read(self, daemon, target="demo1:hello.txt"):
        with daemon.client() as client:
            return client.scout(target)


class HostsTest(SettingsTest):
    def test_allowed_and_blocked_hosts(self):  # C.6-62
        self.assertEqual(self.names(self.start()), ["demo1", "demo2"])
        for config, variables in (
                ("", {"SCOUT_ALLOWLIST": "*2"}),
                ("", {"SCOUT_BLOCKLIST": "nobody, demo1"}),
                ("", {"SCOUT_ALLOWLIST": "demo2,x", "SCOUT_BLOCKLIST": "demo*"}),
                ("block_hosts = demo1\n", {}),
                ("allow_hosts = \"x*, *2\"\nblock_hosts = \"demo*\"\n", {})):
            with self.subTest(config=config, variables=variables):
                daemon = self.start(config, **variables)
                self.assertEqual(self.names(daemon), ["demo2"])
                self.assertEqual(text_of(self.read(daemon, "demo2:hello.txt")),
                                 "hello from demo2\n")
                error = self.assertScoutError(self.read(daemon), ("unknown-host",))
                self.assertNotIn("demo1", error["message"].replace("'demo1'", ""))


class LimitsTest(SettingsTest):
    def test_the_size_of_a_file(self):  # C.6-63
        self.fleet.write("demo1", "long", "0123456789")
        for variables, expected in (({"SCOUT_MAX_FILE_SIZE": "4"}, "0123"),
                                    ({"MCP_CAT_MAX_FILE_SIZE": "5"}, "01234"),
                                    ({"MCP_CAT_MAX_FILE_SIZE": "5", "SCOUT_MAX_FILE_SIZE": "6"},
                                     "012345")):
            with self.subTest(variables=variables):
                daemon = self.start("max_file_size = 7\n", **variables)
                result = self.read(daemon, "demo1:long")["structuredContent"]
                self.assertEqual(result["text"], expected)
                self.assertTrue(result["truncated"])

    def test_a_wrong_variable_is_told_and_passed_over(self):  # C.6-63
        self.fleet.write("demo1", "long", "0123456789")
        daemon = self.start("max_file_size = 7\n", SCOUT_MAX_FILE_SIZE="many", SCOUT_ROLE="root",
                            SCOUT_TRANSPORT="invalid")
        self.assertEqual(self.read(daemon, "demo1:long")["structuredContent"]["text"], "0123456")
        for name in ("SCOUT_MAX_FILE_SIZE", "SCOUT_ROLE", "SCOUT_TRANSPORT"):
            told = self.logged(daemon, name)
            self.assertIn(" variable_ignored ", told)
            self.assertNotIn("1970-", told)  # told before the loop runs, and of its time all the same
            self.assertIn(" warn ", told)
        self.assertNotIn("http_ready", daemon.log())  # HTTP is off until it is asked for

    def test_variables_that_mean_nothing(self):
        self.fleet.write("demo1", "long", "0123456789")
        daemon = self.start("log_level = debug\n", SCOUT_LOG_COLORS="true",
                            SCOUT_LOG_PAYLOADS="true", SCOUT_INCLUDE_TRACEBACK="true",
                            SCOUT_TRANSPORT="http", SCOUT_HTTP_PORT="none")
        self.assertEqual(text_of(self.read(daemon, "demo1:long")), "0123456789")
        self.logged(daemon, " request ")
        self.assertNotIn("\x1b", daemon.log())
        self.assertNotIn("0123456789", daemon.log())

    def test_the_level_of_the_log(self):
        quiet = self.start("log_level = debug\n", SCOUT_LOG_LEVEL="ERROR")
        self.read(quiet)
        self.assertNotIn(" info ", quiet.log())
        loud = self.start()
        harness.wait_until(lambda: " info " in loud.log(), "it tells that it is ready")


class TimesTest(SettingsTest):
    def run_command(self, daemon, command):
        with daemon.client() as client:
            return client.result(client.send("tools/call", {
                "name": "run", "arguments": {"host": "demo1", "command": command}}))

    def requests(self, daemon):
        return [line for line in daemon.log().splitlines() if " request " in line]

    def test_what_is_slow(self):
        for config, variables, slow in (
                ("", {}, False), ("", {"SCOUT_SLOW_THRESHOLD_MS": "0.001"}, True),
                ("slow_threshold = 0.000001\n", {}, True),
                ("slow_threshold = 0.000001\n", {"SCOUT_SLOW_THRESHOLD_MS": "60000"}, False)):
            with self.subTest(config=config, variables=variables):
                daemon = self.start(config, **variables)
                self.read(daemon)
                harness.wait_until(lambda d=daemon: self.requests(d), "the request is logged")
                line = self.requests(daemon)[0]
                self.assertEqual((" warn " in line, "slow=yes" in line), (slow, slow), line)

    def test_the_role(self):
        for config, variables, code in (
                ("", {}, "policy-denied"), ("role = operator\n", {}, None),
                ("", {"SCOUT_ROLE": "Operator"}, None),
                ("role = operator\n", {"SCOUT_ROLE": "reader"}, "policy-denied")):
            with self.subTest(config=config, variables=variables):
                result = self.run_command(self.start(config, **variables), "true")
                if code:
                    self.assertScoutError(result, code)
                else:
                    self.assertFalse(result.get("isError"), result)

    def test_the_tools(self):
        for config, variables, expected in (
                ("", {}, {"scout", "read"}), ('tool_sets = "files"\n', {}, {"read"}),
                ('tool_sets = "files"\n', {"SCOUT_TOOL_SETS": "scout"}, {"scout"})):
            with self.subTest(config=config, variables=variables):
                with self.start(config, **variables).client() as client:
                    tools = client.request("tools/list")["result"]["tools"]
                names = {tool["name"] for tool in tools}
                self.assertEqual(names & {"scout", "read"}, expected)

    def test_the_pages(self):
        for config, variables, expected in (
                ("", {}, "text"), ("enable_ui = true\n", {}, "resource"), ("", {"SCOUT_ENABLE_UI": "1"}, "resource"),
                ("", {"SCOUT_ENABLE_UI": "On"}, "resource"), ("enable_ui = true\n", {"SCOUT_ENABLE_UI": "no"}, "text"),
                ("", {"SCOUT_ENABLE_UI": "perhaps"}, "text")):
            with self.subTest(config=config, variables=variables):
                self.fleet.write("demo1", "page", "x\n")
                daemon = self.start(config, **variables)
                with daemon.client() as client:
                    self.assertEqual(client.scout("demo1:page")["content"][0]["type"], expected)
                self.assertEqual("SCOUT_ENABLE_UI" in daemon.log(), "perhaps" in variables.values())

    def test_the_time_of_a_query(self):
        """The words of a file of zeros, which has no blocks and is long."""
        with open(self.fleet.write("demo1", "zeros", ""), "wb") as out:
            out.truncate(20 << 30)
        for config, variables in (("command_timeout = 0.3\n", {}),
                                  ("", {"SCOUT_COMMAND_TIMEOUT": "0.3"}),
                                  ("", {"MCP_CAT_COMMAND_TIMEOUT": "0.3"})):
            with self.subTest(config=config, variables=variables):
                daemon = self.start(config, **variables)
                with daemon.client() as client:
                    result = client.result(client.send("tools/call", {
                        "name": "scout", "arguments": {"target": "demo1:~", "query": "wc -w zeros"}}))
                content = result["structuredContent"]
                self.assertIn("deadline-exceeded", str(content))

    def test_the_time_of_rest(self):
        for config, variables, logins in (("", {"SCOUT_IDLE_TIMEOUT": "0"}, 2),
                                          ("idle_timeout = 0\n", {}, 2),
                                          ("idle_timeout = 0\n",
                                           {"MCP_CAT_IDLE_TIMEOUT": "60"}, 1)):
            with self.subTest(config=config, variables=variables):
                before = self.fleet.logins("demo1")
                daemon = self.start(config, **variables)
                self.read(daemon)
                self.read(daemon)
                self.assertEqual(self.fleet.logins("demo1") - before, logins)

    def test_the_number_of_connections(self):
        """With one, a second host has to wait until the first is let go."""
        daemon = self.start("role = operator\ncall_timeout = 0.7\ndetach_after = 0\n",
                            SCOUT_MAX_POOL_SIZE="1")
        before = self.fleet.logins("demo1")
        with daemon.client() as busy, daemon.client() as client:
            numbers, enough = [], threading.Event()

            def occupy():  # again and again: each ends before the call that waits
                while not enough.is_set():
                    numbers.append(busy.send("tools/call", {"name": "run", "arguments": {
                        "host": "demo1", "command": "sleep 5"}}))
                    enough.wait(0.1)

            thread = threading.Thread(target=occupy)
            thread.start()
            try:
                harness.wait_until(lambda: self.fleet.logins("demo1") > before,
                                   "the first is connected")
                error = self.assertScoutError(client.scout("demo2:hello.txt"), "deadline-exceeded")
            finally:
                enough.set()
                thread.join()
            self.assertEqual(error["stage"], "queued")
            for number in numbers:
                busy.result(number)


class HostKeysTest(SettingsTest):
    """C.6-64: what happens without known_hosts. The daemon always starts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bare = cls.write("bare_config",
                             cls.fleet.entry("demo1", "demo1", UserKnownHostsFile=None))
        cls.absent = os.path.join(cls.folder, "nowhere", "known_hosts")
        cls.wrong = cls.write("wrong_known_hosts",
                              f"[127.0.0.1]:{cls.fleet.port('demo1')} "
                              f"{cls.fleet.host_key('demo2')}\n")
        cls.other = cls.write("other_known_hosts", f"elsewhere {cls.fleet.host_key('demo2')}\n")

    def run_with(self, config="", **variables):
        daemon = self.start(config, self.bare, **variables)
        return daemon, self.read(daemon)

    def refused(self, result, *words):
        error = self.assertScoutError(result, ("known-hosts-missing",))
        for word in ("SSH host key verification required",
                     f"ssh-keyscan -p {self.fleet.port('demo1')} 127.0.0.1 >> ",
                     "SCOUT_KNOWN_HOSTS=none", *words):
            self.assertIn(word, error["message"])

    def test_the_default_file_is_missing(self):
        daemon, result = self.run_with()
        self.refused(result, "known_hosts not found",
                     os.path.join(daemon.folder, ".ssh", "known_hosts"))
        self.logged(daemon, " known_hosts_missing ")

    def test_the_named_file_is_missing(self):
        for config, variables in ((f"known_hosts = \"{self.absent}\"\n", {}),
                                  ("", {"SCOUT_KNOWN_HOSTS": self.absent})):
            _, result = self.run_with(config, **variables)
            self.refused(result, "specified known_hosts file not found", self.absent)

    def test_a_named_file_is_used(self):
        for config, variables in ((f"known_hosts = \"{self.fleet.known_hosts}\"\n", {}),
                                  ("", {"SCOUT_KNOWN_HOSTS": self.fleet.known_hosts})):
            daemon, result = self.run_with(config, **variables)
            self.assertEqual(text_of(result), "hello from demo1\n")
            self.assertNotIn("known_hosts_missing", daemon.log())

    def test_none_switches_the_check_off_and_says_so(self):
        for config, variables in (("known_hosts = none\n", {}), ("", {"SCOUT_KNOWN_HOSTS": "none"}),
                                  (f"known_hosts = \"{self.wrong}\"\n",
                                   {"SCOUT_KNOWN_HOSTS": "NONE"})):
            with self.subTest(config=config, variables=variables):
                daemon, result = self.run_with(config, **variables)
                self.assertEqual(text_of(result), "hello from demo1\n")
                self.assertIn("critical", self.logged(daemon, "MITM"))

    def test_not_strict_goes_on_without_a_file_only(self):
        for config, variables in (("strict_host_key_checking = false\n", {}),
                                  ("", {"SCOUT_STRICT_HOST_KEY_CHECKING": "FALSE"})):
            daemon, result = self.run_with(config, **variables)
            self.assertEqual(text_of(result), "hello from demo1\n")
            self.logged(daemon, " warn  known_hosts_missing ")
        for path, code in ((self.wrong, "host-key-changed"), (self.other, "host-key-unknown")):
            _, result = self.run_with("strict_host_key_checking = false\n", SCOUT_KNOWN_HOSTS=path)
            self.assertScoutError(result, (code,))

    def test_only_false_is_not_strict(self):
        for word in ("no", "0", "off"):
            _, result = self.run_with(SCOUT_STRICT_HOST_KEY_CHECKING=word)
            self.refused(result)


if __name__ == "__main__":
    harness.main()
