"""Runs the Python and Node examples of docs/integrate/*.md; only names and addresses are put in for the reader's own."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import apis_of
from test_documents import FOLDER, blocks, variables_of
from test_pyjwt import token_for

NODE = Path(__file__).resolve().parents[1] / "node"
# The servers under test speak plain HTTP, for which oauth4webapi wants to be asked.
PLAIN = "[oauth.allowInsecureRequests]: true"
PLAIN_HTTP = {
    "{ algorithm: 'oauth2' }": f"{{ algorithm: 'oauth2', {PLAIN} }}",
    "client, secret, {})": f"client, secret, {{}}, {{ {PLAIN} }})",
}


def examples(page, mark):
    found = blocks((FOLDER / page).read_text(), mark)
    return pytest.mark.parametrize("example", [text for _, text in found], ids=[f"line {line}" for line, _ in found])


def finished(command, folder, variables):
    """What the program printed; it must end with 0."""
    environment = os.environ | variables | {"OAUTHLIB_INSECURE_TRANSPORT": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def node(text, folder, variables):
    """Runs the text as a module that finds the clients installed for these suites."""
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    (folder / "example.mjs").write_text(text)
    return finished(["node", "example.mjs"], folder, variables)


def put_in(text, replacements):
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def readers_own(text, serve):
    """The example with this server in place of auth.example.com, and the API that it is about."""
    profile, name = ("rfc9068", "orders-es256") if "at+jwt" in text else ("passport", "orders-passport")
    api = next(SimpleNamespace(**api) for api in apis_of(profile) if api["name"] == name)
    names = {
        "https://auth.example.com": serve.base,
        "https://orders.example.com": api.audience,
        "/jwks/orders.json": f"/jwks/{name}.json",
        "/jwks/bookings.json": f"/jwks/{name}.json",
    }
    return put_in(text, names), api


def another(api):
    """An API of the other profile, whose tokens an example must refuse."""
    return next(SimpleNamespace(**one) for one in apis_of("passport" if api.profile == "rfc9068" else "rfc9068"))


@examples("partners.md", "python")
def test_a_partners_python_example_runs(example, dev, tmp_path):
    (tmp_path / "example.py").write_text(example)
    finished([sys.executable, "example.py"], tmp_path, variables_of(dev))


@examples("partners.md", "js")
def test_a_partners_node_example_runs(example, dev, tmp_path):
    node(put_in(example, PLAIN_HTTP), tmp_path, variables_of(dev))


@examples("verify.md", "python")
def test_a_verifying_python_example_accepts_its_apis_tokens_only(example, serve, tmp_path, monkeypatch):
    text, api = readers_own(example, serve)
    (tmp_path / "bookings.pem").write_text(api.public_key or "")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(text, "verify.md", "exec"), names)
    standard = serve.doors["standard"]
    assert names["verified"](token_for(standard, api.client_id, api.client_secret))["partner_id"] == api.partner_id
    foreign = another(api)
    with pytest.raises(Exception, match="(?i)token|key|signature|algorithm"):
        names["verified"](token_for(standard, foreign.client_id, foreign.client_secret))


@examples("verify.md", "js")
def test_a_verifying_node_example_accepts_its_apis_tokens_only(example, serve, tmp_path):
    text, api = readers_own(example, serve)
    foreign = another(api)
    standard = serve.doors["standard"]
    check = """
const good = await verified(process.env.GOOD)
if (good.partner_id !== process.env.PARTNER) throw new Error('another partner')
const refused = await verified(process.env.FOREIGN).then(() => false, () => true)
if (!refused) throw new Error("another API's token was accepted")
"""
    tokens = {
        "GOOD": token_for(standard, api.client_id, api.client_secret),
        "FOREIGN": token_for(standard, foreign.client_id, foreign.client_secret),
        "PARTNER": api.partner_id,
    }
    node(text + check, tmp_path, tokens)


def test_the_pages_hold_examples_to_run():
    for page in ("partners.md", "verify.md"):
        for mark in ("python", "js"):
            assert blocks((FOLDER / page).read_text(), mark), f"{page} has no {mark} block"
