"""The viewer as an MCP App (SEP-1865, revision 2026-01-26): how it is offered, and how it speaks with a
host, which a page in a headless Chromium plays; the answers of the tool are real ones."""

import json
import os

import browser
import harness
from harness import text_of

URI = "ui://scoutd/viewer"
MIME = "text/html;profile=mcp-app"
CAPABILITIES = {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html", MIME]}}}


class OfferTest(harness.ScoutTest):
    """No browser is needed for what client and server say to each other."""

    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.path = cls.fleet.write("demo1", "x.txt", "x\n")
        cls.with_pages = cls.make_daemon(cls.fleet.ssh_config, "enable_ui = true\n", "with")
        cls.without = cls.make_daemon(cls.fleet.ssh_config, "", "without")

    def legacy(self, daemon, capabilities):
        client = daemon.client()
        self.addCleanup(client.close)
        client.modern = False
        result = client.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities,
                                               "clientInfo": {"name": "test", "version": "1"}})["result"]
        return client, result["capabilities"]

    def modern(self, daemon, capabilities):
        client = daemon.client()
        self.addCleanup(client.close)
        client.modern = False
        meta = {**harness.META, harness.META_CAPABILITIES: capabilities}

        def request(method, **params):
            return client.request(method, {**params, "_meta": meta})
        return request

    @staticmethod
    def with_meta(tools):
        return {tool["name"]: tool["_meta"] for tool in tools if "_meta" in tool}

    def test_legacy(self):
        client, capabilities = self.legacy(self.with_pages, CAPABILITIES)
        self.assertEqual(capabilities["extensions"], {"io.modelcontextprotocol/ui": {"mimeTypes": [MIME]}})
        tools = client.request("tools/list")["result"]["tools"]
        self.assertEqual(self.with_meta(tools), {"scout": {"ui": {"resourceUri": URI}}})
        self.assertEqual(text_of(client.scout(f"demo1:{self.path}")), "x\n")

    def test_modern(self):
        request = self.modern(self.with_pages, CAPABILITIES)
        self.assertIn("io.modelcontextprotocol/ui", request("server/discover")["result"]["capabilities"]["extensions"])
        self.assertEqual(self.with_meta(request("tools/list")["result"]["tools"]), {"scout": {"ui": {"resourceUri": URI}}})
        call = {"name": "scout", "arguments": {"target": f"demo1:{self.path}"}}
        self.assertEqual(text_of(request("tools/call", **call)["result"]), "x\n")
        others = self.modern(self.with_pages, {})
        self.assertEqual(others("tools/call", **call)["result"]["content"][0]["type"], "resource")

    def test_other_clients_see_no_app(self):
        for capabilities in ({}, {"extensions": {}}, {"extensions": {"io.modelcontextprotocol/ui": {}}},
                             {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}}},
                             {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": MIME}}}, {"extensions": [MIME]}):
            client, _ = self.legacy(self.with_pages, capabilities)
            self.assertEqual(self.with_meta(client.request("tools/list")["result"]["tools"]), {})
            self.assertEqual(client.scout(f"demo1:{self.path}")["content"][0]["type"], "resource")

    def test_without_the_key_there_is_none(self):
        client, capabilities = self.legacy(self.without, CAPABILITIES)
        self.assertNotIn("extensions", capabilities)
        self.assertEqual(self.with_meta(client.request("tools/list")["result"]["tools"]), {})
        self.assertNotIn(URI, [each["uri"] for each in client.request("resources/list")["result"]["resources"]])
        answer = client.request("resources/read", {"uri": URI})
        self.assertEqual(answer["error"]["code"], -32002)
        self.assertIn("enable_ui", answer["error"]["message"])

    def test_the_resource(self):
        client, _ = self.legacy(self.with_pages, CAPABILITIES)
        listed = {each["uri"]: each for each in client.request("resources/list")["result"]["resources"]}
        self.assertEqual(listed[URI]["mimeType"], MIME)
        contents = client.request("resources/read", {"uri": URI})["result"]["contents"]
        self.assertEqual(len(contents), 1)
        self.assertEqual((contents[0]["uri"], contents[0]["mimeType"]), (URI, MIME))
        self.assertTrue(contents[0]["text"].startswith("<!doctype html>\n"))
        ui = contents[0]["_meta"]["ui"]
        self.assertEqual(set(ui), {"csp", "permissions", "prefersBorder"})
        self.assertEqual([part for part in ui["csp"].values() if part], [])
        for uri in ("ui://scoutd/other", "ui://scoutd/viewer/", "ui://scout/demo1/etc/hosts"):
            self.assertEqual(client.request("resources/read", {"uri": uri})["error"]["code"], -32002)


class AppTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        browser.chromium()
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.files = cls.fleet.path("demo1")
        cls.fleet.write("demo1", "app/<img src=x onerror=alert(1)>.txt", "hostile\n")
        cls.fleet.write("demo1", "app/x.txt", "one\ntwo\n")
        cls.fleet.write("demo1", "app/x.log", "an ERROR\nfine\n")
        cls.fleet.write("demo1", "app/x.md", "# Title\n\n[web](https://example.org/)\n")
        cls.client = cls.make_daemon(cls.fleet.ssh_config, "enable_ui = true\n").client()
        cls.addClassCleanup(cls.client.close)
        cls.client.modern = False
        cls.client.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": CAPABILITIES,
                                          "clientInfo": {"name": "test", "version": "1"}})
        cls.html = cls.client.request("resources/read", {"uri": URI})["result"]["contents"][0]["text"]
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.size(800, 700)
        self.browser.scheme("light")

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.server.requests, [])

    def tool(self, **arguments):
        return self.client.tool("scout", **arguments)

    def start(self, arguments=None, result=None, context=None, capabilities=None):
        """The app, as a host shows it right after a call."""
        self.browser.show(self.html, context=context or {"theme": "light"}, input=arguments,
                          result=result, capabilities={"serverTools": {}, "openLinks": {}} if capabilities is None else capabilities)
        self.browser.wait_message("ui/notifications/initialized")

    def start_at(self, path, **more):
        target = f"demo1:{path}"
        self.start({"target": target}, self.tool(target=target), **more)
        self.wait_text("h1", target)

    def knows(self, target, result):
        self.browser.evaluate(f"results.set({json.dumps(target)}, {json.dumps(result)})")

    def text(self, selector):
        return self.browser.view(f"document.querySelector({selector!r})?.textContent")

    def texts(self, selector):
        return self.browser.view(f"[...document.querySelectorAll({selector!r})].map((each) => each.textContent)")

    def wait_text(self, selector, text):
        harness.wait_until(lambda: self.text(selector) == text, f"{selector} shows {text}")

    def notify(self, method, params):
        self.browser.evaluate(f"notify({method!r}, {json.dumps(params)})")

    def ask(self, message):
        """What the view answers to a message of the host."""
        self.browser.evaluate(f"post({json.dumps(message)})")
        return harness.wait_until(lambda: [each for each in self.browser.messages() if each.get("id") == message["id"] and "method" not in each],
                                  "the view answers")[0]

    def test_the_handshake(self):
        self.start_at(self.files + "/app")
        first = self.browser.messages()[0]
        self.assertEqual((first["jsonrpc"], first["method"]), ("2.0", "ui/initialize"))
        self.assertEqual(first["params"]["protocolVersion"], "2026-01-26")
        self.assertEqual(first["params"]["appInfo"]["name"], "scout")
        self.assertEqual(first["params"]["appCapabilities"], {"availableDisplayModes": ["inline", "fullscreen"]})
        self.assertEqual(self.browser.messages()[1]["method"], "ui/notifications/initialized")
        self.assertNotIn("id", self.browser.messages()[1])
        self.assertTrue(all(each["jsonrpc"] == "2.0" for each in self.browser.messages()))

    def test_requests_of_the_host(self):
        self.start()
        self.assertEqual(self.ask({"jsonrpc": "2.0", "id": "p", "method": "ping"})["result"], {})
        self.assertEqual(self.ask({"jsonrpc": "2.0", "id": 77, "method": "ui/resource-teardown", "params": {"reason": "x"}})["result"], {})
        self.assertEqual(self.ask({"jsonrpc": "2.0", "id": 78, "method": "constructor"})["error"]["code"], -32601)

    def test_what_it_shows_meanwhile(self):
        self.start({"target": "demo1:/etc/<b>"})
        self.wait_text("h1", "demo1:/etc/<b>")
        self.assertEqual(self.text(".empty"), "Looking …")
        self.notify("ui/notifications/tool-cancelled", {"reason": "by the user"})
        self.wait_text(".notice.bad", "Cancelled: by the user")

    def test_walking(self):
        folder = self.files + "/app"
        self.start_at(folder)
        self.assertEqual(self.text(".head p"), "File Explorer")
        for name, subtitle in (("x.txt", "File Viewer (text)"), ("x.log", "Log Viewer"), ("x.md", "Markdown Viewer"),
                               ("<img src=x onerror=alert(1)>.txt", "File Viewer (text)")):
            target = f"demo1:{folder}/{name}"
            self.knows(target, self.tool(target=target))
            self.knows(f"demo1:{folder}", self.tool(target=f"demo1:{folder}"))
            self.browser.click("#rows button.link", name)
            self.wait_text("h1", target)
            self.assertEqual(self.text(".head p"), subtitle)
            call = self.browser.messages("tools/call")[-1]
            self.assertEqual(call["params"], {"name": "scout", "arguments": {"target": target}})
            self.browser.click(".crumbs button", "app")
            self.wait_text("h1", f"demo1:{folder}")
        self.assertEqual(self.browser.view("document.querySelectorAll('img').length"), 0)

    def test_walking_with_the_keyboard(self):
        """The focus does not get lost with the button that had it."""
        folder = self.files + "/app"
        self.start_at(self.files)
        for target in (f"demo1:{folder}", f"demo1:{folder}/x.log"):
            self.knows(target, self.tool(target=target))
        self.browser.view("[...document.querySelectorAll('#rows button.link')].find((each) => each.textContent === 'app').focus()")
        enter = {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.browser.key("Enter", **enter)
        self.wait_text("h1", f"demo1:{folder}")
        for _ in range(10):
            if self.browser.view("document.activeElement.textContent") == "x.log":
                break
            self.browser.key("ArrowDown")
        self.browser.key("Enter", **enter)
        self.wait_text("h1", f"demo1:{folder}/x.log")
        self.assertEqual(self.browser.view("document.activeElement.className"), "content")

    def test_failures_leave_what_is_there(self):
        folder = self.files + "/app"
        self.start_at(folder)
        missing = self.tool(target=f"demo1:{folder}/gone")
        self.assertTrue(missing["isError"])
        self.knows(f"demo1:{folder}/x.txt", missing)
        self.browser.click("#rows button.link", "x.txt")
        self.wait_text(".notice.bad", text_of(missing))
        self.browser.click("#rows button.link", "x.log")
        self.wait_text(".notice.bad", "no such target")
        self.assertEqual((self.text("h1"), len(self.texts(".notice"))), (f"demo1:{folder}", 1))
        self.assertEqual(self.browser.view("document.querySelector('#view').getAttribute('aria-busy')"), "false")

    def test_a_failed_call(self):
        result = self.tool(target="demo1:/no/such")
        self.start({"target": "demo1:/no/such"}, result)
        self.wait_text(".notice.bad", "Error: Path not found: /no/such")

    def test_the_last_one_asked_for_is_shown(self):
        folder = self.files + "/app"
        self.start_at(folder)
        self.browser.evaluate("results.get = () => undefined; results.has = () => false; window.held = []; "
                              "answer = (message) => { if (message.method === 'tools/call') held.push(message); }")
        for name in ("x.txt", "x.md"):
            self.browser.click("#rows button.link", name)
        harness.wait_until(lambda: self.browser.evaluate("held.length === 2"), "both are asked for")
        answers = [self.tool(target=f"demo1:{folder}/{name}") for name in ("x.txt", "x.md")]
        for index in (1, 0):
            self.browser.evaluate(f"post({{ jsonrpc: '2.0', id: held[{index}].id, result: {json.dumps(answers[index])} }})")
        self.wait_text("h1", f"demo1:{folder}/x.md")
        self.ask({"jsonrpc": "2.0", "id": "later", "method": "ping"})
        self.assertEqual(self.text("h1"), f"demo1:{folder}/x.md")

    def test_hosts(self):
        self.start({"target": "hosts"}, self.tool(target="hosts"))
        self.wait_text("h1", "Hosts")
        self.assertEqual(self.texts("tbody button.link"), ["demo1", "demo2"])
        self.assertEqual(self.texts(".online"), ["● online"] * 2)
        self.browser.click("tbody button.link", "demo2")
        self.assertEqual(self.browser.wait_message("tools/call")["params"]["arguments"], {"target": "demo2:~/"})
        self.assertFalse(self.tool(target="demo2:~/").get("isError", False))

    def test_other_answers(self):
        target = f"demo1:{self.files}/app/x.txt"
        self.start({"target": target, "diff_content": "one\nzwei\n"}, self.tool(target=target, diff_content="one\nzwei\n"))
        harness.wait_until(lambda: self.texts(".line.add"), "the difference is shown")
        self.assertEqual(self.texts(".line.del > code")[-1], "-zwei")
        self.assertEqual(self.text("h1"), target)
        query = self.tool(target=f"demo1:{self.files}/app", query="ls")
        self.start({"target": f"demo1:{self.files}/app", "query": "ls"}, query)
        harness.wait_until(lambda: "x.log" in self.texts(".line > code"), "the output is shown")
        self.start({"targets": [target]}, self.tool(targets=[target]))
        harness.wait_until(lambda: "two" in self.texts(".line > code"), "the broadcast is shown")

    def test_links_go_through_the_host(self):
        self.start_at(self.files + "/app/x.md")
        self.browser.click(".document button.link", "web")
        self.assertEqual(self.browser.wait_message("ui/open-link")["params"], {"url": "https://example.org/"})

    def test_a_host_that_calls_no_tools(self):
        self.start_at(self.files + "/app", capabilities={})
        self.assertTrue(self.browser.view("[...document.querySelectorAll('button.link')].every((each) => each.disabled)"))
        self.assertTrue(self.browser.view("document.querySelector('.bar button').disabled"))

    def background(self):
        return self.browser.view("getComputedStyle(document.body).backgroundColor")

    def test_the_theme_of_the_host(self):
        """It comes before that of the system, and may change."""
        self.start_at(self.files + "/app", context={"theme": "dark"})
        dark = self.background()
        self.notify("ui/notifications/host-context-changed", {"theme": "light"})
        harness.wait_until(lambda: self.background() != dark, "it becomes light")
        self.assertEqual(self.background(), "rgb(255, 255, 255)")
        self.notify("ui/notifications/host-context-changed", {"styles": {"variables": {
            "--color-background-primary": "light-dark(rgb(1, 2, 3), rgb(4, 5, 6))", "--row": "99px", "background": "red"}}})
        harness.wait_until(lambda: self.background() == "rgb(1, 2, 3)", "the host's colour is taken")
        self.notify("ui/notifications/host-context-changed", {"theme": "dark"})
        harness.wait_until(lambda: self.background() == "rgb(4, 5, 6)", "the host's dark colour is taken")
        self.assertEqual(self.browser.view("getComputedStyle(document.documentElement).getPropertyValue('--row')"), "1.5rem")

    def test_a_hostile_style(self):
        self.start_at(self.files + "/app", context={"styles": {"variables": {
            "--color-background-primary": f"url({self.browser.server.url}/bad)"},
            "css": {"fonts": f"@import url({self.browser.server.url}/bad);"}}})
        self.browser.picture(os.path.join(self.folder, "style.png"))

    def test_its_size(self):
        path = self.fleet.write("demo1", "app-long.txt", "line\n" * 500)
        self.start_at(path, context={"containerDimensions": {"maxHeight": 300}})
        harness.wait_until(lambda: self.browser.messages("ui/notifications/size-changed")[-1]["params"]["height"] == 300,
                           "the view is as high as it may be")
        harness.wait_until(lambda: self.browser.evaluate("frame.clientHeight === 300"), "the frame follows")
        self.assertTrue(self.browser.view("document.querySelector('.content').scrollHeight > 5000"))
        short = self.fleet.write("demo1", "app-short.txt", "line\n")
        self.start_at(short, context={"containerDimensions": {"maxHeight": 600}})
        harness.wait_until(lambda: 100 < self.browser.messages("ui/notifications/size-changed")[-1]["params"]["height"] < 300,
                           "a short file takes little room")
        self.start_at(path, context={"containerDimensions": {"height": 500}})
        self.assertEqual(self.browser.messages("ui/notifications/size-changed"), [])
        self.assertEqual(self.browser.view("document.querySelector('#view').clientHeight"), 700)

    def test_others_are_not_heard(self):
        """Only the window around it is the host."""
        self.start_at(self.files + "/app")
        self.browser.view("""(() => { const message = { jsonrpc: '2.0', method: 'ui/notifications/tool-input', params: { arguments: { target: 'evil' } } };
          window.postMessage(message, '*'); })()""")
        for message in ('"text"', "null", "{method: 'ui/notifications/tool-input', params: {arguments: {target: 'evil'}}}",
                        "{jsonrpc: '2.0', method: '__proto__', params: {}}", "{jsonrpc: '2.0', id: 999, result: {}}",
                        "{jsonrpc: '2.0', method: 'ui/notifications/tool-input-partial', params: {arguments: {target: 'evil'}}}"):
            self.browser.evaluate(f"post({message})")
        self.ask({"jsonrpc": "2.0", "id": "after", "method": "ping"})
        self.assertEqual(self.text("h1"), f"demo1:{self.files}/app")


if __name__ == "__main__":
    harness.main()
