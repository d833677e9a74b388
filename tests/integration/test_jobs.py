"""Calls that are answered before their end, and go on as jobs, against real sshd's."""

import hashlib
import json
import os
import signal
import socket
import time

import harness
import http_client
from harness import text_of

AFTER_S = 0.7  # detach_after of the daemon under test
LOG_MAX = 1024 * 1024  # bytes of a job's output that are kept
OWNER_MAX = 16  # jobs of one owner that go on
MUTE_S = 3  # connect_timeout
TOKENS = {name: "scout_" + name[0] * 43 for name in ("alice", "bob")}


def pid_in(path):
    """The process id that a command writes there."""
    def read():
        try:
            with open(path, encoding="ascii") as text:
                return int(text.read() or 0)
        except FileNotFoundError:
            return None
    return harness.wait_until(read, "it runs")


def warm(daemon):
    """Has the hosts connected, so that commands run at once."""
    with daemon.client() as client:
        for host in ("demo1", "demo2"):
            client.result(client.send("tools/call", {"name": "scout", "arguments": {
                "target": f"{host}:/etc/hosts"}}))
            client.result(client.send("tools/call", {"name": "run", "arguments": {
                "host": host, "command": "true"}}))


def records(daemon):
    with open(os.path.join(daemon.state, "audit.log"), encoding="utf-8") as log:
        return [json.loads(line) for line in log]


