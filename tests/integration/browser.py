"""A headless Chromium, driven through the DevTools protocol on two pipes, and a page on loopback that
shows an HTML viewer in a sandboxed frame, as a host of MCP does.

The page's server writes down every request, so that a viewer that loads something is found out. What
the viewer posts to its parent is in `messages`.
"""

import base64
import http.server
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import harness

START_S = 30
ANSWER_S = 20
FILE_LIMIT = 1 << 20

HOST_PAGE = """<!doctype html><meta charset="utf-8"><title>host</title><link rel="icon" href="data:,">
<style>html, body { margin: 0; height: 100% } iframe { border: 0; display: block; width: 100%; height: 100% }</style>
<script>
'use strict';
const messages = [];
const results = new Map();
const settings = { context: {}, capabilities: { serverTools: {}, openLinks: {} }, input: undefined, result: undefined };
let frame;

function post(message) { frame.contentWindow.postMessage(message, '*'); }
function notify(method, params) { post({ jsonrpc: '2.0', method, params }); }

function show(html, sandbox) {
  messages.length = 0;
  frame?.remove();
  frame = document.createElement('iframe');
  frame.setAttribute('sandbox', sandbox);
  frame.srcdoc = html;
  document.body.append(frame);
}

/* The host's side of MCP Apps, as far as the viewer asks for it. */
function answer(message) {
  const reply = (result) => post({ jsonrpc: '2.0', id: message.id, result });
  if (message.method === 'ui/initialize')
    reply({ protocolVersion: '2026-01-26', hostInfo: { name: 'test', version: '1' }, hostCapabilities: settings.capabilities,
      hostContext: settings.context });
  else if (message.method === 'ui/notifications/initialized') {
    if (settings.input)
      notify('ui/notifications/tool-input', { arguments: settings.input });
    if (settings.result)
      notify('ui/notifications/tool-result', settings.result);
  } else if (message.method === 'ui/notifications/size-changed')
    frame.style.height = `${message.params.height}px`;
  else if (message.method === 'tools/call' && results.has(message.params.arguments.target))
    reply(results.get(message.params.arguments.target));
  else if (message.method === 'tools/call')
    post({ jsonrpc: '2.0', id: message.id, error: { code: -32602, message: 'no such target' } });
  else if (message.method === 'ui/open-link')
    reply({});
}

window.addEventListener('message', (event) => {
  messages.push(event.data);
  if (event.data?.jsonrpc === '2.0' && event.data.method)
    answer(event.data);
});
</script>
<body></body>"""


