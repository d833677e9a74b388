"""SIGHUP: hosts, policy and limits change while the daemon serves; a wrong file changes nothing."""

import json
import os
import signal
import socket
import subprocess

import harness
from harness import text_of


class ReloadTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(2)
        cls.count = 0

    def setUp(self):
        type(self).count += 1
        name = f"r{self.count}"
        with open(self.fleet.ssh_config, encoding="utf-8") as text:
            self.ssh_config = self.write(name + "_config", text.read())
        self.daemon = harness.Daemon(self.folder, self.ssh_config, "", name)
        self.addCleanup(self.daemon.stop)

    def configure(self, text):
        with open(self.daemon.config, "w", encoding="utf-8") as out:
            out.write(text)

    def events(self, *names):
        return [line for line in self.daemon.log().splitlines()
                if line.split()[2] in names]

    def reload(self, event="reloaded"):
        """Returns the lines that the reload logged."""
        ends = ("reloaded", "unchanged")
        before, count = len(self.events(*ends)), len(self.daemon.log().splitlines())
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: len(self.events(*ends)) > before, "the reload")
        lines = self.daemon.log().splitlines()[count:]
        self.assertEqual(self.events(*ends)[-1].split()[2], event, lines)
        return lines

    def client(self):
        client = self.daemon.client()
        self.addCleanup(client.close)
        return client

    def names(self, client):
        return [host["name"] for host in client.scout("hosts")["structuredContent"]["hosts"]]

    def tools(self, client):
        return {tool["name"] for tool in client.request("tools/list")["result"]["tools"]}

    def test_a_file_that_became_a_pipe_is_refused(self):
        client = self.client_of_started()
        os.remove(self.daemon.config)
        os.mkfifo(self.daemon.config)
        self.assertIn("reload_refused", str(self.reload("unchanged")))
        os.remove(self.daemon.config)
        self.configure('block_hosts = "demo2"\n')
        self.reload()
        self.assertEqual(self.names(client), ["demo1"])

    def test_an_ssh_config_that_became_a_pipe_is_refused(self):
        client = self.client_of_started()
        with open(self.ssh_config, encoding="utf-8") as text:
            before = text.read()
        os.remove(self.ssh_config)
        os.mkfifo(self.ssh_config)
        self.assertIn("no regular file", str(self.reload("unchanged")))
        self.assertEqual(self.names(client), ["demo1", "demo2"])
        os.remove(self.ssh_config)
        with open(self.ssh_config, "w", encoding="utf-8") as out:
            out.write(before.replace("Host demo2", "Host other"))
        self.reload()
        self.assertEqual(self.names(client), ["demo1", "other"])

    def test_hosts(self):
        client = self.client_of_started()
        self.assertEqual(self.names(client), ["demo1", "demo2"])
        with open(self.ssh_config, "a", encoding="utf-8") as out:
            out.write(self.fleet.entry("third", "demo2"))
        self.assertScoutError(client.scout("third:hello.txt"), "unknown-host")
        self.reload()
        self.assertEqual(self.names(client), ["demo1", "demo2", "third"])
        self.assertEqual(text_of(client.scout("third:hello.txt")), "hello from demo2\n")
        self.configure("block_hosts = third\n")
        self.reload()
        self.assertEqual(self.names(client), ["demo1", "demo2"])

    def client_of_started(self):
        self.daemon.start()
        return self.client()

    def test_connections_stay_when_their_host_stays(self):
        client = self.client_of_started()
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
        logins = self.fleet.logins("demo1")
        with open(self.ssh_config, "a", encoding="utf-8") as out:
            out.write("Host another\n  HostName 127.0.0.1\n")
        for _ in range(3):
            self.reload()
            self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
        self.assertEqual(self.fleet.logins("demo1"), logins)

    def test_a_host_whose_configuration_changed_is_reached_anew(self):
        client = self.client_of_started()
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
        self.write(os.path.basename(self.ssh_config), self.fleet.entry("demo1", "demo2"))
        self.reload()
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo2\n")

    def test_limits_and_roles_of_connected_clients(self):
        self.fleet.write("demo1", "long", "0123456789")
        client = self.client_of_started()
        self.assertNotIn("run", self.tools(client))
        self.configure("max_file_size = 4\nrole = operator\n")
        self.reload()
        self.assertEqual(client.scout("demo1:long")["structuredContent"]["text"], "0123")
        self.assertIn("run", self.tools(client))
        self.configure("")
        self.reload()
        self.assertNotIn("run", self.tools(client))
        self.assertEqual(client.scout("demo1:long")["structuredContent"]["text"], "0123456789")

    def test_tool_sets(self):
        """What is not offered is not there, neither in the list nor for a call."""
        client = self.client_of_started()
        target = {"target": "demo1:hello.txt"}

        def code_of(name):
            reply = client.request("tools/call", {"name": name, "arguments": target})
            return reply.get("error", {}).get("code")
        self.assertLessEqual({"scout", "read", "list", "stat"}, self.tools(client))
        for sets, present, absent in (("files", "read", "scout"), ("scout", "scout", "read")):
            self.configure(f'role = operator\ntool_sets = "{sets}"\n')
            self.reload()
            self.assertIn(present, self.tools(client))
            self.assertNotIn(absent, self.tools(client))
            self.assertEqual("run" in self.tools(client), sets == "scout")
            self.assertIsNone(code_of(present))
            self.assertEqual(code_of(absent), -32602)
        self.configure('tool_sets = "none"\n')
        self.assertIn("some of scout, files", str(self.reload("unchanged")))
        self.assertNotIn("read", self.tools(client))

    def test_the_level_of_the_log(self):
        self.configure("log_level = error\n")
        self.daemon.start()
        self.assertEqual(self.daemon.log(), "")
        self.configure("")
        self.reload()

    def test_a_wrong_file_is_refused_and_the_old_stays(self):
        client = self.client_of_started()
        for config, ssh_config, place in (
                ("role = operator\nmax_file_size = many\n", None, self.daemon.config + ":2"),
                ("role = operator\n", "Host x\n  Port many\n", self.ssh_config + ":2")):
            self.configure(config)
            if ssh_config:
                self.write(os.path.basename(self.ssh_config), ssh_config)
            told = [line for line in self.reload("unchanged") if " reload_refused " in line]
            self.assertEqual(len(told), 1)
            self.assertIn(place, told[0])
            self.assertIn(" error ", told[0])
            self.assertNotIn("run", self.tools(client))
            self.assertEqual(self.names(client), ["demo1", "demo2"])
            self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")

    def test_what_needs_a_restart_is_told(self):
        self.daemon.start()
        self.configure("max_connections = 7\nmax_file_size = 7\n")
        told = [line for line in self.reload() if " restart_needed " in line]
        self.assertEqual(len(told), 1)
        self.assertIn("key=max_connections", told[0])

    def test_calls_in_flight_end_under_the_configuration_they_began_with(self):
        self.fleet.write("demo1", "big", "x" * 200_000)
        self.configure("max_file_size = 16000000\n")
        client = self.client_of_started().raw()
        numbers = []
        for _ in range(8):
            numbers += [client.send_scout("demo1:big") for _ in range(4)]
            self.daemon.process.send_signal(signal.SIGHUP)
        for number in numbers:
            self.assertEqual(len(client.result(number, 60)["structuredContent"]["text"]),
                             200_000)
        self.reload()

    def test_many_signals(self):
        client = self.client_of_started()
        for _ in range(200):
            self.daemon.process.send_signal(signal.SIGHUP)
        self.configure("block_hosts = demo1\n")
        self.reload()
        harness.wait_until(lambda: self.names(client) == ["demo2"], "the last state counts")

    def control(self, **request):
        """One request on the control socket; the answer."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(harness.ANSWER_S)
            asked.connect(self.daemon.socket.replace(".sock", "-control.sock"))
            asked.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while piece := asked.recv(65536):
                answer += piece
        return json.loads(answer)

    def test_the_control_socket_goes_by_what_was_read_last(self):
        self.daemon.start()
        key = os.path.join(self.fleet.folder, f"locked{self.count}")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key],
                       check=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(self.control(op="locked")["count"], 0)
        with open(self.ssh_config, "a", encoding="utf-8") as out:
            out.write(self.fleet.entry("locked", "demo2", IdentityFile=key))
        self.reload()
        self.assertEqual([key["path"] for key in self.control(op="locked")["keys"]], [key])
        for _ in range(30):  # requests and readings at once
            self.daemon.process.send_signal(signal.SIGHUP)
            self.assertEqual(self.control(op="locked")["count"], 1)

    def test_a_signal_while_it_ends(self):
        client = self.client_of_started()
        self.assertEqual(text_of(client.scout("demo1:hello.txt")), "hello from demo1\n")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.process.terminate()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.daemon.ends(), 0)


if __name__ == "__main__":
    harness.main()
