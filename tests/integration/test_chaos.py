"""Chaos: many clients ask real sshd's for everything, while these are killed, stopped and taken away.

Each call has to be answered by its deadline, each answer has to be true, and afterwards the daemon has
to be as idle as before, with no temporary file left that nobody was told of. The short form is a test.
The long form runs until something is found or the time is over, and keeps the logs of what was found:

    SCOUT_BUILD=build/asan tests/integration/test_chaos.py --seconds 3600 --seed 7 --keep /tmp/chaos

A round is drawn from its seed, `SEED.ROUND`; `--seed 7.12` is that round again, alone, with a daemon of
its own. What is drawn is the same each time; what it meets is up to the machine's speed."""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

import chaos_calls
import chaos_faults
import chaos_world
import harness
from chaos_clients import LATE_S, HttpClient, Tally, UnixClient, Watcher
from test_metrics import HttpSource

OPTIONS = argparse.Namespace(seconds=0, seed=None, keep=None, profile=None, each=25.0, late=LATE_S)
IDLE_S = 60  # jobs, stops and cleaning have ended by then
GAUGES = ("mcp_in_flight", "pool_in_flight", "pool_queue", "pool_channel_queue", "pool_connections",
          "helper_jobs", "clients", "clients_unsent_bytes", "http_unsent_bytes", "http_sessions")
# What a call in a quiet round may be answered with: what is asked for is drawn.
AS_IT_IS = (None, "no-undo", "no-unique-match", "file-changed", "no-such-handle", "sftp-unavailable")
QUIET_TRIES = 3
SHORT_S = 6  # of chaos in the short form, and its limits, so that it settles soon
SHORT = {"call_timeout": 8, "job_timeout": 3, "idle_timeout": 1, "command_timeout": 3}


