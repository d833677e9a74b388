"""Peers that are no good SSH servers: loopback listeners that misbehave in one way each.

A peer takes any number of connections, each on a thread of its own, until stop().
"""

import os
import socket
import threading

BANNER = b"SSH-2.0-OpenSSH_9.2\r\n"
DRIBBLE_S = 0.05


class Peer:
    """Listens on a free port of 127.0.0.1 and runs `behave(self, connection)` for each client."""

    def __init__(self, behave):
        self.behave = behave
        self.ended = threading.Event()
        self.accepted = 0
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def _accept(self):
        self.listener.settimeout(0.1)
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except socket.timeout:
                continue
            self.accepted += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        connection.settimeout(0.2)
        with connection:
            try:
                self.behave(self, connection)
            except OSError:
                pass  # the client went away

    def send_all(self, connection, data):
        """sendall that ends with the peer, also against a client that does not read."""
        view = memoryview(data)
        while view and not self.ended.is_set():
            try:
                view = view[connection.send(view):]
            except socket.timeout:
                continue

    def drain(self, connection):
        """Reads and says nothing until the client goes away or the peer is stopped."""
        while not self.ended.is_set():
            try:
                if not connection.recv(65536):
                    return
            except socket.timeout:
                continue

    def stop(self):
        self.ended.set()
        self.acceptor.join()
        for thread in self.threads:
            thread.join()
        self.listener.close()


def silent(peer, connection):
    peer.drain(connection)


def garbage(peer, connection):
    peer.send_all(connection, os.urandom(65536))
    peer.drain(connection)


def banner_then_garbage(peer, connection):
    peer.send_all(connection, BANNER + os.urandom(262144))
    peer.drain(connection)


def banner_then_silence(peer, connection):
    peer.send_all(connection, BANNER)
    peer.drain(connection)


def banner_then_huge_packet(peer, connection):
    """A packet length of 4 GiB - 1, and bytes that never end."""
    peer.send_all(connection, BANNER + b"\xff\xff\xff\xff")
    while not peer.ended.is_set():
        peer.send_all(connection, b"\0" * 65536)


def closes(_peer, _connection):
    return


def banner_then_closes(peer, connection):
    peer.send_all(connection, BANNER)


def endless_lines(peer, connection):
    """RFC 4253, section 4.2, allows lines before the banner; it sets no end to them."""
    while not peer.ended.is_set():
        peer.send_all(connection, b"still not the banner\r\n" * 1000)


def endless_line(peer, connection):
    while not peer.ended.is_set():
        peer.send_all(connection, b"x" * 65536)


def dribble(peer, connection):
    for byte in b"SSH-2.0-" + b"slow" * 1000:
        if peer.ended.wait(DRIBBLE_S):
            return
        peer.send_all(connection, bytes([byte]))


ALL = {behave.__name__.replace("_", "-"): behave for behave in (
    silent, garbage, banner_then_garbage, banner_then_silence, banner_then_huge_packet, closes,
    banner_then_closes, endless_lines, endless_line, dribble)}


class DeadPort:
    """A port that takes no connection and refuses none: its accept queue is full, so that further
    connects hang as they do on a host that is switched off."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    def stop(self):
        for one in (*self.fillers, self.listener):
            one.close()


def closed_port():
    """A port that nobody listens on (it was free a moment ago)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
