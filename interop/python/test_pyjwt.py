"""PyJWT verifies tokens of both profiles with the keys that a resource server is given."""

import jwt
import pytest
import requests
from jwt import PyJWK, PyJWKClient


def token_for(url, client_id, client_secret):
    """A token by plain requests; the verifier is what is under test here."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    answer = requests.post(url, data=form, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def check_passport(claims, api):
    """The claims of a passport token: these, in this order, and no others."""
    names = ["aud", "jti", "iat", "nbf", "exp", "sub", "scopes", "user_id", "partner_id", "is_test"]
    assert list(claims) == names
    assert claims["sub"] == ""
    assert claims["scopes"] == [api.scope]
    assert claims["partner_id"] == api.partner_id
    assert claims["user_id"] == api.user_id
    assert claims["is_test"] is api.is_test


def test_a_passport_token_verifies_by_the_exported_pem(serve, door, passport_api):
    token = token_for(serve.doors[door], passport_api.client_id, passport_api.client_secret)
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "RS256"}
    claims = jwt.decode(token, passport_api.public_key, algorithms=["RS256"], audience=passport_api.client_id)
    check_passport(claims, passport_api)


def test_a_passport_token_verifies_by_the_single_key_document(serve, door, passport_api):
    document = requests.get(f"{serve.base}/.well-known/jwks/{passport_api.name}.json", timeout=10).json()
    (only,) = document["keys"]
    token = token_for(serve.doors[door], passport_api.client_id, passport_api.client_secret)
    claims = jwt.decode(token, PyJWK(only, algorithm="RS256"), algorithms=["RS256"], audience=passport_api.client_id)
    check_passport(claims, passport_api)


def test_a_key_without_kid_is_absent_from_the_joint_document(serve):
    document = requests.get(f"{serve.base}/.well-known/jwks.json", timeout=10).json()
    assert all(key["kid"] for key in document["keys"])


def test_an_rfc9068_token_verifies_by_the_joint_document(serve, door, rfc9068_api):
    check_rfc9068(serve, door, rfc9068_api, f"{serve.base}/.well-known/jwks.json")


def test_an_rfc9068_token_verifies_by_its_apis_document(serve, door, rfc9068_api):
    check_rfc9068(serve, door, rfc9068_api, f"{serve.base}/.well-known/jwks/{rfc9068_api['name']}.json")


def check_rfc9068(serve, door, api, document):
    token = token_for(serve.doors[door], api["client_id"], api["client_secret"])
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("at+jwt", api["alg"])
    key = PyJWKClient(document).get_signing_key_from_jwt(token)
    must = ["iss", "aud", "sub", "client_id", "iat", "exp", "jti"]
    claims = jwt.decode(
        token, key, algorithms=[api["alg"]], audience=api["audience"], issuer=serve.base, options={"require": must}
    )
    assert claims["sub"] == claims["client_id"] == api["client_id"]
    assert claims["scope"] == api["scope"]
    assert isinstance(claims["iat"], int) and isinstance(claims["exp"], int)


def test_a_changed_token_is_refused(serve, passport_api):
    token = token_for(serve.doors["standard"], passport_api.client_id, passport_api.client_secret)
    header, payload, signature = token.split(".")
    changed = f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(changed, passport_api.public_key, algorithms=["RS256"], audience=passport_api.client_id)


def test_the_apis_key_verifies_no_other_apis_token(serve, rfc9068_api, passport_api):
    token = token_for(serve.doors["standard"], rfc9068_api["client_id"], rfc9068_api["client_secret"])
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(token, passport_api.public_key, algorithms=["RS256"], audience=rfc9068_api["audience"])
