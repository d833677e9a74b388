"""The HTML viewers in a headless Chromium, with names and files as hostile as a host can make them: they are
shown, nothing of them runs, and nothing is loaded; and what the policy of a page keeps from a script that
got in all the same."""

import os

import browser
import harness


class HostileTest(browser.ViewersTest):
    """What a host sends is shown and does nothing else."""

    def hostile(self):
        bad = f"{self.browser.server.url}/bad"
        return [
            "<img src=x onerror=alert(1)>", f"<img src={bad}>", "<script>alert(1)</script>", "</script><script>alert(1)</script>",
            f'"><iframe src={bad}></iframe>', '";alert(1)//', "';alert(1)//", "${alert(1)}`", "<svg onload=alert(1)>",
            f"<link rel=stylesheet href={bad}>", f"<style>@import '{bad}'</style>", "<!--", "]]>", "&lt;script&gt;", "a\u2028b\u2029c",
            "\\u003cscript\\u003e", f"<meta http-equiv=refresh content=0;url={bad}>", "<base href=//bad/>", "__proto__", "constructor"]

    def assert_nothing_ran(self):
        allowed = {"html": 1, "head": 1, "meta": 5, "title": 1, "style": 1, "body": 1, "main": 1, "noscript": 1, "script": 2}
        found = self.browser.view("""(() => { const found = {};
          for (const each of document.querySelectorAll('*')) found[each.localName] = (found[each.localName] || 0) + 1;
          return found; })()""")
        for name in ("script", "style", "meta", "link", "base", "img", "iframe", "object", "embed", "form"):
            self.assertEqual(found.get(name, 0), allowed.get(name, 0), name)
        self.assertEqual(self.browser.view("""[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())
          .filter((name) => /^on|^(src|href|action|style|srcset|formaction)$/.test(name) && name !== 'style')"""), [])

    def test_names(self):
        names = [name.replace("/", "\u2215") for name in self.hostile()] + ["\u202egnp.exe", "zero\u200bwidth", "\x1b[31mred", "line\nbreak"]
        for name in names:
            self.fleet.write("demo1", f"names/{name}", "")
        self.show(os.path.join(self.files, "names"))
        self.assert_nothing_ran()
        shown = set(self.texts("#rows button.link"))
        for name in names:
            if not any(ord(each) < 32 or each in "\u2028\u2029\u202e\u200b" for each in name):
                self.assertIn(name, shown)
        self.assertLessEqual({"U+202Egnp.exe", "zeroU+200Bwidth", "\u241b[31mred", "line\u240abreak", "aU+2028bU+2029c"}, shown)
        self.browser.click("#rows button.link", "U+202Egnp.exe")
        self.assertEqual(self.opened(), f"demo1:{self.files}/names/\u202egnp.exe")

    def test_a_path(self):
        for name in ("<img src=x onerror=alert(1)>", '";alert(1)//', "</script><script>alert(1)<"):
            folder = name.replace("/", "\u2215")
            path = self.show_file(f"paths/{folder}/{folder}.log", "x\n")
            self.assert_nothing_ran()
            self.assertEqual(self.text("h1"), f"demo1:{path}")
            self.assertEqual(self.browser.view("document.title"), f"📋 demo1:{path}")
            self.browser.click(".crumbs button", folder)
            self.assertEqual(self.opened(), f"demo1:{os.path.dirname(path)}")

    def test_contents(self):
        for name in ("text.txt", "text.log", "text.md", "text.html"):
            lines = self.hostile()
            self.show_file(f"contents/{name}", "\n\n".join(lines) + "\n")
            self.assert_nothing_ran()
            if name != "text.md":
                shown = "\n".join(self.texts(".line > code"))
                for line in lines:
                    self.assertIn(line.replace("\u2028", "U+2028").replace("\u2029", "U+2029"), shown)

    def test_a_document(self):
        bad = f"{self.browser.server.url}/bad"
        links = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#10;script:alert(1)", "&#106;avascript:alert(1)", "\x01javascript:alert(1)",
                 "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "blob:x", "//evil.example/x",
                 "\\\\\\\\evil.example", "https:/\\\\evil.example", "ftp://x/", "http://", "https:///x"]
        text = "\n\n".join(f"[link{index}](<{link}>)" for index, link in enumerate(links))
        text += f"\n\n![alt]({bad}.png) <img src='{bad}'> <script>alert(1)</script>\n\n<iframe src='{bad}'></iframe>\n\n"
        text += "[ref][r]\n\n[r]: javascript:alert(1)\n\n<javascript:alert(1)>\n\n```<img src=x onerror=alert(1)>\n</code></pre><script>alert(1)</script>\n```\n"
        text += "| <b onmouseover=alert(1)>a</b> | b |\n|---|---|\n| <script>alert(1)</script> | `<i>` |\n"
        self.show_file("document/README.md", text)
        self.assert_nothing_ran()
        # The addresses of the tags' text are bare links, and the only ones.
        self.assertEqual(set(self.texts(".document a, .document button.link")), {bad})
        self.assertEqual(self.count(".document .refused"), len(links))
        self.assertIn("[link5](<data:text/html,<script>alert(1)</script>>)", self.text(".document"))
        self.assertEqual(self.text(".document .image"), "image: alt")
        self.browser.view("[...document.querySelectorAll('.document .refused')].forEach((each) => each.click())")
        self.assertEqual(self.browser.messages(), [])

    def test_the_policy_holds_whatever_gets_in(self):
        """As if there were a hole: what is put into the page by a script that got in loads and runs nothing."""
        self.show_file("policy/x.txt", "x\n")
        bad = f"{self.browser.server.url}/bad"
        self.browser.view(f"""(async () => {{
          const put = (name, set) => {{ const made = document.createElement(name); set(made); document.body.append(made); }};
          window.ran = 0;
          const tries = [
            () => put('script', (each) => each.append('window.ran++')), () => put('script', (each) => {{ each.src = '{bad}'; }}),
            () => put('img', (each) => {{ each.src = '{bad}'; }}), () => put('iframe', (each) => {{ each.src = '{bad}'; }}),
            () => put('link', (each) => {{ each.rel = 'stylesheet'; each.href = '{bad}'; }}),
            () => put('video', (each) => {{ each.src = '{bad}'; }}), () => put('object', (each) => {{ each.data = '{bad}'; }}),
            () => put('style', (each) => each.append('h1 {{ background: url({bad}) }}')),
            () => put('div', (each) => {{ each.innerHTML = '<img src={bad} onerror=window.ran++>'; }}),
            () => put('button', (each) => {{ each.setAttribute('onclick', 'window.ran++'); each.click(); }}),
            () => fetch('{bad}').catch(() => {{}}), () => new WebSocket('{bad}'.replace('http', 'ws')), () => navigator.sendBeacon('{bad}', 'x'),
            () => new EventSource('{bad}'), () => {{ document.body.style.backgroundImage = 'url({bad})'; }},
            () => {{ const form = document.createElement('form'); form.action = '{bad}'; document.body.append(form); form.submit(); }},
            () => new Worker('{bad}'),
          ];
          for (const each of tries) try {{ await each(); }} catch {{}}
        }})()""")
        self.assertEqual(self.browser.view("window.ran"), 0)
        self.assertTrue(self.browser.view("(() => { try { document.body.innerHTML = 'x'; return false; } catch (error) { return error instanceof TypeError; } })()"))
        self.assertEqual(self.browser.server.requests, [])
        complaints = self.browser.complaints()
        self.assertGreater(len(complaints), 8)
        self.browser.open_host()


if __name__ == "__main__":
    harness.main()
