"""What the calls of one client hold in the daemon's memory together stays within max_client_bytes:
they wait for each other, and all are answered."""

import os

import harness
from harness import text_of

MIB = 1024 * 1024
PART = 100000  # bytes: more than what is not counted
CALLS = 256  # in flight at a time, as many as one connection may have


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM:")).split()[1])


class HoldingsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.line = "x" * 63
        cls.lines = 4 * MIB // 64
        cls.large = cls.write("large", (cls.line + "\n") * (cls.lines - 1) + "the last one\n")

    def start(self, name, limit, config=""):
        daemon = self.make_daemon(self.fleet.ssh_config, 'role = "operator"\ncall_timeout = 120\n'
                                  f"max_client_bytes = {limit}\n" + config, name=name)
        self.addCleanup(daemon.stop)
        return daemon

    def growth_mib(self, daemon, tool, arguments, check):
        """By how much its memory has grown at most, while so many calls are under way."""
        with daemon.client().raw() as client:
            check(client.tool(tool, timeout=60, **arguments))
            before = peak_kib(daemon.process.pid)
            sent = [client.send("tools/call", {"name": tool, "arguments": arguments})
                    for _ in range(CALLS)]
            for message in sent:
                check(client.result(message, 120))
            return (peak_kib(daemon.process.pid) - before) / 1024

    def one_line(self, result):
        self.assertFalse(result.get("isError"), text_of(result)[:300])
        self.assertIn("the last one", text_of(result))

    def test_many_looks_into_a_large_file(self):
        """Each reads it block by block for one line: the answers are small, what is held is not."""
        arguments = {"target": "demo1:" + self.large, "offset": self.lines, "limit": 1}
        grown = self.growth_mib(self.start("bounded", 16 * MIB), "read", arguments, self.one_line)
        self.assertLess(grown, 96)

    def test_many_large_files(self):
        """Whole ones: all answers together are below what may wait for a slow client (64 MiB)."""
        part = self.write("part", "y" * PART)

        def whole(result):
            self.assertEqual(len(result["structuredContent"]["text"]), PART, text_of(result)[:300])
        daemon = self.start("whole", MIB)
        self.growth_mib(daemon, "scout", {"target": "demo1:" + part}, whole)

    def test_many_commands_that_print_much(self):
        """They stand still until it is their turn."""
        def printed(result):
            self.assertEqual(result["structuredContent"]["exit_code"], 0, text_of(result)[:300])
            self.assertEqual(len(result["structuredContent"]["stdout"]), 300000)
        daemon = self.start("commands", MIB, "max_file_size = 400000\n")
        with daemon.client().raw() as client:
            sent = [client.send("tools/call", {"name": "run", "arguments": {
                "host": "demo1", "command": "head -c 300000 /dev/zero | tr '\\0' z"}})
                for _ in range(24)]
            for message in sent:
                printed(client.result(message, 60))

    def test_one_alone_may_have_more_than_the_limit(self):
        daemon = self.start("alone", MIB, "max_file_size = 4194304\n")
        with daemon.client().raw() as client:
            result = client.scout("demo1:" + self.large)
            self.assertEqual(len(result["structuredContent"]["text"]), os.path.getsize(self.large))


if __name__ == "__main__":
    harness.main()
