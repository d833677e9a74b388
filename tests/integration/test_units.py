"""What `cmake --install` lays down, and the units in it: valid, and hardened as far as promised."""

import configparser
import os
import re
import shutil
import subprocess
import unittest

import harness

ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_MAX = 2.0


def settings(path):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",),
                                          comment_prefixes=("#",))
    parser.optionxform = str
    parser.read(path, encoding="utf-8")
    return parser


class UnitsTest(harness.ScoutTest):
    @classmethod
    def setUpClass(cls):
        cls.make_folder()
        cls.root = os.path.join(cls.folder, "root")
        subprocess.run(["cmake", "--install", harness.BUILD, "--prefix", "/usr"], check=True,
                       capture_output=True, timeout=60, env={**os.environ, "DESTDIR": cls.root})

    def at(self, *below):
        return os.path.join(self.root, "usr", *below)

    def unit(self, *below):
        return settings(self.at("lib", "systemd", *below))

    def test_what_is_installed(self):
        for path in ("bin/scoutd", "bin/scout", "lib/systemd/system/scoutd.service",
                     "lib/systemd/system/scoutd.socket", "lib/systemd/user/scoutd.service",
                     "lib/systemd/system/scoutd-operator.socket", "lib/systemd/user/scoutd.socket",
                     "lib/sysusers.d/scoutd.conf", "lib/tmpfiles.d/scoutd.conf",
                     "share/doc/scoutd/examples/scoutd.conf"):
            self.assertTrue(os.path.exists(self.at(path)), path)
        self.assertEqual(os.listdir(self.root), ["usr"])  # nothing of an administrator's
        told = subprocess.run([self.at("bin", "scoutd"), "--version"], check=True,
                              capture_output=True, text=True, timeout=30)
        self.assertRegex(told.stdout, r"^scoutd \d")

    def test_sockets_and_roles_fit_together(self):
        """Each system socket has its group, and its name a role in the example."""
        example = self.at("share", "doc", "scoutd", "examples")
        told = subprocess.run([harness.SCOUTD, "--check-config",
                               "--config", os.path.join(example, "scoutd.conf"),
                               "--ssh-config", os.path.join(example, "ssh_config")],
                              check=True, capture_output=True, text=True, timeout=30,
                              env=harness.clean_environment(self.folder))
        roles = dict(re.findall(r'socket "(\w+)" { role = (\w+) }', told.stdout))
        self.assertEqual(roles, {"scoutd": "reader", "operator": "operator"})
        with open(self.at("lib", "sysusers.d", "scoutd.conf"), encoding="utf-8") as text:
            groups = set(re.findall(r"^[gu] (\S+)", text.read(), re.M))
        paths = set()
        for name, role in (("scoutd.socket", "scoutd"), ("scoutd-operator.socket", "operator")):
            unit = self.unit("system", name)["Socket"]
            self.assertEqual(unit["FileDescriptorName"], role)
            self.assertEqual(unit["SocketMode"], "0660")
            self.assertIn(unit["SocketGroup"], groups)
            paths.add(unit["ListenStream"])
        self.assertEqual(len(paths), 2)
        service = self.unit("system", "scoutd.service")["Service"]
        self.assertIn(service["User"], groups)
        # It would take the sockets away from their groups.
        self.assertNotIn("RuntimeDirectory", service)
        self.assertEqual(service["ReadWritePaths"], "/run/scoutd")
        with open(self.at("lib", "tmpfiles.d", "scoutd.conf"), encoding="utf-8") as text:
            self.assertIn("d /run/scoutd 0755 scoutd scoutd", text.read())
        self.assertIn("--socket /run/scoutd/scoutd.sock ", service["ExecStart"])
        user = self.unit("user", "scoutd.socket")["Socket"]
        self.assertEqual((user["FileDescriptorName"], user["SocketMode"], user["ListenStream"]),
                         ("scoutd", "0600", "%t/scoutd/scoutd.sock"))

    def copies(self, kind):
        """The unit files in a folder of their own, with a program that is there."""
        folder = os.path.join(self.folder, kind)
        shutil.copytree(self.at("lib", "systemd", kind), folder)
        service = os.path.join(folder, "scoutd.service")
        with open(service, encoding="utf-8") as text:
            unit = re.sub(r"^ExecStart=\S+", f"ExecStart={self.at('bin', 'scoutd')}", text.read(),
                          flags=re.M)
        unit = re.sub(r"^Documentation=.*\n", "", unit, flags=re.M)
        with open(service, "w", encoding="utf-8") as out:
            out.write(unit)
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def analyze(self, *arguments):
        return subprocess.run([ANALYZE, *arguments], check=False, capture_output=True, text=True,
                              timeout=60, env={**os.environ, "SYSTEMD_PAGER": ""})

    @unittest.skipUnless(ANALYZE, "systemd-analyze is not there")
    def test_the_units_are_valid(self):
        for kind in ("system", "user"):
            told = self.analyze("verify", "--man=no", *self.copies(kind))
            self.assertEqual((told.returncode, told.stderr), (0, ""))

    @unittest.skipUnless(ANALYZE, "systemd-analyze is not there")
    def test_exposure(self):
        told = self.analyze("security", "--offline=true", "--no-pager",
                            self.at("lib", "systemd", "system", "scoutd.service"))
        exposure = re.search(r"Overall exposure level for scoutd.service: ([0-9.]+)", told.stdout)
        self.assertTrue(exposure, told.stdout + told.stderr)
        self.assertLess(float(exposure[1]), EXPOSURE_MAX, told.stdout)


if __name__ == "__main__":
    harness.main()
