"""Subscriptions to files: resources/subscribe until 2025-11-25, subscriptions/listen in 2026-07-28."""

import os
import signal
import time

import harness
import hostile
from http_client import HttpDaemon

UPDATED = "notifications/resources/updated"
LISTS = "notifications/resources/list_changed"
TOOLS = "notifications/tools/list_changed"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"
TOLD_S = 20  # a change is told within this time, also on a busy machine
INTERVAL = "watch_interval = 0.2\n"
QUIET_S = 1.2  # so long nothing is told; more than the time between some looks


class SubscriptionsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        entry = cls.fleet.entry
        cls.hosts = (entry("t1", "demo1") + entry("t2", "demo2") +
                     entry("closed", "demo1") + entry("down", "demo1", Port=hostile.closed_port()))
        cls.daemon = cls.make_daemon(cls.write("ssh_config", cls.hosts), INTERVAL +
            'rule "closed" { effect = deny  verbs = {read, list}  hosts = {"closed"} }\n')

    def legacy(self, daemon=None, version=harness.LEGACY[-1]):
        client = (daemon or self.daemon).client()
        self.addCleanup(client.close)
        client.initialize(version)
        return client

    def modern(self, daemon=None):
        client = (daemon or self.daemon).client()
        self.addCleanup(client.close)
        return client

    def uri(self, path, host="t1"):
        return f"scout://{host}{path}"

    def subscribe(self, client, uri):
        answer = client.request("resources/subscribe", {"uri": uri})
        self.assertEqual(answer.get("result"), {}, answer)

    def told(self, client, timeout=TOLD_S):
        """The next notification."""
        if client.without_id:
            return client.without_id.pop(0)
        return client.line(timeout)

    def quiet(self, *clients):
        """Nothing is told to any of them for a while."""
        time.sleep(QUIET_S)
        for client in clients:
            client.request("tools/list")
            self.assertEqual(client.without_id, [])

    def until_told(self, path, client):
        """Changes the file until a change is told: the first look is at some moment from now on."""
        end = time.monotonic() + TOLD_S
        count = os.path.getsize(path)
        while time.monotonic() < end:
            count += 1
            self.replace(path, "x" * count)
            try:
                return self.told(client, 0.3)
            except AssertionError:
                continue
        raise AssertionError("no change is told")

    def replace(self, path, text):
        """Changes the file at once: between truncating and writing there might be a look."""
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(text)
        os.replace(path + ".new", path)

    def settled(self, client, path):
        """The path is being compared with what is there now."""
        message = self.until_told(path, client)
        while True:
            try:
                self.told(client, QUIET_S)
            except AssertionError:
                return message

    def listen(self, client, message_id, **notifications):
        """Begins to listen; returns what will be told."""
        client.send("subscriptions/listen", {"notifications": notifications}, message_id)
        message = self.told(client)
        self.assertEqual(message["method"], ACKNOWLEDGED)
        self.assertEqual(message["params"]["_meta"], {SUBSCRIPTION_ID: message_id})
        return message["params"]["notifications"]

    # --- with a handshake ----------------------------------------------------------------------

    def test_a_file_that_changes(self):
        path = self.fleet.write("demo1", "changes", "")
        for version in harness.LEGACY:
            with self.subTest(version=version):
                client = self.legacy(version=version)
                self.subscribe(client, self.uri(path))
                message = self.until_told(path, client)
                self.assertEqual(message, {"jsonrpc": "2.0", "method": UPDATED,
                                           "params": {"uri": self.uri(path)}})

    def test_each_change_once_and_none_without(self):
        path = self.fleet.write("demo1", "once", "")
        client = self.legacy()
        self.subscribe(client, self.uri(path))
        self.settled(client, path)
        self.replace(path, "another text")
        self.assertEqual(self.told(client)["params"], {"uri": self.uri(path)})
        self.quiet(client)

    def test_a_file_that_comes_and_goes(self):
        path = self.fleet.path("demo1", "comes")
        near = self.fleet.write("demo1", "near", "")
        client = self.legacy()
        self.subscribe(client, self.uri(path))
        self.subscribe(client, self.uri(near))
        self.settled(client, near)  # then the first look at the other has been, too
        self.fleet.write("demo1", "comes", "here")
        self.assertEqual(self.told(client)["params"], {"uri": self.uri(path)})
        os.remove(path)
        self.assertEqual(self.told(client)["params"], {"uri": self.uri(path)})

    def test_a_directory(self):
        self.fleet.write("demo1", "folder/one", "")
        near = self.fleet.write("demo1", "near2", "")
        client = self.legacy()
        uri = "t1:/" + self.fleet.path("demo1", "folder")
        self.subscribe(client, uri)
        self.subscribe(client, self.uri(near))
        self.settled(client, near)
        time.sleep(1.1)  # the time of a directory is in seconds
        self.fleet.write("demo1", "folder/two", "")
        self.assertEqual(self.told(client)["params"], {"uri": uri})

    def test_no_more_after_unsubscribing(self):
        path = self.fleet.write("demo1", "no more", "")
        uri = "scout://t1" + path.replace(" ", "%20")
        client = self.legacy()
        self.subscribe(client, uri)
        self.subscribe(client, uri)
        self.settled(client, path)
        for _ in range(2):
            self.assertEqual(client.request("resources/unsubscribe", {"uri": uri})["result"], {})
        self.fleet.write("demo1", "no more", "changed once more")
        self.quiet(client)

    def test_the_interval_is_a_setting(self):
        path = self.fleet.write("demo1", "rarely", "")
        client = self.legacy(self.make_daemon(self.daemon.ssh_config, "watch_interval = 3600\n", "rarely"))
        often = self.legacy()
        for each in (client, often):
            self.subscribe(each, self.uri(path))
        self.settled(often, path)
        self.quiet(client)

    def test_what_cannot_be_subscribed_to(self):
        client = self.legacy()
        for uri, code, name in (("t1://docker", -32602, "invalid-argument"), ("hosts://list", -32602, "invalid-argument"),
                                ("t1://../x", -32602, "invalid-argument"), ("nowhere://etc", -32002, "unknown-host"),
                                ("scout://closed/x", -32603, "policy-denied")):
            answer = client.request("resources/subscribe", {"uri": uri})
            self.assertRpcError(answer, code)
            self.assertEqual(answer["error"]["data"]["code"], name)
            self.assertEqual(answer["error"]["data"]["uri"], uri)
        for method in ("resources/subscribe", "resources/unsubscribe"):
            for params in ({}, {"uri": 5}):
                self.assertRpcError(client.request(method, params), -32602)
            self.assertRpcError(self.modern().request(method, {"uri": "t1://etc"}), -32601)
        self.assertRpcError(client.request("subscriptions/listen", {"notifications": {}}), -32601)

    def test_a_client_has_its_share(self):
        client = self.legacy()
        for i in range(64):
            self.subscribe(client, f"scout://t1/nope/{i}")
        answer = client.request("resources/subscribe", {"uri": "scout://t1/nope/64"})
        self.assertEqual(answer["error"]["data"]["code"], "limit-exceeded")
        self.subscribe(client, "scout://t1/nope/5")  # has it already
        client.request("resources/unsubscribe", {"uri": "scout://t1/nope/5"})
        self.subscribe(client, "scout://t1/nope/64")
        self.subscribe(self.legacy(), "scout://t1/nope/65")

    # --- stateless -----------------------------------------------------------------------------

    def test_listening(self):
        path = self.fleet.write("demo1", "listened", "")
        uris = [self.uri(path), "t1:/" + path]
        client = self.modern()
        for message_id in ("listen:0", 77):
            honoured = self.listen(client, message_id, resourceSubscriptions=uris)
            self.assertEqual(honoured, {"resourceSubscriptions": uris})
        told = [self.until_told(path, client)]
        while len(told) < 4:
            told.append(self.told(client))
        for message in told:
            self.assertEqual(message["method"], UPDATED)
        self.assertEqual({(m["params"]["uri"], m["params"]["_meta"][SUBSCRIPTION_ID]) for m in told},
                         {(uri, name) for uri in uris for name in ("listen:0", 77)})
        client.notify("notifications/cancelled", {"requestId": 77})
        self.fleet.write("demo1", "listened", "only for the other")
        for _ in range(2):
            self.assertEqual(self.told(client)["params"]["_meta"], {SUBSCRIPTION_ID: "listen:0"})
        self.quiet(client)
        self.assertEqual(client.answers, {})

    def test_what_will_not_be_told_is_left_out(self):
        client = self.modern()
        wanted = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True,
                  "resourceSubscriptions": ["t1://docker", "nowhere://x", "scout://closed/x", "t1://..", 5,
                                            "scout://t1/fine"], "more": [1]}
        self.assertEqual(self.listen(client, "l1", **wanted),
                         {"toolsListChanged": True, "resourcesListChanged": True,
                          "resourceSubscriptions": ["scout://t1/fine"]})
        self.assertEqual(self.listen(client, "l2"), {})
        self.assertEqual(self.listen(client, "l3", resourcesListChanged=False, resourceSubscriptions=[]), {})
        self.assertEqual(self.listen(client, "l4", resourceSubscriptions="t1://x"), {})
        many = [f"scout://t1/nope/{i}" for i in range(100)]
        self.assertEqual(self.listen(client, "l5", resourceSubscriptions=many), {"resourceSubscriptions": many[:63]})
        for params in ({}, {"notifications": 5}, {"notifications": None}):
            self.assertRpcError(client.request("subscriptions/listen", params), -32602)
        client.send("subscriptions/listen", {"notifications": {}}, "l5")
        self.assertRpcError(client.wait("l5"), -32600)  # that id is in flight

    def test_listening_ends_with_the_input(self):
        client = self.modern()
        self.listen(client, "l", resourceSubscriptions=["scout://t1/x"], resourcesListChanged=True)
        client.socket.shutdown(1)
        result = client.wait("l")["result"]
        self.assertEqual(result["resultType"], "complete")
        self.assertEqual(result["_meta"][SUBSCRIPTION_ID], "l")
        self.assertIsNone(client.line())

    def test_listening_ends_with_the_daemon(self):
        daemon = self.make_daemon(self.daemon.ssh_config, INTERVAL, "ends")
        client = self.modern(daemon)
        self.listen(client, 9, resourceSubscriptions=["scout://t1/x"])
        begin = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(9)["result"]["_meta"][SUBSCRIPTION_ID], 9)
        self.assertEqual(daemon.ends(), 0)
        self.assertLess(time.monotonic() - begin, 4)  # not only when its patience is over

    def test_on_record(self):
        client = self.modern()
        self.listen(client, 1, resourceSubscriptions=["scout://t1/recorded"])
        client.notify("notifications/cancelled", {"requestId": 1})
        self.subscribe(self.legacy(), "scout://t1/recorded2")

        def records():
            with open(self.daemon.state + "/audit.log", encoding="utf-8") as log:
                return log.read()

        for tool, path in (("subscriptions/listen", "/recorded"), ("resources/subscribe", "/recorded2")):
            harness.wait_until(lambda: f'"tool":"{tool}","verb":"list","host":"t1","path":"{path}","code":"ok"'
                               in records(), "its record")
        self.assertNotIn("resources/poll", records() + self.daemon.log())

    # --- the looks -----------------------------------------------------------------------------

    def counting_fleet(self, name):
        """A host without SFTP whose looks can be counted: each calls stat."""
        fleet = harness.Fleet(os.path.join(self.folder, name), 1)
        self.addCleanup(fleet.stop)
        fakes = os.path.join(self.folder, name, "fakes")
        os.mkdir(fakes)
        count = os.path.join(self.folder, name, "count")
        with open(os.path.join(fakes, "stat"), "w", encoding="ascii") as out:
            out.write(f'#!/bin/sh\ncase "$*" in *counted*) echo >> {count};; esac\nexec /usr/bin/stat "$@"\n')
        os.chmod(os.path.join(fakes, "stat"), 0o755)
        fleet.down("demo1")
        with open(fleet.home("demo1", "sshd_config"), "a", encoding="ascii") as out:
            out.write(f"SetEnv PATH={fakes}:/usr/bin:/bin\n")
        fleet.up("demo1")
        fleet.without_sftp("demo1")
        return fleet, lambda: os.path.getsize(count) if os.path.exists(count) else 0

    def test_one_look_for_all_and_none_for_nobody(self):
        fleet, looks = self.counting_fleet("counting")
        path = fleet.write("demo1", "counted", "")
        daemon = self.make_daemon(fleet.ssh_config, INTERVAL, "counts")
        first = self.legacy(daemon)
        self.subscribe(first, self.uri(path, "demo1"))
        self.settled(first, path)
        before, begin = looks(), time.monotonic()
        harness.wait_until(lambda: looks() >= before + 4, "four looks", 30)
        alone = (looks() - before) / (time.monotonic() - begin)
        others = [self.modern(daemon) for _ in range(5)]
        for client in others:
            self.listen(client, 1, resourceSubscriptions=[self.uri(path, "demo1"), "demo1:/" + path])
        before, begin = looks(), time.monotonic()
        harness.wait_until(lambda: looks() >= before + 4, "four more", 30)
        together = (looks() - before) / (time.monotonic() - begin)
        self.assertLess(together, 2 * alone)
        message = self.until_told(path, others[0])
        self.assertEqual(message["method"], UPDATED)
        for client in others[1:]:
            self.assertEqual(self.told(client)["method"], UPDATED)
        self.assertEqual(fleet.logins("demo1"), 1)
        for client in (first, *others):
            client.close()
        time.sleep(1)
        self.assertTrue(harness.unchanged(looks, 2), "nobody listens, and it still looks")

    def test_a_host_that_dies_and_comes_back(self):
        path = self.fleet.write("demo2", "survives", "")
        client = self.legacy()
        self.subscribe(client, self.uri(path, "t2"))
        self.subscribe(client, "scout://down/x")
        self.settled(client, path)
        self.fleet.down("demo2")
        self.quiet(client)
        answer = client.request("resources/read", {"uri": self.uri(path, "t2")})
        self.assertEqual(answer["error"]["data"]["code"], "connect-failed")
        self.fleet.write("demo2", "survives", "changed while the host was away")
        self.fleet.up("demo2")
        self.assertEqual(self.told(client, 40)["params"], {"uri": self.uri(path, "t2")})

    # --- the configuration ---------------------------------------------------------------------

    def reload(self, daemon, hosts=None, config=None):
        for path, text in ((daemon.ssh_config, hosts), (daemon.config, config)):
            if text is not None:
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
        before = daemon.log().count(" reloaded ")
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: daemon.log().count(" reloaded ") > before, "the reload")

    def test_who_may_not_read_it_any_more_is_told_nothing(self):
        path = self.fleet.write("demo1", "private", "")
        link = self.fleet.path("demo1", "way")
        os.symlink(path, link)
        self.addCleanup(os.remove, link)
        daemon = self.make_daemon(self.daemon.ssh_config, INTERVAL, "revokes")
        client = self.legacy(daemon)
        self.subscribe(client, self.uri(link))
        self.settled(client, path)
        rule = f'rule "r" {{ effect = deny  verbs = {{read}}  paths = {{"{path}"}} }}\n'
        self.reload(daemon, config=INTERVAL + rule)
        # Another policy, maybe other lists.
        self.assertEqual([self.told(client)["method"] for _ in range(2)], [LISTS, TOOLS])
        self.fleet.write("demo1", "private", "a secret of 26 characters.")
        self.quiet(client)

    def test_lists_that_change(self):
        daemon = self.make_daemon(self.write("lists.ssh_config", self.hosts), "", "lists")
        bystander, listener, old = self.modern(daemon), self.modern(daemon), self.legacy(daemon)
        self.assertEqual(self.listen(listener, "l", resourcesListChanged=True), {"resourcesListChanged": True})
        self.assertEqual(self.listen(listener, "t", toolsListChanged=True), {"toolsListChanged": True})
        self.reload(daemon)
        self.quiet(bystander, listener, old)
        for hosts, config in ((self.hosts + self.fleet.entry("t3", "demo1"), None), (None, "resource_hosts = 1\n"),
                              (None, 'rule "r" { effect = deny  hosts = {"t3"} }\n')):
            self.reload(daemon, hosts, config)
            for method in (LISTS, TOOLS):
                self.assertEqual(self.told(old), {"jsonrpc": "2.0", "method": method, "params": {}})
            told = [self.told(listener) for _ in range(2)]
            self.assertEqual({(m["method"], m["params"]["_meta"][SUBSCRIPTION_ID]) for m in told},
                             {(LISTS, "l"), (TOOLS, "t")})
        self.quiet(bystander, listener, old)

    def test_old_configurations_go_while_somebody_listens(self):
        """A request that lasts does not hold the configuration that it began under."""
        names = "".join(f"Host h{i}\n  HostName 127.0.0.1\n  Port 1\n" for i in range(20000))
        daemon = self.make_daemon(self.write("large.ssh_config", names), "", "large")
        for i in range(3):
            client = self.modern(daemon)
            self.listen(client, 1, resourcesListChanged=True)
            self.reload(daemon, names + f"Host extra{i}\n")
        before = daemon.memory_bytes()
        for i in range(12):
            client = self.modern(daemon)
            self.listen(client, 1, resourcesListChanged=True)
            self.reload(daemon, names + f"Host more{i}\n")
        self.assertLess(daemon.memory_bytes() - before, 20 << 20)


