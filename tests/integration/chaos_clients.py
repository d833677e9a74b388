"""Clients of the chaos, a thread each. They ask, cancel, leave and come back; each holds every call
to its deadline, and every answer to what is true."""

import json
import random
import select
import socket
import threading
import time

import chaos_calls
import harness
from http_client import Http

LATE_S = 30  # what an answer may take beyond its deadline on a busy machine
IN_FLIGHT = 12
ENDING = {"cancelled", "shutting-down"}
TASKS = {harness.META_VERSION: harness.MODERN, harness.META_CAPABILITIES: {
    "extensions": {"io.modelcontextprotocol/tasks": {}}}}


class Tally:
    """What all clients together have to say."""

    def __init__(self, log, late=LATE_S):
        self.log, self.lock, self.late = log, threading.Lock(), late
        self.findings, self.calls, self.failed, self.slowest = [], {}, {}, {}
        self.ending = False
        self.named, self.abandoned = [], 0  # texts that name what is left; calls nobody waited for

    def finding(self, text):
        with self.lock:
            self.findings.append(text)
        self.log("FINDING", text)

    def sent(self, kind):
        with self.lock:
            self.calls[kind] = self.calls.get(kind, 0) + 1

    def left(self, count=1):
        with self.lock:
            self.abandoned += count

    def answered(self, world, call, answer, took):
        try:
            wrong = call.judge(world, answer, ENDING if self.ending else set())
        except Exception as error:  # pylint: disable=broad-except
            wrong = f"{call.kind}: {error!r} of {json.dumps(answer)[:600]}"
        if wrong:
            self.finding(wrong)
        text = json.dumps(answer) if "left" in json.dumps(answer) else ""
        result = answer.get("result", {})
        failed = "error" in answer or result.get("isError")
        with self.lock:
            self.slowest[call.kind] = max(self.slowest.get(call.kind, 0), took)
            if failed:
                self.failed[call.kind] = self.failed.get(call.kind, 0) + 1
            if ".scout-" in text:
                self.named.append(text)
        return failed


class HalfClosed(Exception):
    """The daemon has closed, as it has to."""


class UnixClient(threading.Thread):
    """Many calls in flight, over the socket."""

    def __init__(self, world, tally, seed, number, over, manners):
        super().__init__(name=f"unix{number}", daemon=True)
        self.world, self.tally, self.log = world, tally, tally.log
        self.random = random.Random(f"{seed} unix {number}")
        self.over, self.manners, self.last_id = over, manners, 0
        self.meta = (harness.META, harness.RAW_META, TASKS)[number % 3]
        self.client, self.flying, self.cancelled, self.unsent = None, {}, {}, b""

    def run(self):
        try:
            while not self.over.is_set():
                self.turn()
            while self.flying and self.client:
                if any(call.endless for call, _, _ in self.flying.values()):
                    self.cancel_endless()
                self.receive(0.2)
        except Exception as error:  # pylint: disable=broad-except
            if not self.manners.get("ended"):
                self.tally.finding(f"{self.name}: {error!r}")
        finally:
            self.leave()

    def turn(self):
        if self.client is None:
            self.client = self.world.daemon.client()
            self.client.half_closed = False
        if len(self.flying) < IN_FLIGHT and not self.unsent and self.random.random() < 0.8:
            self.ask()
        self.cancel_some()
        if self.random.random() < self.manners["doze"]:
            self.over.wait(self.random.uniform(0.5, 4))  # it reads nothing meanwhile
        leaves = self.random.random() < self.manners["leave"]
        if leaves and not self.unsent and self.random.random() < 0.3:
            self.half_close()
        elif leaves:
            self.leave()
        else:
            self.receive(self.random.choice((0, 0.01, 0.05, 0.1)))

    def ask(self):
        call = chaos_calls.draw(self.random, self.world)
        self.last_id += 1
        stays = self.random.random() >= self.manners["cancel"] and not call.endless
        cancel_at = None if stays else time.monotonic() + self.random.choice((0, 0.01, 0.1, 0.5, 2)) \
            * self.random.random()
        text = json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": call.method,
                           "params": {**call.params, "_meta": self.meta}})
        self.log(self.name, "ask", self.last_id, call.kind, text[:300])
        self.flying[self.last_id] = (call, time.monotonic(), cancel_at)
        self.tally.sent(call.kind)
        self.unsent += text.encode() + b"\n"

    def cancel_some(self):
        now = time.monotonic()
        for number, (_, _, cancel_at) in list(self.flying.items()):
            if cancel_at is not None and cancel_at <= now:
                self.cancel(number)

    def cancel_endless(self):
        for number, (call, _, _) in list(self.flying.items()):
            if call.endless:
                self.cancel(number)

    def cancel(self, number):
        self.log(self.name, "cancel", number)
        self.unsent += json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled",
                                   "params": {"requestId": number}}).encode() + b"\n"
        self.cancelled[number] = self.flying.pop(number)
        self.tally.left()

    def leave(self):
        if self.client is not None:
            self.log(self.name, "leave", *self.flying)
            self.tally.left(len(self.flying))
            self.client.close()
        self.client, self.flying, self.cancelled, self.unsent = None, {}, {}, b""

    def receive(self, patience):
        """Also sends, as far as the daemon takes it: who does not read either waits for ever."""
        one = [self.client.socket]
        readable, writable, _ = select.select(one, one if self.unsent else [], [], patience)
        if writable:
            taken = self.client.socket.send(self.unsent[:1 << 16], socket.MSG_DONTWAIT)
            self.unsent = self.unsent[taken:]
        if readable:
            data = self.client.socket.recv(1 << 20)
            if not data:
                self.closed()
            self.client.buffer += data
            *lines, self.client.buffer = self.client.buffer.split(b"\n")
            for line in lines:
                self.take(json.loads(line))
        now = time.monotonic()
        for number, (call, begun, _) in list(self.flying.items()):
            if not call.endless and now - begun > call.limit + self.tally.late:
                self.tally.finding(f"{self.name}: no answer to {number} ({call.kind}) in "
                                   f"{now - begun:.1f} s: {json.dumps(call.params)[:400]}")
                del self.flying[number]

    def half_close(self):
        """It has nothing more to say, and waits for all answers; then the daemon closes."""
        self.log(self.name, "half-close", *self.flying)
        self.client.half_closed = True
        self.client.socket.shutdown(socket.SHUT_WR)
        until = time.monotonic() + chaos_calls.COPY_S + self.tally.late
        try:
            while time.monotonic() < until:
                self.receive(0.2)
            self.tally.finding(f"{self.name}: not closed after the last answer")
        except HalfClosed:
            for number, (call, _, _) in self.flying.items():
                self.tally.finding(f"{self.name}: half-closed, and no answer to {number} ({call.kind})")
        self.flying = {}
        self.leave()

    def closed(self):
        ended = self.manners.get("ended")
        if not ended and self.client.half_closed:
            raise HalfClosed
        if not ended:
            raise EOFError("the daemon closed")
        for number, (call, begun, _) in self.flying.items():
            if begun < ended - 0.5 and not call.endless:
                self.tally.finding(f"{self.name}: the daemon ended without an answer to {number} ({call.kind})")
        self.flying = {}
        raise EOFError

    def take(self, message):
        if "id" not in message or "method" in message:
            return
        number = message["id"]
        if number in self.flying:
            call, begun, _ = self.flying.pop(number)
        elif number in self.cancelled:  # it was on its way
            call, begun, _ = self.cancelled.pop(number)
        else:
            self.tally.finding(f"{self.name}: answered twice, or never asked: {str(message)[:300]}")
            return
        took = time.monotonic() - begun
        failed = self.tally.answered(self.world, call, message, took)
        self.log(self.name, "answer", number, call.kind, f"{took:.3f}",
                 json.dumps(message)[:500] if failed else "ok")


