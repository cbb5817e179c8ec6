"""Starts the servers that the clients of this folder talk to, and fills them through the command line."""

import json
import os
import queue
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
FREE_PORTS = {
    "GATEPOST_SERVER__LISTEN": "127.0.0.1:0",
    "GATEPOST_SERVER__ADMIN_LISTEN": "127.0.0.1:0",
    "GATEPOST_DEV__API_LISTEN": "127.0.0.1:0",
}
SCOPE = "orders:read"
# One API for each way a token can look: name, profile, algorithm.
APIS = [
    ("orders-passport", "passport", "RS256"),
    ("orders-rs256", "rfc9068", "RS256"),
    ("orders-ps256", "rfc9068", "PS256"),
    ("orders-es256", "rfc9068", "ES256"),
    ("orders-eddsa", "rfc9068", "EdDSA"),
]


class ServerFailed(Exception):
    """A server or a command did not do what it must; the text says which and what it printed."""


UNLIMITED = {"GATEPOST_LIMITS__FAILED_PER_CLIENT": "0", "GATEPOST_LIMITS__FAILED_PER_ADDRESS": "0"}


def environment():
    """The caller's environment without its own Gatepost settings, with free ports, and without the limits on failures:
    many tests fail on purpose, from one address."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    return own | FREE_PORTS | UNLIMITED


@contextmanager
def dev(gatepost):
    """A `gatepost dev`; gives what its ready line says."""
    with running([gatepost, "dev", "--json"]) as ready:
        yield ready


@contextmanager
def serve(gatepost):
    """A `gatepost serve` with an API and a client for each profile and algorithm."""
    with tempfile.TemporaryDirectory(prefix="gatepost-interop-") as folder:
        data = str(Path(folder) / "data")
        command_line(gatepost, data, "init", "--yes")
        partner = command_line(gatepost, data, "partner", "create", "Interop")["slug"]
        apis = [make_api(gatepost, data, partner, *api) for api in APIS]
        with running([gatepost, "serve", "--json", "--data", data]) as ready:
            yield ready | {"data": data, "apis": apis}


def make_api(gatepost, data, partner, name, profile, alg):
    """An API, its scope and a client of it; a passport API signs RS256 and takes no other word for it."""
    audience = f"https://{name}.example"
    asked = ["--alg", alg] if profile == "rfc9068" else []
    command_line(gatepost, data, "api", "create", name, "--audience", audience, "--profile", profile, *asked)
    command_line(gatepost, data, "scope", "create", "--api", name, SCOPE)
    client = command_line(
        gatepost, data, "client", "create", "--partner", partner, "--name", f"{name} client", "--api", name, "--scope", SCOPE
    )
    key = export_public(gatepost, data, name) if profile == "passport" else None
    return {
        "name": name,
        "profile": profile,
        "alg": alg,
        "audience": audience,
        "scope": SCOPE,
        "public_key": key,
        **{member: client[member] for member in ("client_id", "client_secret", "partner_id", "user_id", "is_test")},
    }


def export_public(gatepost, data, api):
    """The API's public key as PEM, as an operator would hand it to a resource server."""
    return run_once([gatepost, "key", "export-public", "--api", api, "--data", data])


def command_line(gatepost, data, *arguments):
    """One command with `--json`; gives its document."""
    return json.loads(run_once([gatepost, *arguments, "--data", data, "--json"]))


def run_once(command):
    """A command that must end with 0; gives what it printed."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), timeout=START_SECONDS
    )
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def running(command):
    """A server process; gives its ready line as a dict, and stops it at the end."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=environment()
        )
        try:
            yield json.loads(first_line(process, command, log))
        finally:
            stop(process)


def first_line(process, command, log):
    """The first line of standard output; keeps reading behind it, so that the server never meets a full pipe."""
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in process.stdout] + [lines.put("")], daemon=True).start()
    try:
        line = lines.get(timeout=START_SECONDS)
    except queue.Empty:
        line = ""
    if not line.strip():
        log.seek(0)
        raise ServerFailed(f"{' '.join(command)} printed no ready line in {START_SECONDS} s\n{log.read()}")
    return line


def stop(process):
    """Ends the server as an operator would, and for good when it does not listen."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise ServerFailed("the server did not end within 20 s of SIGTERM") from None
