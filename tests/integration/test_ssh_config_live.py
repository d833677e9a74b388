"""Tokens of ssh_config beside a live `ssh -v`: `ssh -G` prints many of them as they are written, so
what ssh really opens and runs is the oracle for what `scout explain` says."""

import json
import os
import re
import subprocess

import harness

TOKENS = "%h %n %p %r %u %i %l %L %k %j %C".split()
KEYWORDS = {  # what ssh -v says of each
    "IdentityFile": r"debug1: identity file (\S+) type",
    "CertificateFile": r"debug1: certificate file (\S+) type",
    "UserKnownHostsFile": r"debug1: load_hostkeys: fopen (\S+?): ",
}


class LiveTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.fleet = cls.make_fleet(1)

    def blocks(self):
        """A host for each token, one with all, and such with %% and a variable."""
        words = {f"t{number}": token for number, token in enumerate(TOKENS)}
        words.update(all="".join(TOKENS), percent="a%%h-%%%h", variable="${LIVE}-%h")
        for alias, word in words.items():
            keywords = {key: f"{self.folder}/{key}-{word}" for key in KEYWORDS}
            yield alias, self.fleet.entry(alias, "demo1", HostKeyAlias="Some-Alias", **keywords)

    def seen_by_ssh(self, path, alias):
        done = subprocess.run(
            ["ssh", "-v", "-F", path, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", alias,
             "true"], check=False, timeout=30, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, env={**harness.clean_environment(self.folder), "LIVE": "alive"})
        return {key: re.findall(line, done.stderr) for key, line in KEYWORDS.items()}

    def test_tokens(self):
        blocks = dict(self.blocks())
        path = self.write("ssh_config", "".join(blocks.values()))
        daemon = self.make_daemon(path, variables={"LIVE": "alive"})
        self.addCleanup(daemon.stop)
        compared = {key: 0 for key in KEYWORDS}
        for alias in blocks:
            told = json.loads(subprocess.run(
                [harness.SCOUT, "explain", alias, "--json"], check=True, timeout=30,
                capture_output=True, env={**harness.clean_environment(self.folder),
                                          "SCOUT_SOCKET": daemon.socket}).stdout)
            self.assertNotIn("refusal", told, alias)
            ours = {row["keyword"]: row["value"] for row in told["values"]}
            for keyword, values in self.seen_by_ssh(path, alias).items():
                if values:
                    with self.subTest(host=alias, keyword=keyword):
                        self.assertEqual(values[0], ours[keyword])
                        compared[keyword] += 1
        self.assertGreaterEqual(min(compared.values()), len(TOKENS), compared)

    def test_tokens_of_a_program_on_the_way(self):
        said = "said h=%h n=%n p=%p r=%r %%h end"
        path = self.write("by.ssh_config", self.fleet.entry("by", "demo1",
                                                 ProxyCommand=f"echo {said} >&2"))
        daemon = self.make_daemon(path, name="by")
        self.addCleanup(daemon.stop)
        done = subprocess.run(["ssh", "-v", "-F", path, "-o", "BatchMode=yes", "by", "true"], check=False,
                              timeout=30, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=harness.clean_environment(self.folder))
        line = re.search("Executing proxy command: .*(said .* end)", done.stderr).group(1)
        self.assertIn("n=by", line)
        with daemon.client() as client:
            self.assertScoutError(client.scout("by:hello.txt"), "connection-lost", line)


if __name__ == "__main__":
    harness.main()
