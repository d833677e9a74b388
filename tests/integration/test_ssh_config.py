"""Keywords of ssh_config against real sshd's: each changes what a connection does, and `scout explain`
says which line it was."""

import json
import os
import signal
import subprocess
import threading

import harness
from harness import text_of

HELLO = "hello from demo1\n"


class SshConfigTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, Ciphers="aes256-ctr", MACs="hmac-sha2-512",
                                   AcceptEnv="FIRST SECOND EMPTY",
                                   KexAlgorithms="curve25519-sha256,diffie-hellman-group14-sha256")
        cls.count = 0

    def start(self, ssh_config, config="", **variables):
        type(self).count += 1
        name = f"c{self.count}"
        path = self.write(name + ".ssh_config", ssh_config)
        daemon = self.make_daemon(path, config, name=name, variables=variables)
        self.addCleanup(daemon.stop)
        return daemon

    def read(self, daemon, host):
        with daemon.client() as client:
            return client.scout(host + ":hello.txt")

    def entry(self, alias, **keywords):
        return self.fleet.entry(alias, "demo1", **keywords)

    def expect(self, ssh_config, good=(), bad=(), config="", **variables):
        """All of `good` can be read; `bad` are (host, code, fragment of the text)."""
        daemon = self.start(ssh_config, config, **variables)
        for host in good:
            with self.subTest(host=host):
                self.assertEqual(text_of(self.read(daemon, host)), HELLO)
        for host, code, fragment in bad:
            with self.subTest(host=host):
                self.assertScoutError(self.read(daemon, host), code, fragment)
        return daemon

    def test_the_name_and_the_files_by_which_a_host_is_known(self):
        key = self.fleet.host_key("demo1")
        alias = self.write("alias", f"some-alias {key}\n")
        nobody = self.write("nobody", "# nobody\n")
        self.expect(
            self.entry("aliased", UserKnownHostsFile=alias, HostKeyAlias="Some-Alias")
            + self.entry("plain", UserKnownHostsFile=alias)
            + self.entry("other", HostKeyAlias="unknown-alias")
            + self.entry("global", UserKnownHostsFile="none",
                         GlobalKnownHostsFile=f"{nobody} {self.fleet.known_hosts}")
            + self.entry("nowhere", UserKnownHostsFile="none", GlobalKnownHostsFile="/dev/null"),
            good=("aliased", "global"),
            bad=(("plain", "host-key-unknown", "known_hosts"),
                 ("other", "host-key-unknown", "unknown-alias"),
                 ("nowhere", "host-key-unknown", "known_hosts")))

    def test_strict_where_the_daemon_is_not(self):
        self.expect(
            self.entry("lax", UserKnownHostsFile=None)
            + self.entry("strict", UserKnownHostsFile="/nonexistent/known",
                         StrictHostKeyChecking="yes")
            + self.entry("never-lax", StrictHostKeyChecking="no",
                         UserKnownHostsFile=self.write("wrong", f"[127.0.0.1]:{self.fleet.port('demo1')} "
                                                       + self.fleet.host_key("demo2") + "\n")),
            good=("lax", "never-lax"), bad=(("strict", "known-hosts-missing", "/nonexistent/known"),),
            SCOUT_KNOWN_HOSTS="none")
        self.expect(
            self.entry("ask", StrictHostKeyChecking="ask",
                       UserKnownHostsFile=self.write("empty", "")),
            bad=(("ask", "host-key-unknown", "scout trust ask"),))

    def start_agent(self):
        path = os.path.join(self.folder, f"agent{self.count}.sock")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL,
                                 preexec_fn=harness.die_with_parent)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.send_signal, signal.SIGTERM)
        harness.wait_until(lambda: os.path.exists(path), "the agent listens")
        subprocess.run(["ssh-add", "-q", self.fleet.user_key], check=True, timeout=10,
                       env={**os.environ, "SSH_AUTH_SOCK": path})
        return path

    def test_agents_and_which_of_their_keys(self):
        agent = self.start_agent()
        with open(self.fleet.user_key + ".pub", encoding="ascii") as text:
            public = self.write("public.pub", text.read())
        other = os.path.join(self.folder, "other_key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True,
                       timeout=60)
        self.expect(
            self.entry("own", IdentityFile="none", IdentityAgent=agent, IdentitiesOnly="no")
            + self.entry("variable", IdentityFile="none", IdentityAgent="$MY_AGENT",
                         IdentitiesOnly="no")
            + self.entry("by-public", IdentityFile=public, IdentityAgent="${MY_AGENT}")
            + self.entry("beside-it", IdentityFile=public[:-4], IdentityAgent=agent)
            + self.entry("only-files", IdentityFile=other, IdentityAgent=agent)
            + self.entry("all", IdentityFile=other, IdentityAgent=agent, IdentitiesOnly="no")
            + self.entry("none", IdentityFile="none", IdentityAgent="none", IdentitiesOnly="no"),
            good=("own", "variable", "by-public", "beside-it", "all"),
            bad=(("only-files", "auth-failed", ""), ("none", "key-unusable", "no key for none")),
            MY_AGENT=agent)

    def test_addresses_and_attempts(self):
        text = (self.entry("four", AddressFamily="inet", HostName="localhost",
                           HostKeyAlias=f"[127.0.0.1]:{self.fleet.port('demo1')}")
                + self.entry("six", AddressFamily="inet6")
                + self.fleet.entry("once", "demo2")
                + self.fleet.entry("patient", "demo2", ConnectionAttempts="20"))
        daemon = self.expect(text, good=("four",),
                             bad=(("six", "resolve-failed", "AddressFamily"),))
        self.fleet.down("demo2")
        self.assertScoutError(self.read(daemon, "once"), "connect-failed", "refused")
        answers = []
        reader = threading.Thread(target=lambda: answers.append(self.read(daemon, "patient")))
        reader.start() # its first attempt may fail or come later: either will do
        self.fleet.up("demo2")
        reader.join(30)
        self.assertEqual(text_of(answers[0]), "hello from demo2\n")

    def test_files_that_anybody_may_write_to(self):
        included = self.write("open", "Port 7\n")
        os.chmod(included, 0o666)
        named = self.write("includes", f"Host web\n  Include {included}\n")

        def check():
            return subprocess.run([harness.SCOUTD, "--check-config", "--ssh-config", named],
                                  env=harness.clean_environment(self.folder), timeout=30,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)

        refused = check()
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"{included} is not read", refused.stderr)
        os.chmod(included, 0o644)
        self.assertEqual(check().returncode, 0)
        os.chmod(named, 0o666)  # named by us, as with ssh -F
        self.assertEqual(check().returncode, 0)

    def test_algorithms(self):
        self.expect(
            self.entry("cipher", Ciphers="aes128-ctr,aes256-ctr")
            + self.entry("added", Ciphers="+aes128-cbc", MACs="^hmac-sha2-512",
                         KexAlgorithms="-ecdh-*", HostKeyAlgorithms="+ssh-rsa")
            + self.entry("no-cipher", Ciphers="aes128-ctr")
            + self.entry("no-mac", MACs="-hmac-sha2-512*")
            + self.entry("no-kex", KexAlgorithms="ecdh-sha2-nistp256")
            + self.entry("no-key", HostKeyAlgorithms="ecdsa-sha2-nistp256")
            + self.entry("nothing", KexAlgorithms="diffie-hellman-group14-sha256"),
            good=("cipher", "added"),
            # Whether we or the host notice first is a matter of luck.
            bad=(*((host, ("no-common-algorithm", "connection-lost"), "")
                   for host in ("no-cipher", "no-mac", "no-kex", "no-key")),
                 ("nothing", "no-common-algorithm", "elliptic curves")))

    def test_what_is_not_done_yet_refuses_the_host(self):
        self.expect(
            self.entry("fdpass", ProxyUseFdpass="yes")
            + self.entry("bind", BindInterface="lo") + self.entry("odd", Frobnicate="yes")
            + self.entry("fine", ForwardAgent="yes", SendEnv="LANG"),
            good=("fine",),
            bad=(("fdpass", "host-refused", "ProxyUseFdpass"),
                 ("bind", "host-refused", "BindInterface"), ("odd", "host-refused", "Frobnicate")))

    def test_where_a_connection_comes_from(self):
        """In a daemon that has shut itself in, as all of them have."""
        daemon = self.start(
            self.entry("nine", BindAddress="127.0.0.9") + self.entry("ten", BindAddress="127.0.0.10")
            + self.entry("six", BindAddress="::1") + self.entry("far", BindAddress="192.0.2.1")
            + self.entry("named", BindAddress="localhost"), 'role = "operator"\n')
        with daemon.client() as client:
            for host, address in (("nine", "127.0.0.9"), ("ten", "127.0.0.10")):
                result = client.tool("run", host=host, command="echo $SSH_CONNECTION")
                self.assertEqual(text_of(result).split()[0], address)
            for host, code, fragment in (
                    ("six", "resolve-failed", "BindAddress allows no other"),
                    ("far", "connect-failed", "from 192.0.2.1 (BindAddress): Cannot assign"),
                    ("named", "connect-failed", "'localhost' is not an IP address")):
                self.assertScoutError(client.scout(host + ":hello.txt"), code, fragment)
        self.assertEqual(self.row(daemon, "nine", "BindAddress")["standing"], "honoured")

    def test_which_keys_are_offered(self):
        self.expect(
            self.entry("listed", PubkeyAcceptedAlgorithms="rsa-sha2-512,ssh-ed25519")
            + self.entry("older", PubkeyAcceptedAlgorithms="+ssh-rsa")
            + self.entry("other", PubkeyAcceptedAlgorithms="rsa-sha2-512,ecdsa-sha2-*")
            + self.entry("without", PubkeyAcceptedAlgorithms="-ssh-ed25519"),
            good=("listed", "older"),
            bad=(("other", "key-unusable", "PubkeyAcceptedAlgorithms"),
                 ("without", "key-unusable", "PubkeyAcceptedAlgorithms")))

    def test_the_environment_of_commands(self):
        daemon = self.start(
            self.entry("set", SetEnv='FIRST=1 UNKNOWN=x "SECOND=two words=3" EMPTY=')
            + self.entry("plain") + self.entry("token", SetEnv="FIRST=%h")
            + self.entry("none", SetEnv="FIRST"), 'role = "operator"\n')
        show = "echo \"${FIRST-unset},${SECOND-unset},${EMPTY-unset},${UNKNOWN-unset}\""
        with daemon.client() as client:
            for _ in range(3):  # with a channel that was opened ahead, and without
                for host, shown in (("set", "1,two words=3,,unset"), ("plain", "unset,unset,unset,unset")):
                    result = client.tool("run", host=host, command=show)
                    self.assertEqual(text_of(result).splitlines()[0], shown)
            sent = [client.send("tools/call", {"name": "run", "arguments": {
                "host": "set", "command": show}}) for _ in range(8)]
            for message in sent:
                self.assertEqual(text_of(client.result(message, 30)).splitlines()[0],
                                 "1,two words=3,,unset")
            for host in ("token", "none"):
                self.assertScoutError(client.tool("run", host=host, command=show), "host-refused",
                                      "SetEnv")

    def test_variables_of_the_daemon_that_are_sent(self):
        daemon = self.start(
            "Match all\n  SendEnv SEC* EMPTY FIRST\n"
            + self.entry("sent") + self.entry("less", SendEnv="-SECOND -F*")
            + self.entry("set", SetEnv="FIRST=2"), 'role = "operator"\n',
            FIRST="a b", SECRET="left out", EMPTY="", SCOUT_FIRST="1")
        show = "echo \"${FIRST-unset},${SECOND-unset},${EMPTY-unset},${SECRET-unset}\""
        with daemon.client() as client:
            def shown(host):
                return text_of(client.tool("run", host=host, command=show)).splitlines()[0]
            self.assertEqual(shown("sent"), "a b,unset,,unset")
            self.assertEqual(shown("less"), "unset,unset,,unset")
            self.assertEqual(shown("set"), "2,unset,,unset")
            with open(daemon.ssh_config, "r+", encoding="utf-8") as file:
                text = file.read().replace("SEC* EMPTY FIRST", "-FIRST EMPTY")
                file.seek(0)
                file.write(text)
                file.truncate()
            daemon.process.send_signal(signal.SIGHUP)
            harness.wait_until(lambda: "reloaded" in daemon.log(), "reloaded")
            self.assertEqual(shown("sent"), "unset,unset,,unset")
            self.assertEqual(shown("set"), "2,unset,,unset")
        row = self.row(daemon, "set", "SendEnv")
        self.assertEqual((row["value"], row["standing"], row["reason"]),
                         ("EMPTY", "honoured", "sends EMPTY"))

    def row(self, daemon, host, keyword):
        """What explain says of one keyword."""
        answer = json.loads(self.explain(daemon, host, "--json").stdout)
        return next(row for row in answer["values"] if row["keyword"] == keyword)

    def test_match_exec_only_where_it_is_allowed(self):
        flag = os.path.join(self.folder, "flag")
        text = (f"Match originalhost web exec \"test -e {flag}\"\n"
                f"  Port {self.fleet.port('demo2')}\n" + self.entry("web") + self.entry("db"))
        self.expect(text, good=("db",), bad=(("web", "host-refused", "match_exec"),))
        self.expect(text, good=("db", "web"), config="match_exec = yes\n")
        self.write("flag", "")
        daemon = self.start(text, "match_exec = yes\n")
        self.assertEqual(text_of(self.read(daemon, "web")), "hello from demo2\n")

    def test_commands_are_run_at_the_start_only(self):
        daemon = self.start("Match exec true\n  User x\n" + self.entry("web"), "match_exec = yes\n")
        if "sandbox_unavailable" in daemon.log():
            self.skipTest("the daemon cannot shut itself in here")
        with open(daemon.ssh_config, "a", encoding="utf-8") as out:
            out.write("Match exec \"test 1\"\n  Port 7\n")
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "reload_refused" in daemon.log(), "the reload")
        self.assertIn("restart it", daemon.log())

    def test_a_reload_keeps_the_connections_that_it_does_not_touch(self):
        daemon = self.start(self.entry("one") + self.fleet.entry("two", "demo2"))
        first, second = self.fleet.logins("demo1"), self.fleet.logins("demo2")

        def look():
            self.assertEqual(text_of(self.read(daemon, "one")), HELLO)
            self.assertEqual(text_of(self.read(daemon, "two")), "hello from demo2\n")
            return self.fleet.logins("demo1") - first, self.fleet.logins("demo2") - second

        self.assertEqual(look(), (1, 1))
        with open(daemon.ssh_config, "a", encoding="utf-8") as out:
            out.write("Host two\n  ServerAliveInterval 7\nHost three\n  User x\n")
        count = daemon.log().count(" reloaded ")
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: daemon.log().count(" reloaded") > count, "the reload")
        self.assertEqual(look(), (1, 2))

    def explain(self, daemon, *arguments):
        environment = harness.clean_environment(self.folder)
        environment.update(SCOUT_SOCKET=daemon.socket, SCOUT_STATE_DIR=daemon.state)
        done = subprocess.run([harness.SCOUT, "explain", *arguments], env=environment, timeout=30,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_explain(self):
        included = self.write("included", "Port 77\n")
        daemon = self.start(f"Host web\n  HostName h.example\n  BindInterface j\n  Include {included}\n"
                            "Host *\n  ForwardAgent yes\n  StrictHostKeyChecking no\n")
        answer = json.loads(self.explain(daemon, "web", "--json").stdout)
        rows = {row["keyword"]: row for row in answer["values"]}
        self.assertEqual(rows["HostName"], {
            "keyword": "HostName", "value": "h.example", "file": daemon.ssh_config, "line": 2,
            "standing": "honoured"})
        self.assertEqual((rows["Port"]["value"], rows["Port"]["file"], rows["Port"]["line"]),
                         ("77", included, 1))
        self.assertEqual(rows["User"]["standing"], "honoured")
        self.assertNotIn("file", rows["User"])
        self.assertEqual(rows["ForwardAgent"]["standing"], "ignored")
        self.assertEqual(rows["BindInterface"]["standing"], "refused")
        self.assertIn("as accept-new", rows["StrictHostKeyChecking"]["reason"])
        self.assertEqual(answer["refusal"]["code"], "host-refused")
        self.assertIn(f"{daemon.ssh_config}:3", answer["refusal"]["message"])
        self.assertEqual((answer["known"], answer["count"]), (True, len(answer["values"])))
        text = self.explain(daemon, "web")
        self.assertRegex(text.stdout, rf"(?m)^Port +77 +{included}:1$")
        self.assertRegex(text.stdout, r"(?m)^ForwardAgent .*\(not honoured\)$")
        self.assertRegex(text.stdout, r"(?m)^BindInterface .*REFUSED")
        self.assertIn("Host web is refused: BindInterface", text.stderr)
        other = json.loads(self.explain(daemon, "unnamed", "--json").stdout)
        self.assertEqual((other["known"], "refusal" in other), (False, False))


if __name__ == "__main__":
    harness.main()
