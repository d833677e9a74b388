"""What the integration tests share: a fleet of real sshd's, a daemon of one's own, an MCP client.

Everything lives in one folder per test class and is ended and removed with it, also when a test
fails or runs out of time: nothing may outlive the test. Nothing of the user's own (HOME, XDG
folders, SCOUT_ variables) reaches a daemon started here.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SCOUT_BUILD", os.path.join(ROOT, "build", "dev"))
SCOUT = os.environ.get("SCOUT_PROGRAM", os.path.join(BUILD, "scout"))
SCOUTD = os.path.join(BUILD, "scoutd")

TEST_LIMIT_S = 210  # below ctest's own limit, so that the clean-up still runs
READY_S = 20  # a daemon answers, or ends, within this time
ANSWER_S = 10  # an answer comes within this time, if a test says nothing else
MODERN = "2026-07-28"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META = {META_VERSION: MODERN, META_CAPABILITIES: {}}
RAW_META = {**META, "scout/output": "raw"}  # results whole and exactly, as the companion asks for them


def wait_until(condition, what, timeout=ANSWER_S):
    """Returns condition()'s first true value; fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain: {what}")
        time.sleep(0.01)


def unchanged(reading, seconds):
    """Whether reading() gives the same before and after a while."""
    before = reading()
    time.sleep(seconds)
    return reading() == before


def die_with_parent():
    """In a child: ends it when this process ends, however that happens (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def clean_environment(home):
    """The environment for a program under test: nothing of the user's own."""
    kept = ("PATH", "LANG", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
            "LSAN_OPTIONS", "NODE_EXTRA_CA_CERTS")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment.update(HOME=home, TERM="dumb")
    # What a sanitizer keeps of freed memory would count as the daemon's own.
    environment["ASAN_OPTIONS"] = ":".join(
        filter(None, [environment.get("ASAN_OPTIONS"), "quarantine_size_mb=8"]))
    return environment


def process_state(pid):
    """The letter of /proc/PID/stat; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


@contextlib.contextmanager
def looking_inside():
    """Around a look into a daemon's /proc folder: its memory is closed to all but root."""
    try:
        yield
    except PermissionError:
        raise unittest.SkipTest("only root may look into a process that is not dumpable") from None


def descriptors(daemon):
    """How many descriptors it has open."""
    with looking_inside():
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def sanitized(daemon):
    """An instrumented build is slower, and keeps freed memory for a while."""
    with looking_inside(), \
            open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8", errors="replace") as maps:
        return "asan" in maps.read()


def lock_holder(path):
    """The process that holds a flock on `path` (/proc/locks); None when there is none."""
    try:
        inode = os.stat(path).st_ino
    except FileNotFoundError:
        return None
    with open("/proc/locks", encoding="ascii") as locks:
        for line in locks:
            part = line.split()
            if part[1] == "FLOCK" and part[3] == "WRITE" and part[5].endswith(f":{inode}"):
                return int(part[4])
    return None


class Fleet:
    """`count` real sshd's, demo1 to demoN, through scripts/fleet."""

    def __init__(self, folder, count=3, **options):
        self.folder = os.path.join(folder, "fleet")
        options.setdefault("LogLevel", "INFO")
        settings = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        self._script("start", *settings, self.folder, str(count))
        self.ssh_config = os.path.join(self.folder, "ssh_config")
        self.known_hosts = os.path.join(self.folder, "known_hosts")
        self.user_key = os.path.join(self.folder, "user_key")

    @staticmethod
    def _script(*arguments):
        subprocess.run([os.path.join(ROOT, "scripts", "fleet"), *arguments], check=True,
                       stdin=subprocess.DEVNULL, timeout=60)

    def stop(self):
        if os.path.isdir(os.path.join(self.folder, "hosts")):
            self._script("stop", self.folder)

    def down(self, name):
        """Ends the host's sshd with all its connections."""
        self._script("down", self.folder, name)

    def up(self, name):
        """Brings it back on the same port."""
        self._script("up", self.folder, name)

    def without_sftp(self, name):
        """Takes the host's SFTP subsystem away, and with it all connections."""
        self.down(name)
        config = self.home(name, "sshd_config")
        with open(config, encoding="utf-8") as text:
            lines = [line for line in text if not line.startswith("Subsystem ")]
        with open(config, "w", encoding="utf-8") as out:
            out.writelines(lines)
        self.up(name)

    def home(self, name, *below):
        return os.path.join(self.folder, "hosts", name, *below)

    def path(self, name, *below):
        """The path of a file in the host's login directory, here and on the host."""
        return self.home(name, "files", *below)

    def write(self, name, file_name, content):
        """Makes a file there, from text or bytes; returns its path."""
        path = self.path(name, file_name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content.encode() if isinstance(content, str) else content)
        return path

    def port(self, name):
        with open(self.home(name, "port"), encoding="ascii") as text:
            return int(text.read())

    def host_key(self, name):
        """ "ssh-ed25519 AAAA…" """
        with open(self.home(name, "host_key.pub"), encoding="ascii") as text:
            return " ".join(text.read().split()[:2])

    def logins(self, name):
        """How many connections have been authenticated so far."""
        with open(self.home(name, "sshd.log"), encoding="utf-8", errors="replace") as log:
            return sum("Accepted publickey" in line for line in log)

    def processes(self, name):
        """The process ids of the host's sshd, listener first, connections after it."""
        with open(self.home(name, "process"), encoding="ascii") as text:
            found = [int(text.read().split()[0])]
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
                parents.setdefault(parent, []).append(int(entry))
        for pid in found:
            found.extend(parents.get(pid, ()))
        return found

    def entry(self, alias, name, **changes):
        """The text of a Host block: `alias` for the host `name`, with keywords changed, or left
        out where they are None."""
        keywords = {"HostName": "127.0.0.1", "Port": self.port(name), "User": user_name(),
                    "IdentityFile": self.user_key, "IdentitiesOnly": "yes",
                    "UserKnownHostsFile": self.known_hosts}
        keywords.update(changes)
        lines = "".join(f"  {key} {value}\n" for key, value in keywords.items()
                        if value is not None)
        return f"Host {alias}\n{lines}\n"


