"""resources/read: files and directories in both forms, docker, compose, zfs and the system log, with programs
that say what the real ones say (C.5). Two real sshd's: on t1 these programs are there, on t2 they are not."""

import base64
import json
import os
import subprocess

import harness
import hostile

REMOTE_PROGRAMS = ("docker", "zpool", "zfs", "journalctl")

DOCKER = r'''#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$*" in
"ps -a --format {{.Names}}\t{{.Status}}\t{{.Image}}")
    printf 'plex\tUp 5 days\tplex:latest\nold.one\tExited (0) 2 weeks ago\tbusybox\n' ;;
"logs --tail 100 --timestamps plex") echo "2026-01-02T03:04:05Z started"; echo "2026-01-02T03:04:06Z bad" >&2 ;;
"logs --tail 100 --timestamps quiet") ;;
"logs --tail 100 --timestamps broken") echo "permission denied while trying to connect"; exit 1 ;;
"logs --tail 100 --timestamps "*) echo "Error response from daemon: No such container: $5" >&2; exit 1 ;;
"compose ls --format json") cat "$FAKE_COMPOSE" ;;
"compose -p media logs --tail 100 --timestamps") echo "web-1  | hello" ;;
"compose -p quiet logs --tail 100 --timestamps") echo ;;
"compose -p sick logs --tail 100 --timestamps") echo "some trouble" >&2; exit 1 ;;
"compose -p "*) echo "no configuration file provided: not found" >&2; exit 14 ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac
'''

ZPOOL = r'''#!/bin/sh
case "$*" in
"list -H -o name,size,alloc,free,cap,health")
    printf 'tank\t10T\t4T\t6T\t40%%\tONLINE\nold\t1T\t1T\t0\t99%%\tDEGRADED\n' ;;
"list -H -o name") printf 'tank\nold\n' ;;
"status tank") printf '  pool: tank\n state: ONLINE\n' ;;
"status "*) echo "cannot open '$2': no such pool" >&2; exit 1 ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac
'''

ZFS = r'''#!/bin/sh
case "$*" in
"list -H -r -o name,used,avail,refer,mountpoint tank")
    printf 'tank\t4T\t6T\t96K\t/tank\n'
    printf 'tank/a-very-long-name-of-a-dataset/that-goes-on-and-on/forever\t1G\t6T\t1G\t/tank/x\n' ;;
"list -H -t snapshot "*) i=0; while [ $i -lt 120 ]; do printf 'tank@s%s\t%sK\tMon Jan  5 %s\n' $i $i $i; i=$((i+1)); done ;;
*) echo "cannot open '$7': dataset does not exist" >&2; exit 1 ;;
esac
'''

JOURNALCTL = r'''#!/bin/sh
[ "$*" = "--no-pager -n 100" ] && echo "Jan 05 web systemd[1]: Started."
'''


class ReadsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.tools = cls.make_tools()
        cls.fakes = os.path.join(cls.folder, "fakes")
        cls.log = os.path.join(cls.folder, "docker.log")
        cls.compose = os.path.join(cls.folder, "compose.json")
        for name, text in zip(REMOTE_PROGRAMS, (DOCKER, ZPOOL, ZFS, JOURNALCTL)):
            cls.program(cls.fakes, name, text)
        cls.fleet = cls.make_fleet(2)
        cls.environment("demo1", PATH=f"{cls.fakes}:{cls.tools}", FAKE_LOG=cls.log,
                        FAKE_COMPOSE=cls.compose)
        cls.environment("demo2", PATH=cls.tools)
        entry = cls.fleet.entry
        cls.daemon = cls.make_daemon(cls.write("ssh_config", entry("t1", "demo1") +
            entry("t2", "demo2") + entry("a_b", "demo1") + entry("Mixed", "demo1") +
            entry("down", "demo1", Port=hostile.closed_port())), "max_file_size = 20000\n")
        cls.client = cls.daemon.client()
        cls.addClassCleanup(cls.client.close)

    @classmethod
    def make_tools(cls):
        """Every program of this machine but those that the tests are about."""
        tools = os.path.join(cls.folder, "tools")
        os.mkdir(tools)
        for name in os.listdir("/usr/bin"):
            if name not in REMOTE_PROGRAMS:
                os.symlink(os.path.join("/usr/bin", name), os.path.join(tools, name))
        return tools

    @classmethod
    def program(cls, folder, name, text):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(os.path.join(folder, name), 0o755)

    @classmethod
    def environment(cls, name, **variables):
        """What commands on the host find in their environment."""
        cls.fleet.down(name)
        config = cls.fleet.home(name, "sshd_config")
        with open(config, "a", encoding="utf-8") as out:
            out.write("SetEnv " + " ".join(f"{key}={value}" for key, value in variables.items()) + "\n")
        cls.fleet.up(name)

    def ask(self, uri, client=None):
        return (client or self.client).request("resources/read", {"uri": uri}, 20)

    def read(self, uri, client=None):
        answer = self.ask(uri, client)
        self.assertIn("result", answer, answer)
        self.assertEqual(len(answer["result"]["contents"]), 1)
        content = answer["result"]["contents"][0]
        self.assertEqual(content["uri"], uri)
        return content

    def text(self, uri, mime="text/plain"):
        content = self.read(uri)
        self.assertEqual(content["mimeType"], mime)
        return content["text"]

    def refused(self, uri, code, name, *fragments, client=None):
        answer = self.ask(uri, client)
        self.assertRpcError(answer, code)
        self.assertEqual(answer["error"]["data"]["code"], name, answer)
        for fragment in fragments:
            self.assertIn(fragment, answer["error"]["message"])
        return answer["error"]

    # --- files ---------------------------------------------------------------------------------

    def test_c5_48_a_file_in_both_forms(self):
        path = self.fleet.write("demo1", "note.md", "# Note\n")
        for uri in ("scout://t1" + path, "t1:/" + path, "t1://" + path[1:].replace("/", "%2F"),
                    "T1:/" + path, "scout://T1" + path, "scout://a_b" + path,
                    "scout://a%5Fb" + path, "mixed:/" + path):
            with self.subTest(uri=uri):
                content = self.read(uri)
                self.assertEqual((content["text"], content["mimeType"]), ("# Note\n", "text/markdown"))
                self.assertEqual(content["_meta"]["scoutd/size"], 7)
                self.assertRegex(content["_meta"]["scoutd/etag"], r'^"[0-9a-f]+-7"$')
                self.assertRegex(content["_meta"]["scoutd/lastModified"], r"^20\d\d-\d\d-\d\dT.*Z$")
                self.assertIs(content["_meta"]["scoutd/truncated"], False)

    def test_what_a_read_has_in_each_revision(self):
        path = self.fleet.write("demo1", "plain", "x")
        modern = self.ask("t1:/" + path)["result"]
        self.assertEqual((modern["resultType"], modern["ttlMs"], modern["cacheScope"]),
                         ("complete", 0, "private"))
        for version in harness.LEGACY:
            with self.daemon.client() as legacy:
                legacy.initialize(version)
                result = self.ask("t1:/" + path, legacy)["result"]
                self.assertEqual(sorted(result), ["contents"])
                self.assertEqual(result["contents"][0]["text"], "x")

    def test_a_directory(self):
        self.fleet.write("demo1", "dir/a file", "x")
        uri = "scout://t1" + self.fleet.path("demo1", "dir")
        lines = self.text(uri).splitlines()
        self.assertTrue(lines[0].startswith("total "), lines)
        self.assertTrue(lines[-1].endswith(" a file"), lines)

    def test_bytes_are_a_blob(self):
        image = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
        for name, content, mime in (("x.PNG", image, "image/png"), ("bytes", b"a\0b", "application/octet-stream"),
                                    ("nul.txt", b"a\0b", "application/octet-stream"),
                                    ("words.gz", b"no NUL", "application/gzip")):
            with self.subTest(name=name):
                got = self.read("scout://t1" + self.fleet.write("demo1", name, content))
                self.assertEqual(got["mimeType"], mime)
                self.assertNotIn("text", got)
                self.assertEqual(base64.b64decode(got["blob"], validate=True), content)

    def test_ill_formed_utf8_is_text(self):
        self.assertEqual(self.text("scout://t1" + self.fleet.write("demo1", "latin", b"gr\xfcn")), "gr�n")

    def test_a_long_file_is_cut_and_says_so(self):
        path = self.fleet.write("demo1", "long.txt", "x" * 20001)
        content = self.read("scout://t1" + path)
        self.assertEqual(content["text"], "x" * 20000 + "\n\n[truncated at 20000 bytes]")
        self.assertIs(content["_meta"]["scoutd/truncated"], True)
        self.assertEqual(content["_meta"]["scoutd/size"], 20001)
        content = self.read("scout://t1" + self.fleet.write("demo1", "long.bin", b"\0" * 30000))
        self.assertEqual(len(base64.b64decode(content["blob"])), 20000)
        self.assertIs(content["_meta"]["scoutd/truncated"], True)

    def test_names_that_have_to_be_encoded(self):
        path = self.fleet.write("demo1", "a b?#%41ü", "odd\n")
        self.assertEqual(self.text("scout://t1" + os.path.dirname(path) + "/a%20b%3f%23%2541%C3%BC"), "odd\n")
        self.assertEqual(self.text("scout://t1" + os.path.dirname(path) + "/a%20b%3F%23%2541ü"), "odd\n")

    # --- errors --------------------------------------------------------------------------------

    def test_c5_49_unknown_host_and_missing_path(self):
        for version, code in ((None, -32602), *((version, -32002) for version in harness.LEGACY)):
            with self.subTest(version=version), self.daemon.client() as client:
                if version:
                    client.initialize(version)
                for uri, name, text in (
                        ("scout://nowhere/etc", "unknown-host",
                         "Unknown host 'nowhere'. Available: Mixed, a_b, down, t1, t2"),
                        ("nowhere://docker", "unknown-host", "Unknown host 'nowhere'"),
                        ("scout://t1/nope/x", "path-not-found", "Path not found: /nope/x"),
                        ("t1://nope", "path-not-found", "Path not found: /nope"),
                        ("hosts://other", "path-not-found", "Unknown resource: 'hosts://other'"),
                        ("ui://scout/x", "path-not-found", "Unknown resource")):
                    error = self.refused(uri, code, name, text, client=client)
                    self.assertEqual(error["data"]["uri"], uri)

    def test_a_host_that_does_not_answer(self):
        error = self.refused("scout://down/etc", -32603, "connect-failed", "down")
        self.assertEqual(error["data"]["stage"], "connecting")
        self.refused("down://docker", -32603, "connect-failed")

    def test_hostile_uris(self):
        for uri, text in (("", "Invalid URI"), ("t1", "Invalid URI"), ("t1:/etc/passwd", "Invalid URI"),
                          ("file:///etc/passwd", None), ("scout:///etc", "Host cannot be empty"),
                          ("t1://../etc", "Path traversal not allowed"),
                          ("t1://a%2F%2E%2E%2Fb", "Path traversal not allowed"),
                          ("t1://a%00", "null byte"), ("t1://%", "hexadecimal"),
                          ("t1://a?b=c", "percent-encoded"), ("t1://%c0%ae%c0%ae/x", "UTF-8"),
                          ("t1://docker/a;id/logs", "Invalid container name: 'a;id'"),
                          ("t1://docker//logs", "Container name cannot be empty"),
                          ("t1://compose/a%20b", "Invalid project name: 'a b'"),
                          ("t1://zfs/-v", "Invalid pool name: '-v'"), ("x" * 20000, None),
                          ("scout://t1/" + "x" * 9000, None)):
            with self.subTest(uri=uri[:40]):
                answer = self.ask(uri)
                self.assertRpcError(answer, -32602)
                self.assertIn(text or "", answer["error"]["message"])
        for params in ({}, {"uri": 7}, {"uri": None}, {"uri": ["t1://x"]}):
            self.assertRpcError(self.client.request("resources/read", params), -32602)

    def test_a_fifo_is_not_opened(self):
        path = self.fleet.path("demo1", "fifo")
        os.mkfifo(path)
        self.addCleanup(os.remove, path)
        self.refused("scout://t1" + path, -32603, "not-a-regular-file")

    # --- docker and compose --------------------------------------------------------------------

    def test_docker(self):
        self.assertEqual(self.text("t1://docker"), (
            "# Docker Containers on t1\n" + "=" * 50 + "\n\n"
            "● plex\n    Status: Up 5 days\n    Image:  plex:latest\n    Logs:   t1://docker/plex/logs\n\n"
            "○ old.one\n    Status: Exited (0) 2 weeks ago\n    Image:  busybox\n"
            "    Logs:   t1://docker/old.one/logs\n\n"))

    def test_docker_logs(self):
        self.assertEqual(self.text("t1://docker/plex/logs"),
                         "2026-01-02T03:04:05Z started\n2026-01-02T03:04:06Z bad\n")
        self.assertEqual(self.text("t1://docker/quiet/logs"), "(no logs available)")
        self.refused("t1://docker/nope/logs", -32602, "path-not-found",
                     "Container 'nope' not found on t1. Use t1://docker to see available containers.")
        self.refused("t1://docker/broken/logs", -32603, "remote-failure",
                     "Docker error on t1: permission denied while trying")

    def projects(self, *projects):
        with open(self.compose, "w", encoding="utf-8") as out:
            json.dump([dict(zip(("Name", "Status", "ConfigFiles"), project)) for project in projects], out)

    def test_compose(self):
        self.projects(("media", "running(3)", "/srv/media/compose.yaml"), ("old", "exited(1)", "/x.yml"))
        self.assertEqual(self.text("t1://compose"), (
            "# Docker Compose Projects on t1\n" + "=" * 50 + "\n\n"
            "● media\n    Status: running(3)\n    Config: /srv/media/compose.yaml\n"
            "    View:   t1://compose/media\n    Logs:   t1://compose/media/logs\n\n"
            "○ old\n    Status: exited(1)\n    Config: /x.yml\n"
            "    View:   t1://compose/old\n    Logs:   t1://compose/old/logs\n\n"))
        for text in ("", "[]", "not JSON", '{"Name":"x"}', '[{"Name":7}]', "[" * 5000):
            with self.subTest(text=text[:20]):
                with open(self.compose, "w", encoding="utf-8") as out:
                    out.write(text)
                self.assertEqual(self.text("t1://compose"), "# Docker Compose Projects on t1\n\n"
                                 "No projects found (or Docker Compose not available).")

    def test_compose_file(self):
        one = self.fleet.write("demo1", "compose.yaml", "services: {}\n")
        two = self.fleet.write("demo1", "override.yaml", "x: 1\n")
        self.projects(("media", "running(1)", one), ("both", "running(1)", f"{one},{two}"),
                      ("gone", "exited(1)", "/nope/compose.yaml"), ("none", "running(1)", ""))
        self.assertEqual(self.text("t1://compose/media", "text/yaml"),
                         f"# Compose: media@t1\n# File: {one}\n\nservices: {{}}\n")
        self.assertEqual(self.text("t1://compose/both", "text/yaml"),
                         f"# Compose: both@t1\n# File: {one}\n\nservices: {{}}\n\n# File: {two}\n\nx: 1\n")
        self.refused("t1://compose/gone", -32602, "path-not-found",
                     "Cannot read compose file: /nope/compose.yaml")
        for name in ("nope", "none"):
            self.refused("t1://compose/" + name, -32602, "path-not-found", f"Compose project '{name}' not "
                         "found on t1. Use t1://compose to see available projects.")

    def test_a_compose_file_is_read_by_policy(self):
        """Whatever docker says where the file is, the read deny-list holds."""
        secret = self.fleet.write("demo1", ".env", "PASSWORD=hunter2\n")
        link = self.fleet.path("demo1", "linked.yaml")
        os.symlink(secret, link)
        self.addCleanup(os.remove, link)
        self.projects(("direct", "running(1)", secret), ("linked", "running(1)", link),
                      ("shadow", "running(1)", "/etc/shadow"), ("up", "running(1)", "/srv/../etc/passwd"))
        for name in ("direct", "linked", "shadow"):
            error = self.refused("t1://compose/" + name, -32603, "policy-denied")
            self.assertNotIn("hunter2", error["message"])
        self.refused("t1://compose/up", -32602, "invalid-argument", "Path traversal not allowed")

    def test_compose_logs(self):
        self.assertEqual(self.text("t1://compose/media/logs"), "web-1  | hello\n")
        self.assertEqual(self.text("t1://compose/quiet/logs"), "(no logs available)")
        self.assertEqual(self.text("t1://compose/sick/logs"), "some trouble\n")
        self.refused("t1://compose/nope/logs", -32602, "path-not-found",
                     "Compose project 'nope' not found on t1. Use t1://compose to see available projects.")

    # --- zfs, and the system log ---------------------------------------------------------------

    def test_zfs(self):
        self.assertEqual(self.text("t1://zfs"), (
            "# ZFS Overview: t1\n" + "=" * 50 + "\n\n## Pools\n\n"
            "● tank (ONLINE)\n    Size: 10T\n    Used: 4T (40%)\n    Free: 6T\n    View: t1://zfs/tank\n\n"
            "○ old (DEGRADED)\n    Size: 1T\n    Used: 1T (99%)\n    Free: 0\n    View: t1://zfs/old\n\n"
            "## Quick Links\n\n  Snapshots: t1://zfs/snapshots\n"
            "  Datasets:  t1://zfs/tank/datasets\n  Datasets:  t1://zfs/old/datasets\n"))

    def test_zfs_pool(self):
        self.assertEqual(self.text("t1://zfs/tank"),
                         "# ZFS Pool: tank@t1\n\n  pool: tank\n state: ONLINE\n")
        self.refused("t1://zfs/nope", -32602, "path-not-found",
                     "Pool 'nope' not found on t1. Available pools: tank, old")

    def test_zfs_datasets(self):
        lines = self.text("t1://zfs/tank/datasets").splitlines()
        self.assertEqual(lines[2], "NAME".ljust(50) + "    USED    AVAIL    REFER MOUNTPOINT")
        self.assertEqual(lines[3], "-" * 90)
        self.assertEqual(lines[4], "tank".ljust(50) + "      4T       6T      96K /tank")
        name = "tank/a-very-long-name-of-a-dataset/that-goes-on-and-on/forever"
        self.assertEqual(lines[5], ("..." + name[-45:]).ljust(50) + "      1G       6T       1G /tank/x")
        self.refused("t1://zfs/nope/datasets", -32602, "path-not-found", "Pool 'nope' not found or has no "
                     "datasets on t1. Use t1://zfs to see available pools.")

    def test_zfs_snapshots(self):
        lines = self.text("t1://zfs/snapshots").splitlines()
        self.assertEqual(lines[:3], ["# ZFS Snapshots on t1", "", "(showing last 50 snapshots)"])
        self.assertEqual(lines[4:6], ["tank@s70", "      Used: 70K        Created: Mon Jan  5 70"])
        self.assertEqual(lines[-2], "tank@s119")
        self.assertEqual(len(lines), 4 + 2 * 50)

    def test_syslog(self):
        self.assertEqual(self.text("t1://syslog"),
                         "# /var/log/syslog (journalctl)\n\nJan 05 web systemd[1]: Started.\n")

    def test_c5_52_a_host_without_any_of_it(self):
        unavailable = ("# ZFS on t2\n\nZFS is not available on this host.\n\nThis host either does not "
                       "have ZFS installed or the zpool command is not accessible.")
        self.assertEqual(self.text("t2://docker"), "# Docker Containers on t2\n\n"
                         "No containers found (or Docker not available).")
        self.assertEqual(self.text("t2://compose"), "# Docker Compose Projects on t2\n\n"
                         "No projects found (or Docker Compose not available).")
        for path in ("zfs", "zfs/tank", "zfs/tank/datasets", "zfs/snapshots"):
            self.assertEqual(self.text("t2://" + path), unavailable)
        self.refused("t2://docker/x/logs", -32603, "remote-failure", "Docker error on t2: ")
        self.refused("t2://compose/x", -32602, "path-not-found", "Compose project 'x' not found on t2")
        self.assertEqual(self.text("t2://compose/x/logs"), self.text("t2://compose"))

    def test_a_docker_without_compose_has_no_logs_of_projects(self):
        """It says how it is used, which nobody is to take for logs."""
        self.addCleanup(self.program, self.fakes, "docker", DOCKER)
        for said, status in (("unknown shorthand flag: 'p' in -p\nSee 'docker --help'.\n\nUsage:  docker [OPTIONS] COMMAND", 125),
                             ("docker: 'compose' is not a docker command.\nSee 'docker --help'", 1),
                             ("docker: unknown command: docker compose\n\nRun 'docker --help' for more information", 1)):
            with self.subTest(said=said[:20]):
                self.program(self.fakes, "docker", f'#!/bin/sh\ncat >&2 <<"E"\n{said}\nE\nexit {status}\n')
                self.assertEqual(self.text("t1://compose/media/logs"), "# Docker Compose Projects on t1\n\n"
                                 "No projects found (or Docker Compose not available).")

    def test_the_system_log_without_a_journal(self):
        """Whatever this machine has at /var/log/syslog: the end of it, or that there is none."""
        text = self.text("t2://syslog")
        if os.path.isfile("/var/log/syslog") and os.access("/var/log/syslog", os.R_OK):
            self.assertTrue(text.startswith("# /var/log/syslog\n\n"), text)
        else:
            self.assertEqual(text, "System logs are not available on this host.\n\n"
                             "Neither journalctl nor /var/log/syslog is accessible.")

    def test_the_system_log_is_a_file(self):
        """A namespace of its own has /var/log, and no journal."""
        folder = os.path.join(self.folder, "log")
        os.makedirs(folder)
        inside = ["unshare", "-m", "sh", "-c"]
        if subprocess.run([*inside, f"mount --bind {folder} /var/log"], check=False, capture_output=True).returncode:
            self.skipTest("mounting needs root")
        with open(folder + "/messages", "w", encoding="utf-8") as out:
            out.write("".join(f"line {i}\n" for i in range(300)))
        os.symlink("messages", folder + "/syslog")
        fleet = harness.Fleet(os.path.join(self.folder, "jailed"), 1, ForceCommand=self.write(
            "jail", f"#!/bin/sh\nPATH={self.tools}; export PATH\n"
            f"exec unshare -m sh -c 'mount --bind {folder} /var/log; eval \"$SSH_ORIGINAL_COMMAND\"'\n"))
        self.addCleanup(fleet.stop)
        os.chmod(os.path.join(self.folder, "jail"), 0o755)
        daemon = self.make_daemon(fleet.ssh_config, "", "jailed")
        with daemon.client() as client:
            text = self.read("demo1://syslog", client)["text"]
            self.assertEqual(text, "# /var/log/syslog\n\n" + "".join(f"line {i}\n" for i in range(200, 300)))
        for config, name in (('rule "r" { effect = deny  verbs = {read}  paths = {"/var/log/messages"} }', "real"),
                             ('read_deny = {"/var/log/syslog"}', "asked")):
            with self.make_daemon(fleet.ssh_config, config + "\n", name).client() as client:
                self.refused("demo1://syslog", -32603, "policy-denied", client=client)

    # --- hosts ---------------------------------------------------------------------------------

    def test_hosts_list(self):
        text = self.text("hosts://list")
        user = harness.user_name()
        port = self.fleet.port("demo1")
        self.assertTrue(text.startswith("Available SSH Hosts\n" + "=" * 40 + "\n\n[✓] Mixed (online)\n"), text)
        self.assertIn(
            f"[✓] t1 (online)\n    SSH:      {user}@127.0.0.1:{port}\n    Files:    t1://path/to/file\n"
            "    Docker:   t1://docker/{container}/logs\n    Compose:  t1://compose/{project}/logs\n"
            "    ZFS:      t1://zfs\n    Syslog:   t1://syslog\n    Generic:  scout://t1/path/to/file\n\n", text)
        self.assertIn(f"[✓] a_b (online)\n    SSH:      {user}@127.0.0.1:{port}\n"
                      "    Generic:  scout://a_b/path/to/file\n\n", text)
        self.assertIn("[✗] down (offline)\n", text)
        examples = text.split("Usage Examples:\n" + "-" * 40 + "\n")[1].splitlines()
        self.assertEqual(len(examples), 11)
        self.assertEqual(examples[0], "  Mixed://etc/hosts           (files)")
        self.assertEqual(examples[-1], "Both URI formats work identically.")

    # --- policy, records, limits ---------------------------------------------------------------

    def test_policy_is_the_verbs(self):
        config = """
            rule "files" { effect = deny  hosts = {"t2"}  verbs = {query} }
            rule "logs" { effect = deny  verbs = {query}  commands = {"docker logs *"} }
            rule "asked" { effect = confirm  verbs = {query}  commands = {"zpool status *"} }
            rule "private" { effect = deny  verbs = {read}  paths = {"/**/private"} }
        """
        path = self.fleet.write("demo1", "private/x", "secret")
        link = self.fleet.path("demo1", "way")
        os.symlink(path, link)
        self.addCleanup(os.remove, link)
        with self.make_daemon(self.daemon.ssh_config, config, "policy").client() as client:
            self.refused("t2://docker", -32603, "policy-denied", "files", client=client)
            self.refused("t1://docker/plex/logs", -32603, "policy-denied", "logs", client=client)
            self.refused("t1://zfs/tank", -32603, "confirmation-required", client=client)
            self.refused("scout://t1" + path, -32603, "policy-denied", "private", client=client)
            self.refused("scout://t1" + link, -32603, "policy-denied", "private", client=client)
            self.refused("scout://t1/etc/shadow", -32603, "policy-denied", client=client)
            self.assertIn("plex", self.read("t1://docker", client)["text"])
            self.read("scout://t1" + os.path.dirname(path), client)

    def test_who_can_be_asked_is_asked_for_a_persons_word(self):
        config = 'rule "asked" { effect = confirm  verbs = {query}  commands = {"zpool status *"} }\n'
        with self.make_daemon(self.daemon.ssh_config, config, "word").client() as client:
            def read(message_id, **more):
                meta = {**harness.META, harness.META_CAPABILITIES: {"elicitation": {}}}
                client.send_raw(json.dumps({
                    "jsonrpc": "2.0", "id": message_id, "method": "resources/read",
                    "params": {"uri": "t1://zfs/tank", "_meta": meta, **more}}).encode() + b"\n")
                return client.wait(message_id)

            result = read("first")["result"]
            self.assertEqual(result["resultType"], "input_required")
            self.assertNotIn("ttlMs", result)
            question = result["inputRequests"]["approval"]["params"]["message"]
            self.assertIn("scout approve", question)
            answers = {"approval": {"action": "accept", "content": {}}}
            # What was asked is asked anew where the answer is missing, and is none where it is no object.
            more = read("more", inputResponses={"x": {}}, requestState=result["requestState"])["result"]
            self.assertEqual(more["resultType"], "input_required")
            self.assertIn("scout approve", more["inputRequests"]["approval"]["params"]["message"])
            self.assertRpcError(read("bad", inputResponses={"approval": True},
                                     requestState=result["requestState"]), -32602)
            again = read("again", inputResponses=answers, requestState=result["requestState"])
            self.assertEqual(again["error"]["data"]["code"], "confirmation-required")

    def test_a_read_is_on_record_and_in_the_log(self):
        path = self.fleet.write("demo1", "recorded", "x")
        self.read("t1:/" + path)
        self.read("t1://docker")
        self.refused("t1://nope2", -32602, "path-not-found")
        record = f'"tool":"resources/read","verb":"read","host":"t1","path":"{path}","code":"ok"'
        command = '"tool":"resources/read","verb":"query","host":"t1","argv":["docker","ps","-a"'
        with open(self.daemon.state + "/audit.log", encoding="utf-8") as log:
            def has(text):
                log.seek(0)
                return text in log.read()
            harness.wait_until(lambda: has(record), "the record of a file")
            harness.wait_until(lambda: has(command), "the record of a command")
            harness.wait_until(lambda: has('"path":"/nope2","code":"path-not-found"'), "that of a failure")
        self.assertIn("tool=resources/read verb=read host=t1", self.daemon.log())

    def test_many_at_a_time_over_one_login(self):
        path = self.fleet.write("demo1", "many", "x" * 100)
        self.read("t1:/" + path)
        logins = self.fleet.logins("demo1")
        ids = [self.client.send("resources/read", {"uri": "t1:/" + path}) for _ in range(600)]
        for message_id in ids:
            self.assertEqual(self.client.wait(message_id, 20)["result"]["contents"][0]["text"], "x" * 100)
        self.assertEqual(self.fleet.logins("demo1"), logins)

    def test_cancelling_stops_the_command(self):
        pid_file = os.path.join(self.folder, "pid")
        self.program(self.fakes, "journalctl", f"#!/bin/sh\necho $$ > {pid_file}.new\nmv {pid_file}.new {pid_file}\n"
                     "exec sleep 300\n")
        self.addCleanup(self.program, self.fakes, "journalctl", JOURNALCTL)
        with self.daemon.client() as client:
            message_id = client.send("resources/read", {"uri": "t1://syslog"})
            harness.wait_until(lambda: os.path.exists(pid_file), "the command runs")
            with open(pid_file, encoding="ascii") as text:
                pid = int(text.read())
            client.notify("notifications/cancelled", {"requestId": message_id})
            harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "the command is stopped")
            self.assertEqual(client.request("tools/list")["result"]["resultType"], "complete")
            self.assertEqual(client.answers, {})

    def test_a_command_that_hangs_ends_in_time(self):
        self.program(self.fakes, "zpool", "#!/bin/sh\nexec sleep 300\n")
        self.addCleanup(self.program, self.fakes, "zpool", ZPOOL)
        with self.make_daemon(self.daemon.ssh_config, "command_timeout = 1\n", "hang").client() as client:
            error = self.refused("t1://zfs", -32603, "deadline-exceeded", "zpool did not end in time on t1",
                                 client=client)
            self.assertEqual(error["data"]["stage"], "running")

    def test_a_command_that_prints_without_end_is_stopped(self):
        self.program(self.fakes, "docker", "#!/bin/sh\nexec yes 0123456789\n")
        self.addCleanup(self.program, self.fakes, "docker", DOCKER)
        text = self.text("t1://docker/plex/logs")
        self.assertTrue(text.startswith("0123456789\n"))
        self.assertTrue(text.endswith("\n\n[truncated at 20000 bytes]"))
        self.assertLess(len(text), 20100)

    def test_what_a_host_prints_is_only_text(self):
        self.program(self.fakes, "docker", "#!/bin/sh\nprintf 'a\\001\\377\\t\"Up\"\\033[31m\\n\\t\\t\\t\\t\\n\\n"
                     "\\tx\\342\\200\\256y'\n")
        self.addCleanup(self.program, self.fakes, "docker", DOCKER)
        content = self.read("t1://docker")
        self.assertIn('● a␁�\n    Status: "Up"\n    Image:  \n', content["text"])
        self.assertIn("x<U+202E>y", content["text"])
        self.assertNotIn("\x1b", content["text"])
        self.assertEqual(content["_meta"], {"scoutd/neutralised": 4})  # the name is there twice
        self.program(self.fakes, "docker", "#!/bin/sh\nprintf 'no \\033[31mway\\342\\200\\256'; exit 1\n")
        self.refused("t1://docker/x/logs", -32603, "remote-failure", "Docker error on t1: no way<U+202E>")


if __name__ == "__main__":
    harness.main()