class JobsTest(harness.ScoutTest):
    SETTINGS = (f'role = "operator"\ncall_timeout = 20\ndetach_after = {AFTER_S}\n'
                f'job_timeout = 60\nmax_file_size = 65536\nconnect_timeout = {MUTE_S}\n')

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")
        cls.mute = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.mute.close)
        config = os.path.join(cls.folder, "ssh_config")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"Include {cls.fleet.ssh_config}\nHost mute\n  HostName 127.0.0.1\n"
                      f"  Port {cls.mute.getsockname()[1]}\n"
                      f"  UserKnownHostsFile {cls.fleet.known_hosts}\n"
                      f"  IdentityFile {cls.fleet.user_key}\n")
        cls.daemon = cls.make_daemon(config, cls.SETTINGS)
        warm(cls.daemon)

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def call(self, name, client=None, **arguments):
        client = client or self.client
        return client.result(client.send("tools/call", {"name": name, "arguments": arguments}),
                             25)

    def run_it(self, command, client=None, **arguments):
        return self.call("run", client, host="demo1", command=command, **arguments)

    def job(self, job, client=None, **arguments):
        result = self.call("output", client, handle=job, **arguments)
        self.assertNotIn("isError", result, text_of(result))
        return result["structuredContent"]

    def detached(self, command, client=None, **arguments):
        """Runs a command that becomes a job; what its call was answered with."""
        content = self.run_it(command, client, **arguments)["structuredContent"]
        self.assertEqual(content["state"], "running", content)
        self.assertRegex(content["job"], r"^job_[A-Za-z0-9_-]{22}$")
        return content

    def all_of(self, job, client=None):
        """What a job says until its end, and the last answer."""
        text, offset = "", 0
        for _ in range(200):
            content = self.job(job, client, offset=offset, wait=10)
            self.assertEqual(content["offset"], offset)
            text += content["text"]
            offset = content["next"]
            if content["state"] != "running" and offset == content["total"]:
                return text, content
        raise AssertionError("it does not end")

    def release(self, name):
        """A file that a command waits for, and what makes it."""
        path = self.fleet.path("demo1", name)
        if os.path.exists(path):
            os.unlink(path)

        def make():
            with open(path, "w", encoding="ascii"):
                pass
        return f"until [ -e {path} ]; do sleep 0.05; done", make

    def logged(self, job, outcome):
        """The line of the log about the call of that job."""
        def find():
            return [line for line in self.daemon.log().splitlines() if " request " in line
                    and f"outcome={outcome} job={job}" in line]
        lines = harness.wait_until(find, f"{outcome} is logged")
        self.assertEqual(len(lines), 1)
        return lines[0]

    # --- a call that takes long ----------------------------------------------------------------

    def test_it_is_answered_in_time_and_goes_on(self):
        wait, release = self.release("go1")
        began = time.monotonic()
        result = self.run_it(f"echo one; echo warned >&2; {wait}; echo two; exit 3")
        self.assertLess(time.monotonic() - began, 10)
        content = result["structuredContent"]
        self.assertEqual(content["kind"], "command")
        self.assertEqual((content["state"], content["text"]), ("running", "one\nwarned\n"))
        self.assertEqual((content["offset"], content["next"], content["total"]), (0, 11, 11))
        self.assertGreaterEqual(content["duration_s"], AFTER_S)
        self.assertIn(f'output {{"handle":"{content["job"]}","offset":11,"wait":20}}',
                      text_of(result))
        self.assertNotIn("isError", result)
        line = self.logged(content["job"], "detached")
        self.assertRegex(line, r" tool=run .*host=demo1 .*code=ok .*run_s=[0-9.]+ total_s=[0-9.]+ ")
        release()
        rest, end = self.all_of(content["job"])
        line = self.logged(content["job"], "ended")
        self.assertRegex(line, r" tool=run .*host=demo1 .*code=ok .*run_s=[0-9.]+ total_s=[0-9.]+ ")
        self.assertNotIn("slow", line)
        self.assertEqual(rest, "one\nwarned\ntwo\n")
        self.assertEqual((end["state"], end["exit_code"]), ("exited", 3))
        again = self.call("output", handle=content["job"], offset=11)
        self.assertEqual(text_of(again), "two\n[exit code: 3]")
        record = harness.wait_until(lambda: [r for r in records(self.daemon)
                                             if r["event"] == "end" and r.get("exit") == 3],
                                    "its record")[0]
        self.assertGreaterEqual(record["duration_s"], AFTER_S)

    def test_one_that_ends_in_time_is_no_job(self):
        content = self.run_it("echo a")["structuredContent"]
        self.assertNotIn("job", content)
        self.assertEqual(content["state"], "exited")

    def test_a_reader_is_told_when_there_is_more(self):
        wait, release = self.release("go2")
        content = self.detached(f"{wait}; echo more; sleep 30")
        message = self.client.send("tools/call", {"name": "output", "arguments": {
            "handle": content["job"], "wait": 15}})
        began = time.monotonic()
        release()
        answer = self.client.result(message)["structuredContent"]
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual((answer["state"], answer["text"]), ("running", "more\n"))
        empty = self.job(content["job"], offset=answer["next"], wait=1)
        self.assertEqual((empty["state"], empty["text"]), ("running", ""))
        self.job(content["job"], cancel=True)

    def test_waiting_for_a_job_becomes_none(self):
        content = self.detached("sleep 30")
        began = time.monotonic()
        waited = self.job(content["job"], wait=30)
        self.assertLess(time.monotonic() - began, AFTER_S + 5)
        self.assertEqual((waited["job"], waited["tool"]), (content["job"], "run"))
        self.job(content["job"], cancel=True)

    def test_a_line_that_has_not_ended_is_shown_and_not_counted(self):
        wait, release = self.release("go3")
        content = self.detached(f"printf 'sure? '; {wait}; echo yes")
        self.assertEqual((content["text"], content["next"], content["line"]), ("", 0, "sure? "))
        release()
        self.assertEqual(self.all_of(content["job"])[0], "sure? yes\n")

    def test_secrets_are_redacted_whatever_the_offset(self):
        wait, release = self.release("go4")
        token = "ghp_" + "a1B2" * 9
        content = self.detached(f"echo begin; {wait}; printf 'ghp_'; sleep 0.3; echo {token[4:]}")
        release()
        text, end = self.all_of(content["job"])
        self.assertIn("[redacted:github", text)
        for offset in range(end["total"]):
            self.assertNotIn("a1B2a1B2", self.job(content["job"], offset=offset)["text"])

    # --- its end -------------------------------------------------------------------------------

    def sleeper(self, name):
        path = self.fleet.path("demo1", name)
        content = self.detached(f"echo $$ > {path}; echo begun; sleep 300")
        return content["job"], pid_in(path)

    def assertGone(self, pid):
        harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "it is gone")

    def test_cancelling_stops_the_command(self):
        job, pid = self.sleeper("pid1")
        self.assertIsNotNone(harness.process_state(pid))
        self.job(job, cancel=True)  # which waits for the end less long than a busy host may take
        text, end = self.all_of(job)
        self.assertEqual((end["state"], end["reason"], text),
                         ("stopped", "cancelled", "begun\n"))
        self.assertGone(pid)
        self.assertEqual(self.job(job, cancel=True)["state"], "stopped")
        harness.wait_until(lambda: [r for r in records(self.daemon) if r["event"] == "end" and
                                    r["code"] == "cancelled"], "its record")

    def test_it_outlives_its_client(self):
        wait, release = self.release("go5")
        client = self.daemon.client()
        content = self.detached(f"echo one; {wait}; echo two", client)
        client.close()
        release()
        text, end = self.all_of(content["job"])
        self.assertEqual((text, end["exit_code"]), ("one\ntwo\n", 0))

    def test_a_client_that_goes_before_stops_it(self):
        path = self.fleet.path("demo1", "pid2")
        client = self.daemon.client()
        client.send("tools/call", {"name": "run", "arguments": {
            "host": "demo1", "command": f"echo $$ > {path}; sleep 300"}})
        pid = pid_in(path)
        client.close()
        self.assertGone(pid)

    def test_its_own_time_limits(self):
        content = self.detached("sleep 300", timeout=2)
        end = self.all_of(content["job"])[1]
        self.assertEqual((end["state"], end["reason"]), ("stopped", "deadline-exceeded"))

    # --- how much of it ------------------------------------------------------------------------

    def test_what_is_over_the_cap_is_told(self):
        wait, release = self.release("go6")
        content = self.detached(f"{wait}; seq 1 300000")
        release()
        harness.wait_until(lambda: self.job(content["job"])["state"] == "exited", "its end", 30)
        first = self.job(content["job"])
        self.assertEqual(first["state"], "exited")
        self.assertEqual(first["lost"], first["offset"])
        size = sum(len(str(n)) + 1 for n in range(1, 300001))
        self.assertEqual(first["total"], size)
        self.assertGreater(first["total"] - first["offset"], LOG_MAX - 16384)
        self.assertLessEqual(first["total"] - first["offset"], LOG_MAX)
        self.assertIn("bytes in front of this are gone",
                      text_of(self.call("output", handle=content["job"])))
        last = self.job(content["job"], offset=first["total"] - 7)
        self.assertEqual(last["text"], "300000\n")

    def test_all_of_it_is_there_for_who_reads_on(self):
        wait, release = self.release("go7")
        content = self.detached(f"{wait}; seq 1 60000")
        release()
        text, _ = self.all_of(content["job"])
        self.assertEqual(text, "".join(f"{n}\n" for n in range(1, 60001)))

    def test_so_many_at_a_time(self):
        wait, release = self.release("go8")
        client = self.daemon.client()
        self.addCleanup(client.close)
        ids = [client.send("tools/call", {"name": "run", "arguments": {
            "host": f"demo{1 + i % 2}", "command": wait}}) for i in range(OWNER_MAX)]
        jobs = [client.result(i, 20)["structuredContent"]["job"] for i in ids]
        self.assertEqual(len(set(jobs)), OWNER_MAX)
        message = client.send("tools/call", {"name": "run", "arguments": {
            "host": "demo1", "command": f"{wait}; echo as before"}})
        time.sleep(3 * AFTER_S)  # in which it would have become a job
        release()
        self.assertEqual(text_of(client.result(message)), "as before\n")
        for job in jobs:
            self.assertEqual(self.all_of(job)[1]["exit_code"], 0)

    # --- other tools -----------------------------------------------------------------------------

    def test_any_call_that_takes_long(self):
        """A look at a host that takes the connection and says nothing."""
        began = time.monotonic()
        content = self.call("scout", target="mute:/etc/hosts")["structuredContent"]
        self.assertLess(time.monotonic() - began, MUTE_S)
        self.assertEqual((content.get("state"), content.get("tool"), content.get("text")),
                         ("running", "scout", ""), content)
        text, end = self.all_of(content["job"])
        self.assertEqual(end["state"], "failed")
        self.assertEqual(text, "Error: " + end["error"]["message"])
        self.assertEqual(end["result"]["error"]["code"], end["error"]["code"])

    def test_wrong_handles(self):
        for handle in ("job_" + "A" * 22, "out_" + "A" * 22, "x"):
            result = self.call("output", handle=handle)
            self.assertEqual(result["structuredContent"]["error"]["code"], "no-such-handle")


