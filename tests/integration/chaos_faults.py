"""What happens to hosts while they are asked: processes are killed and stopped, listeners go away and
come back, files vanish and shrink while they are read, the daemon is told to read its files again."""

import os
import random
import signal
import threading
import time

import chaos_world
import harness
from chaos_world import HOSTS, VOLATILE

# Which faults a round has. `calm` has only clients that cancel and leave.
PROFILES = {
    "calm": {},
    "files": {"vanish": 4, "shrink": 4, "grow": 4, "reload": 1},
    "kills": {"kill_leaf": 4, "kill_sftp": 4, "kill_session": 4, "kill_all": 4},
    "stops": {"stop_leaf": 3, "stop_session": 4, "stop_all": 4, "stop_listener": 2},
    "away": {"away": 3, "listener_away": 4, "kill_all": 2},
    "mixed": {"vanish": 2, "shrink": 2, "grow": 2, "reload": 1, "kill_leaf": 3, "kill_sftp": 3,
              "kill_session": 3, "kill_all": 3, "stop_leaf": 2, "stop_session": 3, "stop_all": 3,
              "stop_listener": 2, "away": 1, "listener_away": 1},
}

class Injector(threading.Thread):
    def __init__(self, world, log, seed, profile, over, pause=0.6):
        super().__init__(name="faults", daemon=True)
        self.world, self.fleet, self.log, self.over = world, world.fleet, log, over
        self.random, self.faults, self.pause = random.Random(f"{seed} faults"), PROFILES[profile], pause
        self.counts, self.stopped, self.hosts = {}, [], set()
        self.error = None

    def run(self):
        at = time.monotonic()
        try:
            while self.faults and not self.over.wait(0.05):
                self.resume(time.monotonic())
                if time.monotonic() >= at:
                    self.inject()
                    at = time.monotonic() + self.random.uniform(0, 2 * self.pause)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.resume(float("inf"))

    def inject(self):
        names = list(self.faults)
        name = self.random.choices(names, list(self.faults.values()))[0]
        self.counts[name] = self.counts.get(name, 0) + 1
        host = self.random.choice(HOSTS)
        getattr(self, name)(host)
        self.hosts.add(host)

    def touched(self, path):
        """Whether anything happened to the host that has this file: it may not have come back, or not
        have been fast enough, within the time that the removal of a temporary file has."""
        return any(f"/hosts/{host}/" in path for host in self.hosts)

    # ---- processes ----

    def below(self, host):
        listener = chaos_world.is_listener(self.fleet, host)
        return chaos_world.process_tree(listener) if listener else []

    def sessions(self, host):
        return [pid for pid, depth, _ in self.below(host) if depth == 1]

    def leaves(self, host, names=()):
        return [pid for pid, depth, name in self.below(host)
                if depth > 1 and (not names or name in names)]

    def all(self, host):
        return [pid for pid, _, _ in self.below(host)]

    def signal(self, what, host, pids, number):
        self.log("fault", what, host, *pids)
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def some(self, pids):
        return self.random.sample(pids, self.random.randint(1, len(pids))) if pids else []

    def kill_leaf(self, host):
        leaves = self.leaves(host)
        self.signal("kill_leaf", host, leaves and [self.random.choice(leaves)], signal.SIGKILL)

    def kill_sftp(self, host):
        servers = [pid for pid, _, name in self.below(host) if name in ("sftp-server",)]
        self.signal("kill_sftp", host, servers or self.some(self.leaves(host)), signal.SIGKILL)

    def kill_session(self, host):
        self.signal("kill_session", host, self.some(self.sessions(host)), signal.SIGKILL)

    def kill_all(self, host):
        self.signal("kill_all", host, self.all(host), signal.SIGKILL)

    # ---- stops ----

    def hold(self, what, host, pids):
        seconds = self.random.choice((0.1, 0.5, 1.5, 3, 5, 15)) * self.random.uniform(0.8, 1)
        self.signal(f"{what} for {seconds:.2f} s", host, pids, signal.SIGSTOP)
        self.stopped.append((time.monotonic() + seconds, pids))

    def resume(self, now):
        for entry in [entry for entry in self.stopped if entry[0] <= now]:
            self.stopped.remove(entry)
            self.signal("continue", "", entry[1], signal.SIGCONT)

    def stop_leaf(self, host):
        self.hold("stop_leaf", host, self.some(self.leaves(host)))

    def stop_session(self, host):
        self.hold("stop_session", host, self.some(self.sessions(host)))

    def stop_all(self, host):
        self.hold("stop_all", host, self.all(host))

    def stop_listener(self, host):
        listener = chaos_world.is_listener(self.fleet, host)
        if listener:
            self.hold("stop_listener", host, [listener])

    # ---- hosts that go away ----

    def away(self, host):
        self.log("fault", "away", host)
        self.fleet.down(host)
        self.over.wait(self.random.uniform(0, 3))
        self.fleet.up(host)
        self.log("fault", "back", host)

    def listener_away(self, host):
        """Its connections stay."""
        listener = chaos_world.is_listener(self.fleet, host)
        self.signal("listener_away", host, [listener], signal.SIGKILL)
        harness.wait_until(lambda: harness.process_state(listener) in (None, "Z"), "it ended")
        self.over.wait(self.random.uniform(0, 3))
        self.fleet.up(host)
        self.log("fault", "back", host)

    # ---- files ----

    def volatile(self, host):
        if self.random.random() < 0.2:
            return os.path.join(self.world.here, "volatile", "v0")
        return self.world.path(host, f"volatile/v{self.random.randrange(VOLATILE)}")

    def vanish(self, host):
        path = self.volatile(host)
        self.log("fault", "vanish", path)
        if os.path.exists(path):
            os.unlink(path)
        else:
            self.grow(host, path)

    def shrink(self, host):
        path = self.volatile(host)
        self.log("fault", "shrink", path)
        if os.path.exists(path):
            os.truncate(path, self.random.randrange(os.path.getsize(path) + 1))

    def grow(self, host, path=None):
        path = path or self.volatile(host)
        self.log("fault", "grow", path)
        with open(path, "ab") as out:
            out.write(b"and on and on\n" * self.random.randrange(1, 100000))

    # ---- the daemon ----

    def reload(self, _):
        self.log("fault", "reload")
        self.world.daemon.process.send_signal(signal.SIGHUP)
