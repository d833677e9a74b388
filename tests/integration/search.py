"""What the tests of `glob` and `grep` share: forms of a pattern, and busybox's tools as a host's."""

import os
import re
import subprocess

BUSYBOX = "/bin/busybox"
if not os.path.exists(BUSYBOX):
    BUSYBOX = "/usr/bin/busybox"


def brace_forms(pattern):
    """The forms that braces of one level make."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        return [pattern]
    return [form for part in match[1].split(",")
            for form in brace_forms(pattern[:match.start()] + part + pattern[match.end():])]


def folder_of_tools(parent, name, **links):
    """A folder with links to programs and nothing else; busybox=True: to all of busybox's."""
    folder = os.path.join(parent, name)
    os.makedirs(folder)
    if links.pop("busybox", False):
        applets = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True)
        for applet in applets.stdout.split():
            os.symlink(BUSYBOX, os.path.join(folder, applet))
    for tool, program in links.items():
        os.symlink(program, os.path.join(folder, tool))
    return folder
