"""Real MCP clients drive `scout mcp`, which starts the daemon."""

import os
import shlex
import signal

import harness
import real_clients
from real_clients import READ

MCP = (harness.SCOUT, "mcp")


class RealClientTest(real_clients.RealClients, harness.ScoutTest):
    server = MCP

    @classmethod
    def setUpClass(cls):
        cls.prepare()
        cls.state = os.path.join(cls.folder, "state")
        cls.control = os.path.join(cls.folder, "s-control.sock")
        cls.environment.update(
            SCOUT_SOCKET=os.path.join(cls.folder, "s.sock"), SCOUT_STATE_DIR=cls.state,
            SCOUT_CONFIG=cls.write("scoutd.conf", real_clients.CONFIG),
            SCOUT_SSH_CONFIG=cls.fleet.ssh_config)
        cls.addClassCleanup(cls.end_daemon)

    @classmethod
    def end_daemon(cls):
        lock = os.path.join(cls.state, "lock")
        pid = harness.lock_holder(lock)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            harness.wait_until(lambda: harness.lock_holder(lock) is None, "the daemon ends")

    def test_through_a_bastion(self):
        """ssh -T bastion scout mcp, as the client's command."""
        paths = [f"{name}={value}" for name, value in self.environment.items()
                 if name.startswith("SCOUT_")]
        remote = shlex.join(["env", *paths, harness.SCOUT, "mcp"])
        self.drive("client_legacy.mjs", *READ,
                   server=("ssh", "-T", "-o", "BatchMode=yes", "-F", self.fleet.ssh_config, "demo1",
                           remote))


if __name__ == "__main__":
    harness.main()