class TasksTest(harness.ScoutTest):
    """Clients that declare the tasks extension get the same jobs as tasks."""

    META = {**harness.META, harness.META_CAPABILITIES: {
        "extensions": {"io.modelcontextprotocol/tasks": {}}}}

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config,
                                     f"role = operator\ndetach_after = {AFTER_S}\n")
        warm(cls.daemon)

    def setUp(self):
        self.client = self.daemon.client()
        self.client.modern = False  # the harness would put a _meta of its own
        self.addCleanup(self.client.close)

    def ask(self, method, meta=None, **params):
        return self.client.request(method, {**params, "_meta": meta or self.META})

    def task(self, command):
        task = self.ask("tools/call", name="run", arguments={"host": "demo1", "command": command})
        return task["result"]

    def ended(self, task_id):
        def look():
            task = self.ask("tasks/get", taskId=task_id)["result"]
            return task if task["status"] not in ("working", "input_required") else None
        return harness.wait_until(look, "the task ends")

    def test_a_call_that_takes_long_is_a_task(self):
        path = self.fleet.path("demo1", "go")
        task = self.task(f"echo a; until [ -e {path} ]; do sleep 0.05; done; echo b; exit 3")
        self.assertEqual((task["resultType"], task["status"]), ("task", "working"))
        self.assertNotIn("content", task)
        self.assertGreater(task["ttlMs"], 0)
        working = self.ask("tasks/get", taskId=task["taskId"])["result"]
        self.assertEqual((working["resultType"], working["status"]), ("complete", "working"))
        self.assertNotIn("result", working)
        read = self.ask("tools/call", name="output", arguments={"handle": task["taskId"]})["result"]
        self.assertEqual(read["structuredContent"]["text"], "a\n")
        with open(path, "w", encoding="ascii"):
            pass
        end = self.ended(task["taskId"])
        self.assertEqual(end["status"], "completed")
        self.assertEqual(end["createdAt"], task["createdAt"])
        self.assertGreater(end["lastUpdatedAt"], end["createdAt"])
        self.assertEqual(text_of(end["result"]), "a\nb\n[exit code: 3]")
        self.assertEqual(end["result"]["structuredContent"]["stdout"], "a\nb\n")

    def test_one_that_is_quick_is_none(self):
        result = self.task("echo a")
        self.assertEqual((result["resultType"], text_of(result)), ("complete", "a\n"))

    def test_cancelling_stops_it(self):
        path = self.fleet.path("demo1", "pid")
        task = self.task(f"echo $$ > {path}; sleep 300")
        pid = pid_in(path)
        ack = self.ask("tasks/cancel", taskId=task["taskId"])["result"]
        self.assertEqual(set(ack), {"resultType", "_meta"})
        self.assertEqual(self.ended(task["taskId"])["status"], "cancelled")
        harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "it is gone")

    def test_errors(self):
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            params = {"taskId": "job_" + "A" * 22, "inputResponses": {}}
            self.assertEqual(self.ask(method, **params)["error"]["code"], -32602)
            self.assertEqual(self.ask(method)["error"]["code"], -32602)
            error = self.ask(method, harness.META, **params)["error"]
            self.assertEqual(error["code"], -32021)
            self.assertEqual(error["data"]["requiredCapabilities"], {
                "extensions": {"io.modelcontextprotocol/tasks": {}}})
            self.assertEqual(self.client.request(method, params)["error"]["code"], -32601)
        for method in ("tasks/result", "tasks/list"):
            self.assertEqual(self.ask(method, taskId="x")["error"]["code"], -32601)

    def test_it_is_declared_to_whom_it_is_for(self):
        modern = self.ask("server/discover")["result"]["capabilities"]
        self.assertEqual(modern["extensions"]["io.modelcontextprotocol/tasks"], {})
        legacy = self.client.initialize()["capabilities"]
        self.assertNotIn("io.modelcontextprotocol/tasks", legacy.get("extensions", {}))