def user_name():
    return subprocess.run(["id", "-un"], check=True, capture_output=True,
                          text=True).stdout.strip()


class Daemon:
    """A scoutd with a socket, configuration and state folder of its own."""

    def __init__(self, folder, ssh_config, config="", name="d", socket_path=None, state=None,
                 variables=None):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.socket = socket_path or os.path.join(self.folder, "s.sock")
        self.state = state or os.path.join(self.folder, "state")
        self.config = os.path.join(self.folder, "scoutd.conf")
        self.log_path = os.path.join(self.folder, "log")
        self.ssh_config = ssh_config
        self.variables = variables or {}
        self.process = None
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(config)

    def command(self):
        return [SCOUTD, "--socket", self.socket, "--config", self.config,
                "--ssh-config", self.ssh_config, "--state", self.state]

    def launch(self):
        """Starts the process and returns at once."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**clean_environment(self.folder), **self.variables}, preexec_fn=die_with_parent)
        return self

    def start(self):
        """Starts it and returns when it takes connections."""
        self.launch()
        wait_until(self._answers, f"{SCOUTD} takes connections", READY_S)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"scoutd ended with {self.process.returncode}:\n{self.log()}")
        # An answer, not only a connection: the listening socket of a killed process takes
        # connections for a moment longer than the process lives.
        try:
            client = Client(self.socket)
        except OSError:
            return False
        try:
            return client.wait(client.send("ping")) is not None
        except (AssertionError, OSError):
            return False
        finally:
            client.close()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as text:
            return text.read()

    def client(self):
        return Client(self.socket)

    def memory_bytes(self):
        """Resident memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def cpu_s(self):
        """CPU time used so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            part = stat.read().rsplit(")", 1)[1].split()
        return (int(part[11]) + int(part[12])) / os.sysconf("SC_CLK_TCK")

    def ends(self, timeout=READY_S):
        """Waits for the end of a launched process; returns its exit code."""
        return self.process.wait(timeout)

    def kill(self):
        self.process.kill()
        self.process.wait(READY_S)

    def stop(self):
        """Asks it to end. It must end with 0: a sanitizer's report and a leak show here, too."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            code = self.process.wait(READY_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"scoutd did not end on SIGTERM:\n{self.log()}") from None
        if code != 0:
            raise AssertionError(f"scoutd ended with {code}:\n{self.log()}")


