"""Where chaos happens: four hosts, each of its own kind, with files whose content is known.

demo1 has an SFTP server that is a process of its own, demo2 one within sshd, demo3 none, and demo4
opens one channel a connection. What is below `stable` never changes. `volatile` is what faults are
about. What calls make is in `made`, each file under a name that is given out once, so that whatever
stands there later has to be whole. `shared` is changed by many."""

import hashlib
import os
import random
import re
import threading
import time

import harness
from beam_case import MIB, digest, make_large
from http_client import HttpDaemon

HOSTS = ("demo1", "demo2", "demo3", "demo4")
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
SIZES = (0, 1, 700, 20000, 140000, 250000)  # of stable files
COPIES = (1, 3, 12)  # MiB of what is copied
COUNTS = 400  # lines behind the one that is edited
VOLATILE = 4

# Short limits, so that much happens in little time.
LIMITS = {"call_timeout": 10, "command_timeout": 4, "connect_timeout": 7, "transfer_idle_timeout": 2,
          "idle_timeout": 2, "ping_interval": 1, "ping_timeout": 2, "detach_after": 2,
          "job_timeout": 6, "watch_interval": 0.2, "max_file_size": 262144}


def text_of_size(size, seed):
    chosen = random.Random(f"text {seed}")
    lines, length = [], 0
    while length < size:
        line = f"line {len(lines) + 1} {chosen.getrandbits(128):032x}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)[:size]


class Log:
    """What happened, with its time: a finding is read here."""

    def __init__(self, path):
        self.out = open(path, "w", encoding="utf-8", buffering=1)
        self.begun = time.monotonic()
        self.lock = threading.Lock()

    def __call__(self, who, *words):
        with self.lock:
            self.out.write(f"{time.monotonic() - self.begun:9.3f} {who} "
                           f"{' '.join(str(word) for word in words)}\n")