class HttpTest(harness.ScoutTest):
    """The same over HTTP: a listening request has its own stream, a session its stream of news."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.daemon = cls.make_http("d")

    @classmethod
    def make_http(cls, name):
        daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config, INTERVAL, name)
        cls.addClassCleanup(daemon.stop)
        return daemon.start()

    def http(self, daemon=None):
        client = (daemon or self.daemon).http()
        self.addCleanup(client.close)
        return client

    def listen(self, client, uri):
        client.send_modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": [uri]}}, message_id="l")
        answer = client.response()
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/event-stream"))
        message = client.event()[1]
        self.assertEqual((message["method"], message["params"]["notifications"]),
                         (ACKNOWLEDGED, {"resourceSubscriptions": [uri]}))

    def change(self, path):
        """Lets the first look pass, then changes the file."""
        time.sleep(1.5)
        with open(path, "a", encoding="ascii") as out:
            out.write("more")

    def test_a_listening_request(self):
        path = self.fleet.write("demo1", "http", "")
        client = self.http()
        self.listen(client, "demo1:/" + path)
        self.change(path)
        self.assertEqual(client.event()[1]["params"], {
            "uri": "demo1:/" + path, "_meta": {SUBSCRIPTION_ID: "l"}})
        client.close()
        harness.wait_until(lambda: "tool=subscriptions/listen" in self.daemon.log(), "closing ends it")

    def test_a_session(self):
        path = self.fleet.write("demo1", "http session", "")
        uri = "demo1:/" + path.replace(" ", "%20")
        client, news = self.http(), self.http()
        self.assertIs(client.initialize()["capabilities"]["resources"]["subscribe"], True)
        client.send_legacy("resources/subscribe", {"uri": uri})
        self.assertEqual(client.response().json()["result"], {})
        news.send("GET", headers=client.session_headers({"Accept": "text/event-stream"}))
        self.assertEqual(news.response().status, 200)
        self.change(path)
        messages = [news.event()[1]]
        while not messages[-1]:
            messages.append(news.event()[1])
        self.assertEqual(messages[-1], {"jsonrpc": "2.0", "method": UPDATED, "params": {"uri": uri}})

    def test_the_daemon_ends(self):
        daemon = self.make_http("ends")
        client = self.http(daemon)
        self.listen(client, "demo1://etc")
        begin = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        result = client.event()[1]["result"]
        self.assertEqual(result["_meta"][SUBSCRIPTION_ID], "l")
        self.assertIsNone(client.event())
        self.assertEqual(daemon.ends(), 0)
        self.assertLess(time.monotonic() - begin, 4)


if __name__ == "__main__":
    harness.main()