class HttpClient(threading.Thread):
    """One call at a time; who closes the connection cancels."""

    def __init__(self, world, tally, seed, number, over, manners):
        super().__init__(name=f"http{number}", daemon=True)
        self.world, self.tally, self.log = world, tally, tally.log
        self.random = random.Random(f"{seed} http {number}")
        self.over, self.manners, self.client = over, manners, None
        self.token = world.daemon.token()

    def run(self):
        try:
            while not self.over.is_set():
                self.turn()
        except Exception as error:  # pylint: disable=broad-except
            if not self.manners.get("ended"):
                self.tally.finding(f"{self.name}: {error!r}")
        finally:
            if self.client:
                self.client.close()

    def turn(self):
        call = chaos_calls.draw(self.random, self.world, over_http=True)
        if self.client is None:
            self.client = Http(self.world.daemon.port, token=self.token)
        self.client.socket.settimeout(call.limit + self.tally.late)
        leaves = self.random.random() < 5 * self.manners["leave"]
        self.log(self.name, "ask", call.kind, json.dumps(call.params)[:300])
        self.tally.sent(call.kind)
        begun = time.monotonic()
        if leaves:
            self.client.send_modern(call.method, call.params)
            self.over.wait(self.random.choice((0, 0.1, 1)) * self.random.random())
            self.client.close()
            self.client = None
            self.tally.left()
            return
        try:
            _, answer = self.client.modern(call.method, call.params)
        except socket.timeout:
            self.tally.finding(f"{self.name}: no answer to {call.kind} in "
                               f"{time.monotonic() - begun:.1f} s: {json.dumps(call.params)[:400]}")
            self.client.close()
            self.client = None
            return
        took = time.monotonic() - begun
        failed = self.tally.answered(self.world, call, answer, took)
        self.log(self.name, "answer", call.kind, f"{took:.3f}",
                 json.dumps(answer)[:500] if failed else "ok")


class Watcher(threading.Thread):
    """A session of an older revision that subscribes, and takes its events over HTTP or the socket."""

    def __init__(self, world, tally, seed, over, manners):
        super().__init__(name="watcher", daemon=True)
        self.world, self.tally, self.random = world, tally, random.Random(f"{seed} watcher")
        self.over, self.manners, self.told = over, manners, 0

    def run(self):
        try:
            while not self.over.is_set():
                self.session()
        except Exception as error:  # pylint: disable=broad-except
            if not self.manners.get("ended"):
                self.tally.finding(f"{self.name}: {error!r}")

    def session(self):
        until = time.monotonic() + self.random.uniform(1, 6)
        with self.world.daemon.http() as asking, self.world.daemon.http() as hearing:
            asking.initialize()
            hearing.send("GET", headers=asking.session_headers({"Accept": "text/event-stream"}))
            while time.monotonic() < until and not self.over.is_set():
                host = self.random.choice(chaos_calls.HOSTS)
                path = self.world.path(host, f"volatile/v{self.random.randrange(2)}")
                asking.legacy("resources/" + self.random.choice(("subscribe", "unsubscribe")),
                              {"uri": f"scout://{host}{path}"})
                self.over.wait(0.2)
            asking.request("DELETE", headers=asking.session_headers())
