#!/usr/bin/python3
"""An SFTP server that means harm, for sshd's `Subsystem`: what it does depends on the names that it is asked for.
With an argument it is a seed: then it answers out of order, and most answers are some odd but well-formed ones."""

import os
import random
import select
import struct
import sys

(INIT, OPEN, CLOSE, READ, LSTAT, FSTAT, OPENDIR, READDIR, REALPATH, STAT, READLINK, EXTENDED) = (
    1, 3, 4, 5, 7, 8, 11, 12, 16, 17, 19, 200)
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EOF, FAILURE = 1, 4
WORDS = b"no \x1b[31m\xff\xe2\x80\xae pass\x1b[0mword=hunter2zz \xc3"
NAMES = (b"..", b".", b"", b"a/b", b"../../etc/passwd", b"/etc/shadow", b"n\x00ul", b"x" * 60000, b"\x1b[31m\xe2\x80\xae\xff",
         b"l\nf", b"token=hunter2abc", b"\xf0\x9f\x98")


def text(content):
    return struct.pack(">I", len(content)) + content


class Server:
    def __init__(self, seed):
        self.random = random.Random(seed) if seed else None
        self.handles, self.read = {}, {}
        self.looks = 0

    def attrs(self, path):
        name = path.rsplit(b"/", 1)[-1]
        size = {b"huge": 1 << 62, b"short": 2000, b"zero": 1000, b"more": 1000, b"few": 100000}.get(name, 10)
        mode = {b"d": 0o040755, b"l": 0o120777}.get(name[:1], 0o104777)
        flags, mtime = 0xf, 1700000000
        if name == b"grow":
            self.looks += 1
            size += self.looks
        if self.random:
            size = self.random.choice((0, 10, 1000, 70000, 300000, 1 << 40))
            mtime = self.random.choice((1, 1, 1, 2))
            flags = 0xf if self.random.random() < 0.9 else self.random.choice((0, 1, 4, 8, 5, 13))
        return struct.pack(">I", flags) + b"".join((
            struct.pack(">Q", size) if flags & 1 else b"", struct.pack(">II", 0, 0) if flags & 2 else b"",
            struct.pack(">I", mode) if flags & 4 else b"", struct.pack(">II", mtime, mtime) if flags & 8 else b""))

    def data(self, handle, offset, length):
        """What is read; None: the end."""
        name = self.handles.get(handle, b"").rsplit(b"/", 1)[-1]
        if self.random:
            if self.random.random() < 0.1 or offset > 400000:
                return None
            length = min(length if self.random.random() < 0.7 else self.random.randrange(1, length + 1), 60000)
            return (self.random.choice((b"A", b"line\n", b"\xff\x00", b"x=1\n")) * length)[:length]
        size = {b"huge": 1 << 62, b"short": 2000, b"zero": 1000, b"more": 1000, b"few": 5000}.get(name, 10)
        if name != b"never" and offset >= size:
            return None
        return b"A" * {b"short": 50, b"zero": 0, b"more": length + 100}.get(name, min(length, size - offset if name != b"never" else length))

    def names(self, handle):
        """What is listed; None: the end."""
        path = self.handles.get(handle, b"")
        self.read[handle] = self.read.get(handle, 0) + 1
        if self.random:
            kinds = (b"d", b"f", b"l")
            return None if self.read[handle] > 3 else [
                self.random.choice(kinds) + b"%d" % self.random.randrange(50) for _ in range(self.random.randrange(20))]
        if path.endswith(b"/dendless"):
            return [b"f%d-%d" % (self.read[handle], n) for n in range(100)]
        return NAMES if self.read[handle] == 1 else None

    def odd(self, number):
        """Rarely, an answer that fits nothing."""
        chance = self.random.random() if self.random else 1
        if chance < 0.01:
            return STATUS, struct.pack(">II", number, self.random.choice((1, 2, 3, 4, 8, 99))) + text(b"m") + text(b"")
        if chance < 0.0105:
            return self.random.choice((HANDLE, DATA, NAME, ATTRS)), struct.pack(">I", number) + text(b"zz")
        return None

    def answer(self, packet):
        kind, number, length = packet[0], *struct.unpack_from(">II", packet, 1)
        first, rest = packet[9:9 + length], packet[9 + length:]
        start = struct.pack(">I", number)

        def status(code, words=b""):
            return STATUS, start + struct.pack(">I", code) + text(words) + text(b"")

        odd = self.odd(number)
        if odd:
            return odd
        if kind in (STAT, LSTAT, FSTAT):
            path = self.handles.get(first, b"") if kind == FSTAT else first
            return status(FAILURE, WORDS) if path.endswith(b"/error") else (ATTRS, start + self.attrs(path))
        if kind == REALPATH:
            moved = self.random and self.random.random() < 0.1
            return NAME, start + struct.pack(">I", 1) + text(b"/r" if moved else first) + text(b"") + struct.pack(">I", 0)
        if kind in (OPEN, OPENDIR):
            handle = b"h%d" % len(self.handles)
            self.handles[handle] = first
            return HANDLE, start + text(handle)
        if kind == READ:
            data = self.data(first, *struct.unpack(">QI", rest))
            return status(EOF) if data is None else (DATA, start + text(data))
        if kind == READDIR:
            names = self.names(first)
            if names is None:
                return status(EOF)
            return NAME, start + struct.pack(">I", len(names)) + b"".join(
                text(name) + text(b"-rw-r--r-- 1 \x1b[31mroot x") + self.attrs(name) for name in names)
        if kind == READLINK:
            return NAME, start + struct.pack(">I", 1) + text(b"t\x1b[31m" + b"z" * 5000) + text(b"") + struct.pack(">I", 0)
        return status(0)

    def serve(self):
        buffer, waiting = b"", []
        while True:
            more, _, _ = select.select([0], [], [], 0.002 if waiting else None)
            got = os.read(0, 65536) if more else b""
            if more and not got:
                return
            buffer += got
            while len(buffer) >= 4 and len(buffer) >= 4 + struct.unpack(">I", buffer[:4])[0]:
                end = 4 + struct.unpack(">I", buffer[:4])[0]
                waiting.append(buffer[4:end])
                buffer = buffer[end:]
            if more and self.random and len(waiting) < 8:
                continue
            if self.random and waiting[0][0] != INIT:
                self.random.shuffle(waiting)
            out = b""
            for packet in waiting:
                kind, body = self.answer(packet) if packet[0] != INIT else (
                    2, struct.pack(">I", 3) + b"".join(text(word) + text(b"1") for word in (b"posix-rename@openssh.com", b"fsync@openssh.com")))
                out += struct.pack(">IB", len(body) + 1, kind) + body
            waiting = []
            sys.stdout.buffer.write(out)
            sys.stdout.buffer.flush()


Server(sys.argv[1] if len(sys.argv) > 1 else None).serve()