class World:
    def __init__(self, folder, fleet, log):
        self.folder, self.fleet, self.log = folder, fleet, log
        self.lock = threading.Lock()
        self.last_made = 0
        self.made = {}  # path -> digest of what may stand there
        self.handles = []
        self.stable = [text_of_size(size, size) for size in SIZES]
        self.here = None
        self.daemon = None
        for host in HOSTS:
            self._furnish(host)
        self._kinds()

    def _furnish(self, host):
        write = self.fleet.write
        for i, text in enumerate(self.stable):
            write(host, f"stable/f{i}", text)
        for i in range(60):
            write(host, f"stable/d/{i % 4}/{i % 3}/x{i}.txt", f"first\nneedle {i}\nlast\n")
        for size in COPIES:
            path = self.fleet.path(host, f"stable/copy{size}")
            if host == HOSTS[0]:
                make_large(path, size * MIB)
            else:
                os.link(self.fleet.path(HOSTS[0], f"stable/copy{size}"), path)
        os.makedirs(self.fleet.path(host, "volatile"))
        self.reset_shared(host)
        os.makedirs(self.fleet.path(host, "made"), exist_ok=True)

    def reset_shared(self, host):
        for i in range(2):
            self.fleet.write(host, f"shared/e{i}", self.shared(0))

    @staticmethod
    def shared(count):
        return f"head\ncount {count}\n" + "tail\n" * COUNTS

    def _kinds(self):
        changes = {"demo1": ("Subsystem sftp .*", f"Subsystem sftp {SFTP_SERVER}"),
                   "demo3": ("Subsystem sftp .*", ""), "demo4": ("MaxSessions .*", "MaxSessions 1")}
        if not os.access(SFTP_SERVER, os.X_OK):
            del changes["demo1"]
        for host, (old, new) in changes.items():
            self.fleet.down(host)
            path = self.fleet.home(host, "sshd_config")
            with open(path, encoding="utf-8") as text:
                config = re.sub("(?m)^" + old + "$", new, text.read())
            with open(path, "w", encoding="utf-8") as out:
                out.write(config)
            self.fleet.up(host)

    def start_daemon(self, name, **limits):
        config = "role = operator\n" + "".join(f"{key} = {value}\n" for key, value in
                                                {**LIMITS, **limits}.items())
        self.daemon = HttpDaemon(self.folder, self.fleet.ssh_config, config, name)
        self.daemon.start()
        self.here = os.path.join(self.daemon.state, "transfer", str(os.getuid()))
        os.makedirs(os.path.join(self.here, "made"), 0o700, exist_ok=True)
        for size in COPIES:
            os.link(self.source(HOSTS[0], size), os.path.join(self.here, f"copy{size}"))
        self.write_volatile()
        return self.daemon

    def write_volatile(self):
        make_large(os.path.join(self.here, "volatile", "v0"), 3 * MIB)
        for host in HOSTS:
            for i in range(VOLATILE):
                self.fleet.write(host, f"volatile/v{i}", text_of_size(300000, i))

    def path(self, host, *below):
        return self.fleet.path(host, *below)

    def source(self, host, size):
        return self.path(host, f"stable/copy{size}")

    def new_path(self, host, content_digest):
        """A path for a new file, which is to have that digest; `host` None: in the transfer directory."""
        with self.lock:
            self.last_made += 1
            folder = os.path.join(self.here, "made") if host is None else self.path(host, "made")
            path = os.path.join(folder, f"m{self.last_made}")
            self.made[path] = content_digest
            return path

    def source_digest(self, size):
        return digest(self.source(HOSTS[0], size))

    def folders(self):
        """Where temporary files could be left."""
        found = [os.path.join(self.here, "made"), self.here]
        for host in HOSTS:
            found += [self.path(host, name) for name in ("made", "shared")]
        return found

    def temporary(self):
        return sorted(os.path.join(folder, name) for folder in self.folders()
                      for name in os.listdir(folder)
                      if name.startswith(".scout-") and name.endswith(".tmp"))

    def broken(self):
        """Files that are there, but not as somebody wrote them."""
        found = []
        for path, expected in self.made.items():
            if os.path.exists(path) and digest(path) != expected:
                found.append(f"{path} is not what was written")
        for host in HOSTS:
            for i in range(2):
                path = self.path(host, f"shared/e{i}")
                with open(path, encoding="utf-8") as text:
                    content = text.read()
                if not re.fullmatch(r"head\ncount \d+\n(tail\n){%d}" % COUNTS, content):
                    found.append(f"{path} is not whole")
        return found

    def tidy(self):
        """Before the next round."""
        for folder in self.folders():
            for name in os.listdir(folder):
                if name.startswith((".scout-", "m")) and name != "made":
                    os.unlink(os.path.join(folder, name))
        self.made.clear()
        del self.handles[:]
        for host in HOSTS:
            self.reset_shared(host)
        self.write_volatile()


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


def process_tree(root):
    """What is below a process: [(pid, depth, name)], nearest first."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    name, rest = stat.read().split("(", 1)[1].rsplit(")", 1)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if rest.split()[0] != "Z":
                parents.setdefault(int(rest.split()[1]), []).append((int(entry), name))
    found, queue = [], [(root, 0)]
    while queue:
        pid, depth = queue.pop(0)
        for child, name in parents.get(pid, ()):
            found.append((child, depth + 1, name))
            queue.append((child, depth + 1))
    return found


class ChaosCase:
    """Beside harness.ScoutTest: the hosts."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.log = Log(os.path.join(cls.folder, "chaos.log"))
        # A shell that is killed while it reads the user's own files would leave their locks.
        cls.world = World(cls.folder, cls.make_fleet(len(HOSTS), SetEnv=f"HOME={cls.folder}"), cls.log)


def is_listener(fleet, host):
    with open(fleet.home(host, "process"), encoding="ascii") as text:
        pid = int(text.read().split()[0])
    return pid if harness.process_state(pid) not in (None, "Z") else None