def chromium():
    """The program; a test that needs it is skipped without it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path and not os.path.realpath(path).startswith("/snap/"):
            return path
    raise unittest.SkipTest("there is no chromium outside of a snap (scripts/deps test installs it where it is packaged)")


class Server:
    """The host's page on loopback; `requests` are the paths that anybody asked for."""

    def __init__(self):
        self.requests = []
        seen = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.path)
                self.send_response(200 if self.path == "/host" else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(HOST_PAGE.encode() if self.path == "/host" else b"")

            do_POST = do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="scout-browser-", dir="/tmp")
        self.server = Server()
        theirs_in, self.out = os.pipe()
        self.input, theirs_out = os.pipe()
        # Without a sandbox of its own, which containers do not let it have: it shows what these tests made.
        options = ["--no-sandbox", "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--mute-audio",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync",
                   "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-extensions", "--force-device-scale-factor=1", "--hide-scrollbars",
                   "--disable-features=IsolateSandboxedIframes,Translate,MediaRouter,OptimizationHints",
                   f"--user-data-dir={self.folder}", "about:blank"]
        # The protocol's pipes are descriptors 3 and 4 of the browser.
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "sh", chromium(), *options],
                pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                preexec_fn=harness.die_with_parent, env={**harness.clean_environment(self.folder), "TZ": "UTC",
                                                         "XDG_CONFIG_HOME": self.folder, "XDG_CACHE_HOME": self.folder})
        os.close(theirs_in)
        os.close(theirs_out)
        self.buffer = b""
        self.ids = itertools.count(1)
        self.events = []
        self.contexts = {}  # of the default world, by frame
        self.session = None
        try:
            target = self.call("Target.createTarget", {"url": "about:blank"}, START_S)["targetId"]
        except (EnvironmentError, AssertionError) as why:
            raise self.cannot_start(why) from None
        self.session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.size(1000, 720)

    def cannot_start(self, why):
        """The browser of a machine that gives it too little is no fault of the viewers."""
        code = self.process.poll()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            told = log.read()[-300:]
        self.close()
        if code is None or code == 0:
            return AssertionError(f"Chromium does not answer: {why}: {told}")
        return unittest.SkipTest(f"Chromium does not start here (status {code}): {told}")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait(10)
        os.close(self.out)
        os.close(self.input)
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- the protocol ----

    def read(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.input], [], [], left)[0]:
                raise AssertionError("Chromium did not answer in time")
            data = os.read(self.input, 1 << 20)
            if not data:
                raise AssertionError(f"Chromium ended with {self.process.poll()}")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def note(self, event):
        method, params = event["method"], event.get("params", {})
        if method == "Runtime.executionContextCreated":
            context = params["context"]
            if context["auxData"].get("isDefault"):
                self.contexts[context["auxData"]["frameId"]] = context["id"]
        elif method == "Runtime.executionContextDestroyed":
            self.contexts = {frame: at for frame, at in self.contexts.items() if at != params["executionContextId"]}
        elif method == "Runtime.executionContextsCleared":
            self.contexts.clear()
        elif method in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"):
            self.events.append(event)

    def call(self, method, params=None, timeout=ANSWER_S):
        message = {"id": next(self.ids), "method": method, "params": params or {}}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            answer = self.read(deadline)
            if "method" in answer:
                self.note(answer)
            elif answer["id"] == message["id"]:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def evaluate(self, script, frame=None, gesture=False):
        """The value of an expression in the frame (default: the host's page); promises are waited for."""
        frames = self.call("Page.getFrameTree")["frameTree"]
        frame_id = frames["frame"]["id"] if frame is None else frames["childFrames"][frame]["frame"]["id"]
        context = harness.wait_until(lambda: self.call("Page.getFrameTree") and self.contexts.get(frame_id), "the frame has a context")
        answer = self.call("Runtime.evaluate", {"expression": script, "contextId": context, "returnByValue": True,
                                                "awaitPromise": True, "userGesture": gesture})
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    # ---- what a test does ----

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def open_host(self):
        self.call("Page.navigate", {"url": self.server.url + "/host"})
        harness.wait_until(lambda: self.evaluate("document.readyState === 'complete' && typeof show === 'function'"), "the host's page is there")
        self.events.clear()
        self.server.requests.clear()

    def show(self, html, sandbox="allow-scripts", **settings):
        """A fresh host page with the viewer in it, and the viewer's first picture."""
        self.open_host()
        self.evaluate(f"Object.assign(settings, {json.dumps(settings)})")
        self.evaluate(f"show({json.dumps(html)}, {json.dumps(sandbox)})")
        harness.wait_until(lambda: self.view("document.readyState === 'complete' && document.querySelector('main#view') && 1"), "the viewer is there")

    def view(self, script, gesture=False):
        return self.evaluate(script, 0, gesture)

    def messages(self, kind=None):
        found = self.evaluate("messages")
        return [each for each in found if kind is None or kind in (each.get("type"), each.get("method"))]

    def wait_message(self, kind):
        return harness.wait_until(lambda: self.messages(kind), f"the viewer posts {kind}")[-1]

    def click(self, selector, text=None):
        """A real click on the first element that fits, which is scrolled to."""
        point = self.view(f"""(() => {{
          const found = [...document.querySelectorAll({json.dumps(selector)})]
            .find((each) => {json.dumps(text)} === null || each.textContent.trim() === {json.dumps(text)});
          if (!found) return null;
          found.scrollIntoView({{ block: 'nearest' }});
          const box = found.getBoundingClientRect();
          return [box.x + Math.min(box.width / 2, 40), box.y + box.height / 2];
        }})()""")
        if point is None:
            raise AssertionError(f"nothing to click: {selector} {text}")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {"type": kind, "x": point[0], "y": point[1], "button": "left", "clickCount": 1})

    def key(self, key, **more):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", {"type": kind, "key": key, **more})

    def type(self, text):
        self.call("Input.insertText", {"text": text})

    def picture(self, path):
        data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))

    def complaints(self):
        """What the browser said about the viewer: broken policy, exceptions, dialogs, the console."""
        self.evaluate("1")
        return [event for event in self.events if "favicon" not in json.dumps(event)]


class ViewersTest(harness.ScoutTest):
    """A real host whose files come as pages, and a browser. Each test ends with nothing loaded and no complaint."""

    @classmethod
    def setUpClass(cls):
        chromium()
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)
        cls.files = cls.fleet.path("demo1")
        cls.client = cls.make_daemon(cls.fleet.ssh_config, f"enable_ui = true\nmax_file_size = {FILE_LIMIT}\n").client().raw()
        cls.addClassCleanup(cls.client.close)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.size(1000, 720)
        self.browser.scheme("light")

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.server.requests, [])

    def show(self, path):
        """The viewer of a path of the host."""
        result = self.client.scout(f"demo1:{path}")
        self.browser.show(result["content"][0]["resource"]["text"])

    def show_file(self, name, content):
        path = self.fleet.write("demo1", name, content)
        self.show(path)
        return path

    def text(self, selector):
        return self.browser.view(f"document.querySelector({selector!r})?.textContent")

    def texts(self, selector):
        return self.browser.view(f"[...document.querySelectorAll({selector!r})].map((each) => each.textContent)")

    def count(self, selector):
        return self.browser.view(f"document.querySelectorAll({selector!r}).length")

    def targets(self):
        """What the viewer asked its host to open."""
        for message in self.browser.messages():
            self.assertEqual(sorted(message), ["payload", "type"])
        return [message["payload"]["params"]["target"] for message in self.browser.messages("tool")
                if message["payload"]["toolName"] == "scout"]

    def opened(self):
        self.browser.wait_message("tool")
        return self.targets()[-1]
