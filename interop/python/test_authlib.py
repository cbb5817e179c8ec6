"""Authlib gets tokens at both doors with each of its client authentication methods."""

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

METHODS = pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])


def session(dev, method, secret=None, **more):
    return OAuth2Session(dev.client_id, secret or dev.client_secret, token_endpoint_auth_method=method, **more)


@METHODS
def test_a_token_opens_the_guarded_api(dev, door, method):
    with session(dev, method) as oauth:
        token = oauth.fetch_token(dev.doors[door], grant_type="client_credentials")
        assert token["token_type"] == "Bearer"
        assert oauth.get(f"{dev.api_url}/bookings", timeout=10).status_code == 200


@METHODS
def test_a_booking_is_made_with_the_scope_for_it(dev, door, method):
    with session(dev, method, scope="bookings:create") as oauth:
        oauth.fetch_token(dev.doors[door], grant_type="client_credentials")
        listed = oauth.get(f"{dev.api_url}/bookings", timeout=10)
        refused = oauth.delete(f"{dev.api_url}/bookings/00000000-0000-0000-0000-000000000000", timeout=10)
    assert listed.status_code == 200
    assert refused.status_code == 403
    assert "insufficient_scope" in refused.headers["WWW-Authenticate"]


@METHODS
def test_a_wrong_secret_is_told_as_invalid_client(dev, door, method):
    with session(dev, method, secret="not the secret") as oauth:
        with pytest.raises(OAuthError) as refused:
            oauth.fetch_token(dev.doors[door], grant_type="client_credentials")
    assert refused.value.error == "invalid_client"
