"""Speaks HTTP/1.1 as a caller would who does not care for the rules: the request is sent byte for byte."""

import json
import socket
from http.client import HTTPResponse
from types import SimpleNamespace

PATIENCE_SECONDS = 20


def call(port, target="/bookings", method="GET", headers=(), body="", token=None):
    """One request on a connection of its own; gives status, headers and, from the echo, what reached the API."""
    lines = [f"{method} {target} HTTP/1.1", "Host: api.example.com", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Authorization: Bearer {token}"] if token is not None else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    request = ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection, method=method)
        response.begin()
        text = response.read().decode("utf-8", "replace")
    return SimpleNamespace(status=response.status, headers=response.headers, text=text, came=came(response, text))


def came(response, text):
    """What reached the API; nothing when the answer is not the echo's."""
    if response.status != 200:
        return None
    told = SimpleNamespace(**json.loads(text))
    told.of = lambda name: [value for known, value in told.headers if known == name.lower()]
    return told
