"""What a model gets of what hosts say: clean, within a budget, the rest by a handle; and what a program gets."""

import hashlib
import json
import os
import subprocess
import time

import harness
from harness import text_of

SECRETS = ("DB_PASSWORD=hunter2\n"
           "url: postgres://app:s3cr3tword@db/x\n"
           "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9u\nAAAA\n"
           "-----END OPENSSH PRIVATE KEY-----\n"
           "plain = value\n")
HIDDEN = ("hunter2", "s3cr3tword", "b3BlbnNz")
ANSI = "".join(f"\x1b[32mline {n}\x1b[0m done\r\n" for n in range(200)) + "\u202etxt.exe \u200b\U000e0041\n"


class OutputTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.tokens = os.path.join(cls.folder, "tokens")
        cls.other = "scout_" + "x" * 30
        with open(cls.tokens, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(f"other operator {hashlib.sha256(cls.other.encode()).hexdigest()}\n")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config, f'role = "operator"\ntokens = "{cls.tokens}"\n')
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)
        cls.secrets = "demo1:" + cls.fleet.write("demo1", "settings.conf", SECRETS)
        cls.text = "".join(f"this is line {n} of many\n" for n in range(36000))
        cls.large = "demo1:" + cls.fleet.write("demo1", "large.txt", cls.text)

    def token_client(self, daemon=None):
        client = (daemon or self.daemon).client()
        self.addCleanup(client.close)
        client.send_raw(json.dumps({"jsonrpc": "2.0", "method": "notifications/scout/token",
                                    "params": {"token": self.other}}).encode() + b"\n")
        return client

    def output(self, handle, client=None, **more):
        return (client or self.client).tool("output", handle=handle, **more)

    # --- the budget ---------------------------------------------------------------------------

    def test_a_large_file_is_cut_and_read_on(self):
        result = self.client.scout(self.large)
        answer = self.assertScoutOk(result, "file")
        text = text_of(result)
        self.assertLess(len(text), 25300)
        self.assertEqual(answer["text"], text)
        self.assertTrue(answer["truncated"])
        output = answer["output"]
        self.assertEqual(text[:output["omitted_from"]], self.text[:output["omitted_from"]])
        self.assertEqual(output["total"], len(self.text))
        self.assertTrue(text.endswith(self.text[output["omitted_to"]:]))
        self.assertIn(f'"offset":{output["omitted_from"]}}}', text)
        rest, at = "", output["omitted_from"]
        while at is not None and at < output["omitted_to"]:
            page = self.assertScoutOk(self.output(output["handle"], offset=at, limit=300000), "output")
            self.assertEqual(page["offset"], at)
            rest, at = rest + page["text"], page.get("next")
        self.assertTrue(rest.startswith(self.text[output["omitted_from"]:output["omitted_to"]]))
        page = self.output(output["handle"])
        self.assertLess(len(text_of(page)), 25200)
        self.assertIn("go on with output", text_of(page))

    def test_a_call_can_ask_for_more_or_less(self):
        result = self.client.tool("scout", target=self.large, max_output=2000000)
        self.assertEqual(text_of(result), self.text)
        result = self.client.tool("scout", target=self.large, max_output=1000)
        self.assertLess(len(text_of(result)), 1300)
        result = self.client.tool("scout", target=self.large, max_output=10)
        self.assertScoutError(result, "invalid-argument", "max_output")

    def test_what_a_command_prints(self):
        result = self.client.tool("run", host="demo1", command="yes | head -c 300000; echo end >&2; exit 3", timeout=20)
        answer = self.assertScoutOk(result, "command")
        self.assertLess(len(text_of(result)), 25300)
        self.assertTrue(text_of(result).endswith("[stderr]\nend\n[exit code: 3]"))
        self.assertEqual((answer["stderr"], answer["stdout_truncated"], answer["stderr_truncated"]), ("end\n", True, False))
        self.assertLess(len(answer["stdout"]), 25300)
        result = self.client.tool("run", host="demo1", command="head -c 10000000 /dev/urandom", timeout=20)
        self.assertLess(len(json.dumps(result, ensure_ascii=False)), 80000)

    def test_a_large_directory(self):
        folder = self.fleet.path("demo1", "many")
        os.makedirs(folder)
        for n in range(2000):
            open(os.path.join(folder, f"file-{n:04}"), "wb").close()
        answer = self.assertScoutOk(self.client.scout("demo1:" + folder), "directory")
        self.assertEqual(len(answer["entries"]) + answer["output"]["left_out"]["entries"], answer["count"])
        self.assertTrue(answer["truncated"])
        self.assertLess(len(json.dumps(answer)), 30000)

    def test_a_broadcast_is_cut_in_each_block(self):
        small = "demo1:" + self.fleet.write("demo1", "small", "small\n")
        result = self.client.tool("scout", targets=[self.large, small, self.large])
        answer = self.assertScoutOk(result, "broadcast")
        text = text_of(result)
        self.assertLess(len(text), 25700)
        self.assertEqual(text.count("left out; read them with output"), 2)
        self.assertEqual(answer["results"][1]["text"], "small\n")
        self.assertEqual([part["truncated"] for part in answer["results"]], [True, False, True])
        page = self.assertScoutOk(self.output(answer["output"]["handle"], limit=1000000), "output")
        self.assertIn("small\n", page["text"])

    def test_a_handle_is_its_owners(self):
        handle = self.client.scout(self.large)["structuredContent"]["output"]["handle"]
        self.assertRegex(handle, r"^out_[A-Za-z0-9_-]{22}$")
        with self.daemon.client() as again:
            self.assertScoutOk(self.output(handle, again), "output")
        self.assertScoutError(self.output(handle, self.token_client()), "no-such-handle")
        self.assertScoutError(self.output("out_AAAAAAAAAAAAAAAAAAAAAA"), "no-such-handle")
        for _ in range(64):
            self.client.scout(self.large)
        self.assertScoutError(self.output(handle), "no-such-handle")

    # --- what hosts say -----------------------------------------------------------------------

    def test_secrets_are_taken_out(self):
        for result in (self.client.scout(self.secrets), self.client.tool("read", target=self.secrets),
                       self.client.tool("run", host="demo1", command="cat " + self.secrets.split(":")[1]),
                       self.client.tool("grep", target=self.secrets, pattern="."),
                       self.client.tool("scout", target=self.large, diff=self.secrets),
                       self.client.tool("scout", targets=[self.secrets])):
            written = json.dumps(result)
            for secret in HIDDEN:
                self.assertNotIn(secret, written)
            self.assertIn("[redacted:password:", written)
            self.assertIn("plain = value", written)
        marker = text_of(self.client.scout(self.secrets)).split("\n", 1)[0]
        self.assertRegex(marker, r"^DB_PASSWORD=\[redacted:password:[0-9a-f]{8}\]$")
        self.assertIn(marker, text_of(self.client.tool("read", target=self.secrets)))
        resource = self.client.request("resources/read", {"uri": "scout://" + self.secrets.replace(":", "", 1)})
        self.assertNotIn("hunter2", json.dumps(resource))
        self.assertEqual(resource["result"]["contents"][0]["_meta"]["scout/output"]["redacted"], 3)

    def assertNoPiece(self, result):
        written = json.dumps(result).replace("password", "").replace("PASSWORD", "")
        for secret in HIDDEN:
            for at in range(len(secret) - 3):
                self.assertNotIn(secret[at:at + 4], written)

    def test_parts_that_cut_a_secret_in_two(self):
        for at in range(1, len(SECRETS)):
            self.assertNoPiece(self.client.tool("read", target=self.secrets, byte_offset=0, byte_count=at))
            self.assertNoPiece(self.client.tool("read", target=self.secrets, byte_offset=at))
            self.assertNoPiece(self.client.tool("read", target=self.secrets, byte_offset=at, byte_count=3))
        for line in range(1, SECRETS.count("\n") + 1):
            part = self.client.tool("read", target=self.secrets, offset=line, limit=1, line_numbers=True)
            self.assertNoPiece(part)
            self.assertEqual(self.assertScoutOk(part, "file")["lines"], 1)
            part = self.client.tool("read", target=self.secrets, tail=line)
            self.assertNoPiece(part)
            self.assertEqual(self.assertScoutOk(part, "file")["lines"], line)
        part = self.client.tool("read", target=self.secrets, offset=4, limit=2, line_numbers=True)
        self.assertRegex(text_of(part), r"^     4\t\[redacted:private-key:\w{8}\]\n     5\t\[redacted:private-key:\w{8}\]\n")
        self.assertIn("secret redacted]", text_of(part))
        with self.daemon.client().raw() as owner:
            self.assertEqual(text_of(owner.tool("read", target=self.secrets, byte_offset=14, byte_count=4)), "nter")
        # Of a file that is larger than may be read, the end of what is read.
        path = "demo1:" + self.fleet.write("demo1", "cut.conf", "x" * 999 + "\nDB_PASSWORD=hunter2pass\n")
        with self.make_daemon(self.fleet.ssh_config, "max_file_size = 1015\n", "cut").client() as client:
            for result in (client.scout(path), client.tool("read", target=path)):
                self.assertTrue(self.assertScoutOk(result, "file")["truncated"])
                self.assertIn("DB_PASSWORD=[redacted:password:", json.dumps(result))
                self.assertNotIn("hun", json.dumps(result))
        # UTF-16, of which the parts are converted.
        path = "demo1:" + self.fleet.write("demo1", "wide.txt", ("\ufeff" + SECRETS).encode("utf-16-le"))
        for line in range(1, SECRETS.count("\n") + 1):
            self.assertNoPiece(self.client.tool("read", target=path, offset=line, limit=1))

    def test_lines_of_a_key_that_a_search_tells(self):
        line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDYa3mQb7wqO9vZ"
        key = f"-----BEGIN PRIVATE KEY-----\n{line}\n{line[::-1]}\nQUJDRA==\n-----END PRIVATE KEY-----\nafter = it\n"
        path = "demo1:" + self.fleet.write("demo1", "keys/deploy.txt", key)
        for pattern, more in ((".", {}), ("MII", {}), ("BEGIN", {"after": 2}), ("END", {"before": 2}), ("^[A-Za-z0-9+/]+$", {}),
                              ("Y.3m", {"context": 1}), ("MII|after", {})):
            for target in (path, path.rsplit("/", 1)[0]):
                result = self.client.tool("grep", target=target, pattern=pattern, **more)
                self.assertNotIn(line[10:30], json.dumps(result))
                self.assertNotIn(line[::-1][10:30], json.dumps(result))
                self.assertGreater(self.assertScoutOk(result, "grep")["output"]["redacted"], 0)
        self.assertNotIn("QUJDRA", json.dumps(self.client.tool("grep", target=path, pattern=".")))
        self.assertIn("after = it", json.dumps(self.client.tool("grep", target=path, pattern=".")))
        # A line that is cut where a secret is.
        path = "demo1:" + self.fleet.write("demo1", "long.txt", "x" * 490 + " token=hunter2hunter2\nplain\n" + "y" * 700 + "\n")
        result = self.client.tool("grep", target=path, pattern=".")
        self.assertNotIn("hun", json.dumps(result))
        self.assertIn(" token=[redacted:token:", result["structuredContent"]["matches"][0]["text"])
        self.assertTrue(result["structuredContent"]["matches"][0]["cut"])
        self.assertEqual(result["structuredContent"]["matches"][2]["text"], "y" * 500 + "\u2026")
        with self.daemon.client().raw() as owner:
            self.assertIn(line, text_of(owner.tool("grep", target="demo1:" + self.fleet.path("demo1", "keys"), pattern="MII")))

    def test_an_error_that_quotes_a_host(self):
        result = self.client.scout("demo1:/nope\x1b[31m/PASSWORD=hunter2")
        self.assertScoutError(result, "path-not-found")
        self.assertNotIn("hunter2", json.dumps(result))
        self.assertNotIn("\\u001b", json.dumps(result))

    def test_escapes_and_what_is_not_seen(self):
        path = "demo1:" + self.fleet.write("demo1", "ansi.log", ANSI)
        result = self.client.scout(path)
        answer = self.assertScoutOk(result, "file")
        self.assertTrue(answer["text"].startswith("line 0 done\r\nline 1 done\r\n"))
        self.assertTrue(answer["text"].endswith("<U+202E>txt.exe <U+200B><U+E0041>\n"))
        self.assertEqual(answer["output"]["neutralised"], {"escapes": 400, "bidi": 1, "invisible": 2})
        self.assertTrue(text_of(result).endswith("[not as on the host: 400 terminal controls neutralised, "
                                                 "1 bidi control shown, 2 invisible characters shown]"))

    def test_a_secret_that_escapes_had_cut_in_two(self):
        # Colours within its name or before its value hid it from the search, and were then taken out.
        for text in ("pass\x1b[0mword=hunter2\n", "\x1b[31mDB_PASSWORD\x1b[m\x1b[K=hunter2\n", "token: \x1b[1mhunter2\x1b[0m\n"):
            path = self.fleet.write("demo1", "coloured", text)
            for result in (self.client.scout("demo1:" + path), self.client.tool("run", host="demo1", command="cat " + path),
                           self.client.tool("scout", target=self.large, diff="demo1:" + path),
                           self.client.request("resources/read", {"uri": "scout://demo1" + path})):
                self.assertNotIn("hunter2", json.dumps(result))
                self.assertIn("[redacted:", json.dumps(result))
        result = self.client.scout("demo1:/no\x1b[0mpe/pass\x1b[0mword=hunter2")
        self.assertScoutError(result, "path-not-found")
        self.assertNotIn("hunter2", json.dumps(result))

    def test_binary_junk(self):
        path = "demo1:" + self.fleet.write("demo1", "junk", bytes(range(256)) * 4000)
        result = self.client.tool("scout", target=path, max_output=16777216)
        self.assertFalse(any(ord(c) < 32 and c not in "\n\t\r" or 0x7f <= ord(c) < 0xa0 for c in text_of(result)))

    # --- the configuration, and programs --------------------------------------------------------

    def test_the_keys(self):
        config = ("output_budget = 5000\nredact_defaults = false\nredact = {\"ACME-[0-9]+\", \"pin (\\\\d+)\"}\n"
                  "raw_output = nobody\n")
        path = "demo1:" + self.fleet.write("demo1", "acme", "ACME-4711 pin 1234 PASSWORD=hunter2\n")
        with self.make_daemon(self.fleet.ssh_config, config, "keys").client() as client:
            self.assertLess(len(text_of(client.scout(self.large))), 5300)
            self.assertRegex(text_of(client.scout(path)), r"^\[redacted:pattern:\w{8}\] pin \[redacted:pattern:\w{8}\] "
                             r"PASSWORD=hunter2\n")
            client.raw()
            self.assertIn("[redacted:pattern:", text_of(client.scout(path)))
            self.assertEqual(text_of(client.scout(self.large)), self.text)  # whole, though clean

    def test_patterns_that_take_forever(self):
        # As many as 2^40 steps for each of many short texts: the result has a budget, and what is left is withheld.
        folder = self.fleet.path("demo1", "forever")
        os.makedirs(folder)
        for n in range(60):
            with open(f"{folder}/{'a' * 40}-{n}", "w", encoding="ascii"):
                pass
        with self.make_daemon(self.fleet.ssh_config, 'redact = {"^(a|aa)+$"}\n', "slow").client() as client:
            began = time.monotonic()
            result = client.scout("demo1:" + folder)
            self.assertLess(time.monotonic() - began, 5)
            answer = self.assertScoutOk(result, "directory")
            self.assertIn("[redacted:unchecked:", json.dumps(answer["entries"]))
            self.assertGreater(answer["output"]["unchecked"], 50)
            self.assertIn("texts withheld (the patterns of redact take too long for it)", text_of(result))

    def test_wrong_keys(self):
        self.assertRefused('redact = {"("}', "wrong at byte")
        self.assertRefused("output_budget = 999", "1000")
        self.assertRefused("raw_output = me", "owner, everyone, nobody")

    def assertRefused(self, line, why):
        path = self.write("wrong.conf", line + "\n")
        done = subprocess.run([harness.SCOUTD, "--check-config", "--config", path], check=False, capture_output=True,
                              text=True, env=harness.clean_environment(self.folder))
        self.assertEqual(done.returncode, 1)
        self.assertIn(why, done.stderr)

    def test_who_gets_results_raw(self):
        with self.daemon.client().raw() as owner:
            self.assertEqual(text_of(owner.scout(self.secrets)), SECRETS)
        other = self.token_client().raw()
        self.assertNotIn("hunter2", text_of(other.scout(self.secrets)))
        daemon = self.make_daemon(self.fleet.ssh_config, f'tokens = "{self.tokens}"\nraw_output = everyone\n', "all")
        self.assertEqual(text_of(self.token_client(daemon).raw().scout(self.secrets)), SECRETS)
        # Nothing that a model can set does it.
        result = self.client.tool("scout", target=self.secrets, raw=True)
        self.assertScoutError(result, "invalid-argument", "raw")

    def test_the_companion_copies_exactly(self):
        path = "demo1:" + self.fleet.write("demo1", "exact", SECRETS + ANSI + self.text)
        done = subprocess.run([harness.SCOUT, "--socket", self.daemon.socket, "read", path], check=True,
                              capture_output=True, env=harness.clean_environment(self.folder))
        self.assertEqual(done.stdout.decode(), SECRETS + ANSI + self.text)

    # --- the list of tools ----------------------------------------------------------------------

    def test_the_list_of_tools_is_small(self):
        tools = self.client.request("tools/list")["result"]["tools"]
        self.assertLessEqual(len(tools), 12)
        size = len(json.dumps(tools, separators=(",", ":"), ensure_ascii=False).encode())
        self.assertLess(size, 16000)
        for tool in tools:
            self.assertEqual(tool["outputSchema"]["properties"]["output"], {"type": "object"}, tool["name"])


if __name__ == "__main__":
    harness.main()
