"""Peers of ours for tests: the light SSH server (tests/lightsshd) and the TCP proxy (tests/proxy).

Both run as children that end with this process, tell their ports themselves, and must end with 0 on
SIGTERM: a sanitizer's report and a leak show there, too.
"""

import json
import os
import signal
import subprocess

import harness

LIGHTSSHD = os.path.join(harness.BUILD, "lightsshd")
TCPPROXY = os.path.join(harness.BUILD, "tcpproxy")


class _Program:
    """A child with lines on its stdin and stdout."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=harness.clean_environment("/nonexistent"),
            preexec_fn=harness.die_with_parent)
        self.last = ""

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            _, errors = self.process.communicate(timeout=harness.READY_S)
            raise AssertionError(f"{self.process.args[0]} ended with {self.process.returncode}:"
                                 f"\n{errors}")
        return text.rstrip("\n")

    def cpu_ticks(self):
        """CPU time used so far, in ticks of 10 ms."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            part = stat.read().rsplit(")", 1)[1].split()
        return int(part[11]) + int(part[12])

    def stop(self):
        """Asks it to end; a second call does nothing."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            self.last, errors = self.process.communicate(timeout=harness.READY_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError(f"{self.process.args[0]} did not end on SIGTERM") from None
        if self.process.returncode != 0:
            raise AssertionError(f"{self.process.args[0]} ended with {self.process.returncode}:"
                                 f"\n{errors}")


class LightSshd(_Program):
    """The light server; `options` are its own. `folder` gets a user key (when there is none yet),
    and for this server, by its `name`, known_hosts and an ssh_config with a Host block for each
    address: NAME-0, NAME-1 and so on; NAME is the first."""

    def __init__(self, folder, *options, name="light"):
        self.name = name
        self.user_key = os.path.join(folder, "light_key")
        if not os.path.exists(self.user_key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "light",
                            "-f", self.user_key], check=True, timeout=harness.READY_S)
        self.ssh_config = os.path.join(folder, name + ".ssh_config")
        self.known_hosts = os.path.join(folder, name + ".known_hosts")
        if not {"--any-key", "--authorized", "--auth-refuse"}.intersection(options):
            options = ("--authorized", self.user_key + ".pub", *options)
        super().__init__([LIGHTSSHD, "--print-known-hosts", "--stats", *options])
        self.addresses = []
        known = ""
        while True:
            word, *rest = self.line().split(" ", 1)
            if word == "ready":
                break
            if word == "known_hosts":
                known += rest[0] + "\n"
            else:
                address, port = rest[0].split()
                self.addresses.append((address, int(port)))
        self.port = self.addresses[0][1]
        with open(self.known_hosts, "w", encoding="ascii") as out:
            out.write(known)
        with open(self.ssh_config, "w", encoding="utf-8") as out:
            out.write(self.entry(name))
            for index in range(len(self.addresses)):
                out.write(self.entry(f"{name}-{index}", index))

    def entry(self, alias, index=0, **changes):
        """The text of a Host block for one of its addresses, with keywords changed."""
        address, port = self.addresses[index]
        keywords = {"HostName": address, "Port": port, "User": "light",
                    "IdentityFile": self.user_key, "IdentitiesOnly": "yes",
                    "UserKnownHostsFile": self.known_hosts,
                    "GlobalKnownHostsFile": "/dev/null", "BatchMode": "yes"}
        keywords.update(changes)
        return f"Host {alias}\n" + "".join(f"  {key} {value}\n"
                                           for key, value in keywords.items()) + "\n"

    def stats(self):
        """What it has counted, as of now."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.line())

    def final_stats(self):
        """Ends it and returns what it had counted."""
        self.stop()
        return json.loads(self.last.splitlines()[-1])


class Proxy(_Program):
    """The proxy in front of `to` (a port of 127.0.0.1, or "ADDR:PORT"); `options` are its own."""

    def __init__(self, to, *options):
        to = to if isinstance(to, str) else f"127.0.0.1:{to}"
        super().__init__([TCPPROXY, "--to", to, *options])
        self.port = int(self.line().split()[2])

    def order(self, text):
        """One line of control; returns when it is in effect for all connections."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        answer = self.line()
        if answer.startswith("error"):
            raise AssertionError(answer)
        return answer

    def counts(self):
        """{"up_bytes", "up_bursts", "down_bytes", "down_bursts", "connections", "open"}"""
        part = self.order("count").split()
        return {"up_bytes": int(part[2]), "up_bursts": int(part[3]),
                "down_bytes": int(part[5]), "down_bursts": int(part[6]),
                "connections": int(part[8]), "open": int(part[9])}


class PeerTest(harness.ScoutTest):
    """A test class whose light servers and proxies end with the test (or the class)."""

    def light(self, *options, name="light"):
        server = LightSshd(self.folder, *options, name=name)
        self.addCleanup(server.stop)
        return server

    def proxy(self, to, *options):
        proxy = Proxy(to, *options)
        self.addCleanup(proxy.stop)
        return proxy

    @classmethod
    def make_light(cls, *options, name="light"):
        server = LightSshd(cls.folder, *options, name=name)
        cls.addClassCleanup(server.stop)
        return server

    @classmethod
    def make_proxy(cls, to, *options):
        proxy = Proxy(to, *options)
        cls.addClassCleanup(proxy.stop)
        return proxy
