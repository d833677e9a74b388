"""Hosts without SFTP are read through one command of their shell, with the same answers: a real sshd
whose sftp subsystem is not configured, and dropbear."""

import os
import signal
import socket
import subprocess
import unittest

import harness
from harness import text_of

DROPBEAR = "/usr/sbin/dropbear"
CONVERT = "/usr/bin/dropbearconvert"
GREETS_S = 20
CALL_TIMEOUT_S = 4
# Where dropbear may find the sftp-server of OpenSSH.
SFTP_SERVER_FOLDERS = ("/usr/lib/openssh", "/usr/libexec/openssh")


class Answers:
    """What every host without SFTP answers. A class gives `client`, `host` and `files`."""

    def ask(self, *below):
        return self.client.scout(f"{self.host}:{os.path.join(self.files, *below)}")

    def put(self, name, content):
        path = os.path.join(self.files, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def test_a_file(self):
        path = self.put("plain", "häßlich\n".encode())
        os.chmod(path, 0o640)
        os.utime(path, (1700000000, 1700000000))
        answer = self.assertScoutOk(self.ask("plain"), "file")
        self.assertEqual(answer["text"], "häßlich\n")
        self.assertEqual((answer["size"], answer["mode"]), (10, "0640"))
        self.assertTrue(answer["mtime"].startswith("2023-11-14T22:13:20"), answer)
        self.assertFalse(answer["truncated"])

    def test_names_that_a_shell_could_take_for_more(self):
        for name in ("it's", "-n", "$(touch pwned)", "`touch pwned`", "a;b", "a b  c", "*", "\\x",
                     "!x", "#", "\"q\""):
            with self.subTest(name=name):
                self.put(name, name.encode())
                self.assertEqual(text_of(self.ask(name)), name)
        self.assertFalse(os.path.exists(os.path.join(self.files, "pwned")))

    def test_a_directory(self):
        folder = os.path.join(self.files, "folder")
        os.makedirs(os.path.join(folder, "sub"))
        for name in (".hidden", "one", "-two"):
            self.put(os.path.join("folder", name), b"12345")
        os.symlink("one", os.path.join(folder, "link"))
        os.mkfifo(os.path.join(folder, "fifo"))
        result = self.ask("folder")
        answer = self.assertScoutOk(result, "directory")
        self.assertRegex(text_of(result), r"(?m)^-rw.* 5 [A-Z][a-z]{2} [ \d]\d \d\d:\d\d one$")
        self.assertRegex(text_of(result), r"(?m)^lrwx.* link -> one$")
        self.assertEqual([(entry["name"], entry["type"]) for entry in answer["entries"]],
                         [("-two", "file"), (".", "directory"), ("..", "directory"),
                          (".hidden", "file"), ("fifo", "fifo"), ("link", "symlink"),
                          ("one", "file"), ("sub", "directory")])
        self.assertEqual(answer["entries"][6]["size"], 5)
        self.assertFalse(answer["truncated"])

    def test_a_query(self):
        os.makedirs(os.path.join(self.files, "that's"), exist_ok=True)
        self.put("that's/f", b"found\n")
        self.put(".env", b"KEY=a secret\n")
        if not os.path.islink(os.path.join(self.files, "innocent")):
            os.symlink(".env", os.path.join(self.files, "innocent"))

        def query(text, *below):
            return self.client.result(self.client.send("tools/call", {
                "name": "scout", "arguments": {
                    "target": f"{self.host}:{os.path.join(self.files, *below)}", "query": text}}))
        self.assertEqual(text_of(query("grep -rh found .", "that's")), "found\n")
        self.assertScoutError(query("ls", "missing"), "path-not-found")
        self.assertScoutError(query("ls", "that's", "f"), "not-a-regular-file")
        self.assertScoutError(query("cat innocent"), "policy-denied", "read deny-list")
        self.assertNotIn("a secret", text_of(query("grep -r secret .")))

    def test_what_would_hang_is_refused(self):
        os.mkfifo(os.path.join(self.files, "pipe"))
        os.symlink("pipe", os.path.join(self.files, "to-pipe"))
        for path in ("pipe", "to-pipe", "/dev/zero"):
            with self.subTest(path=path):
                self.assertScoutError(self.ask(path), "not-a-regular-file", "only regular files")

    def test_what_is_not_there(self):
        self.assertScoutError(self.ask("none"), "path-not-found", "Path not found: ")
        self.put("file", b"x")
        self.assertScoutError(self.ask("file", "below"), "path-not-found")

    def test_a_file_of_proc(self):
        self.assertIn("Name:", text_of(self.ask("/proc/self/status")))

    def test_proc_is_asked_by_those_who_ask(self):
        """The process whose folder /proc/self was is gone when the path is used."""
        for path in ("/proc/self/status", "/proc/mounts", "/etc/mtab"):
            with self.subTest(path=path):
                result = self.client.tool("scout", target=f"{self.host}:/", query="head -n 1 " + path)
                self.assertEqual(self.assertScoutOk(result, "command")["exit_code"], 0, result)
                self.assertScoutOk(self.client.tool("read", target=f"{self.host}:{path}"), "file")
        error = self.client.tool("read", target=f"{self.host}:/proc/self/environ")
        self.assertScoutError(error, "policy-denied")

    def test_what_a_link_only_says_is_not_what_is_read(self):
        path = os.path.join(self.files, "was")
        with open(path, "w+", encoding="ascii") as file:
            file.write("was here\n")
            file.flush()
            os.unlink(path)
            self.put("was (deleted)", b"is there\n")
            link = f"/proc/{os.getpid()}/fd/{file.fileno()}"
            self.assertEqual(text_of(self.ask(link)), "is there\n")
            query = self.client.tool("scout", target=f"{self.host}:/", query="cat " + link)
            self.assertEqual(text_of(query), "is there\n")

    def test_a_large_file_is_cut(self):
        self.put("large", b"x" * (3 << 20))
        with self.daemon.client().raw() as client:
            answer = self.assertScoutOk(client.scout(f"{self.host}:{self.files}/large"), "file")
        self.assertTrue(answer["truncated"])
        self.assertEqual(set(answer["text"]), {"x"})
        self.assertLess(len(answer["text"]), 3 << 20)

    def test_many_at_once(self):
        for index in range(24):
            self.put(f"n{index}", str(index).encode())
        sent = [self.client.send_scout(f"{self.host}:{self.files}/n{index}")
                for index in range(24)]
        for index, message_id in enumerate(sent):
            self.assertEqual(text_of(self.client.result(message_id, 30)), str(index))


class NoSubsystemTest(Answers, harness.ScoutTest):
    """OpenSSH's sshd with no Subsystem line."""

    host = "demo1"

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.fleet.without_sftp("demo1")
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    def test_one_login_serves_all(self):
        before = self.fleet.logins("demo1")
        for _ in range(5):
            self.assertEqual(text_of(self.ask("hello.txt")), "hello from demo1\n")
        self.assertLessEqual(self.fleet.logins("demo1") - before, 1)

    def forced(self, command, name):
        """What comes of a look where the key may only run `command`."""
        key = self.fleet.user_key + ".pub"
        with open(key, encoding="ascii") as text:
            kept = text.read()
        try:
            with open(key, "w", encoding="ascii") as out:
                out.write(f'command="{command}" {kept}')
            daemon = self.make_daemon(self.fleet.ssh_config, f"call_timeout = {CALL_TIMEOUT_S}\n",
                                      name=name)
            with daemon.client() as client:
                return client.scout(f"demo1:{self.files}/hello.txt")
        finally:
            with open(key, "w", encoding="ascii") as out:
                out.write(kept)

    def test_a_shell_that_is_none(self):
        """A forced command answers something else: that is said, not shown as the file."""
        error = self.assertScoutError(self.forced("echo only backups here", "none"),
                                      "sftp-unavailable", "offers no SFTP")
        self.assertEqual(error["stage"], "running")

    def test_a_shell_that_hangs(self):
        error = self.assertScoutError(self.forced("exec sleep 30", "hangs"), "deadline-exceeded")
        self.assertEqual(error["stage"], "running")


class DropbearTest(Answers, harness.ScoutTest):
    """dropbear looks for authorized_keys in the user's home, so it gets a mount namespace in which a
    folder of ours is the home; and one of OpenSSH's files, which would give it SFTP, is hidden."""

    host = "dropbear"

    @classmethod
    def setUpClass(cls):
        for program in (DROPBEAR, CONVERT):
            if not os.access(program, os.X_OK):
                raise unittest.SkipTest(f"there is no {program}")
        if os.getuid() != 0:
            raise unittest.SkipTest("only root can give dropbear a home of its own")
        cls.make_folder()
        cls.files = os.path.join(cls.folder, "files")
        os.mkdir(cls.files)
        cls.make_keys()
        cls.port = cls.start_dropbear()
        known_hosts = cls.write("known_hosts", f"[127.0.0.1]:{cls.port} {cls.host_key}\n")
        config = cls.write("ssh_config", f"""Host dropbear
  HostName 127.0.0.1
  Port {cls.port}
  User {harness.user_name()}
  IdentityFile {cls.folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {known_hosts}
""")
        cls.daemon = cls.make_daemon(config)
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    @classmethod
    def make_keys(cls):
        for name in ("user_key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            os.path.join(cls.folder, name)], check=True, timeout=20)
        subprocess.run([CONVERT, "openssh", "dropbear", os.path.join(cls.folder, "host_key"),
                        os.path.join(cls.folder, "host.dropbear")], check=True, timeout=20,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(cls.folder, "host_key.pub"), encoding="ascii") as text:
            cls.host_key = " ".join(text.read().split()[:2])
        ssh = os.path.join(cls.folder, "home", ".ssh")
        os.makedirs(ssh, mode=0o700)
        with open(os.path.join(cls.folder, "user_key.pub"), encoding="ascii") as text:
            public = text.read()
        with open(os.path.join(ssh, "authorized_keys"), "w", encoding="ascii") as out:
            out.write(public)
        os.chmod(os.path.join(cls.folder, "home"), 0o700)
        os.chmod(os.path.join(ssh, "authorized_keys"), 0o600)

    def test_commands_run_although_it_takes_one_at_a_time(self):
        """They share one channel. It gives them no process groups of their own, so that none can be
        stopped, and the answer says so by the deadline."""
        with subprocess.Popen(
                [os.path.join(harness.BUILD, "pool_run"), "--deadline-ms", "4000", str(self.port),
                 harness.user_name(), f"{self.folder}/user_key", f"{self.folder}/known_hosts"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=harness.clean_environment("/nonexistent"),
                preexec_fn=harness.die_with_parent) as process:
            lines = [f"c{i} echo {i + 10}" for i in range(10)] + ["long sleep 10"]
            out, _ = process.communicate("".join(line + "\n" for line in lines), timeout=30)
        self.assertEqual(process.returncode, 0)
        ends = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
        for i in range(10):
            self.assertEqual(ends[f"c{i}"][:3], ["exited", "0", "3"], out)
        self.assertEqual((ends["long"][0], ends["long"][3]),
                         ("stop-unconfirmed", "deadline-exceeded"), out)

    @classmethod
    def start_dropbear(cls):
        """In a namespace where our folder is mounted over the home; returns its port."""
        home = os.path.expanduser(f"~{harness.user_name()}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        script = (f"mount --bind {cls.folder}/home {home} && "
                  f"for d in {' '.join(SFTP_SERVER_FOLDERS)}; do "
                  "[ ! -d $d ] || mount -t tmpfs scout $d || exit; done && "
                  f"exec {DROPBEAR} -F -E -s "
                  f"-r {cls.folder}/host.dropbear -p 127.0.0.1:{port} -P {cls.folder}/pid")
        with open(os.path.join(cls.folder, "dropbear.log"), "wb") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=harness.die_with_parent)
        cls.addClassCleanup(cls.end_dropbear, process)
        try:
            harness.wait_until(lambda: cls.greets(process, port), "dropbear greets", GREETS_S)
        except AssertionError as why:
            with open(os.path.join(cls.folder, "dropbear.log"), encoding="utf-8") as log:
                raise unittest.SkipTest(f"dropbear does not start: {log.read()[:200]}") from why
        return port

    @staticmethod
    def greets(process, port):
        if process.poll() is not None:
            raise AssertionError("it ended")
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as peer:
                return peer.recv(64).startswith(b"SSH-2.0-dropbear")
        except OSError:
            return False

    @staticmethod
    def end_dropbear(process):
        """The listener and, in its session, each connection's process."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(10)


if __name__ == "__main__":
    harness.main()
