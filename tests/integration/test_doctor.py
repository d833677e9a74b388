"""`scout doctor`: each of its checks, with that very thing broken."""

import ctypes
import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import threading

import harness
from test_agent_handover import Agent

NOBODY = 65534


def forbid_io_uring():
    """In a child: io_uring_setup ends with EPERM, as under Docker's default profile."""
    number, errno = 425, 1
    program = b"".join((
        struct.pack("HBBI", 0x20, 0, 0, 0),  # load the number of the call
        struct.pack("HBBI", 0x15, 0, 1, number),  # is it that one?
        struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | errno),
        struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)))
    code = ctypes.create_string_buffer(program)
    filters = struct.pack("HxxxxxxP", 4, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, ctypes.c_char_p(filters), 0, 0) != 0:
        os._exit(99)


class DoctorTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.key = os.path.join(cls.folder, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.key], check=True,
                       stdin=subprocess.DEVNULL, timeout=30)

    def setUp(self):
        """Everything is as it should be."""
        self.home = os.path.join(self.folder, self.id().rsplit(".", 1)[1][-24:])
        self.known = os.path.join(self.home, ".ssh", "known_hosts")
        self.config = os.path.join(self.home, "scoutd.conf")
        self.state = os.path.join(self.home, "state")
        self.socket = os.path.join(self.home, "s.sock")
        os.makedirs(os.path.join(self.home, ".ssh"))
        os.mkdir(self.state, 0o700)
        self.put(self.known, "host ssh-ed25519 AAAA\n")
        self.put(self.config, "max_queue = 100\n")
        self.put(os.path.join(self.home, ".ssh", "config"), "Host good\n  HostName 127.0.0.1\n")
        self.agent = Agent(self, os.path.join(self.home, "agent"), self.key)
        self.environment = harness.clean_environment(self.home)
        self.environment.update(
            SCOUT_SOCKET=self.socket, SCOUT_STATE_DIR=self.state, SCOUT_CONFIG=self.config,
            SSH_AUTH_SOCK=self.agent.path)

    @staticmethod
    def put(path, text):
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def doctor(self, *command, **options):
        ended = subprocess.run([*(command or [harness.SCOUT]), "doctor"], check=False,
                               capture_output=True, text=True, timeout=60, env=self.environment,
                               **options)
        lines = {}
        for line in ended.stdout.splitlines():
            status, rest = line.split(maxsplit=1)
            lines[rest.split(":", 1)[0]] = (status, rest)
        return ended.returncode, lines

    def broken(self, name, *fragments, status="FAIL", command=(), **options):
        """That check says so, with what to do; and no other one that did not say so before."""
        code, lines = self.doctor(*command, **options)
        self.assertEqual(lines[name][0], status, lines)
        self.assertIn("; do: ", lines[name][1])
        for fragment in fragments:
            self.assertIn(fragment, lines[name][1])
        failed = [each for each, (verdict, _) in lines.items() if verdict == "FAIL"]
        self.assertEqual(code, 1 if failed else 0)
        if status == "FAIL":
            self.assertEqual(failed, [name], lines)
        return lines

    def test_all_is_well(self):
        code, lines = self.doctor()
        self.assertEqual({status for status, _ in lines.values()}, {"ok"}, lines)
        self.assertEqual(code, 0)
        ended = subprocess.run([harness.SCOUT, "doctor", "--json"], check=True, timeout=60,
                               capture_output=True, text=True, env=self.environment)
        told = json.loads(ended.stdout)
        self.assertEqual(told["failed"], 0)
        self.assertEqual([each["name"] for each in told["checks"]], list(lines))
        self.assertFalse(os.path.exists(self.socket), "no daemon was started")

    def test_kernel(self):
        setarch = shutil.which("setarch")
        if not setarch:
            self.skipTest("there is no setarch")
        self.broken("kernel", "2.6.", command=(setarch, "--uname-2.6", harness.SCOUT))

    def test_io_uring(self):
        self.broken("io_uring", "seccomp", preexec_fn=forbid_io_uring)

    def test_files(self):
        def limit(number):
            return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))

        self.broken("files", "256", preexec_fn=limit(256))
        self.broken("files", "2048", status="warn", preexec_fn=limit(2048))

    def test_memory(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")

        def limit():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
            os.setuid(NOBODY)

        try:
            _, lines = self.doctor(preexec_fn=limit)
        except PermissionError:
            self.skipTest("somebody else cannot run what was built here")
        self.assertEqual(lines["memory"][0], "warn")
        self.assertIn("64 KiB", lines["memory"][1])

    def test_program(self):
        alone = shutil.copy(harness.SCOUT, os.path.join(self.home, "scout"))
        self.environment["PATH"] = self.home
        self.broken("program", "scoutd cannot be run", command=(alone,))

    def test_a_program_of_another_version(self):
        alone = shutil.copy(harness.SCOUT, os.path.join(self.home, "scout"))
        told = subprocess.run([harness.SCOUTD, "--check-config"], check=True, text=True,
                              capture_output=True, timeout=30, env=self.environment).stdout
        other = os.path.join(self.home, "scoutd")
        self.put(other, "#!/bin/sh\ncat <<'END'\n" +
                 re.sub("(?m)^# version: .*$", "# version: 0.0.9", told) + "END\n")
        os.chmod(other, 0o755)
        self.broken("program", "0.0.9", "of one version", command=(alone,))

    def test_config(self):
        self.put(self.config, "# a comment\nno_such_key = 1\n")
        self.broken("config", "scoutd.conf:2")
        self.put(self.config, "")
        self.environment["SCOUT_ROLE"] = "emperor"
        self.broken("config", "SCOUT_ROLE", status="warn")

    def test_hosts(self):
        config = os.path.join(self.home, ".ssh", "config")
        self.put(config, "Host good\nHost far\n  KnownHostsCommand k\n")
        self.broken("hosts", "1 cannot be used: far: ", "KnownHostsCommand", status="warn")
        self.put(config, "")
        self.broken("hosts", "0 in ", status="warn")

    def test_known_hosts(self):
        os.chmod(self.known, 0o666)
        self.broken("known_hosts", "others may write", "0666")
        os.remove(self.known)
        if os.path.exists("/etc/ssh/ssh_known_hosts"):
            self.skipTest("the machine has known_hosts for all")
        self.broken("known_hosts", "No such file", "scout trust")
        # Where each host has a file of its own, nothing is wrong.
        self.put(os.path.join(self.home, ".ssh", "config"),
                 "Host good\n  HostName 127.0.0.1\n  UserKnownHostsFile ~/own\n")
        code, lines = self.doctor()
        self.assertEqual((code, lines["known_hosts"][0]), (0, "ok"), lines)

    def test_agent(self):
        self.environment["SSH_AUTH_SOCK"] = "/no/such/agent"
        self.broken("agent", "nobody answers")
        empty = Agent(self, os.path.join(self.home, "empty"))
        self.environment["SSH_AUTH_SOCK"] = empty.path
        self.broken("agent", "no keys", "ssh-add", status="warn")
        del self.environment["SSH_AUTH_SOCK"]
        self.broken("agent", "not set", status="warn")

    def listen(self, path, answer):
        """A server that answers each first line so, or never."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listening.close)
        listening.bind(path)
        os.chmod(path, 0o600)
        listening.listen(8)

        def serve():
            while True:
                try:
                    client = listening.accept()[0]
                except OSError:
                    return
                self.addCleanup(client.close)
                if client.recv(4096) and answer:
                    client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()

    def test_agent_that_is_none(self):
        path = os.path.join(self.home, "odd")
        self.listen(path, b"SSH-2.0-what?\r\n")
        self.environment["SSH_AUTH_SOCK"] = path
        self.broken("agent", "does not answer as an agent")

    def test_state(self):
        os.chmod(self.state, 0o777)
        self.broken("state", "others may write", "0777")
        os.rmdir(self.state)
        self.put(self.state, "")
        self.broken("state", "is no folder")

    def test_socket(self):
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(self.socket)
        listening.close()
        self.broken("socket", "was left behind", status="warn")
        os.remove(self.socket)
        self.put(self.socket, "")
        self.broken("socket", "is no socket")

    def test_a_running_daemon(self):
        daemon = harness.Daemon(self.home, os.path.join(self.home, ".ssh", "config"),
                                socket_path=self.socket, state=self.state)
        self.addCleanup(daemon.stop)
        daemon.start()
        code, lines = self.doctor()
        self.assertEqual((code, lines["daemon"][0]), (0, "ok"), lines)
        self.assertIn("it answers, version", lines["daemon"][1])
        os.chmod(self.socket, 0o666)
        self.broken("socket", "others may use", "0666")

    def test_a_daemon_of_another_version(self):
        self.listen(self.socket, b'{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"scout_mcp",'
                                 b'"version":"0.0.9"}}}\n')
        self.broken("daemon", "0.0.9", "restart it")

    def test_a_daemon_that_does_not_answer(self):
        self.listen(self.socket, None)
        self.broken("daemon", "does not answer")

    def test_unit(self):
        self.assertIn("none is installed", self.doctor()[1]["unit"][1])
        folder = os.path.join(self.home, ".config", "systemd", "user")
        os.makedirs(folder)
        self.put(os.path.join(folder, "scoutd.socket"), "")
        self.assertIn(folder, self.doctor()[1]["unit"][1])


if __name__ == "__main__":
    harness.main()
