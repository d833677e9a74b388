"""Real MCP clients drive the daemon over HTTP."""

import harness
import real_clients
from http_client import HttpDaemon


class OverHttp(real_clients.RealClients):
    scheme = "http"

    @classmethod
    def setUpClass(cls):
        cls.prepare()
        cls.daemon = HttpDaemon(cls.folder, cls.fleet.ssh_config,
                                real_clients.CONFIG + cls.more_config())
        cls.addClassCleanup(cls.daemon.stop)
        cls.daemon.start()
        cls.control = cls.daemon.socket.replace(".sock", "-control.sock")
        cls.server = (f"{cls.scheme}://127.0.0.1:{cls.daemon.port}/mcp",)
        cls.environment["SCOUT_TOKEN"] = cls.daemon.token()

    @classmethod
    def more_config(cls):
        return ""


class HttpTest(OverHttp, harness.ScoutTest):
    pass


if __name__ == "__main__":
    harness.main()
