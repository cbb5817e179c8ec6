"""requests-oauthlib gets tokens at both doors, by Basic and by post, and uses them."""

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session


def session(dev, scope=None):
    return OAuth2Session(client=BackendApplicationClient(client_id=dev.client_id, scope=scope))


def by_basic(dev, door, scope=None, secret=None):
    oauth = session(dev, scope)
    auth = HTTPBasicAuth(dev.client_id, secret or dev.client_secret)
    return oauth, oauth.fetch_token(token_url=dev.doors[door], auth=auth)


def by_post(dev, door, scope=None, secret=None):
    oauth = session(dev, scope)
    return oauth, oauth.fetch_token(
        token_url=dev.doors[door],
        client_id=dev.client_id,
        client_secret=secret or dev.client_secret,
        include_client_id=True,
    )


WAYS = pytest.mark.parametrize("fetch", [by_basic, by_post])


@WAYS
def test_a_token_opens_the_guarded_api(dev, door, fetch):
    oauth, token = fetch(dev, door)
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    assert oauth.get(f"{dev.api_url}/bookings", timeout=10).status_code == 200


@WAYS
def test_one_scope_can_be_asked_for(dev, door, fetch):
    oauth, token = fetch(dev, door, scope=dev.scopes[:1])
    assert token["access_token"].count(".") == 2
    assert oauth.scope == dev.scopes[:1]


@WAYS
def test_a_wrong_secret_is_told_as_invalid_client(dev, door, fetch):
    with pytest.raises(InvalidClientError):
        fetch(dev, door, secret="not the secret")


@WAYS
def test_an_unknown_scope_is_told_as_invalid_scope(dev, door, fetch):
    with pytest.raises(InvalidScopeError):
        fetch(dev, door, scope=["no:such:scope"])


def test_a_call_without_token_is_refused_by_the_api(dev):
    import requests

    answer = requests.get(f"{dev.api_url}/bookings", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
