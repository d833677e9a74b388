"""What the tests of the tools that change files share: one host, a daemon whose clients may write,
and what has to hold after each test: nothing is left behind on the host."""

import os
import time
import unittest

import harness
import schema

LIMIT = 65536  # max_file_size

as_root = unittest.skipUnless(os.geteuid() == 0, "only root can do that")


class ChangeTest(harness.ScoutTest):
    config = ""
    role = "operator"

    @classmethod
    def setUpClass(cls):
        if cls is ChangeTest:
            return
        cls.make_folder()
        cls.fleet = cls.make_fleet(1, SetEnv=f"HOME={cls.folder}")
        cls.files = cls.fleet.path("demo1")
        cls.daemon = cls.make_daemon(
            cls.fleet.ssh_config,
            f'role = "{cls.role}"\nmax_file_size = {LIMIT}\n{cls.config}')

    def setUp(self):
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.addCleanup(self.assertNothingLeft)

    def assertNothingLeft(self):
        left = [name for _, _, names in os.walk(self.files) for name in names
                if name.startswith(".scout-")]
        self.assertEqual(left, [])

    def put(self, name, content, mode=None):
        path = self.fleet.write("demo1", name, content)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def target(self, path):
        return "demo1:" + path

    def call(self, name, path, client=None, **arguments):
        result = (client or self.client).tool(name, target=self.target(path), **arguments)
        self.assertSchema(name, result)
        return result

    def assertSchema(self, name, result):
        if not hasattr(type(self), "declared"):
            tools = self.client.request("tools/list")["result"]["tools"]
            type(self).declared = {tool["name"]: tool["outputSchema"] for tool in tools}
        self.assertEqual(schema.errors(self.declared[name], result["structuredContent"]), [])

    def edit(self, path, old, new, **arguments):
        """An edit that has to succeed: its structured content."""
        return self.assertScoutOk(
            self.call("edit", path, old_string=old, new_string=new, **arguments), "edit")

    def duration(self, path):
        """How long an edit of all of `old` in the file takes, in seconds; it is put back."""
        begun = time.monotonic()
        self.edit(path, "old", "new", replace_all=True)
        took = time.monotonic() - begun
        self.assertScoutOk(self.call("undo", path), "undo")
        return took

    def refused(self, name, path, code, *fragments, **arguments):
        """A call that has to fail, and has to change nothing."""
        before = self.state_of(path)
        error = self.assertScoutError(self.call(name, path, **arguments), code, *fragments)
        self.assertEqual(self.state_of(path), before)
        return error

    @staticmethod
    def state_of(path):
        if not os.path.isfile(path):
            return None
        status = os.stat(path)
        with open(path, "rb") as text:
            return text.read(), status.st_mode, status.st_ino, status.st_mtime_ns

    def assertContent(self, path, content):
        with open(path, "rb") as text:
            self.assertEqual(text.read(), content if isinstance(content, bytes)
                             else content.encode())

    def kept_states(self):
        folder = os.path.join(self.daemon.state, "undo")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
