"""CheckHostIP: what known_hosts says of the address that a host's name leads to counts, too.

As in OpenSSH it does not for loopback, so the test makes itself a network of its own with one more
address, and an /etc/hosts that names it: nothing of it is seen outside. That takes root.
"""

import os
import subprocess
import sys
import tempfile

ADDRESS, NAME = "192.0.2.7", "box.example"
INSIDE = "SCOUT_TEST_OWN_NETWORK"


def enter_own_network():
    """Runs this file again inside; never returns. 77: it cannot be had here."""
    inner = (f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && "
             "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"")
    with tempfile.NamedTemporaryFile("w", prefix="scout-hosts-", encoding="ascii") as hosts:
        hosts.write(f"127.0.0.1 localhost near.example\n{ADDRESS} {NAME} old.{NAME}\n")
        hosts.flush()
        wrap = ["unshare", "--mount", "--net", "sh", "-c", inner, "sh", hosts.name]
        try:
            possible = subprocess.run(wrap + ["true"], stderr=subprocess.PIPE, check=False)
        except FileNotFoundError as error:
            sys.exit(print(f"skipped: {error}") or 77)
        if os.getuid() != 0 or possible.returncode != 0:
            print("skipped: no network of one's own can be had here:", possible.stderr.decode())
            sys.exit(77)
        sys.exit(subprocess.run(wrap + [sys.executable, "-B", *sys.argv], check=False,
                                env={**os.environ, INSIDE: "1"}).returncode)


if __name__ == "__main__" and INSIDE not in os.environ:
    enter_own_network()

import harness  # noqa: E402
from harness import text_of  # noqa: E402


class CheckHostIpTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, ListenAddress=ADDRESS)  # at port 22, and as all fleets
        cls.count = 0
        wrong = os.path.join(cls.folder, "wrong")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", wrong], check=True)
        with open(wrong + ".pub", encoding="ascii") as file:
            cls.wrong = " ".join(file.read().split()[:2])

    def keys(self, *names):
        """known_hosts with the right key for names, and a wrong one for those after a `!`."""
        right = self.fleet.host_key("demo1")
        return "".join(f"{name.lstrip('!')} {self.wrong if name[0] == '!' else right}\n"
                       for name in names)

    def start(self, known_hosts, **keywords):
        type(self).count += 1
        self.known = self.write(f"known{self.count}", known_hosts)
        config = self.write(f"config{self.count}", self.fleet.entry(
            "web", "demo1", UserKnownHostsFile=self.known, GlobalKnownHostsFile="none",
            **{"HostName": NAME, "Port": 22, "CheckHostIP": "yes", **keywords}))
        daemon = self.make_daemon(config, "", name=f"d{self.count}")
        self.addCleanup(daemon.stop)
        return daemon

    def look(self, known_hosts, **keywords):
        with self.start(known_hosts, **keywords).client() as client:
            return client.scout("web:hello.txt")

    def lines(self):
        with open(self.known, encoding="ascii") as file:
            return file.read()

    def test_a_key_that_differs_from_the_addresss_is_refused(self):
        for strict in ("yes", "accept-new", "no"):
            with self.subTest(strict=strict):
                known = self.keys(NAME, "!" + ADDRESS)
                result = self.look(known, StrictHostKeyChecking=strict)
                self.assertScoutError(result, "host-key-changed", f"its address {ADDRESS}")
                self.assertIn(NAME, text_of(result))
                self.assertEqual(self.lines(), known)
        self.assertEqual(text_of(self.look(self.keys(NAME, "!" + ADDRESS), CheckHostIP="no")),
                         "hello from demo1\n")

    def test_an_address_that_is_not_known_is_no_error(self):
        known = self.keys(NAME)
        self.assertEqual(text_of(self.look(known, StrictHostKeyChecking="yes")),
                         "hello from demo1\n")
        self.assertEqual(self.lines(), known)
        self.assertScoutError(self.look(self.keys("!" + NAME, ADDRESS)), "host-key-changed")
        self.assertScoutError(self.look(self.keys(ADDRESS)), "host-key-unknown")

    def test_with_accept_new_it_is_written_down(self):
        for before, after in (("", self.keys(f"{NAME},{ADDRESS}")),
                              (self.keys(NAME), self.keys(NAME, ADDRESS)),
                              (self.keys(ADDRESS), self.keys(ADDRESS, NAME))):
            with self.subTest(before=before):
                self.assertEqual(text_of(self.look(before, StrictHostKeyChecking="accept-new")),
                                 "hello from demo1\n")
                self.assertEqual(self.lines(), after)

    def test_a_new_host_at_a_known_address_with_another_key(self):
        known = self.keys("!" + ADDRESS)
        self.assertScoutError(self.look(known, StrictHostKeyChecking="accept-new"),
                              "host-key-changed", ADDRESS)
        self.assertEqual(self.lines(), known)

    def test_loopback_and_what_a_program_leads_to_are_not_checked(self):
        port = self.fleet.port("demo1")
        known = self.keys(f"[near.example]:{port}", f"![127.0.0.1]:{port}")
        self.assertEqual(text_of(self.look(known, HostName="near.example", Port=port)),
                         "hello from demo1\n")
        known = self.keys(NAME, "!" + ADDRESS)
        relay = self.write("relay.py", "import os, socket, sys, threading\n"
                           f"s = socket.create_connection(('{ADDRESS}', 22))\n"
                           "def up():\n"
                           "    while (b := os.read(0, 65536)): s.sendall(b)\n"
                           "threading.Thread(target=up, daemon=True).start()\n"
                           "while (b := s.recv(65536)): os.write(1, b)\n")
        self.assertEqual(text_of(self.look(known, ProxyCommand=f"/usr/bin/python3 {relay}")),
                         "hello from demo1\n")

    def test_ssh_itself_says_the_same(self):
        """Of each known_hosts, whether ssh logs in with it."""
        for known in (self.keys(NAME), self.keys(NAME, ADDRESS), self.keys(NAME, "!" + ADDRESS),
                      self.keys("!" + NAME, ADDRESS), self.keys(ADDRESS)):
            with self.subTest(known=known):
                ours = self.look(known, StrictHostKeyChecking="yes")
                theirs = subprocess.run(
                    ["ssh", "-F", os.path.join(self.folder, f"config{self.count}"), "-o",
                     "BatchMode=yes", "web", "true"], capture_output=True, check=False)
                self.assertEqual(not ours.get("isError"), theirs.returncode == 0, theirs.stderr)


if __name__ == "__main__":
    harness.main()
