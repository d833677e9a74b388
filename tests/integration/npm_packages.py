"""Packages of the npm registry, pinned, in a folder of the tree's build: once for all builds of it."""

import fcntl
import os
import shutil
import subprocess

import harness


class NpmFolder:
    """`files` by name are what npm reads there; `install` is its command, within `limit_s`."""

    def __init__(self, name, files, install, limit_s=150):
        self.path = os.path.join(harness.ROOT, "build", name)
        self.files = files
        self.command = ["npm", *install, "--no-audit", "--no-fund", "--ignore-scripts"]
        self.limit_s = limit_s

    def in_modules(self, *names):
        return os.path.join(self.path, "node_modules", *names)

    def install(self):
        """Returns None, or the reason why they are not there."""
        if not shutil.which("npm"):
            return "npm is missing (scripts/deps test installs it)"
        os.makedirs(self.path, exist_ok=True)
        with open(os.path.join(self.path, ".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            mark = os.path.join(self.path, ".installed")
            wanted = "\n".join([*self.command, *self.files.values()])
            if contents(mark) == wanted:
                return None
            for name, text in self.files.items():
                write(os.path.join(self.path, name), text)
            reason = self.run()
            if not reason:
                write(mark, wanted)
            return reason

    def run(self):
        try:
            ended = subprocess.run(self.command, cwd=self.path, check=False, capture_output=True,
                                   text=True, stdin=subprocess.DEVNULL, timeout=self.limit_s)
        except subprocess.TimeoutExpired:
            return f"{self.command[1]} of npm took more than {self.limit_s} s"
        if ended.returncode != 0:
            return f"npm {self.command[1]} failed: " + " ".join(ended.stderr.split())[-300:]
        return None


def of_names(name, packages):
    """A folder with these packages, each `NAME@VERSION`, and what they need as it is now."""
    return NpmFolder(name, {"package.json": '{"private":true}\n'},
                     ["install", "--no-package-lock", *packages])


def contents(path):
    """ "" for a file that is not there."""
    try:
        with open(path, encoding="utf-8") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