class OwnersTest(harness.ScoutTest):
    """Whose jobs they are, over HTTP as well; and the end of the daemon."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2, SetEnv=f"HOME={cls.folder}")

    def setUp(self):
        tokens = os.path.join(self.folder, "tokens")
        with open(tokens, "w", encoding="ascii") as out:
            for name, token in TOKENS.items():
                out.write(f"{name} operator {hashlib.sha256(token.encode()).hexdigest()}\n")
        os.chmod(tokens, 0o600)
        self.daemon = http_client.HttpDaemon(
            self.folder, self.fleet.ssh_config,
            f'role = operator\ndetach_after = {AFTER_S}\ntokens = "{tokens}"\n', self.id())
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        warm(self.daemon)

    def http(self, name):
        http = self.daemon.http(token=TOKENS[name])
        self.addCleanup(http.close)
        return http

    @staticmethod
    def call(http, tool, **arguments):
        _, response = http.modern("tools/call", {"name": tool, "arguments": arguments})
        return response["result"]["structuredContent"]

    def test_over_http_and_for_its_owner_alone(self):
        path = self.fleet.path("demo1", "go")
        first = self.http("alice")
        content = self.call(first, "run", host="demo1",
                            command=f"echo a; until [ -e {path} ]; do sleep 0.05; done; echo b")
        self.assertEqual((content["state"], content["text"]), ("running", "a\n"))
        first.close()  # which would cancel what has not been answered
        for cancel in (False, True):
            other = self.call(self.http("bob"), "output", handle=content["job"], cancel=cancel)
            self.assertEqual(other["error"]["code"], "no-such-handle")
        with open(path, "w", encoding="ascii"):
            pass
        own, offset, text = self.http("alice"), 0, ""
        while (answer := self.call(own, "output", handle=content["job"], offset=offset,
                                   wait=5))["state"] == "running" or answer["text"]:
            text, offset = text + answer["text"], answer["next"]
        self.assertEqual((text, answer["exit_code"]), ("a\nb\n", 0))

    def test_the_daemon_ends_them(self):
        path = self.fleet.path("demo1", "pid")
        content = self.call(self.http("alice"), "run", host="demo1",
                            command=f"echo $$ > {path}; sleep 300")
        self.assertEqual(content["state"], "running")
        pid = pid_in(path)
        self.daemon.stop()
        harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "it is gone")
        ends = [r for r in records(self.daemon) if r["event"] == "end"]
        self.assertEqual(ends[-1]["code"], "cancelled")
        self.assertIn("job_ended", self.daemon.log())


class TimesTest(harness.ScoutTest):
    def begin(self, config):
        self.make_folder()
        self.fleet = self.make_fleet(1)
        self.daemon = self.make_daemon(self.fleet.ssh_config, "role = operator\n" + config)
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def call(self, name, **arguments):
        message = self.client.send("tools/call", {"name": name, "arguments": arguments})
        return self.client.result(message, 25)["structuredContent"]

    def test_without_detach_after_calls_end_by_their_deadline(self):
        self.begin("detach_after = 0\ncall_timeout = 5\n")
        result = self.call("run", host="demo1", command="echo a; sleep 60")
        self.assertIn(result["state"], ("stopped", "stop-unconfirmed"))
        self.assertEqual((result["reason"], result["stdout"]), ("deadline-exceeded", "a\n"))

    def test_job_timeout(self):
        self.begin("detach_after = 0.4\njob_timeout = 3\n")
        result = self.call("run", host="demo1", command="echo a; sleep 60")
        self.assertEqual(result["state"], "running")
        while result["state"] == "running":
            result = self.call("output", handle=result["job"], offset=result["next"], wait=10)
        self.assertEqual(result["reason"], "deadline-exceeded")
        self.assertLess(result["duration_s"], 10)

    def test_a_copy_may_take_longer_than_a_call(self):
        """As long as its host goes on answering; its caller is answered before."""
        self.begin("call_timeout = 2\ndetach_after = 3\n")
        here = os.path.join(self.daemon.state, "transfer", str(os.getuid()))
        os.makedirs(here, 0o700, exist_ok=True)
        with open(os.path.join(here, "source"), "wb") as out:
            out.truncate(256 << 20)
        self.call("scout", target="demo1:/etc/hosts")
        processes = self.fleet.processes("demo1")[1:]
        there = self.fleet.path("demo1", "copy")
        request = self.client.send("tools/call", {"name": "scout", "arguments": {
            "beam": "source", "target": f"demo1:{there}"}})
        folder = os.path.dirname(there)
        harness.wait_until(lambda: any(os.path.getsize(os.path.join(folder, name)) > 1 << 20
                                       for name in os.listdir(folder)
                                       if name.startswith(".scout-")), "the copy is under way")
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        content = self.client.result(request, 25)["structuredContent"]
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
        self.assertEqual((content.get("state"), content.get("tool")), ("running", "scout"), content)
        self.assertEqual(content["progress"]["of"], "bytes copied", content)
        while content["state"] == "running":
            content = self.call("output", handle=content["job"], offset=content["next"], wait=10)
        self.assertEqual(content["state"], "ended", content)
        self.assertIn("Uploaded source", content["text"])
        self.assertEqual(content["result"]["kind"], "transfer")
        self.assertEqual(os.path.getsize(there), 256 << 20)


if __name__ == "__main__":
    harness.main()
