"""ProxyJump: hosts behind bastions, on real sshd's."""

import os
import socket
import subprocess
import time

import harness
import hostile
from harness import text_of, wait_until

HOSTS = 21  # demo1 is the bastion
LATE_S = 3  # what an answer may take beyond its time on a busy machine


def answers(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(path) == 0


class Agent:
    """An ssh-agent with one key."""

    def __init__(self, path, key):
        # It is set-group-ID, so it does not die with its parent: it holds nothing of ours.
        self.process = subprocess.Popen(["ssh-agent", "-D", "-a", path],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(path), "the agent listens")
        subprocess.run(["ssh-add", "-q", key], check=True, stdin=subprocess.DEVNULL,
                       env={**os.environ, "SSH_AUTH_SOCK": path}, timeout=30, capture_output=True)

    def end(self):
        self.process.terminate()
        self.process.wait(harness.READY_S)


class JumpTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(HOSTS)
        cls.dead = hostile.DeadPort()
        cls.addClassCleanup(cls.dead.stop)
        cls.make_keys()
        demos = [f"demo{i}" for i in range(2, HOSTS + 1)]
        entry = cls.fleet.entry
        config = entry("bastion", "demo1")
        for name in demos:
            config += entry("in-" + name, name, ProxyJump="bastion")
        config += entry("second", "demo2") + entry("third", "demo3")
        config += entry("chain", "demo4", ProxyJump="bastion,second,third")
        config += entry("closed", "demo2", ProxyJump="bastion", Port=hostile.closed_port())
        config += entry("dead", "demo2", ProxyJump="bastion", Port=cls.dead.port)
        config += entry("behind-dead", "demo3", ProxyJump="dead")
        config += entry("no-name", "demo2", ProxyJump="bastion", HostName="no-such-name.invalid")
        config += entry("wrong-key", "demo2", ProxyJump="bastion", UserKnownHostsFile=cls.wrong)
        config += entry("wrong-bastion", "demo1", UserKnownHostsFile=cls.wrong)
        config += entry("behind-wrong", "demo2", ProxyJump="wrong-bastion")
        config += entry("by-agent", "demo1", IdentityFile=None, IdentitiesOnly=None,
                        IdentityAgent=cls.agent_path)
        config += entry("agent-then-file", "demo5", ProxyJump="by-agent")
        config += entry("no-login", "demo1", IdentityFile=cls.unknown_key)
        config += entry("behind-no-login", "demo2", ProxyJump="no-login")
        config += entry("round", "demo2", ProxyJump="about")
        config += entry("about", "demo3", ProxyJump="round")
        cls.ssh_config = cls.write("ssh_config", config)
        cls.daemon = cls.make_daemon(cls.ssh_config)

    @classmethod
    def make_keys(cls):
        for name in ("agent_key", "unknown_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f",
                            os.path.join(cls.folder, name)], check=True, timeout=30)
        cls.unknown_key = os.path.join(cls.folder, "unknown_key")
        agent_key = os.path.join(cls.folder, "agent_key")
        with open(agent_key + ".pub", encoding="ascii") as public, \
                open(cls.fleet.user_key + ".pub", "a", encoding="ascii") as accepted:
            accepted.write(public.read())
        cls.agent_path = os.path.join(cls.folder, "agent")
        agent = Agent(cls.agent_path, agent_key)
        cls.addClassCleanup(agent.end)
        with open(cls.unknown_key + ".pub", encoding="ascii") as public:
            key = " ".join(public.read().split()[:2])
        cls.wrong = cls.write("wrong_known_hosts", "".join(
            f"[127.0.0.1]:{cls.fleet.port(name)} {key}\n" for name in ("demo1", "demo2")))

    def setUp(self):
        self.client = self.daemon.client().raw()
        self.addCleanup(self.client.close)

    def assertHello(self, result, name):
        self.assertEqual(text_of(result), f"hello from {name}\n")

    def test_twenty_hosts_share_one_connection_to_their_bastion(self):
        daemon = self.make_daemon(self.ssh_config, name="twenty")
        before = self.fleet.logins("demo1")
        demos = [f"demo{i}" for i in range(2, HOSTS + 1)]
        with daemon.client().raw() as client:
            calls = {name: client.send_scout(f"in-{name}:hello.txt") for name in demos}
            for name, call in calls.items():
                self.assertHello(client.result(call, 60), name)
            # The bastion itself is the same connection, too.
            self.assertHello(client.scout("bastion:hello.txt"), "demo1")
            self.assertEqual(self.fleet.logins("demo1"), before + 1)
            # Warm, nothing of it is made anew.
            logins = self.fleet.logins("demo2")
            self.assertHello(client.scout("in-demo2:hello.txt"), "demo2")
            self.assertEqual(self.fleet.logins("demo2"), logins)

    def test_a_chain_of_three(self):
        self.assertHello(self.client.scout("chain:hello.txt", 30), "demo4")

    def test_large_files_come_through_the_whole_chain(self):
        self.fleet.write("demo4", "large", "x" * 900000)
        for _ in range(3):
            self.assertEqual(text_of(self.client.scout("chain:large", 30)).count("x"), 900000)

    def test_a_host_behind_a_bastion_that_is_down(self):
        begun = time.monotonic()
        self.assertScoutError(self.client.scout("closed:x"), "connect-failed",
                              "closed, via bastion: bastion does not get through to 127.0.0.1",
                              "connect failed")
        self.assertScoutError(self.client.scout("no-name:x"), "connect-failed",
                              "no-such-name.invalid")
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_host_that_drops_packets_ends_in_the_deadline_and_delays_others_little(self):
        daemon = self.make_daemon(self.ssh_config, "call_timeout = 6\n", name="dropped")
        with daemon.client().raw() as client:
            self.assertHello(client.scout("bastion:hello.txt"), "demo1")
            begun = time.monotonic()
            dead, behind = client.send_scout("dead:x"), client.send_scout("behind-dead:x")
            self.assertHello(client.scout("in-demo7:hello.txt", 30), "demo7")
            self.assertLess(time.monotonic() - begun, 3 + LATE_S)
            self.assertScoutError(client.result(dead, 30), "deadline-exceeded",
                                  "dead, via bastion: bastion did not get through")
            self.assertScoutError(client.result(behind, 30), "deadline-exceeded",
                                  "behind-dead, via dead")
            self.assertLess(time.monotonic() - begun, 6 + LATE_S)
            # What was given up leaves the bastion as it was.
            self.assertHello(client.scout("bastion:hello.txt"), "demo1")
            self.assertHello(client.scout("in-demo8:hello.txt", 30), "demo8")

    def test_the_key_of_each_host_on_the_way_is_checked(self):
        self.assertScoutError(self.client.scout("wrong-key:x"), "host-key-changed", "wrong-key")
        self.assertScoutError(self.client.scout("behind-wrong:x"), "host-key-changed",
                              "behind-wrong, via wrong-bastion")

    def test_each_host_on_the_way_has_credentials_of_its_own(self):
        self.assertHello(self.client.scout("agent-then-file:hello.txt"), "demo5")
        self.assertScoutError(self.client.scout("behind-no-login:x"), "auth-failed",
                              "behind-no-login, via no-login")

    def test_a_way_that_leads_round_is_refused(self):
        self.assertScoutError(self.client.scout("round:x"), "host-refused",
                              "round -> about -> round")

    def test_a_bastion_that_dies_takes_its_hosts_along_and_both_come_back(self):
        daemon = self.make_daemon(self.ssh_config, name="dies")
        with daemon.client().raw() as client:
            self.assertHello(client.scout("in-demo9:hello.txt"), "demo9")
            processes = self.fleet.processes("demo1")[1:]
            calls = [client.send_scout(f"in-demo{i}:hello.txt") for i in range(9, 15)]
            for pid in processes:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            # A look has no effect, so it is tried once more; each is answered once.
            for i, call in enumerate(calls):
                result = client.result(call, 30)
                if result.get("isError"):
                    self.assertScoutError(result, "connection-lost", "via bastion")
                else:
                    self.assertHello(result, f"demo{9 + i}")
            self.assertHello(client.scout("in-demo9:hello.txt", 30), "demo9")
            self.fleet.down("demo1")
            self.addCleanup(self.fleet.up, "demo1")
            self.assertScoutError(client.scout("in-demo9:hello.txt", 30),
                                  ("connection-lost", "connect-failed"), "in-demo9, via bastion")
        # The clean-up brings it back before the next test.

    def test_going_through_a_bastion_needs_no_right_there(self):
        daemon = self.make_daemon(self.ssh_config, 'allow_hosts = "in-*"\n', name="limited")
        with daemon.client().raw() as client:
            self.assertHello(client.scout("in-demo3:hello.txt"), "demo3")
            self.assertScoutError(client.scout("bastion:x"), "unknown-host", "bastion")

    def test_a_full_pool_serves_one_chain_after_the_other(self):
        daemon = self.make_daemon(self.ssh_config, "max_connections = 2\n", name="full")
        with daemon.client().raw() as client:
            # Each takes both places.
            targets = ["in-demo3", "in-demo4", "agent-then-file", "in-demo6", "bastion", "second"]
            calls = [client.send_scout(f"{name}:hello.txt") for name in targets]
            hosts = ["demo3", "demo4", "demo5", "demo6", "demo1", "demo2"]
            for call, host in zip(calls, hosts):
                self.assertHello(client.result(call, 60), host)
            self.assertScoutError(client.scout("chain:hello.txt"), "pool-full",
                                  "through 3 other hosts", "raise max_connections")

    def test_an_idle_host_is_closed_before_its_bastion(self):
        daemon = self.make_daemon(self.ssh_config, "idle_timeout = 1\n", name="idle")
        with daemon.client().raw() as client:
            self.assertHello(client.scout("in-demo10:hello.txt"), "demo10")
            for name in ("demo10", "demo1"):
                wait_until(lambda name=name: self.sockets(daemon) == 0, f"{name} is closed", 20)

    @staticmethod
    def sockets(daemon):
        """How many TCP connections the daemon has."""
        out = subprocess.run(["ls", "-l", f"/proc/{daemon.process.pid}/fd"], check=False,
                             capture_output=True, text=True).stdout
        inodes = {word[8:-1] for word in out.split() if word.startswith("socket:[")}
        with open("/proc/net/tcp", encoding="ascii") as table:
            return sum(line.split()[9] in inodes for line in table.readlines()[1:])


