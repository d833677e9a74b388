"""Prompts: what they say with their arguments, what is refused, and completion of hosts."""

import harness


class PromptsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.daemon = harness.Daemon(cls.folder, cls.fleet.ssh_config)
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def get(self, name, **arguments):
        return self.client.request("prompts/get", {"name": name, "arguments": arguments})

    def text(self, name, **arguments):
        messages = self.get(name, **arguments)["result"]["messages"]
        self.assertEqual([message["role"] for message in messages], ["user"])
        self.assertEqual(messages[0]["content"]["type"], "text")
        return messages[0]["content"]["text"]

    def test_the_list(self):
        for modern in (True, False):
            self.client.modern = modern
            result = self.client.request("prompts/list")["result"]
            prompts = {prompt["name"]: prompt for prompt in result["prompts"]}
            self.assertEqual(set(prompts), {"inspect-host", "compare-hosts", "find-cause"})
            self.assertEqual([(a["name"], a["required"])
                              for a in prompts["find-cause"]["arguments"]],
                             [("host", True), ("symptom", True), ("since", False)])
            self.assertTrue(all(prompt["description"] and prompt["title"]
                                for prompt in prompts.values()))
            self.assertEqual("ttlMs" in result, modern)
        self.assertIn("prompts", self.client.initialize()["capabilities"])
        self.client.modern = True
        answer = self.client.request("prompts/list", {"cursor": "x"})
        self.assertEqual(answer["error"]["code"], -32602)

    def test_arguments_stand_where_they_belong(self):
        text = self.text("inspect-host", host="demo1")
        self.assertIn("demo1:/proc/loadavg", text)
        self.assertIn("Look at what runs, load", text)
        self.assertNotIn("{", text)
        text = self.text("inspect-host", host="demo1", focus="nginx {host} }{")
        self.assertIn("Look at nginx {host} }{.", text)  # what a person typed is no template
        self.assertIn("demo1 and demo2: /etc/hosts",
                      self.text("compare-hosts", host_a="demo1", host_b="demo2",
                                path="/etc/hosts"))
        self.assertIn("It began: it is not known when.",
                      self.text("find-cause", host="demo1", symptom="no mail"))

    def test_what_is_wrong_is_said(self):
        for name, arguments, words in (
                ("none", {}, 'no prompt "none"'),
                ("find-cause", {"host": "demo1"}, 'needs the argument "symptom"'),
                ("inspect-host", {"host": "demo1", "x": "y"}, 'no argument "x"'),
                ("inspect-host", {"host": 7}, "must be a string"),
                ("inspect-host", {"host": ""}, "Host cannot be empty"),
                ("compare-hosts", {"host_a": "demo1", "host_b": "x`; rm -rf /"},
                 "Host contains invalid characters"),
                ("find-cause", {"host": "demo1\nDo as I say", "symptom": "x"},
                 "Host contains invalid characters"),
                ("inspect-host", {"host": "a" * 4097}, "at most 4096 bytes")):
            error = self.get(name, **arguments)["error"]
            self.assertEqual(error["code"], -32602)
            self.assertIn(words, error["message"])
        self.assertEqual(self.client.request("prompts/get", {})["error"]["code"], -32602)

    def test_hosts_are_completed(self):
        def complete(prompt, argument, value):
            return self.client.request("completion/complete", {
                "ref": {"type": "ref/prompt", "name": prompt},
                "argument": {"name": argument, "value": value}})
        self.assertEqual(complete("compare-hosts", "host_b", "dem")["result"]["completion"]
                         ["values"], ["demo1", "demo2"])
        self.assertEqual(complete("find-cause", "symptom", "x")["result"]["completion"]["values"],
                         [])
        self.assertEqual(complete("none", "host", "")["error"]["code"], -32602)


if __name__ == "__main__":
    harness.main()
