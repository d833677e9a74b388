"""HTML pages of looks (docs/ui.md): in which answers they come, and what is in them. What they do in a
browser is tested by test_ui_browser.py and test_ui_app.py."""

import html.parser
import json
import os
import subprocess

import harness
from harness import text_of

HOSTILE = ['<img src=x onerror=alert(1)>', '</script><script>alert(1)<', '";alert(1)', "a\u2028b\u2029c", "&lt;b&gt;",
           "\u202egpj.exe", "a\nb", "`${alert(1)}`", "{{script}}"]


class Page(html.parser.HTMLParser):
    """The elements of a page: the data, the policy, the names of all elements and attributes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.policy, self.inside, self.parts = [], set(), None, None, {}
        self.feed(text)
        self.close()
        self.data = json.loads(self.parts["data"])

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.elements.append(tag)
        self.attributes.update(values)
        self.inside = values.get("id", tag)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.parts[self.inside] = self.parts.get(self.inside, "") + data


class PagesTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(cls.fleet.ssh_config, "enable_ui = true\nmax_file_size = 65536\n")
        cls.client = cls.daemon.client().raw()
        cls.addClassCleanup(cls.client.close)

    def page_of(self, path):
        """The page of a look, and the look's structured content."""
        result = self.client.scout(f"demo1:{path}")
        self.assertFalse(result.get("isError", False), result)
        self.assertEqual([part["type"] for part in result["content"]], ["resource"])
        resource = result["content"][0]["resource"]
        self.assertEqual(resource["mimeType"], "text/html")
        page = Page(resource["text"])
        self.assertEqual(page.data, result["structuredContent"])
        return resource["uri"], page, result["structuredContent"]

    def test_a_file(self):
        path = self.fleet.write("demo1", "a dir/x?.txt", "one\ntwo\n")
        uri, page, data = self.page_of(path)
        self.assertEqual(uri, "ui://scout/demo1" + path.replace(" ", "%20").replace("?", "%3F"))
        self.assertEqual((data["kind"], data["text"]), ("file", "one\ntwo\n"))
        self.assertIn("VIEWERS.file = ", page.parts["script"])
        self.assertIn("default-src 'none'; style-src 'sha256-", page.policy)
        self.assertNotIn("unsafe", page.policy)

    def test_a_directory(self):
        for name in HOSTILE:
            self.fleet.write("demo1", f"hostile/{name.replace('/', '_')}", "")
        uri, page, data = self.page_of(os.path.join(self.files, "hostile"))
        self.assertTrue(uri.endswith("/files/hostile"), uri)
        names = {entry["name"] for entry in data["entries"]}
        self.assertLessEqual({name.replace("/", "_") for name in HOSTILE}, names)
        self.assertEqual(page.elements, ["html", "head", "meta", "meta", "meta", "meta", "meta", "title", "style",
                                         "body", "main", "noscript", "script", "script"])
        self.assertLessEqual(page.attributes, {"lang", "charset", "http-equiv", "content", "name", "id", "aria-busy", "type"})

    def test_hostile_text(self):
        for index, text in enumerate(HOSTILE):
            path = self.fleet.write("demo1", f"text{index}.md", text)
            _, page, data = self.page_of(path)
            self.assertEqual(page.elements.count("script"), 2)
            self.assertEqual(data["text"], text)

    def test_the_viewer_goes_by_the_path(self):
        for name, viewer in (("a.log", "log"), ("log/x", "log"), ("b.MD", "markdown"), ("c.json", "file")):
            _, page, _ = self.page_of(self.fleet.write("demo1", name, "x\n"))
            for each in ("log", "markdown", "directory"):
                self.assertEqual(f"VIEWERS.{each} = " in page.parts["script"], each == viewer, name)

    def test_no_text_is_too_large_for_a_page(self):
        path = self.fleet.write("demo1", "large.txt", "<\x01&\u2028" * 20000)
        _, _, data = self.page_of(path)
        self.assertTrue(data["truncated"])
        self.assertGreater(len(data["text"]), 40000)

    def test_the_companion_gets_text(self):
        path = self.fleet.write("demo1", "companion/x.txt", "one\ntwo\n")
        for command, printed in (("read", "one\ntwo\n"), ("ls", "x.txt")):
            target = path if command == "read" else os.path.dirname(path)
            done = subprocess.run([harness.SCOUT, "--socket", self.daemon.socket, command, f"demo1:{target}"], capture_output=True,
                                  text=True, timeout=30, check=True, env=harness.clean_environment(self.folder))
            self.assertIn(printed, done.stdout)

    def test_all_else_comes_as_text(self):
        path = self.fleet.write("demo1", "else/x.txt", "x\n")
        folder = os.path.dirname(path)
        calls = [{"target": "hosts"}, {"target": f"demo1:{folder}", "tree": True}, {"target": f"demo1:{folder}", "find": "*"},
                 {"target": f"demo1:{folder}", "query": "ls"}, {"target": f"demo1:{path}", "diff_content": "y\n"},
                 {"targets": [f"demo1:{path}", f"demo1:{folder}"]}]
        for arguments in calls:
            result = self.client.tool("scout", **arguments)
            self.assertEqual([part["type"] for part in result["content"]], ["text"], arguments)
        self.assertIn("x\n", text_of(self.client.tool("scout", targets=[f"demo1:{path}"])))
        self.assertScoutError(self.client.scout("demo1:/no/such"), "path-not-found", "Path not found: /no/such")
        self.assertEqual(text_of(self.client.tool("read", target=f"demo1:{path}")), "x\n")


if __name__ == "__main__":
    harness.main()
