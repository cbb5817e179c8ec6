"""What the proxies' suites share: the state behind them, tokens, and a proxy for each way of setting it up."""

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import proxies
import servers
from call import call
from upstream import Echo, Upstream

ROUTES = [
    ("GET", "/bookings", ["bookings:read"]),
    ("POST", "/bookings", ["bookings:write"]),
    ("*", "/bookings/{id}", ["bookings:read", "bookings:write"]),
    ("GET", "/open/*", []),
]


def described():
    path = os.environ.get("GATEPOST_INTEROP")
    if not path:
        pytest.exit("GATEPOST_INTEROP is not set; run the suites with: make interop", returncode=2)
    return SimpleNamespace(**json.loads(Path(path).read_text()))


def pytest_generate_tests(metafunc):
    """`proxy` stands for every proxy, `asking_proxy` for those that ask Gatepost."""
    if "proxy" in metafunc.fixturenames:
        metafunc.parametrize("proxy", list(proxies.COMMANDS))
    if "asking_proxy" in metafunc.fixturenames:
        metafunc.parametrize("asking_proxy", proxies.ASKING)


class State:
    """The state of the running server, filled through the command line."""

    def __init__(self):
        self.gatepost, serve = described().gatepost, described().serve
        self.data, self.url, self.apis = serve["data"], serve["public_url"].rstrip("/"), serve["apis"]
        self.tokens = {}

    def command(self, *arguments):
        return servers.command_line(self.gatepost, self.data, *arguments)

    def snippet(self, proxy, *arguments):
        """Exactly what the command prints."""
        asked = ["--data", self.data]
        return servers.run_once([self.gatepost, "guard", "snippet", proxy, *arguments, *asked])

    def make_api(self, name, routes=()):
        self.command("api", "create", name, "--audience", f"https://{name}.example")
        for scope in ("bookings:read", "bookings:write"):
            self.command("scope", "create", "--api", name, scope)
        for method, path, scopes in routes:
            wanted = [word for scope in scopes for word in ("--scope", scope)]
            self.command("api", "route", "add", name, method, path, *wanted)

    def make_client(self, partner, apis, scopes, *more):
        words = [word for api in apis for word in ("--api", api)]
        words += [word for scope in scopes for word in ("--scope", scope)]
        return self.command("client", "create", "--partner", partner, "--name", "proxied", *words, *more)

    def token(self, client, api):
        """A token of the client for the API; asked for until the server has taken up what the command line made."""
        known = (client["client_id"], api)
        if known not in self.tokens:
            self.tokens[known] = self.fresh_token(client, f"https://{api}.example")
        return self.tokens[known]

    def fresh_token(self, client, resource):
        form = {"grant_type": "client_credentials", "resource": resource}
        who = (client["client_id"], client["client_secret"])
        answer = eventually(lambda: accepted(requests.post(f"{self.url}/oauth2/token", data=form, auth=who, timeout=10)))
        return answer["access_token"]


def accepted(answer):
    return answer.json() if answer.status_code == 200 else None


def eventually(check, seconds=10):
    """Waits until `check` gives something true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def state():
    """An API without and one with a route table, a third that is foreign, and clients with different rights."""
    state = State()
    state.make_api("plain")
    state.make_api("routed", ROUTES)
    state.make_api("foreign")
    partner = state.command("partner", "create", "Proxied")
    state.partner_id, slug, apis = partner["partner_id"], partner["slug"], ["plain", "routed", "foreign"]
    both = ["bookings:read", "bookings:write"]
    state.reader = state.make_client(slug, apis, both[:1])
    state.writer = state.make_client(slug, apis, both)
    state.tester = state.make_client(slug, apis, both[:1], "--test")
    state.scopeless = state.make_client(slug, apis, [])
    state.forger = forger(state)
    return state


def forger(state):
    """An API whose key we hold: what it signs is as good as Gatepost's own, so that each claim can be made wrong."""
    state.make_api("forged")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        kid = state.command("key", "import", "--api", "forged", "--pem-file", file.name)["kid"]
    state.command("key", "promote", "--api", "forged", "--now")
    return SimpleNamespace(key=key, kid=kid, audience="https://forged.example", issuer=state.url)


@pytest.fixture(scope="session")
def upstream():
    with Upstream(Echo) as upstream:
        yield upstream


@contextmanager
def guarded(state, upstream, proxy, *arguments):
    """The proxy in front of the upstream, set up with those arguments of `guard snippet`; gives its door."""
    with tempfile.TemporaryDirectory(prefix=f"gatepost-{proxy}-") as name:
        folder, port = Path(name), proxies.free_port()
        # The server changes its user where it is started as root.
        folder.chmod(0o755)
        more = ["--keys", str(folder / "keys"), "--write-keys"] if proxy == "haproxy" else []
        where = ["--listen", f"127.0.0.1:{port}", "--upstream", upstream.address]
        snippet = state.snippet(proxy, *where, *more, *arguments)
        with proxies.running(proxy, folder, snippet, port):
            yield Door(port, upstream)


class Door:
    """Where callers knock; `told` says what reached the API, `denied` that nothing did."""

    def __init__(self, port, upstream):
        self.port, self.upstream = port, upstream

    def told(self, *arguments, **more):
        answer = call(self.port, *arguments, **more)
        assert answer.status == 200, (answer.status, answer.text)
        return answer.came

    def denied(self, *arguments, **more):
        before = self.upstream.reached
        answer = call(self.port, *arguments, **more)
        assert self.upstream.reached == before, f"{arguments} {more} reached the API: {answer.text}"
        assert answer.status != 200, answer.text
        return answer


@pytest.fixture(scope="session")
def doors(state, upstream):
    """Gives the door of a proxy for an API; each proxy is started once for each way of setting it up."""
    with ExitStack() as open_doors:
        known = {}

        def door(proxy, api, *arguments):
            wanted = (proxy, api, *arguments)
            if wanted not in known:
                known[wanted] = open_doors.enter_context(guarded(state, upstream, proxy, "--api", api, *arguments))
            return known[wanted]

        yield door
