"""A program on a terminal of its own, typed to and read by a test."""

import os
import pty
import select
import termios
import time

import harness


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, environment):
        self.said = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            harness.die_with_parent()
            os.execve(command[0], command, environment)
        self.status = None

    def wait_for(self, text, count=1):
        """Reads until it has said `text` that often."""
        end = time.monotonic() + harness.READY_S
        while self.said.count(text.encode()) < count:
            ready = select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0]
            if not ready or not self._read():
                raise AssertionError(f"waited in vain for {text!r}: {self.said!r}")

    def _read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # EIO: nobody has the terminal open any more
            data = b""
        self.said += data
        return data

    def type(self, text):
        os.write(self.fd, text.encode() + b"\n")

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def ends(self):
        """Its exit status, negative for a signal, and all it said."""
        end = time.monotonic() + harness.READY_S
        while select.select([self.fd], [], [], max(end - time.monotonic(), 0))[0] and self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status), self.said.decode()