class ChaosTest(chaos_world.ChaosCase, harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.total = {}
        cls.faults = {}

    # --- a round -----------------------------------------------------------------------------

    def round(self, seed, profile, seconds, ends=False):
        """Chaos for some seconds; what is wrong then."""
        chosen = random.Random(f"{seed} round")
        self.log("round", seed, profile, seconds)
        over, tally = threading.Event(), Tally(self.log, OPTIONS.late)
        manners = {"cancel": chosen.choice((0.05, 0.3)), "leave": chosen.choice((0, 0.005, 0.02)),
                   "doze": chosen.choice((0, 0, 0.01))}
        clients = [UnixClient(self.world, tally, seed, n, over, manners) for n in range(3)]
        clients += [HttpClient(self.world, tally, seed, n, over, manners) for n in range(2)]
        clients.append(Watcher(self.world, tally, seed, over, manners))
        injector = chaos_faults.Injector(self.world, self.log, seed, profile, over,
                                         chosen.choice((0.2, 0.6)))
        for thread in [*clients, injector]:
            thread.start()
        time.sleep(seconds)
        if ends:
            tally.ending, manners["ended"] = True, time.monotonic()
            self.end_daemon(tally)
        over.set()
        injector.join()
        for thread in clients:
            thread.join(chaos_calls.COPY_S + 2 * tally.late)
            if thread.is_alive():
                tally.finding(f"{thread.name} does not end")
        if injector.error:
            tally.finding(f"the faults ended with {injector.error!r}")
        self.count(tally, injector)
        return tally, injector

    def count(self, tally, injector):
        for into, counts in ((self.total, tally.calls), (self.faults, injector.counts)):
            for name, count in counts.items():
                into[name] = into.get(name, 0) + count
        self.log("slowest", {kind: round(took, 1) for kind, took in tally.slowest.items()})

    def end_daemon(self, tally):
        """It is told to end in the midst of all."""
        self.log("fault", "SIGTERM")
        begun = time.monotonic()
        try:
            self.world.daemon.stop()
        except AssertionError as error:
            tally.finding(f"the daemon's end: {str(error)[-3000:]}")
        self.log("ended after", time.monotonic() - begun)

    # --- afterwards --------------------------------------------------------------------------

    def settle(self, tally, injector):
        try:
            harness.wait_until(self.is_idle, "idle", IDLE_S)
        except AssertionError:
            tally.finding(f"not idle after {IDLE_S} s: {self.busy()}")
        self.judge_files(tally, injector)

    def judge_files(self, tally, injector):
        for path in self.world.temporary():
            told = any(path in text for text in tally.named)
            self.log("left", path, told, os.stat(path).st_mtime - time.time())
            # Nobody hears of what a cancelled call left at a host that was away, or slow.
            if not told and not (tally.abandoned and injector.touched(path)):
                tally.finding(f"{path} is left, and nobody was told")
        for text in self.world.broken():
            tally.finding(text)

    def busy(self):
        now = HttpSource("127.0.0.1", self.world.daemon).metrics()
        found = {name: now.value(name) for name in GAUGES if now.value(name)}
        operations, opened = now.value("loop_operations"), harness.descriptors(self.world.daemon)
        if self.rest and operations > self.rest[0]:
            found["loop_operations"] = (operations, self.rest[0])
        if self.rest and opened > self.rest[1]:
            found["descriptors"] = (opened, self.rest[1])
        return found

    def is_idle(self):
        time.sleep(0.1)
        return not self.busy()

    def quiet_round(self, tally):
        """Everything works: each kind of call at each host, in the short form at one of them."""
        chosen, hosts = random.Random(1), chaos_world.HOSTS
        with self.world.daemon.client().raw() as client:  # which makes no jobs
            for i, kind in enumerate(chaos_calls.QUIET):
                for host in hosts if OPTIONS.seconds else [hosts[i % len(hosts)]]:
                    self.quiet_call(tally, client, kind(chosen, self.world, host), host)

    def quiet_call(self, tally, client, call, host):
        """On a busy machine a host may be too slow for the short limits, but not again and again."""
        for _ in range(QUIET_TRIES):
            answer = client.request(call.method, call.params, call.limit + tally.late)
            wrong = call.judge(self.world, answer)
            if wrong or self.code_of(answer) in AS_IT_IS:
                break
            self.log("quiet", call.kind, host, answer)
        if not wrong and self.code_of(answer) not in AS_IT_IS:
            wrong = f"{call.kind} at {host} failed: {answer}"
        if wrong:
            tally.finding(f"quiet: {wrong}")

    @staticmethod
    def code_of(answer):
        if "error" in answer:
            return str(answer["error"])
        result = answer["result"]
        return result["structuredContent"]["error"]["code"] if result.get("isError") else None

    def prepare(self, number, **limits):
        """A daemon, warm and at rest."""
        self.rest = None
        self.world.start_daemon(f"d{number}", **limits)
        self.addCleanup(self.world.daemon.stop)
        tally = Tally(self.log, OPTIONS.late)
        self.quiet_round(tally)
        self.assertEqual(tally.findings, [])
        harness.wait_until(self.is_idle, "idle", IDLE_S)
        now = HttpSource("127.0.0.1", self.world.daemon).metrics()
        self.rest = now.value("loop_operations"), harness.descriptors(self.world.daemon) + 2
        self.world.tidy()

    def verify_record(self, tally):
        done = subprocess.run([harness.SCOUT, "audit", "verify",
                               os.path.join(self.world.daemon.state, "audit.log")],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tally.finding(f"the audit log: {done.stdout}{done.stderr}")
        try:
            harness.wait_until(lambda: not self.unended(), "each begin has its end")
        except AssertionError:
            tally.finding(f"begun and not ended: {self.unended()}")

    def unended(self):
        """Effects that have a begin on record and no end, which is written a moment later."""
        calls = {"begin": set(), "end": set()}
        with open(os.path.join(self.world.daemon.state, "audit.log"), encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    record = json.loads(line)
                    calls.get(record["event"], set()).add(record.get("call"))
        return calls["begin"] ^ calls["end"]

    def whole_round(self, seed, profile, seconds):
        tally, injector = self.round(seed, profile, seconds)
        self.settle(tally, injector)
        self.quiet_round(tally)
        self.verify_record(tally)
        if not tally.findings:
            self.world.tidy()
        return tally

    # --- the two forms -----------------------------------------------------------------------

    @unittest.skipIf(OPTIONS.seconds, "the long form")
    def test_short(self):
        self.prepare(0, **SHORT)
        tally = self.whole_round("1.0", "mixed", SHORT_S)
        self.assertEqual(tally.findings, [], self.tail())
        self.assertGreater(sum(tally.calls.values()), 20)

    def tail(self):
        with open(os.path.join(self.folder, "chaos.log"), encoding="utf-8") as text:
            return "".join(text.readlines()[-60:])


def report(test, seed, tally):
    print(f"{time.strftime('%H:%M:%S')} {seed}: {sum(tally.calls.values())} calls, "
          f"{sum(tally.failed.values())} failed, {tally.abandoned} abandoned, "
          f"{test.world.daemon.memory_bytes() >> 20 if test.world.daemon.process.poll() is None else 0} MiB; slowest "
          f"{sorted(((round(t, 1), k) for k, t in tally.slowest.items()), reverse=True)[:4]}", flush=True)
    for finding in tally.findings:
        print(f"    FINDING {finding[:1500]}", flush=True)


def keep(test, seed):
    if OPTIONS.keep:
        folder = os.path.join(OPTIONS.keep, str(seed))
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(test.folder, "chaos.log"), folder)
        shutil.copy(test.world.daemon.log_path, folder)


def long_form():
    """Rounds until the time is over; each few with a new daemon, whose limits are drawn, too."""
    ChaosTest.setUpClass()
    test, end = ChaosTest("test_short"), time.monotonic() + OPTIONS.seconds
    base, only = (re.fullmatch(r"(\d+)(?:\.(\d+))?", OPTIONS.seed or "1").groups())
    number, found = int(only or 0), 0
    try:
        while time.monotonic() < end:
            seed = f"{base}.{number}"
            chosen = random.Random(f"{seed} long")
            profile = OPTIONS.profile or chosen.choice(list(chaos_faults.PROFILES))
            ends = chosen.random() < 0.15
            if test.world.daemon is None or test.world.daemon.process.poll() is not None:
                limits = {"detach_after": chosen.choice((0, 0.5, 2)),
                          "max_connections": chosen.choice((2, 5, 100)),
                          "max_client_bytes": chosen.choice((4 << 20, 64 << 20)),
                          "ping_interval": chosen.choice((0, 1))}
                print("daemon:", limits, flush=True)
                test.prepare(number, **limits)
            if ends:
                tally, injector = test.round(seed, profile, OPTIONS.each, True)
                test.judge_files(tally, injector)
                test.world.tidy()
            else:
                tally = test.whole_round(seed, profile, OPTIONS.each)
            report(test, f"{seed} {profile}{' ends' if ends else ''}", tally)
            if tally.findings:
                found += 1
                keep(test, seed)
                test.world.daemon.kill()
                test.world.tidy()
            if only:
                break
            number += 1
    except KeyboardInterrupt:
        print("stopped")
    finally:
        print("calls:", sum(test.total.values()), test.total)
        print("faults:", sum(test.faults.values()), test.faults, "rounds with findings:", found)
        test.doCleanups()
        ChaosTest.doClassCleanups()
    return found


def main():
    options = argparse.ArgumentParser(description="Chaos; without --seconds, its short form.")
    options.add_argument("--seconds", type=float, default=0)
    options.add_argument("--seed")
    options.add_argument("--keep", metavar="DIR")
    options.add_argument("--profile", choices=list(chaos_faults.PROFILES))
    options.add_argument("--each", type=float, default=25.0, help="seconds of chaos in a round")
    options.add_argument("--late", type=float, default=LATE_S,
                         help="seconds that an answer may take beyond its deadline")
    options.parse_known_args(namespace=OPTIONS)
    if OPTIONS.seconds:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        sys.exit(1 if long_form() else 0)
    harness.main()


if __name__ == "__main__":
    main()
