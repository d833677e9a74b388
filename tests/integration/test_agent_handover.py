"""A client's ssh agent goes to a daemon that has none, over the socket, and serves nobody else."""

import json
import os
import shutil
import socket
import subprocess
import sys

import harness
from harness import text_of
from test_systemd import Handed

HELLO = "hello from demo1\n"
NOBODY = 65534
MANY = 12  # hosts that log in at the same time


def answers(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


class Agent:
    """A real ssh-agent, with the fleet's key or without any, of this user or of another."""

    def __init__(self, test, path, key=None, uid=None):
        self.path = path
        # It is set-group-ID, so it does not die with its parent: it holds nothing of ours.
        self.process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=lambda: uid and os.setuid(uid))
        test.addCleanup(self.end)
        harness.wait_until(lambda: answers(path), "the agent listens")
        if key:
            subprocess.run(["ssh-add", "-q", key], check=True, stdin=subprocess.DEVNULL,
                           env={**os.environ, "SSH_AUTH_SOCK": path}, timeout=30,
                           capture_output=True)

    def end(self):
        self.process.terminate()
        self.process.wait(harness.READY_S)

    def sockets(self, count):
        made = []
        for _ in range(count):
            each = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            each.connect(self.path)
            made.append(each)
        return made


class HandOverTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        entries = "".join(cls.agent_only(name, name) for name in ("demo1", "demo2"))
        entries += cls.fleet.entry("with-file", "demo1")
        for index in range(MANY):
            known = os.path.join(cls.folder, f"known{index}")
            shutil.copy(cls.fleet.known_hosts, known)
            entries += cls.agent_only(f"many{index}", "demo1", known)
        cls.ssh_config = cls.write("ssh_config", entries)

    @classmethod
    def agent_only(cls, alias, name, known_hosts=None):
        """A host for whom no key file is there: only an agent can log in."""
        return (f"Host {alias}\n  HostName 127.0.0.1\n  Port {cls.fleet.port(name)}\n"
                f"  User {harness.user_name()}\n"
                f"  UserKnownHostsFile {known_hosts or cls.fleet.known_hosts}\n\n")

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1][-24:]
        self.daemon = self.start()

    def start(self, config="", name=None):
        daemon = harness.Daemon(self.folder, self.ssh_config, config + "log_level = debug\n",
                                name or self.name)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def agent(self, key=True, name="agent"):
        return Agent(self, os.path.join(self.daemon.folder, name),
                     self.fleet.user_key if key else None)

    def client(self, daemon=None):
        client = (daemon or self.daemon).client()
        self.addCleanup(client.close)
        return client

    def hand_over(self, client, sockets, first=b"\n"):
        """What the shim does."""
        socket.send_fds(client.socket, [first], [each.fileno() for each in sockets])
        for each in sockets:
            each.close()

    def with_agent(self, agent, count=4):
        client = self.client()
        self.hand_over(client, agent.sockets(count))
        return client

    def scout(self, agent, *arguments, stdin=""):
        environment = harness.clean_environment(self.daemon.folder)
        environment.update(SCOUT_SOCKET=self.daemon.socket, SCOUT_STATE_DIR=self.daemon.state)
        if agent:
            environment["SSH_AUTH_SOCK"] = agent if isinstance(agent, str) else agent.path
        return subprocess.run([harness.SCOUT, *arguments], check=False, capture_output=True,
                              input=stdin, encoding="utf-8", timeout=60, env=environment)

    def waits_for_log(self, text):
        harness.wait_until(lambda: text in self.daemon.log(), f"{text} is logged")

    # --- the shim and the one-shot commands --------------------------------------------------

    def test_the_shim_brings_its_agent(self):
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "scout", "arguments": {"target": "demo1:hello.txt"}, "_meta": harness.META}}
        ended = self.scout(self.agent(), "mcp", stdin=json.dumps(request) + "\n")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(text_of(json.loads(ended.stdout)["result"]), HELLO)
        self.waits_for_log("agent_taken principal=uid:")

    def test_a_read_brings_it_too_and_the_login_is_shared_by_its_owner(self):
        agent = self.agent()
        before = self.fleet.logins("demo1")
        for _ in range(3):
            ended = self.scout(agent, "read", "demo1:hello.txt")
            self.assertEqual((ended.returncode, ended.stdout), (0, HELLO), ended.stderr)
        self.assertEqual(self.fleet.logins("demo1") - before, 1)
        self.assertEqual(self.scout(agent, "ls", "demo1:notes").returncode, 0)

    def test_without_an_agent_or_with_a_dead_one_nothing_is_handed_over(self):
        for agent in (None, "/no/such/agent", ""):
            ended = self.scout(agent, "read", "with-file:hello.txt")
            self.assertEqual((ended.returncode, ended.stdout), (0, HELLO), ended.stderr)
        self.assertNotIn("agent_taken", self.daemon.log())

    def test_a_forwarded_agent_comes_along_with_ssh(self):
        """ssh -A bastion scout mcp: the agent at home logs in from the bastion."""
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "scout", "arguments": {"target": "demo1:hello.txt"}, "_meta": harness.META}}
        environment = harness.clean_environment(self.daemon.folder)
        environment["SSH_AUTH_SOCK"] = self.agent().path
        ended = subprocess.run(
            ["ssh", "-A", "-T", "-o", "BatchMode=yes", "-F", self.fleet.ssh_config, "demo2",
             f"exec {harness.SCOUT} --socket {self.daemon.socket} mcp"],
            check=False, capture_output=True, text=True, input=json.dumps(request) + "\n",
            timeout=60, env=environment)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(text_of(json.loads(ended.stdout)["result"]), HELLO)

    # --- whose login it is -------------------------------------------------------------------

    def test_who_brings_none_cannot_use_that_login(self):
        owner, other = self.with_agent(self.agent()), self.client()
        self.assertEqual(text_of(owner.scout("demo1:hello.txt")), HELLO)
        self.assertScoutError(other.scout("demo1:hello.txt"), "key-unusable",
                              "There is no key for demo1")
        self.assertEqual(text_of(owner.scout("demo1:hello.txt")), HELLO)

    def test_the_owners_key_files_are_there_as_well(self):
        client = self.with_agent(self.agent(key=False))
        self.assertEqual(text_of(client.scout("with-file:hello.txt")), HELLO)

    def as_nobody(self, target, agent):
        """The result of a call by another user, who hands over two sockets of `agent`."""
        code = ("import json,socket,sys\n"
                "s=socket.socket(socket.AF_UNIX)\ns.settimeout(20)\ns.connect(sys.argv[1])\n"
                "a=[socket.socket(socket.AF_UNIX) for _ in range(2)]\n"
                "for x in a: x.connect(sys.argv[2])\n"
                "socket.send_fds(s,[b'\\n'],[x.fileno() for x in a])\n"
                "s.sendall(sys.argv[3].encode()+b'\\n')\nprint(s.makefile().readline())\n")
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "scout", "arguments": {"target": target}, "_meta": harness.META}}
        os.chmod(self.daemon.socket, 0o666)
        os.chmod(agent.path, 0o666)
        for folder in (self.folder, self.daemon.folder):
            os.chmod(folder, 0o755)
        ended = subprocess.run(
            [sys.executable, "-c", code, self.daemon.socket, agent.path, json.dumps(request)],
            check=True, cwd="/", capture_output=True, text=True, timeout=30,
            preexec_fn=lambda: os.setuid(NOBODY))
        return json.loads(ended.stdout)["result"]

    def serve_two_owners(self):
        """A daemon that systemd started, on a socket that more than one user may use."""
        self.daemon.stop()
        self.daemon = Handed(self.folder, self.ssh_config, "", self.name + "2")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listening.close)
        listening.bind(self.daemon.socket)
        listening.listen(64)
        self.daemon.handed = [("scoutd", listening)]
        self.addCleanup(self.daemon.stop)
        self.daemon.start()

    def nobodys_agent(self, key):
        """ssh-agent answers its own user and root only."""
        path = os.path.join(self.daemon.folder, "nobody", "agent")
        os.mkdir(os.path.dirname(path))
        for folder in (self.folder, self.daemon.folder):
            os.chmod(folder, 0o755)
        os.chown(os.path.dirname(path), NOBODY, NOBODY)
        return Agent(self, path, self.fleet.user_key if key else None, NOBODY)

    def test_two_owners_are_kept_apart(self):
        if os.geteuid() != 0:
            self.skipTest("only root can try as somebody else")
        self.serve_two_owners()
        mine = self.with_agent(self.agent())
        self.assertEqual(text_of(mine.scout("demo1:hello.txt")), HELLO)
        empty = self.nobodys_agent(key=False)
        # Neither the other's warm login, nor the key file of the daemon's own user.
        for target in ("demo1:hello.txt", "with-file:hello.txt"):
            self.assertScoutError(self.as_nobody(target, empty), "key-unusable")

    def test_another_owner_logs_in_by_himself(self):
        if os.geteuid() != 0:
            self.skipTest("only root can try as somebody else")
        self.serve_two_owners()
        before = self.fleet.logins("demo1")
        mine = self.with_agent(self.agent())
        self.assertEqual(text_of(mine.scout("demo1:hello.txt")), HELLO)
        theirs = self.nobodys_agent(key=True)
        self.assertEqual(text_of(self.as_nobody("demo1:hello.txt", theirs)), HELLO)
        self.assertEqual(self.fleet.logins("demo1") - before, 2)

    # --- one that goes, is silent, or is none ------------------------------------------------

    def test_an_agent_that_has_gone_is_named(self):
        agent = self.agent()
        client = self.with_agent(agent)
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), HELLO)
        agent.end()
        self.assertScoutError(client.scout("demo2:hello.txt"), "key-unusable",
                              "the ssh agent of uid:")
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), HELLO)  # it is logged in
        again = self.with_agent(self.agent(name="new"))
        self.assertEqual(text_of(client.scout("demo2:hello.txt")), "hello from demo2\n")
        again.close()

    def test_a_silent_agent_costs_a_bounded_time(self):
        ends = [socket.socketpair() for _ in range(2)]
        for _, far in ends:
            self.addCleanup(far.close)
        client = self.client()
        self.hand_over(client, [near for near, _ in ends])
        self.assertScoutError(client.scout("demo1:hello.txt"), "key-unusable",
                              "did not answer in time")
        self.assertScoutError(client.scout("demo1:hello.txt"), "key-unusable",
                              "was not asked, because it did not answer a moment ago")

    def test_an_agent_that_talks_nonsense(self):
        near, far = socket.socketpair()
        self.addCleanup(far.close)
        client = self.client()
        self.hand_over(client, [near])
        sent = client.send_scout("demo1:hello.txt")
        self.assertEqual(len(far.recv(100)), 5)
        far.sendall(b"\x00\x00\x00\x01\x63")
        self.assertScoutError(client.result(sent), "key-unusable", "broke the protocol")

    def test_the_last_one_that_lives_is_asked(self):
        good = self.with_agent(self.agent())
        near, far = socket.socketpair()
        newer = self.client()
        self.hand_over(newer, [near])
        newer.request("tools/list")
        far.close()
        harness.wait_until(lambda: not newer.scout("demo1:hello.txt").get("isError"),
                           "the older one is asked")
        good.close()

    def test_many_logins_share_one_socket(self):
        client = self.with_agent(self.agent(), count=1)
        sent = [client.send_scout(f"many{index}:hello.txt") for index in range(MANY)]
        for message_id in sent:
            self.assertEqual(text_of(client.result(message_id)), HELLO)

    def test_none_is_taken_where_none_is_wanted(self):
        daemon = self.start("agent = none\n", self.name + "2")
        client = self.client(daemon)
        self.hand_over(client, self.agent().sockets(1))
        self.assertScoutError(client.scout("demo1:hello.txt"), "key-unusable")

    def test_an_agent_that_the_configuration_names_is_asked_for_all(self):
        daemon = self.start(f'agent = "{self.agent().path}"\n', self.name + "2")
        client = self.client(daemon)
        self.hand_over(client, self.agent(key=False, name="empty").sockets(1))
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), HELLO)

    # --- what else may come over the socket --------------------------------------------------

    def descriptors(self):
        return harness.descriptors(self.daemon)

    def test_other_descriptors_are_closed(self):
        self.client().request("tools/list")
        before = self.descriptors()
        listening, tcp = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
        listening.bind(os.path.join(self.daemon.folder, "listening"))
        listening.listen()
        datagram, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(other.close)
        plain = open("/dev/null", "rb")
        client = self.client()
        self.hand_over(client, [listening, tcp, datagram, plain])
        client.request("tools/list")
        self.assertEqual(self.descriptors(), before + 1)
        self.waits_for_log("agent_refused")
        self.assertNotIn("agent_taken", self.daemon.log())

    def test_a_client_that_hands_over_its_own_end_is_not_kept(self):
        self.client().request("tools/list")
        before = self.descriptors()
        client = self.client()
        socket.send_fds(client.socket, [b"\n"], [client.socket.fileno()])
        client.request("tools/list")
        self.waits_for_log("leads to this daemon")
        client.close()
        harness.wait_until(lambda: self.descriptors() == before, "it is gone")

    def test_more_than_are_taken_are_closed_and_all_when_the_client_goes(self):
        agent = self.agent()
        self.client().request("tools/list")
        before = self.descriptors()
        client = self.with_agent(agent, count=9)
        client.request("tools/list")
        self.assertEqual(self.descriptors(), before + 1 + 4)
        self.hand_over(client, agent.sockets(3))  # later ones are nobody's
        client.request("tools/list")
        self.assertEqual(self.descriptors(), before + 1 + 4)
        client.close()
        harness.wait_until(lambda: self.descriptors() == before, "all are closed")

    def test_many_agents_keep_one_socket_each(self):
        """So that clients, who are limited, cannot use up the daemon's descriptors."""
        agent = self.agent()
        self.client().request("tools/list")
        before = self.descriptors()
        clients = [self.with_agent(agent) for _ in range(70)]
        for client in clients:
            client.request("tools/list")
        self.assertEqual(self.descriptors(), before + 70 + 64 * 4 + 6)
        self.assertEqual(text_of(clients[-1].scout("demo1:hello.txt")), HELLO)
        for client in clients:
            client.close()
        # The connection to the host stays.
        harness.wait_until(lambda: self.descriptors() == before + 1, "all are closed")

    def test_bytes_that_come_with_them_are_not_lost(self):
        request = {"jsonrpc": "2.0", "id": 7, "method": "tools/list",
                   "params": {"_meta": harness.META}}
        client = self.client()
        self.hand_over(client, self.agent().sockets(1), json.dumps(request).encode() + b"\n")
        self.assertIn("tools", client.wait(7)["result"])
        half = self.client()
        line = json.dumps(request).encode() + b"\n"
        self.hand_over(half, self.agent(name="b").sockets(1), line[:9])
        half.send_raw(line[9:])
        self.assertIn("tools", half.wait(7)["result"])

    def test_a_client_that_only_connects_is_no_obstacle_to_the_end(self):
        silent = self.client()
        self.daemon.stop()
        self.assertIsNone(silent.line())


if __name__ == "__main__":
    harness.main()
