"""The HTML viewers in a headless Chromium, as a host shows them: embedded, in a frame that may run
scripts and nothing else. Files and names are those of a real host. What a hostile one can send is in
test_ui_hostile.py. With SCOUT_PICTURES=FOLDER pictures of all viewers are left there."""

import os
import time

import browser
import harness



class DirectoryTest(browser.ViewersTest):
    def setUp(self):
        super().setUp()
        for name, size in (("b.txt", 30), ("a10", 5), ("a9", 2000000), (".hidden", 1)):
            self.fleet.write("demo1", f"dir/{name}", b"x" * size)
        self.fleet.write("demo1", "dir/sub/x", "")
        folder = os.path.join(self.files, "dir")
        os.chmod(os.path.join(folder, "b.txt"), 0o4755)
        for index, name in enumerate(("a10", "b.txt", "a9", ".hidden")):
            os.utime(os.path.join(folder, name), (1767323045 + index * 86400,) * 2)
        if not os.path.lexists(os.path.join(folder, "to-b")):
            os.symlink("b.txt", os.path.join(folder, "to-b"))
        self.folder = folder
        self.show(folder)

    def names(self):
        return self.texts("#rows button.link")

    def test_rows(self):
        self.assertEqual(self.text("h1"), f"demo1:{self.folder}")
        self.assertEqual(self.text(".head p"), "File Explorer")
        self.assertEqual(self.names(), ["sub", ".hidden", "a9", "a10", "b.txt", "to-b"])
        rows = dict(zip(self.names(), self.texts("#rows tr")))
        self.assertIn("1.9 MiB", rows["a9"])
        self.assertIn("30 B", rows["b.txt"])
        self.assertIn("-rwsr-xr-x", rows["b.txt"])
        self.assertIn("2026-01-03 03:04", rows["b.txt"])
        self.assertIn("to-b → b.txt", rows["to-b"])
        self.assertEqual(self.browser.view("document.querySelector('#rows tr td.number').textContent"), "-")
        self.assertEqual(self.text("[role=status]"), "6 entries")

    def test_opening(self):
        self.browser.click("#rows button.link", "a9")
        self.assertEqual(self.opened(), f"demo1:{self.folder}/a9")
        self.browser.click(".bar button", "Parent")
        harness.wait_until(lambda: len(self.targets()) == 2, "the parent is asked for")
        self.browser.click(".crumbs button", "files")
        harness.wait_until(lambda: len(self.targets()) == 3, "the crumb is asked for")
        self.assertEqual(self.targets()[1:], [f"demo1:{self.files}"] * 2)
        self.assertEqual(self.browser.messages()[0], {"type": "tool", "payload": {
            "toolName": "scout", "params": {"target": f"demo1:{self.folder}/a9"}}})

    def test_order(self):
        self.browser.click("th button", "Size")
        self.assertEqual(self.names(), ["sub", ".hidden", "a10", "to-b", "b.txt", "a9"])
        self.assertEqual(self.browser.view("document.querySelector('th[aria-sort]').getAttribute('aria-sort')"), "ascending")
        self.browser.click("th button", "Size")
        self.assertEqual(self.names(), ["sub", "a9", "b.txt", "a10", "to-b", ".hidden"])
        self.browser.click("th button", "Modified")
        self.assertEqual(self.names()[:5], ["sub", "a10", "b.txt", "a9", ".hidden"])
        self.browser.click("th button", "Name")
        self.browser.click("th button", "Name")
        self.assertEqual(self.names(), ["sub", "to-b", "b.txt", "a10", "a9", ".hidden"])

    def test_filter(self):
        self.browser.click("input")
        self.browser.type("A")
        self.assertEqual(self.names(), ["a9", "a10"])
        self.assertEqual(self.text("[role=status]"), "2 of 6 entries")
        self.browser.type("zz")
        self.assertEqual(self.names(), [])
        self.assertEqual(self.text(".empty"), "No name fits the filter")

    def test_keyboard(self):
        focused = "document.activeElement.textContent || document.activeElement.placeholder"
        self.browser.view("document.querySelector('.bar button').focus()")
        self.browser.key("/", text="/")
        self.assertEqual(self.browser.view(focused), "Filter names")
        self.assertEqual(self.browser.view("document.activeElement.value"), "")
        for _ in range(2):
            self.browser.key("ArrowDown")
        self.assertEqual(self.browser.view(focused), ".hidden")
        self.browser.key("ArrowUp")
        self.assertEqual(self.browser.view(focused), "sub")
        self.browser.key("Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        self.assertEqual(self.opened(), f"demo1:{self.folder}/sub")
        self.browser.key("ArrowUp")
        self.assertEqual(self.browser.view(focused), "Filter names")

    def test_an_empty_directory_and_the_root(self):
        empty = os.path.join(self.files, "nothing")
        os.makedirs(empty, exist_ok=True)
        self.show(empty)
        self.assertEqual(self.text(".empty"), "Empty directory")
        self.assertEqual(self.text("[role=status]"), "0 entries")
        self.show("/")
        self.assertTrue(self.browser.view("document.querySelector('.bar button').disabled"))
        self.browser.click("#rows button.link", "etc")
        self.assertEqual(self.opened(), "demo1:/etc")
        self.show("~/dir")
        self.browser.click(".bar button", "Parent")
        self.assertEqual(self.opened(), "demo1:~")

    def test_many_names(self):
        for index in range(1200):
            self.fleet.write("demo1", f"many/f{index}", "")
        self.show(os.path.join(self.files, "many"))
        self.assertEqual(self.count("#rows tr"), 1000)
        self.browser.click(".rest button")
        self.assertEqual(self.count("#rows tr"), 1200)
        self.assertEqual(self.count(".rest button"), 0)
        self.browser.click("input")
        self.browser.type("f1199")
        self.assertEqual(self.names(), ["f1199"])


class FileTest(browser.ViewersTest):
    def test_a_file(self):
        text = "one\n\n  two\ttabs\r\nthree"
        path = self.show_file("file/x.yaml", text)
        self.assertEqual(self.text("h1"), f"demo1:{path}")
        self.assertEqual(self.text(".head p"), "File Viewer (yaml)")
        self.assertEqual(self.texts(".facts span")[:3], ["Lines: 4", "Type: text/yaml", f"Size: {len(text)} B"])
        self.assertEqual(self.texts(".line > code"), ["one", "", "  two\ttabs", "three"])
        self.assertEqual(self.browser.view("[...document.querySelectorAll('.line')].map((each) => each.dataset.n)"), ["1", "2", "3", "4"])

    def test_languages(self):
        for name, language, mime in (("a.py", "python", "text/x-python"), ("a.JS", "javascript", "text/javascript"),
                                     ("a.bash", "bash", "text/x-shellscript"), ("a.json", "json", "application/json"),
                                     ("constructor.constructor", "text", "text/plain"), ("py", "text", "text/plain"), ("a.", "text", "text/plain")):
            self.show_file(f"languages/{name}", "x\n")
            self.assertEqual(self.text(".head p"), f"File Viewer ({language})", name)
            self.assertEqual(self.texts(".facts span")[1], f"Type: {mime}", name)

    def test_which_viewer(self):
        """The page has the viewer that the script in it wants."""
        for name, viewer in (("x.md", "Markdown Viewer"), ("x.Markdown", "Markdown Viewer"), ("log/x.md", "Markdown Viewer"), ("x.LOG", "Log Viewer"),
                             ("x.logs", "Log Viewer"), ("log/x", "Log Viewer"), ("logs/x", "File Viewer (text)"), (".md", "Markdown Viewer"),
                             ("log", "File Viewer (text)"), ("x.log.1", "File Viewer (text)")):
            self.show_file(f"which{name.count('/')}/{name}", "x\n")
            self.assertEqual(self.text(".head p"), viewer, name)

    def test_copying(self):
        text = "a <b> & 'c'\n\u202ehidden\n"
        self.show_file("copy/x.txt", text)
        self.browser.call("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"], "origin": self.browser.server.url})
        self.browser.click(".head button", "Copy")
        harness.wait_until(lambda: "Copied" in self.texts(".head button"), "the button says so")
        self.browser.evaluate("window.focus()")
        self.assertEqual(self.browser.evaluate("navigator.clipboard.readText()", gesture=True), text)

    def test_selecting(self):
        self.show_file("select/x.txt", "first\nsecond\n")
        self.browser.view("getSelection().selectAllChildren(document.querySelector('.lines'))")
        selected = self.browser.view("getSelection().toString()")
        self.assertEqual(selected.split(), ["first", "second"])

    def test_folding(self):
        self.show_file("fold/x.txt", "word " * 2000)
        wide = "document.querySelector('.content').scrollWidth > document.querySelector('.content').clientWidth"
        harness.wait_until(lambda: self.browser.view(wide), "the line is long")
        self.browser.click(".head button", "Wrap")
        harness.wait_until(lambda: not self.browser.view(wide), "the line is folded")

    def test_an_empty_file(self):
        self.show_file("empty/x.txt", "")
        self.assertEqual(self.text(".empty"), "Empty file")
        self.assertEqual(self.texts(".facts span")[0], "Lines: 0")

    def test_a_large_file(self):
        path = self.fleet.write("demo1", "large/x.txt", "".join(f"line {index}\n" for index in range(45000)))
        result = self.client.scout(f"demo1:{path}")
        begun = time.monotonic()
        self.browser.show(result["content"][0]["resource"]["text"])
        self.browser.view("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        self.assertLess(time.monotonic() - begun, 30)
        self.assertEqual(self.count(".line"), 20000)
        for expected in (40000, 45000):
            self.browser.view("document.querySelector('.further').click()")
            self.assertEqual(self.count(".line"), expected)
        self.assertEqual(self.count(".further"), 0)
        self.assertEqual(self.browser.view("[...document.querySelectorAll('.line')].at(-1).dataset.n"), "45000")

    def test_what_is_missing_is_said(self):
        self.show_file("cut/x.txt", "x" * 100 + "\n" * browser.FILE_LIMIT)
        self.assertIn("The file goes on", self.text(".notice"))


class LogTest(browser.ViewersTest):
    LINES = ["2026 INFO started", "", "2026 DEBUG d", "WARN w", "an ERROR", "FATAL f", "a warning in small letters", "   ", "DEBUG and ERROR"]

    def lines(self):
        return self.texts(".line > code")

    def setUp(self):
        super().setUp()
        self.show_file("logs.d/x.log", "\n".join(self.LINES) + "\n")

    def status(self):
        return self.text("[role=status]")

    def test_levels(self):
        self.assertEqual(self.text(".head p"), "Log Viewer")
        self.assertEqual(self.browser.view("[...document.querySelectorAll('.line')].map((each) => each.classList[1])"),
                         ["INFO", "DEBUG", "WARN", "ERROR", "ERROR", "INFO", "ERROR"])
        self.assertEqual(self.status(), "Showing 7 of 7 lines")
        self.assertEqual(self.texts(".bar button"), ["ERROR 3", "WARN 1", "INFO 2", "DEBUG 1"])
        for level, left in (("ERROR", 4), ("INFO", 2), ("WARN", 1), ("DEBUG", 0)):
            self.browser.click(f"button[data-level={level}]")
            self.assertEqual((len(self.lines()), self.status()), (left, f"Showing {left} of 7 lines"))
        self.assertEqual(self.text(".empty"), "No line fits")
        self.browser.click("button[data-level=WARN]")
        self.assertEqual(self.lines(), ["WARN w"])
        self.assertEqual(self.browser.view("document.querySelector('button[data-level=WARN]').getAttribute('aria-pressed')"), "true")

    def test_search(self):
        self.browser.click("input")
        self.browser.type("ErRoR")
        self.assertEqual(self.lines(), ["an ERROR", "DEBUG and ERROR"])
        self.assertEqual(self.texts("mark"), ["ERROR", "ERROR"])
        self.assertEqual(self.status(), "Showing 2 of 7 lines")
        self.assertEqual(self.browser.view("[...document.querySelectorAll('.line')].map((each) => each.dataset.n)"), ["5", "9"])

    def test_no_logs(self):
        self.show_file("logs.d/empty.log", "\n \n")
        self.assertEqual((self.text(".empty"), self.status()), ("No logs", "Showing 0 of 0 lines"))


class MarkdownTest(browser.ViewersTest):
    def test_a_document(self):
        self.show_file("md/README.md", "# Title *x*\n\nText with **strong**, `code` and ~~gone~~.\n\n- [x] done\n- [ ] open\n\n1. one\n2. two\n\n"
                       "> quoted\n\n```sh\nls -l\n```\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n---\n")
        self.assertEqual(self.text(".head p"), "Markdown Viewer")
        for selector, text in (("h1 em", "x"), ("strong", "strong"), ("p code", "code"), ("del", "gone"), ("blockquote p", "quoted"),
                               ("pre code", "ls -l"), ("td.right", "2"), ("ol li + li", "two")):
            self.assertEqual(self.text(".document " + selector), text)
        self.assertEqual(self.browser.view("[...document.querySelectorAll('.document input')].map((each) => each.checked)"), [True, False])
        self.assertEqual(self.count(".document hr"), 1)

    def test_preview_and_source(self):
        self.show_file("md/x.md", "# Title\n\ntext\n")
        self.browser.click(".bar button", "Source")
        self.assertEqual(self.texts(".line > code"), ["# Title", "", "text"])
        self.assertEqual(self.count(".document"), 0)
        self.browser.click(".bar button", "Preview")
        self.assertEqual((self.text(".document h1"), self.count(".line")), ("Title", 0))

    def test_links(self):
        path = self.show_file("md/sub/x.md", "[web](https://example.org/a?b=c#d) [up](../y.md#z) [root](/etc/hosts) [here](#far-below) [above](../../../../../../../../../../../x)\n\n"
                              "https://bare.example/x.\n\n" + "line\n\n" * 100 + "## Far *below*\n")
        self.browser.click(".document button.link", "web")
        self.assertEqual(self.browser.wait_message("link"), {"type": "link", "payload": {"url": "https://example.org/a?b=c#d"}})
        self.browser.click(".document button.link", "https://bare.example/x")
        harness.wait_until(lambda: len(self.browser.messages("link")) == 2, "the bare address is a link")
        self.browser.click(".document button.link", "up")
        harness.wait_until(lambda: len(self.targets()) == 1, "a file is asked for")
        self.browser.click(".document button.link", "root")
        harness.wait_until(lambda: len(self.targets()) == 2, "a file is asked for")
        self.assertEqual(self.targets(), [f"demo1:{os.path.dirname(os.path.dirname(path))}/y.md", "demo1:/etc/hosts"])
        self.browser.click(".document button.link", "here")
        harness.wait_until(lambda: self.browser.view("document.querySelector('.content').scrollTop > 1000"), "it scrolls")
        self.assertEqual(self.texts(".refused"), ["above"])


class LooksTest(browser.ViewersTest):
    """Light and dark, wide and narrow."""

    def paths(self):
        os.makedirs(os.path.join(self.files, "looks/src"), exist_ok=True)
        with open(os.path.join(harness.ROOT, "README.md"), "rb") as text:
            self.fleet.write("demo1", "looks/README.md", text.read())
        self.fleet.write("demo1", "looks/main.py", "import os\n\n\ndef f(x):\n    return x + 1\n" * 20)
        self.fleet.write("demo1", "looks/app.log", "".join(
            f"2026-01-02 03:04:{index % 60:02} {('INFO', 'DEBUG', 'WARN', 'ERROR')[index % 4]} worker[{index}]: took {index} ms\n" for index in range(200)))
        self.fleet.write("demo1", "looks/a rather long name of a file that goes on and on and on.tar.gz", "x")
        folder = os.path.join(self.files, "looks")
        return {"directory": folder, "file": folder + "/main.py", "log": folder + "/app.log", "markdown": folder + "/README.md"}

    def luminance(self):
        colors = self.browser.view("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
        return [sum(int(part) for part in color[color.index("(") + 1:-1].split(",")[:3]) for color in colors]

    def test_all(self):
        pictures = os.environ.get("SCOUT_PICTURES", self.folder)
        os.makedirs(pictures, exist_ok=True)
        for viewer, path in self.paths().items():
            seen = {}
            for width in (1000, 320):
                self.browser.size(width, 640)
                for scheme in ("light", "dark"):
                    self.browser.scheme(scheme)
                    self.show(path)
                    background, text = self.luminance()
                    self.assertEqual(background > text, scheme == "light")
                    self.assertGreater(abs(background - text), 500, "the contrast is low")
                    self.assertLessEqual(self.browser.view("document.documentElement.scrollWidth"), width)
                    self.assertGreater(self.browser.view("document.querySelector('.content').clientHeight"), 180)
                    picture = os.path.join(pictures, f"{viewer}-{scheme}-{width}.png")
                    self.browser.picture(picture)
                    with open(picture, "rb") as data:
                        seen[scheme, width] = data.read()
            self.assertEqual(len(set(seen.values())), 4, viewer)


if __name__ == "__main__":
    harness.main()