class OnlyJumpsTest(harness.ScoutTest):
    """A bastion whose account may do nothing but jump."""

    def test_it_carries_all_the_same(self):
        self.make_folder()
        fleet = self.make_fleet(2)
        bastion = harness.Fleet(os.path.join(self.folder, "only"), 1, MaxSessions="0")
        self.addClassCleanup(bastion.stop)
        config = bastion.entry("bastion", "demo1")
        for name in ("demo1", "demo2"):
            config += fleet.entry("in-" + name, name, ProxyJump="bastion")
        daemon = self.make_daemon(self.write("ssh_config", config))
        with daemon.client().raw() as client:
            for name in ("demo1", "demo2", "demo1"):
                self.assertEqual(text_of(client.scout(f"in-{name}:hello.txt", 30)),
                                 f"hello from {name}\n")
            # Once with a session, which it refuses, and once without.
            self.assertEqual(bastion.logins("demo1"), 2)
            self.assertScoutError(client.scout("bastion:x"), "no-channel", "opens no channel")


class StartupsTest(harness.ScoutTest):
    """Servers with OpenSSH's own limit on connections that are not logged in yet."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, MaxStartups="10:30:100", LogLevel="VERBOSE")
        config = cls.fleet.entry("bastion", "demo1")
        for i in range(30):
            # Another file with the same key makes another connection.
            key = os.path.join(cls.folder, f"key{i}")
            os.symlink(cls.fleet.user_key, key)
            config += cls.fleet.entry(f"same{i}", "demo2", IdentityFile=key)
            config += cls.fleet.entry(f"behind{i}", "demo2", IdentityFile=key,
                                      ProxyJump="bastion")
        cls.daemon = cls.make_daemon(cls.write("ssh_config", config))

    def drops(self):
        with open(self.fleet.home("demo2", "sshd.log"), encoding="utf-8") as log:
            return sum("drop connection" in line or "beginning MaxStartups" in line for line in log)

    def ask_all(self, prefix):
        with self.daemon.client().raw() as client:
            calls = [client.send_scout(f"{prefix}{i}:hello.txt") for i in range(30)]
            for call in calls:
                self.assertEqual(text_of(client.result(call, 60)), "hello from demo2\n")

    def test_many_logins_at_one_address_stay_below_it(self):
        self.ask_all("same")
        self.assertEqual(self.drops(), 0)

    def test_many_handshakes_through_one_bastion_stay_below_it(self):
        self.ask_all("behind")
        self.assertEqual(self.drops(), 0)


if __name__ == "__main__":
    harness.main()
