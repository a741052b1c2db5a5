"""Passes bytes on to a server and cuts connections; a process of its own, since a driver may hold the interpreter.

Usage: python proxy.py HOST PORT CUTS. CUTS is a file with a number a line: the next connection whose answers are longer
than the first of them is cut there, and the line removed.
"""

import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path


class Proxy:
    """One listener on loopback."""

    def __init__(self, host: str, port: int, cuts: Path) -> None:
        self._target = (host, port)
        self._cuts = cuts
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(self._target)
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := server.recv(65_536):
                passed += len(data)
                if self._is_cut(passed):
                    break
                client.sendall(data)
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _is_cut(self, passed: int) -> bool:
        with self._lock:
            first, *rest = self._cuts.read_text().split() or [""]
            if not first or passed <= int(first):
                return False
            self._cuts.write_text("\n".join(rest))
            return True


if __name__ == "__main__":
    proxy = Proxy(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.write(f"{proxy.port}\n")
    sys.stdout.flush()
    proxy.serve()
