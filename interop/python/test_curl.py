"""curl, as a partner's developer pastes it: form, JSON and Basic at both doors, then a guarded call."""

import json
import subprocess

import pytest


def curl(*arguments, body=None):
    """Status, headers (lower-case names) and body of one curl call; secrets go through standard input, as they should."""
    command = ["curl", "--silent", "--show-error", "--include", "--max-time", "20", *arguments]
    done = subprocess.run(command, input=body or "", capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    head, _, content = done.stdout.partition("\n\n") if "\r\n\r\n" not in done.stdout else done.stdout.partition("\r\n\r\n")
    status, *lines = head.splitlines()
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, content


def by_form(dev, url):
    form = f"grant_type=client_credentials&client_id={dev.client_id}&client_secret={dev.client_secret}"
    return curl(url, "--data", "@-", body=form)


def by_json(dev, url):
    content = {"grant_type": "client_credentials", "client_id": dev.client_id, "client_secret": dev.client_secret}
    asked = ["-H", "Content-Type: application/json", "-H", "Accept: application/json"]
    return curl(url, *asked, "--data", "@-", body=json.dumps(content))


def by_basic(dev, url):
    return curl(url, "-u", f"{dev.client_id}:{dev.client_secret}", "-d", "grant_type=client_credentials")


WAYS = pytest.mark.parametrize("ask", [by_form, by_json, by_basic])


@WAYS
def test_a_token_answer_is_as_the_door_promises(dev, door, ask):
    status, headers, content = ask(dev, dev.doors[door])
    assert status == 200, content
    assert headers["content-type"].lower().replace(" ", "").startswith("application/json")
    assert "no-store" in headers["cache-control"]
    assert headers["x-request-id"]
    answer = json.loads(content)
    assert list(answer)[:3] == ["token_type", "expires_in", "access_token"]
    assert answer["token_type"] == "Bearer" and answer["expires_in"] == 3600


@WAYS
def test_the_token_opens_the_guarded_api(dev, door, ask):
    _, _, content = ask(dev, dev.doors[door])
    token = json.loads(content)["access_token"]
    status, _, bookings = curl(f"{dev.api_url}/bookings", "-H", "@-", body=f"Authorization: Bearer {token}")
    assert status == 200, bookings


def test_a_wrong_secret_by_basic_is_challenged(dev, door):
    status, headers, content = curl(dev.doors[door], "-u", f"{dev.client_id}:wrong", "-d", "grant_type=client_credentials")
    assert (status, json.loads(content)["error"]) == (401, "invalid_client")
    assert headers["www-authenticate"].startswith("Basic")


def test_a_get_is_refused_with_the_method_to_use(dev, door):
    status, headers, _ = curl(dev.doors[door])
    assert (status, headers["allow"]) == (405, "POST")


def test_a_refresh_is_an_unsupported_grant(dev, door):
    form = f"grant_type=refresh_token&client_id={dev.client_id}&client_secret={dev.client_secret}"
    status, _, content = curl(dev.doors[door], "--data", "@-", body=form)
    assert (status, json.loads(content)["error"]) == (400, "unsupported_grant_type")
