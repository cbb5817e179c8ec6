"""Runs the `sh` blocks of docs/integrate/*.md as a reader would paste them, against a live server."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import at

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
    """What the pages tell their readers to export."""
    return {
        "GATEPOST_URL": at(dev.token_url),
        "API_URL": dev.api_url,
        "CLIENT_ID": dev.client_id,
        "CLIENT_SECRET": dev.client_secret,
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
def test_a_pages_commands_work_when_pasted(page, dev, tmp_path):
    done = run(script_of(page.read_text()), variables_of(dev), tmp_path)
    assert done.returncode == 0, f"{page.name}\n{done.stdout}\n{done.stderr}"


def test_the_documents_for_integrators_hold_commands_to_run():
    assert any(script_of(page.read_text()) for page in PAGES), "docs/integrate/*.md has no sh block"


def test_a_failing_command_is_found_and_named(tmp_path):
    page = "One.\n```sh\ntrue\n```\nTwo.\n```sh\nfalse\necho after\n```\n```console\n$ exit 9\n```\n"
    done = run(script_of(page), {}, tmp_path)
    assert done.returncode == 1
    assert "the block at line 6: false" in done.stderr
    assert "after" not in done.stdout
