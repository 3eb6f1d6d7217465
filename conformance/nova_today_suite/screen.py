"""A console's screen: the VNC server that opening a console would start (RFC 6143), without a picture."""

import socket
import struct
import threading

NAME = b"the screen of a console"
VERSION = b"RFB 003.008\n"
NONE = b"\x01"
WIDTH, HEIGHT = 80, 24
# 32 bits a pixel, 24 of them used, little-endian, true colour, 8 bits each of red, green and blue.
PIXELS = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
DESKTOP = struct.pack(">HH", WIDTH, HEIGHT) + PIXELS + struct.pack(">I", len(NAME)) + NAME


class Screen:
    """Listens until it is closed."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, name="screen", daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=_show, args=(client,), name="viewer", daemon=True).start()


def _show(client):
    """As far as the first picture."""
    with client:
        client.sendall(VERSION)
        if receive(client, len(VERSION)) != VERSION:
            return
        client.sendall(b"\x01" + NONE)
        if receive(client, 1) != NONE:
            return
        client.sendall(bytes(4))
        receive(client, 1)
        client.sendall(DESKTOP)
        # What is asked for from now on is not shown.
        while client.recv(4096):
            pass


def receive(client, count):
    """So many bytes; fewer if the connection ends before."""
    got = b""
    while len(got) < count:
        piece = client.recv(count - len(got))
        if not piece:
            break
        got += piece
    return got
