"""known_hosts files of all sorts: the real ssh and scoutd accept and refuse the same hosts.

Where they may differ, scoutd is the stricter one, and each reason is named here (`stricter`)."""

import concurrent.futures
import os
import random
import subprocess

import harness
from harness import text_of

SEED = 5
CASES = 42
ALIAS = "web.example"


class Line:
    def __init__(self, marker, names, hashed, key):
        self.marker, self.names, self.hashed, self.key = marker, names, hashed, key


class TrustBesideOpenSSH(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        ecdsa = os.path.join(cls.folder, "ecdsa")
        cls.keygen("-t", "ecdsa", "-N", "", "-f", ecdsa)
        cls.keygen("-t", "ecdsa", "-N", "", "-f", ecdsa + "2")
        with open(cls.fleet.home("demo1", "sshd_config"), "a", encoding="ascii") as out:
            out.write(f"HostKey {ecdsa}\n")
        cls.fleet.down("demo1")
        cls.fleet.up("demo1")
        cls.port = cls.fleet.port("demo1")
        cls.keys = {"own": cls.fleet.host_key("demo1"), "other": cls.fleet.host_key("demo2")}
        for name, path in (("own-ecdsa", ecdsa), ("other-ecdsa", ecdsa + "2")):
            with open(path + ".pub", encoding="ascii") as text:
                cls.keys[name] = " ".join(text.read().split()[:2])

    @staticmethod
    def keygen(*options):
        subprocess.run(["ssh-keygen", "-q", *options], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, capture_output=True)

    # --- a corpus ----------------------------------------------------------------------------

    def text(self, lines, name):
        """The file of a case."""
        out = ["# comment", ""]
        for i, line in enumerate(lines):
            names = line.names
            if line.hashed:
                path = os.path.join(self.folder, f"hash-{name}-{i}")
                with open(path, "w", encoding="ascii") as one:
                    one.write(f"{names} {self.keys[line.key]}\n")
                self.keygen("-H", "-f", path)
                with open(path, encoding="ascii") as one:
                    names = one.read().split()[0]
            out.append(f"{line.marker} {names} {self.keys[line.key]} comment".strip())
        return "\n".join(out + ["nonsense", "host only-a-type"]) + "\n"

    def cases(self):
        here, bare = f"[127.0.0.1]:{self.port}", "127.0.0.1"
        names = [here, here, here, bare, ALIAS, f"{ALIAS},{here}", "[127.0.0.*]:*", "[127.0.0.1]:1",
                 "*", f"*,!{here}", f"[127.0.0.1]:{str(self.port)[:-1]}?", "WEB.example", "127.*"]
        pick = random.Random(SEED)
        for key in self.keys:
            for marker in ("", "@revoked", "@cert-authority"):
                yield [Line(marker, here, False, key)]
            yield [Line("", bare, False, key)]
        for count in (0, 1, 2, 2, 3, 3, 4) * (CASES // 7):
            yield [Line(pick.choice(["", "", "", "", "@revoked", "@cert-authority"]), name,
                        pick.random() < 0.3 and not set("*?,!") & set(name),
                        pick.choice(list(self.keys)))
                   for name in pick.choices(names, k=count)]

    # --- the two -----------------------------------------------------------------------------

    def host(self, alias, strict, known, by_alias):
        return self.fleet.entry(
            alias, "demo1", UserKnownHostsFile=known, GlobalKnownHostsFile="/dev/null",
            StrictHostKeyChecking=strict, UpdateHostKeys="no", HashKnownHosts="no",
            IdentityAgent="none", HostKeyAlias=ALIAS if by_alias else None)

    def ssh(self, config, host):
        ended = subprocess.run(["ssh", "-F", config, "-o", "BatchMode=yes", host, "true"],
                               check=False, timeout=60, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True)
        self.assertIn(ended.returncode, (0, 255), ended.stderr)
        return ended.returncode == 0, ended.stderr

    @staticmethod
    def stricter(lines, strict):
        """Why scoutd may refuse what ssh accepts."""
        if any(line.marker == "@revoked" for line in lines):
            return "a key that is revoked for the host's name is revoked on all its ports"
        if strict == "accept-new" and any(line.marker == "@cert-authority" for line in lines):
            return "a host that an authority answers for is not new"
        return None

    @staticmethod
    def by_name(lines, key):
        """Where nothing is known of the port, scoutd asks for the type of key that is known for the
        name alone; ssh asks for its first one, which need not be known."""
        return any(not line.marker and line.key in key and
                   line.names[0] in "1*" for line in lines)

    def test_the_same_hosts_are_accepted(self):
        cases, config, copies = {}, "", ""
        for number, lines in enumerate(self.cases()):
            text = self.text(lines, str(number))
            for strict in ("yes" if number % 2 else "ask", "accept-new"):
                by_alias = number % 3 == 2
                name = f"c{number}-{strict}"
                ours = self.write(name, text)
                theirs = self.write(name + ".ssh", text)
                config += self.host(name, strict, ours, by_alias)
                copies += self.host(name, strict, theirs, by_alias)
                cases[name] = (lines, strict, ours, theirs, text)
        theirs_config = self.write("ssh_config.ssh", copies)
        daemon = self.make_daemon(self.write("ssh_config", config), "max_connections = 500\n")
        with concurrent.futures.ThreadPoolExecutor(4) as pool, daemon.client() as client:
            said = {name: pool.submit(self.ssh, theirs_config, name) for name in cases}
            accepted = refused = 0
            for name, (lines, strict, ours, theirs, text) in cases.items():
                result = client.scout(name + ":hello.txt")
                we = text_of(result) == "hello from demo1\n"
                if not we:
                    self.assertScoutError(result, ("host-key-unknown", "host-key-changed",
                                                   "host-key-revoked"))
                they, why = said[name].result()
                accepted += we and they
                refused += not we and not they
                if we != they and (self.by_name(lines, ("own-ecdsa",)) if we
                                   else self.stricter(lines, strict)):
                    continue
                story = f"{name}, ours: {text_of(result)}, ssh: {why}\n{text}"
                self.assertEqual(we, they, story)
                # The same line was added, or none.
                if we and not self.by_name(lines, ("own-ecdsa", "other-ecdsa")):
                    with open(ours, encoding="ascii") as one, open(theirs, encoding="ascii") as two:
                        self.assertEqual(one.read(), two.read(), story)
        self.assertGreater(accepted, 20)
        self.assertGreater(refused, 20)
        print(f"{len(cases)} cases: {accepted} accepted, {refused} refused by both")


class AcceptNewTest(harness.ScoutTest):
    """StrictHostKeyChecking accept-new, and `no`, which means no more."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.address = f"[127.0.0.1]:{cls.fleet.port('demo1')}"

    def daemon(self, *hosts):
        place = os.path.join(self.folder, self.id().rsplit(".", 1)[1])
        os.mkdir(place)
        self.known = os.path.join(place, "known")
        text = "".join(self.fleet.entry(alias, name, **{"UserKnownHostsFile": self.known,
                                                        "GlobalKnownHostsFile": "none", **more})
                       for alias, name, more in hosts)
        config = os.path.join(place, "ssh_config")
        with open(config, "w", encoding="ascii") as out:
            out.write(text)
        daemon = harness.Daemon(place, config)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def lines(self):
        with open(self.known, encoding="ascii") as text:
            return text.read().splitlines()

    def assertReads(self, client, host, name="demo1"):
        self.assertEqual(text_of(client.scout(host + ":hello.txt")), f"hello from {name}\n")

    def test_the_first_key_is_written_down_and_then_counts(self):
        daemon = self.daemon(("web", "demo1", {"StrictHostKeyChecking": "accept-new"}),
                             ("strict", "demo1", {"StrictHostKeyChecking": "yes"}))
        with daemon.client() as client:
            self.assertScoutError(client.scout("strict:hello.txt"), "known-hosts-missing")
            self.assertReads(client, "web")
            self.assertEqual(self.lines(), [f"{self.address} {self.fleet.host_key('demo1')}"])
            self.assertReads(client, "strict")
        harness.wait_until(lambda: "host_accepted host=web" in daemon.log(), "it is logged")
        self.assertEqual(os.stat(self.known).st_mode & 0o777, 0o600)

    def test_a_changed_key_is_refused_whatever_is_said(self):
        for strict in ("accept-new", "no", "off"):
            daemon = self.daemon_for_changed(strict)
            with daemon.client() as client:
                self.assertScoutError(client.scout("web:hello.txt"), "host-key-changed")
            self.assertEqual(len(self.lines()), 1)

    def daemon_for_changed(self, strict):
        place = os.path.join(self.folder, "changed-" + strict)
        os.mkdir(place)
        self.known = os.path.join(place, "known")
        with open(self.known, "w", encoding="ascii") as out:
            out.write(f"{self.address} {self.fleet.host_key('demo2')}\n")
        config = os.path.join(place, "ssh_config")
        with open(config, "w", encoding="ascii") as out:
            out.write(self.fleet.entry("web", "demo1", UserKnownHostsFile=self.known,
                                       GlobalKnownHostsFile="none", StrictHostKeyChecking=strict))
        daemon = harness.Daemon(place, config)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def test_many_who_meet_a_new_host_write_one_line(self):
        users = [(f"web{i}", "demo1", {"StrictHostKeyChecking": "no", "ServerAliveInterval": i + 1})
                 for i in range(12)]  # each with a connection of its own
        daemon = self.daemon(*users)
        before = self.fleet.logins("demo1")
        with daemon.client() as client:
            sent = [client.send_scout(alias + ":hello.txt") for alias, _, _ in users]
            for message_id in sent:
                self.assertEqual(text_of(client.result(message_id)), "hello from demo1\n")
        self.assertEqual(self.fleet.logins("demo1") - before, 12)
        self.assertEqual(self.lines(), [f"{self.address} {self.fleet.host_key('demo1')}"])

    def test_a_key_that_cannot_be_written_down_is_not_accepted(self):
        before = self.fleet.logins("demo1")
        daemon = self.daemon(("web", "demo1", {"StrictHostKeyChecking": "accept-new",
                                               "UserKnownHostsFile": "/proc/no/such/file"}))
        with daemon.client() as client:
            self.assertScoutError(client.scout("web:hello.txt"), "permission-denied",
                                  "/proc/no/such/file")
        self.assertEqual(self.fleet.logins("demo1"), before)

    def test_without_a_file_on_purpose(self):
        daemon = self.daemon(("null", "demo1", {"StrictHostKeyChecking": "no",
                                                "UserKnownHostsFile": "/dev/null"}))
        with daemon.client() as client:
            self.assertReads(client, "null")

    def test_an_authority_is_said_to_be_of_no_use(self):
        daemon = self.daemon(("web", "demo1", {"StrictHostKeyChecking": "accept-new"}))
        with open(self.known, "w", encoding="ascii") as out:
            out.write(f"@cert-authority {self.address} {self.fleet.host_key('demo2')}\n")
        with daemon.client() as client:
            self.assertScoutError(client.scout("web:hello.txt"), "host-key-unknown",
                                  "certificate authority", "cannot be verified")
            with open(self.known, "a", encoding="ascii") as out:
                out.write(f"{self.address} {self.fleet.host_key('demo1')}\n")
            self.assertReads(client, "web")


if __name__ == "__main__":
    harness.main()
