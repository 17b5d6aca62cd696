"""A model server that plays bytes, on threads of its own: one sidecar may stay in front of it for many tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

Script = Callable[[socket.socket], None]
"""What is done with a connection on which one call has come; when it returns, the connection is closed."""


class PlayedServer:
    """Answers each call by `script`; `received` are the calls as they came, `gone` those whose connection ended."""

    def __init__(self) -> None:
        self.script: Script = lambda _: None
        self.received: list[bytes] = []
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._sock.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._sock.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.received.append(_call(connection))
            self.script(connection)

    def close(self) -> None:
        self._sock.close()


def _call(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def plays(*pieces: bytes | float) -> Script:
    """Sends the bytes, waits the seconds."""

    def play(connection: socket.socket) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            else:
                time.sleep(piece)

    return play


def stays(*pieces: bytes | float) -> Script:
    """The same; then it keeps the connection until the other side closes it."""

    def play(connection: socket.socket) -> None:
        plays(*pieces)(connection)
        with suppress(ConnectionError):
            while connection.recv(65536):
                pass

    return play
