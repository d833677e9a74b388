"""The light SSH server against OpenSSH's own clients: a test that uses it may rely on it."""

import os
import socket
import subprocess
import time

import harness
import peers

CLIENT_S = 20
DELAY_MS = 120
MARK = "scout-group-0123456789abcdef:"
LONG_PREFIX = ("sh -c '{ read -r p c s d g r </proc/$PPID/stat;} 2>/dev/null;"
               "echo \"" + MARK + "$PPID ${g:-0} ${c:-$SHELL}\" >&2'; : ; ")


def content(size):
    """What a file of that size holds, as tests/lightsshd/vfs.h says."""
    return b"".join(b"%015x\n" % line for line in range(size // 16 + 1))[:size]


class LightTest(peers.PeerTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()

    def ssh(self, server, command, *options, given=b"", host=None, timeout=CLIENT_S):
        return subprocess.run(
            ["ssh", "-F", server.ssh_config, *options, host or server.name, command],
            input=given, capture_output=True, timeout=timeout, check=False)

    def timed(self, server, command, *options):
        """The result, and how many milliseconds it took."""
        begun = time.monotonic()
        result = self.ssh(server, command, *options)
        return result, (time.monotonic() - begun) * 1000

    def sftp(self, server, *lines):
        return subprocess.run(["sftp", "-F", server.ssh_config, "-b", "-", server.name],
                              input="\n".join(lines) + "\n", capture_output=True, text=True,
                              cwd=self.folder, timeout=CLIENT_S, check=False)

    def master(self, server, **changes):
        """A ControlMaster; a client through it that is refused does not connect by itself."""
        path = os.path.join(self.folder, f"cm-{server.port}")
        subprocess.run(["ssh", "-F", server.ssh_config, "-M", "-S", path, "-N", "-f", server.name],
                       check=True, stderr=subprocess.DEVNULL, timeout=CLIENT_S, **changes)
        self.addCleanup(subprocess.run, ["ssh", "-S", path, "-O", "exit", server.name],
                        check=False, capture_output=True, timeout=CLIENT_S)
        return "-S", path, "-o", "ProxyCommand=/bin/false"

    def assertAnswers(self, server, *options):
        result = self.ssh(server, "echo still there", *options)
        self.assertEqual((result.stdout, result.returncode), (b"still there\n", 0), result)


class CommandTest(LightTest):
    def test_commands_of_its_own(self):
        server = self.light()
        for command, output, status in (
                ("true", b"", 0), ("false", b"", 1), ("exit 7", b"", 7),
                ("echo one  two", b"one  two\n", 0), ("echo", b"\n", 0), ("sleep-ms 5", b"", 0),
                ("yes-bytes 0", b"", 0), ("yes-bytes 5", b"y\ny\ny", 0),
                ("yes-bytes 20000001", b"y\n" * 10000000 + b"y", 0)):
            with self.subTest(command=command):
                result = self.ssh(server, command)
                self.assertTrue(result.stdout == output, len(result.stdout))
                self.assertEqual((result.returncode, result.stderr), (status, b""))
        result = self.ssh(server, "uname -a")
        self.assertEqual((result.returncode, result.stdout), (127, b""))
        self.assertIn(b"uname -a: not found", result.stderr)

    def test_cat_gives_back_more_than_every_window(self):
        server = self.light()
        given = os.urandom(16 << 20)
        result = self.ssh(server, "cat", given=given)
        self.assertTrue(result.stdout == given, len(result.stdout))
        self.assertEqual(result.returncode, 0)

    def test_a_process_group_is_reported_and_can_be_killed(self):
        server = self.light()
        for prefix, fields in ((f"echo {MARK}$$ >&2; ", 1), (LONG_PREFIX, 3)):
            with self.subTest(fields=fields):
                sleeper = subprocess.Popen(
                    ["ssh", "-F", server.ssh_config, server.name, prefix + "sleep-ms 60000"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    text=True)
                self.addCleanup(sleeper.communicate)
                self.addCleanup(sleeper.kill)
                report = sleeper.stderr.readline()
                self.assertTrue(report.startswith(MARK), report)
                words = report[len(MARK):].split()
                self.assertEqual(len(words), fields)
                if fields == 3:
                    self.assertEqual(words[1:], [words[0], "(sh)"])
                group = words[0]
                self.assertEqual(self.ssh(server, f"kill -0 -{group}").returncode, 0)
                self.assertEqual(self.ssh(server, f"kill -TERM -{group}").returncode, 0)
                self.assertEqual(sleeper.wait(CLIENT_S), 143)
                self.assertEqual(self.ssh(server, f"kill -0 -{group}").returncode, 1)

    def test_the_script_that_ends_process_groups(self):
        server = self.light()
        sleeper = subprocess.Popen(
            ["ssh", "-F", server.ssh_config, server.name, f"echo {MARK}$$ >&2; sleep-ms 60000"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(sleeper.communicate)
        self.addCleanup(sleeper.kill)
        group = sleeper.stderr.readline()[len(MARK):].strip()
        script = ("exec sh -c 'M=scout-kill-0123456789abcdef:;G=\" " + group +
                  " 77 \";exec 2>/dev/null;and so on'")
        self.assertEqual(self.ssh(server, script).stdout.decode().splitlines(),
                         [f"scout-kill-0123456789abcdef:{group} gone",
                          "scout-kill-0123456789abcdef:77 none"])
        self.assertEqual(sleeper.wait(CLIENT_S), 143)

    def test_real_commands(self):
        server = self.light("--exec", "real", name="real")
        result = self.ssh(server, "echo out; echo err >&2; tr a-z A-Z; exit 5", given=b"given")
        self.assertEqual((result.stdout, result.stderr, result.returncode),
                         (b"out\nGIVEN", b"err\n", 5))
        result = self.ssh(server, "head -c 20000000 /dev/zero; echo $(($(cut -d' ' -f5 "
                                  "/proc/$$/stat) - $$)) >&2")
        self.assertEqual((len(result.stdout), result.stderr), (20000000, b"0\n"))
        given = os.urandom(4 << 20)
        self.assertTrue(self.ssh(server, "cat", given=given).stdout == given)
        self.assertEqual(self.ssh(server, "kill -KILL $$").returncode, 137)

    def test_a_real_command_ends_with_the_server(self):
        server = self.light("--exec", "real", name="real")
        sleeper = subprocess.Popen(
            ["ssh", "-F", server.ssh_config, server.name, "echo $$; exec sleep 600"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(sleeper.communicate)
        self.addCleanup(sleeper.kill)
        pid = int(sleeper.stdout.readline())
        self.assertIn(harness.process_state(pid), ("R", "S", "D"))
        server.stop()
        harness.wait_until(lambda: harness.process_state(pid) is None, "the sleep ends")


class FilesTest(LightTest):
    def test_files_hold_what_their_names_say(self):
        server = self.light()
        sizes = (0, 1, 16, 4095, 32768, 3000001)
        result = self.sftp(server, *(f"get /dir-3/file-{size} got-{size}" for size in sizes))
        self.assertEqual(result.returncode, 0, result.stderr)
        for size in sizes:
            with open(os.path.join(self.folder, f"got-{size}"), "rb") as got:
                self.assertTrue(got.read() == content(size), size)

    def test_directories_and_errors(self):
        server = self.light()
        listing = self.sftp(server, "ls -1 /dir-1000").stdout.splitlines()[1:]
        self.assertEqual({name.strip() for name in listing},
                         {f"/dir-1000/file-{n}" for n in range(1000)})
        self.assertEqual(self.sftp(server, "cd /dir-5/../dir-7/.", "pwd").stdout.splitlines()[-1],
                         "Remote working directory: /dir-7")
        for line, why in (("ls /nothing", "not found"), ("get /file-1/file-2", "not found"),
                          ("mkdir /new", "upported"), ("put light_key /file-9", "ermission")):
            with self.subTest(line=line):
                result = self.sftp(server, line)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(why, result.stderr)

    def test_no_sftp(self):
        server = self.light("--no-sftp")
        self.assertNotEqual(self.sftp(server, "pwd").returncode, 0)
        self.assertAnswers(server)


class LoginTest(LightTest):
    def test_only_authorized_keys(self):
        server = self.light()
        stranger = os.path.join(self.folder, "stranger")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True,
                       timeout=CLIENT_S)
        self.assertAnswers(server)
        options = ("-F", "none", "-o", f"UserKnownHostsFile={server.known_hosts}",
                   "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", stranger)

        def log_in(port):
            return subprocess.run(["ssh", *options, "-p", str(port), "127.0.0.1", "true"],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=CLIENT_S,
                                  text=True, check=False)
        refused = log_in(server.port)
        self.assertEqual(refused.returncode, 255)
        self.assertIn("Permission denied (publickey)", refused.stderr)
        stats = server.stats()
        self.assertEqual((stats["authenticated"], stats["auth_refused"]), (1, 1))
        anybody = self.light("--any-key")
        self.assertEqual(log_in(anybody.port).returncode, 0)
        nobody = self.light("--auth-refuse")
        self.assertIn("Permission denied (publickey)", log_in(nobody.port).stderr)

    def test_many_addresses_on_one_port(self):
        server = self.light("--addresses", "300", name="many")
        self.assertEqual(len(set(server.addresses)), 300)
        self.assertEqual({port for _, port in server.addresses}, {server.port})
        for index in (0, 1, 253, 254, 299):
            result = self.ssh(server, "echo here", host=f"many-{index}")
            self.assertEqual(result.stdout, b"here\n", result.stderr)

    def test_a_given_host_key(self):
        key = os.path.join(self.folder, "host_key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True,
                       timeout=CLIENT_S)
        server = self.light("--host-key", key)
        with open(key + ".pub", encoding="ascii") as public, \
                open(server.known_hosts, encoding="ascii") as known:
            self.assertEqual(known.read().split()[2], public.read().split()[1])
        self.assertAnswers(server)


class DelayTest(LightTest):
    """Each delay is there, and late by what a busy machine adds; none delays its siblings."""

    def first_byte_ms(self, server):
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=CLIENT_S) as client:
            self.assertEqual(client.recv(4), b"SSH-")
        return (time.monotonic() - begun) * 1000

    def test_before_the_banner(self):
        for option in ("--accept-delay-ms", "--banner-delay-ms"):
            with self.subTest(option=option):
                server = self.light(option, str(DELAY_MS))
                self.assertGreaterEqual(self.first_byte_ms(server), DELAY_MS)
                self.assertAnswers(server)

    def test_the_others(self):
        plain = min(self.timed(self.light(), "true")[1] for _ in range(3))
        # OpenSSH asks with `none`, then offers its key, then signs.
        for option, times in (("--auth-delay-ms", 3), ("--channel-delay-ms", 1),
                              ("--exec-delay-ms", 1)):
            with self.subTest(option=option):
                server = self.light(option, str(DELAY_MS))
                result, took = self.timed(server, "true")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertGreaterEqual(took, times * DELAY_MS)
                self.assertLess(took, plain + (times + 1) * DELAY_MS * 2)

    def test_sftp_answers(self):
        server = self.light("--reply-delay-ms", str(DELAY_MS))
        begun = time.monotonic()
        # VERSION, realpath and stat of the folder, and of the file: one after the other.
        result = self.sftp(server, "get /file-300000 slow")
        took = (time.monotonic() - begun) * 1000
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(took, 4 * DELAY_MS)
        with open(os.path.join(self.folder, "slow"), "rb") as got:
            self.assertTrue(got.read() == content(300000))

    def test_delayed_requests_run_side_by_side(self):
        delay = 500
        server = self.light("--channel-delay-ms", str(delay), "--exec-delay-ms", str(delay))
        through = self.master(server)
        begun = time.monotonic()
        runs = [subprocess.Popen(["ssh", "-F", server.ssh_config, *through, server.name, "true"],
                                 stdin=subprocess.DEVNULL) for _ in range(4)]
        self.assertEqual([run.wait(CLIENT_S) for run in runs], [0] * 4)
        took = (time.monotonic() - begun) * 1000
        self.assertGreaterEqual(took, 2 * delay)
        self.assertLess(took, 4 * delay)


class FaultTest(LightTest):
    def test_the_key_exchange_stalls_behind_the_servers_part(self):
        server = self.light("--kex-stall")
        with socket.create_connection(("127.0.0.1", server.port), timeout=CLIENT_S) as client:
            client.sendall(b"SSH-2.0-test\r\n")
            got = b""
            while b"\n" not in got or len(got.split(b"\n", 1)[1]) < 6:
                got += client.recv(65536)
            banner, packet = got.split(b"\n", 1)
            self.assertTrue(banner.startswith(b"SSH-2.0-"), banner)
            self.assertEqual(packet[5], 20)  # KEXINIT
        client = subprocess.Popen(["ssh", "-F", server.ssh_config, server.name, "true"],
                                  stdin=subprocess.DEVNULL)
        with self.assertRaises(subprocess.TimeoutExpired):
            client.wait(0.5)
        client.terminate()
        client.wait(CLIENT_S)
        self.assertEqual(server.stats()["authenticated"], 0)
        harness.wait_until(lambda: server.stats()["connections_closed"] == 2, "both are closed")

    def test_garbage_for_a_banner(self):
        server = self.light("--garbage-banner")
        with socket.create_connection(("127.0.0.1", server.port), timeout=CLIENT_S) as client:
            self.assertNotEqual(client.recv(4), b"SSH-")
        self.assertEqual(self.ssh(server, "true", "-o", "ConnectTimeout=2").returncode, 255)

    def test_sessions_are_limited_on_one_connection(self):
        server = self.light("--max-sessions", "2")
        through = self.master(server)
        holders = [subprocess.Popen(["ssh", "-F", server.ssh_config, *through, server.name, "cat"],
                                    stdin=subprocess.PIPE) for _ in range(2)]
        harness.wait_until(lambda: server.stats()["commands"] == 2, "both run")
        refused = self.ssh(server, "true", *through)
        self.assertEqual(refused.returncode, 255)
        self.assertIn(b"refused", refused.stderr)
        for holder in holders:
            holder.communicate(timeout=CLIENT_S)
        harness.wait_until(lambda: server.stats()["channels"] == 0, "the places are free")
        self.assertAnswers(server, *through)
        stats = server.stats()
        self.assertEqual((stats["channels_refused"], stats["channels_max"]), (1, 2))

    def test_the_connection_drops_behind_the_nth_request(self):
        server = self.light("--drop-after-requests", "3")
        through = self.master(server)
        self.assertAnswers(server, *through)
        self.assertAnswers(server, *through)
        self.assertEqual(self.ssh(server, "sleep-ms 60000", *through).returncode, 255)
        self.assertEqual(server.stats()["connections_closed"], 1)

    def test_channels_that_are_never_closed(self):
        server = self.light("--never-close")
        client = subprocess.Popen(["ssh", "-F", server.ssh_config, server.name, "echo said"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(client.stdout.close)
        self.assertEqual(client.stdout.read(), b"said\n")  # up to its end
        with self.assertRaises(subprocess.TimeoutExpired):
            client.wait(0.5)
        stats = server.stats()
        self.assertEqual((stats["channels_opened"], stats["channels_closed"]), (1, 0))
        client.terminate()
        client.wait(CLIENT_S)
        harness.wait_until(lambda: server.stats()["channels"] == 0, "the connection is gone")


class LifeTest(LightTest):
    def test_counts_show_no_leak(self):
        server = self.light()
        through = self.master(server)
        for _ in range(20):
            self.assertEqual(self.ssh(server, "true", *through).returncode, 0)
        self.assertEqual(self.sftp(server, "ls /").returncode, 0)
        harness.wait_until(lambda: server.stats()["channels"] == 0, "all channels are closed")
        stats = server.final_stats()
        self.assertEqual((stats["connections"], stats["connections_max"], stats["commands"]),
                         (2, 2, 20))
        self.assertEqual((stats["channels_opened"], stats["channels_closed"]), (21, 21))
        self.assertGreater(stats["sftp_requests"], 2)

    def test_idle_costs_nothing(self):
        server = self.light("--addresses", "50")
        self.master(server)
        open_ones = [socket.create_connection(address, timeout=CLIENT_S)
                     for address in server.addresses]
        for client in open_ones:
            self.addCleanup(client.close)
        harness.wait_until(lambda: server.stats()["connections"] == 51, "all are open")
        harness.wait_until(lambda: harness.unchanged(server.cpu_ticks, 1), "no CPU in a second")

    def test_clients_that_go_away_in_mid_command(self):
        server = self.light()
        clients = [subprocess.Popen(
            ["ssh", "-F", server.ssh_config, server.name, command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE) for command in ("cat", "yes-bytes 99999999999",
                                                    "sleep-ms 60000")]
        harness.wait_until(lambda: server.stats()["commands"] == 3, "all run")
        for client in clients:
            client.kill()
            client.communicate(timeout=CLIENT_S)
        harness.wait_until(lambda: server.stats()["channels"] == 0, "all are gone")
        self.assertAnswers(server)

    def test_wrong_arguments(self):
        for arguments in (["--port"], ["--nothing"], ["--addresses", "x"], ["--any-key", "more"],
                          ["--addresses", "99999", "--any-key"], [], ["--exec", "what"]):
            with self.subTest(arguments=arguments):
                result = subprocess.run([peers.LIGHTSSHD, *arguments], capture_output=True,
                                        timeout=CLIENT_S, check=False)
                self.assertEqual((result.returncode, result.stdout), (2, b""))
                self.assertIn(b"wrong argument", result.stderr)


if __name__ == "__main__":
    harness.main()