class Client:
    """A line client of the daemon's socket. Answers may come in any order."""

    def __init__(self, path, timeout=ANSWER_S):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket without a time-out of Python's own waits while the queue of arrivals is full.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                               struct.pack("ll", int(timeout), 0))
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.socket.settimeout(timeout)
        self.buffer = b""
        self.answers = {}
        self.without_id = []
        self.last_id = 0
        self.modern = True
        self.meta = META

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def raw(self):
        """From now on results are asked for whole and exactly as hosts have them, as the companion does."""
        self.meta = RAW_META
        return self

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, method, params=None, message_id=None):
        """Sends a request; returns its id."""
        if message_id is None:
            self.last_id += 1
            message_id = self.last_id
        message = {"jsonrpc": "2.0", "id": message_id, "method": method}
        if self.modern:
            params = {**(params or {}), "_meta": self.meta}
        if params is not None:
            message["params"] = params
        self.send_raw(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        return message_id

    def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        self.send_raw(json.dumps(message).encode() + b"\n")

    def send_scout(self, target, message_id=None):
        return self.send("tools/call", {"name": "scout", "arguments": {"target": target}},
                         message_id)

    def line(self, timeout=ANSWER_S):
        """The next message of the daemon; None at its end."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no answer within {timeout} s")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 20)
            except socket.timeout:
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                if self.buffer:
                    raise AssertionError(f"the daemon ended in mid-line: {self.buffer[:200]!r}")
                return None
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\n", 1)
        message = json.loads(text.decode("utf-8"))
        if isinstance(message, dict) and message.get("jsonrpc") != "2.0":
            raise AssertionError(f"no JSON-RPC 2.0: {text[:200]!r}")
        return message

    def wait(self, message_id, timeout=ANSWER_S):
        """The whole answer to a request."""
        end = time.monotonic() + timeout
        while message_id not in self.answers:
            message = self.line(max(end - time.monotonic(), 0.001))
            if message is None:
                raise AssertionError(f"the daemon closed before it answered {message_id!r}")
            if "id" in message and "method" not in message:
                if message["id"] in self.answers:
                    raise AssertionError(f"answered twice: {message}")
                self.answers[message["id"]] = message
            else:
                self.without_id.append(message)
        return self.answers.pop(message_id)

    def request(self, method, params=None, timeout=ANSWER_S):
        return self.wait(self.send(method, params), timeout)

    def initialize(self, version=LEGACY[-1]):
        """The legacy handshake; the client goes on without _meta. Returns the result."""
        self.modern = False
        answer = self.request("initialize", {
            "protocolVersion": version, "capabilities": {},
            "clientInfo": {"name": "harness", "version": "1"}})
        self.notify("notifications/initialized")
        return answer["result"]

    def scout(self, target, timeout=ANSWER_S):
        """The result of a call of the tool `scout`."""
        return self.result(self.send_scout(target), timeout)

    def tool(self, name, timeout=ANSWER_S, **arguments):
        """The result of a call of any tool."""
        return self.result(self.send("tools/call", {"name": name, "arguments": arguments}), timeout)

    def result(self, message_id, timeout=ANSWER_S):
        answer = self.wait(message_id, timeout)
        if "result" not in answer:
            raise AssertionError(f"a protocol error: {answer}")
        return answer["result"]


def text_of(result):
    """The text content of a tool's result."""
    return result["content"][0]["text"]


class ScoutTest(unittest.TestCase):
    """A test class with a folder, and with what it starts in setUpClass ended after it."""

    maxDiff = 2000

    @classmethod
    def make_folder(cls):
        # /tmp, not $TMPDIR: a Unix socket's path has 107 bytes.
        cls.folder = tempfile.mkdtemp(prefix="scout-test-", dir="/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        return cls.folder

    @classmethod
    def make_large_folder(cls):
        """A folder for thousands of files: in memory where there is some, else they take minutes."""
        shared = "/dev/shm"
        large = tempfile.mkdtemp(prefix="scout-test-",
                                 dir=shared if os.access(shared, os.W_OK) else "/tmp")
        cls.addClassCleanup(shutil.rmtree, large, ignore_errors=True)
        return large

    @classmethod
    def make_fleet(cls, count=3, **options):
        fleet = Fleet(cls.folder, count, **options)
        cls.addClassCleanup(fleet.stop)
        return fleet

    @classmethod
    def make_daemon(cls, ssh_config, config="", name="d", **paths):
        daemon = Daemon(cls.folder, ssh_config, config, name, **paths)
        cls.addClassCleanup(daemon.stop)
        return daemon.start()

    @classmethod
    def write(cls, name, text):
        """Makes a file in the class's folder; returns its path."""
        path = os.path.join(cls.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def assertScoutError(self, result, code, *fragments):
        """A failed call: its code, and what its text says."""
        text = text_of(result)
        self.assertTrue(result.get("isError"), result)
        self.assertTrue(text.startswith("Error: "), text)
        error = result["structuredContent"]["error"]
        self.assertIn(error["code"], [code] if isinstance(code, str) else code, result)
        self.assertEqual(text, "Error: " + error["message"])
        for fragment in fragments:
            self.assertIn(fragment, text)
        return error

    def assertScoutOk(self, result, kind):
        """A call that succeeded; returns its structured content."""
        self.assertFalse(result.get("isError", False), result)
        self.assertEqual(result["structuredContent"]["kind"], kind)
        return result["structuredContent"]

    def assertRpcError(self, answer, code, reason=None):
        self.assertIn("error", answer, answer)
        self.assertEqual(answer["error"]["code"], code, answer)
        if reason is not None:
            self.assertEqual(answer["error"]["data"]["reason"], reason, answer)


def main():
    """Runs the tests of the calling file. Ends with 77 when every one of them was skipped."""
    def stop(number, _):
        # unittest takes any other exception for the failure of one test, and would go on.
        raise KeyboardInterrupt(signal.Signals(number).name)

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.alarm(TEST_LIMIT_S)
    for binary in (SCOUT, SCOUTD):
        if not os.access(binary, os.X_OK):
            sys.exit(f"{binary} is missing: build first, or set SCOUT_BUILD")
    try:
        result = unittest.main(exit=False, verbosity=2).result
    except KeyboardInterrupt as why:
        signal.alarm(0)
        traceback.print_exc()
        classes = ScoutTest.__subclasses__()
        for each in classes:
            classes.extend(each.__subclasses__())
            each.doClassCleanups()
        sys.exit(f"stopped by {why}; a test file has {TEST_LIMIT_S} s")
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    # A class that was skipped as a whole is in `skipped`, but counts no test that ran.
    passed = result.testsRun - sum(isinstance(test, unittest.TestCase)
                                   for test, _ in result.skipped)
    if passed == 0:
        sys.exit(77)
