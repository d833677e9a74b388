"""resources/list and resources/templates/list: entries of few and of many hosts, pages, policy."""

import harness
import hostile

CONCRETE = ("docker", "compose", "zfs", "zfs/snapshots", "syslog")
TEMPLATES = ("docker/{container}/logs", "compose/{project}", "compose/{project}/logs",
             "zfs/{pool}", "zfs/{pool}/datasets", "{path*}")
ANY_PATH = "scout://{host}/{path*}"


def block(name, port=22):
    return f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User deploy\n\n"


def resources_of(name):
    return [f"{name}://{path}" for path in CONCRETE]


def templates_of(name):
    return [f"{name}://{path}" for path in TEMPLATES]


class ListsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.closed = hostile.closed_port()

    def client(self, names, name, config=""):
        text = "".join(block(host, self.closed) for host in names)
        self.daemon = self.make_daemon(self.write(name + ".ssh_config", text), config, name)
        client = self.daemon.client()
        self.addCleanup(client.close)
        return client

    def pages(self, client, what):
        """Each page's entries, until there is no further one."""
        method, key = {"resources": ("resources/list", "resources"),
                       "templates": ("resources/templates/list", "resourceTemplates")}[what]
        pages, params = [], None
        while True:
            result = client.request(method, params)["result"]
            pages.append(result[key])
            if "nextCursor" not in result:
                return pages
            self.assertLessEqual(len(pages), 1000, "the list does not end")
            params = {"cursor": result["nextCursor"]}

    def uris(self, client, what):
        key = "uri" if what == "resources" else "uriTemplate"
        return [entry[key] for page in self.pages(client, what) for entry in page]

    def test_c5_47_two_hosts(self):
        client = self.client(["t1", "t2"], "two")
        self.assertEqual(self.uris(client, "resources"),
                         ["hosts://list", *resources_of("t1"), *resources_of("t2")])
        self.assertEqual(self.uris(client, "templates"),
                         [ANY_PATH, *templates_of("t1"), *templates_of("t2")])
        entries = {entry["uri"]: entry for entry in self.pages(client, "resources")[0]}
        self.assertEqual(entries["t1://docker"], {
            "uri": "t1://docker", "name": "t1 docker containers",
            "description": "Docker containers on t1", "mimeType": "text/plain"})
        templates = {entry["uriTemplate"]: entry for entry in self.pages(client, "templates")[0]}
        self.assertEqual(templates["t2://compose/{project}"], {
            "uriTemplate": "t2://compose/{project}", "name": "t2 compose file",
            "description": "The file of a Docker Compose project on t2", "mimeType": "text/yaml"})
        self.assertNotIn("mimeType", templates["t2://{path*}"])

    def test_no_hosts(self):
        client = self.client([], "none")
        self.assertEqual(self.uris(client, "resources"), ["hosts://list"])
        self.assertEqual(self.uris(client, "templates"), [ANY_PATH])

    def test_what_each_revision_has(self):
        modern = self.client(["t1"], "revisions")
        for method in ("resources/list", "resources/templates/list"):
            result = modern.request(method)["result"]
            self.assertEqual((result["resultType"], result["ttlMs"], result["cacheScope"]),
                             ("complete", 60000, "private"))
            for version in harness.LEGACY:
                with self.subTest(method=method, version=version), self.daemon.client() as legacy:
                    self.assertIn("resources", legacy.initialize(version)["capabilities"])
                    result = legacy.request(method)["result"]
                    self.assertNotIn("resultType", result)
                    self.assertNotIn("ttlMs", result)
        self.assertIn("resources", modern.request("server/discover")["result"]["capabilities"])

    def test_names_that_are_no_schemes_have_the_other_form_only(self):
        client = self.client(["a_b", "scout", "web1"], "odd")
        self.assertEqual(self.uris(client, "resources"), ["hosts://list", *resources_of("web1")])
        self.assertEqual(self.uris(client, "templates"),
                         [ANY_PATH, "scout://a_b/{path*}", "scout://scout/{path*}",
                          *templates_of("web1")])

    def test_twenty_hosts_fill_two_pages(self):
        names = [f"h{i:02}" for i in range(20)]
        client = self.client(names, "twenty")
        pages = self.pages(client, "resources")
        self.assertEqual([len(page) for page in pages], [100, 1])
        uris = [entry["uri"] for page in pages for entry in page]
        self.assertEqual(uris, ["hosts://list"] +
                         [uri for name in names for uri in resources_of(name)])
        self.assertEqual([len(page) for page in self.pages(client, "templates")], [100, 21])

    def test_more_hosts_are_templates(self):
        client = self.client([f"h{i:02}" for i in range(21)], "more")
        self.assertEqual(self.uris(client, "resources"), ["hosts://list"])
        self.assertEqual(self.uris(client, "templates"), [
            ANY_PATH, *resources_of("{host}"), *templates_of("{host}")])

    def test_two_thousand_hosts_of_which_all_are_wanted(self):
        names = sorted(f"h{i}" for i in range(2000))
        client = self.client(names, "thousands", "resource_hosts = 2000\n")
        pages = self.pages(client, "resources")
        self.assertEqual([len(page) for page in pages], [100] * 100 + [1])
        self.assertEqual([entry["uri"] for page in pages for entry in page], ["hosts://list"] +
                         [uri for name in names for uri in resources_of(name)])
        templates = self.uris(client, "templates")
        self.assertEqual(templates, [ANY_PATH] +
                         [uri for name in names for uri in templates_of(name)])

    def test_the_list_of_two_thousand_hosts_is_summed_up(self):
        client = self.client([f"web{i}" for i in range(1, 2000)] + ["db"], "groups")
        content = client.request("resources/read", {"uri": "hosts://list"})["result"]["contents"][0]
        self.assertTrue(content["text"].startswith("Available SSH Hosts\n" + "=" * 40 + "\n\n2000 hosts, by group:\n"
                                                   "  web[1-1999]: 1999\n  db: 1\n"), content["text"])
        self.assertNotIn("online", content["text"])

    def test_the_list_without_hosts(self):
        client = self.client([], "empty")
        content = client.request("resources/read", {"uri": "hosts://list"})["result"]["contents"][0]
        self.assertEqual(content["text"], "No SSH hosts configured.")

    def test_cursors_that_nobody_gave(self):
        client = self.client([f"h{i:02}" for i in range(20)], "cursors")
        given = client.request("resources/list")["result"]["nextCursor"]
        for method, cursor in (("resources/list", "page2"), ("resources/list", ""),
                               ("resources/list", given + "00"), ("resources/list", given[:-1]),
                               ("resources/list", given.swapcase()), ("resources/list", 7),
                               ("resources/list", {"a": 1}),
                               ("resources/templates/list", given)):
            with self.subTest(method=method, cursor=cursor):
                answer = client.request(method, {"cursor": cursor})
                self.assertRpcError(answer, -32602)
                self.assertEqual(answer["error"]["data"]["code"], "invalid-argument")
        again = client.request("resources/list", {"cursor": given})["result"]
        self.assertEqual(again, client.request("resources/list", {"cursor": given})["result"])

    def test_a_page_goes_on_by_name_after_a_reload(self):
        names = [f"h{i:02}" for i in range(20)]
        client = self.client(names, "reload", "resource_hosts = 30\n")
        first = client.request("resources/list")["result"]
        last = first["resources"][-1]["uri"]
        added = names + ["a0", "z9"]
        text = "".join(block(host, self.closed) for host in added if host != "h03")
        with open(self.daemon.ssh_config, "w", encoding="utf-8") as out:
            out.write(text)
        self.daemon.process.send_signal(1)
        harness.wait_until(lambda: "reloaded" in self.daemon.log(), "the reload")
        second = client.request("resources/list", {"cursor": first["nextCursor"]})["result"]
        self.assertEqual(last, "h19://zfs/snapshots")
        self.assertEqual([entry["uri"] for entry in second["resources"]],
                         ["h19://syslog", *resources_of("z9")])

    def test_policy_decides_what_is_listed(self):
        config = """
            rule "nothing" { effect = deny  hosts = {"gone"} }
            rule "files" { effect = deny  hosts = {"files"}  verbs = {query} }
            rule "nolooks" { effect = deny  hosts = {"nolooks"}  verbs = {read, list} }
        """
        client = self.client(["all", "files", "gone", "nolooks"], "policy", config)
        self.assertEqual(self.uris(client, "resources"), [
            "hosts://list", *resources_of("all"), "files://syslog"])
        self.assertEqual(self.uris(client, "templates"), [
            ANY_PATH, *templates_of("all"), "files://{path*}"])

    def test_who_may_not_see_hosts(self):
        client = self.client(["t1"], "blind", 'rule "b" { effect = deny  verbs = {hosts} }\n')
        self.assertEqual(self.uris(client, "resources"), [])
        self.assertEqual(self.uris(client, "templates"), [ANY_PATH])

    def test_a_list_is_on_record_and_in_the_log(self):
        client = self.client(["t1"], "record")
        client.request("resources/list")
        client.request("resources/templates/list")
        for name in ("resources/list", "resources/templates/list"):
            harness.wait_until(lambda: f"tool={name} verb=hosts" in self.daemon.log(), "the log")
            harness.wait_until(lambda: f'"tool":"{name}","verb":"hosts"' in self.audit(), "a record")

    def audit(self):
        with open(self.daemon.state + "/audit.log", encoding="utf-8") as log:
            return log.read()


if __name__ == "__main__":
    harness.main()
