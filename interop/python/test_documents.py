"""Runs the `sh` blocks of docs/integrate/*.md as a reader would paste them, against a live server."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import requests
from conftest import at, described, eventually

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "integrate"
PAGES = sorted(FOLDER.glob("*.md"))


def blocks(text, mark):
    """The fenced blocks with this mark, each with the number of its first line."""
    fence = re.compile(rf"^```{mark}[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, block.start()) + 1, block.group(1)) for block in fence.finditer(text)]


def script_of(text):
    """All `sh` blocks of a page as one script that names the line of the block it is in."""
    return "\n".join(f"GATEPOST_DOCS_LINE={line}\n{block}" for line, block in blocks(text, "sh"))


def variables_of(dev):
    """What the pages tell a partner's developer to export."""
    return {
        "GATEPOST_URL": at(dev.token_url),
        "API_URL": dev.api_url,
        "CLIENT_ID": dev.client_id,
        "CLIENT_SECRET": dev.client_secret,
    }


@pytest.fixture(scope="module")
def operated(serve, tmp_path_factory):
    """What the pages tell an API's developer to export, and `gatepost` on the path as the operator has it."""
    state = described()["serve"]
    gatepost = described()["gatepost"]

    def command(*arguments):
        done = subprocess.run(
            [gatepost, *arguments, "--data", state["data"], "--json"], stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        return json.loads(done.stdout)

    partner = command("partner", "create", "Documents")["slug"]
    api = command("api", "create", "bookings", "--audience", "https://bookings.example")
    # Before the client: the server takes changes in their order, so the client's first token tells of all of them.
    api_secret = command("api", "secret", "add", "bookings")["api_secret"]
    scopes = ["bookings:create", "bookings:read", "bookings:delete"]
    for scope in scopes:
        command("scope", "create", "--api", "bookings", scope)
    granted = [word for scope in scopes for word in ("--scope", scope)]
    client = command("client", "create", "--partner", partner, "--name", "pages", "--api", "bookings", *granted)
    folder = tmp_path_factory.mktemp("bin")
    (folder / "gatepost").symlink_to(gatepost)

    fields = {"grant_type": "client_credentials"}
    who = (client["client_id"], client["client_secret"])
    ask = lambda: requests.post(serve.doors["standard"], data=fields, auth=who, timeout=10)
    token = eventually(lambda: (answer := ask()).ok and answer.json())["access_token"]
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GATEPOST_DATA": state["data"],
        "GATEPOST_URL": serve.base,
        "API_ID": api["api_id"],
        "API_SECRET": api_secret,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "TOKEN": token,
    }


def run(script, variables, folder):
    """The script in bash; any failing command ends it, and the last line says where."""
    trap = "trap 'echo \"failed in the block at line $GATEPOST_DOCS_LINE: $BASH_COMMAND\" >&2' ERR\n"
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | variables
    command = ["bash", "-euE", "-o", "pipefail", "-c", trap + script]
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("page", [page for page in PAGES if script_of(page.read_text())], ids=lambda page: page.name)
def test_a_pages_commands_work_when_pasted(page, dev, operated, tmp_path):
    script = script_of(page.read_text())
    # A page that calls the demo API is for `gatepost dev`; the others are for a platform of one's own.
    variables = variables_of(dev) if "$API_URL" in script else operated
    done = run(script, variables, tmp_path)
    assert done.returncode == 0, f"{page.name}\n{done.stdout}\n{done.stderr}"


def test_the_documents_for_integrators_hold_commands_to_run():
    assert any(script_of(page.read_text()) for page in PAGES), "docs/integrate/*.md has no sh block"


def test_a_failing_command_is_found_and_named(tmp_path):
    page = "One.\n```sh\ntrue\n```\nTwo.\n```sh\nfalse\necho after\n```\n```console\n$ exit 9\n```\n"
    done = run(script_of(page), {}, tmp_path)
    assert done.returncode == 1
    assert "the block at line 6: false" in done.stderr
    assert "after" not in done.stdout
