"""The daemon's log: whole, soon, and towards a reader that does not read."""

import os
import re
import subprocess
import threading

import harness

CALLS = 20000


class LogTest(harness.ScoutTest):
    def test_a_reader_that_stalls_stops_nobody_and_learns_what_it_missed(self):
        self.make_folder()
        self.addCleanup(self.doClassCleanups)
        daemon = harness.Daemon(
            self.folder, self.write("ssh_config", "Host web1\n  HostName 127.0.0.1\n  Port 1\n"))
        reader, writer = os.pipe()
        daemon.process = subprocess.Popen(
            daemon.command(), stdin=subprocess.DEVNULL, stdout=writer, stderr=writer,
            env=harness.clean_environment(self.folder), preexec_fn=harness.die_with_parent)
        os.close(writer)
        self.addCleanup(daemon.kill)
        harness.wait_until(lambda: os.path.exists(daemon.socket), "it listens", harness.READY_S)
        with harness.wait_until(lambda: self.connect(daemon), "it answers") as client:
            self.calls(client, CALLS)
            pieces = []
            thread = threading.Thread(target=self.read, args=(reader, pieces))
            thread.start()
            harness.wait_until(lambda: b"request" in b"".join(pieces[-1:]), "the log goes on")
            harness.wait_until(lambda: self.told(client, pieces), "what was lost is told")
        daemon.process.terminate()
        self.assertEqual(daemon.ends(), 0)
        thread.join()
        lines = b"".join(pieces).decode().splitlines()
        lost = sum(int(number) for number in re.findall(r" records_lost=(\d+)", "\n".join(lines)))
        made = sum(" info  request " in line for line in lines)
        self.assertGreater(lost, 0)
        self.assertEqual(made + lost, self.count)

    def test_records_that_gather_are_written_without_another(self):
        self.make_folder()
        self.addCleanup(self.doClassCleanups)
        daemon = self.make_daemon(
            self.write("ssh_config", "Host web1\n  HostName 127.0.0.1\n  Port 1\n"))
        with daemon.client() as client:
            for count in range(100, 400, 100):
                for _ in range(100):
                    client.scout("nobody:/x")
                # Nothing follows: what has gathered must not wait for it.
                harness.wait_until(lambda: daemon.log().count(" request ") == count,
                                   "all of it is written")

    @staticmethod
    def connect(daemon):
        try:
            return daemon.client()
        except OSError:
            return None

    count = 0

    def calls(self, client, count):
        """So many calls, 100 at a time."""
        for start in range(0, count, 100):
            sent = [client.send("tools/call", {"name": "scout", "arguments": {
                "target": "hosts", "probe": False}}) for _ in range(min(100, count - start))]
            for message_id in sent:
                client.wait(message_id)
            self.count += len(sent)

    def told(self, client, pieces):
        self.calls(client, 1)
        return b"records_lost=" in b"".join(pieces)

    @staticmethod
    def read(reader, pieces):
        while True:
            piece = os.read(reader, 1 << 20)
            if not piece:
                break
            pieces.append(piece)
        os.close(reader)


if __name__ == "__main__":
    harness.main()
