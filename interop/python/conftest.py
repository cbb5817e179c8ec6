"""What the Python suites share: where the servers are."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

# oauthlib refuses plain HTTP, which the servers under test speak on 127.0.0.1.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import pytest

DOORS = ("origin", "standard")


def described():
    path = os.environ.get("GATEPOST_INTEROP")
    if not path:
        pytest.exit("GATEPOST_INTEROP is not set; run the suites with: make interop", returncode=2)
    return json.loads(Path(path).read_text())


def at(url):
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def apis_of(profile):
    return [api for api in described()["serve"]["apis"] if api["profile"] == profile]


def pytest_generate_tests(metafunc):
    """`door` and `rfc9068_api` stand for every door and every API of that profile."""
    if "door" in metafunc.fixturenames:
        metafunc.parametrize("door", DOORS)
    if "rfc9068_api" in metafunc.fixturenames:
        apis = apis_of("rfc9068")
        metafunc.parametrize("rfc9068_api", apis, ids=[api["alg"] for api in apis])


@pytest.fixture(scope="session")
def dev():
    """The `gatepost dev` server, its demo client and its bookings API."""
    server = SimpleNamespace(**described()["dev"])
    server.doors = {"origin": server.token_url, "standard": server.standard_token_url}
    server.scopes = scope_list(server.scopes)
    return server


@pytest.fixture(scope="session")
def serve():
    """The `gatepost serve` server with an API for each profile and algorithm."""
    server = described()["serve"]
    base = at(server["public_url"])
    return SimpleNamespace(base=base, doors={"origin": f"{base}/api/oauth/token", "standard": f"{base}/oauth2/token"})


@pytest.fixture(scope="session")
def passport_api():
    return SimpleNamespace(**apis_of("passport")[0])


def scope_list(scopes):
    return scopes.split() if isinstance(scopes, str) else list(scopes)


def eventually(check, seconds=10):
    """Waits until `check` gives something true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return found
