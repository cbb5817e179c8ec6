"""Nothing but a valid token for this API and this call reaches the API; when nobody can say, nothing does."""

import base64
import hashlib
import hmac
import json
import socket
import time
import uuid

import jwt
import proxies
import pytest
from call import call
from conftest import eventually, guarded
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from upstream import Upstream, answering

AMBIGUOUS = [
    "bookings", "//a", "/a//b", "/a/../b", "/a/./b", "/..", "/open/..", "/open/../bookings/7", "/a\\b", "/a;x=1/b", "/a#b",
    "/%2e%2e/a", "/open/%2e%2e/bookings/7", "/open/%2E./x", "/a%2fb", "/a%2Fb", "/a%5cb", "/a%00b", "/a%0ab", "/a%25b",
    "/a%zzb", "/a%", "/a%4", "/%61", "/%62ookings", "/a b", "/\xe9", "/a%3bb", "/a%7f", "/a%7e",
]
PLAIN = ["/", "/a", "/a/", "/a/b.c", "/a?x=//..", "/a%20b", "/a%C3%A9", "/~x/-_.1", "/..a", "/a.."]


def test_without_a_sound_token_it_is_401_with_a_challenge(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.reader, "plain")
    head, claims, signature = token.split(".")
    other = "A" if signature[10] != "A" else "B"
    for wrong in (
        None, "", "x", "a.b.c", "gp_live_" + "a" * 46, f"{head}.{claims}.", f"{head}.{claims}", f"{token}.",
        f"{head}.{claims}.{signature[:10]}{other}{signature[11:]}", f"{head}.{claims[:-4]}AAAA.{signature}",
        state.token(state.reader, "foreign"), "x" * 5_000,
    ):
        answer = door.denied(token=wrong)
        assert answer.status == 401, wrong
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), wrong


def test_other_ways_of_giving_a_token_are_none(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.reader, "plain")
    basic = base64.b64encode(f"{state.reader['client_id']}:{state.reader['client_secret']}".encode()).decode()
    for header in (f"Basic {basic}", token, f"Token {token}", f"Bearer {token} {token}", f"Bearer, {token}"):
        assert door.denied(headers=[("Authorization", header)]).status == 401, header
    assert door.denied(f"/bookings?access_token={token}").status == 401
    assert door.denied(headers=[("Cookie", f"access_token={token}")]).status == 401


def test_two_authorizations_are_one_too_many(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.reader, "plain")
    for first, second in ((token, token), (token, "x"), ("x", token)):
        headers = [("Authorization", f"Bearer {first}"), ("Authorization", f"Bearer {second}")]
        assert door.denied(headers=headers).status in (400, 401)


def test_a_missing_scope_is_403(state, doors, proxy):
    door = doors(proxy, "plain", "--scope", "bookings:read", "--scope", "bookings:write")
    assert door.denied(token=state.token(state.reader, "plain")).status == 403
    assert door.denied(token=state.token(state.scopeless, "plain")).status == 403
    assert door.denied().status == 401
    assert door.told(token=state.token(state.writer, "plain"))

    either = doors(proxy, "plain", "--any", "bookings:nothing", "--any", "bookings:write")
    assert either.denied(token=state.token(state.reader, "plain")).status == 403
    assert either.told(token=state.token(state.writer, "plain"))


def test_the_route_table_says_what_a_call_needs(state, doors, proxy):
    door = doors(proxy, "routed")
    reader, writer, scopeless = (state.token(client, "routed") for client in (state.reader, state.writer, state.scopeless))
    allowed = [
        (reader, "GET", "/bookings"), (reader, "GET", "/bookings?x=/bookings/7"), (writer, "POST", "/bookings"),
        (writer, "DELETE", "/bookings/7"), (scopeless, "GET", "/open/a/b"),
    ]
    denied = [
        (reader, "POST", "/bookings"), (reader, "GET", "/bookings/7"), (scopeless, "GET", "/bookings"),
        (writer, "PUT", "/bookings"), (writer, "GET", "/bookings/"), (writer, "GET", "/bookings/7/x"),
        (writer, "GET", "/Bookings"), (writer, "POST", "/open/a"), (writer, "GET", "/"), (writer, "GET", "/bookingsx"),
    ]
    for token, method, target in allowed:
        assert door.told(target, method, token=token).target == target
    for token, method, target in denied:
        assert door.denied(target, method, token=token).status == 403, (method, target)


def test_ambiguous_paths_never_reach_the_api(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.writer, "plain")
    for target in AMBIGUOUS:
        assert door.denied(target, token=token).status in (400, 403, 404), target
    for target in PLAIN:
        assert door.told(target, token=token).target == target


def test_a_whole_address_as_target_is_judged_by_its_path(state, doors, proxy):
    door, token = doors(proxy, "routed"), state.token(state.reader, "routed")
    assert door.denied("http://api.example.com/bookings/7", token=token).status in (400, 403)
    assert door.denied("http://api.example.com/bookings/../bookings", token=token).status in (400, 403)


def forged(forger, header=(), **changed):
    """A token as Gatepost would write it, with these headers and claims in place of its own; `None` leaves one out."""
    now = int(time.time())
    claims = {
        "iss": forger.issuer, "aud": forger.audience, "sub": "c", "client_id": "c", "scope": "bookings:read",
        "jti": str(uuid.uuid4()), "iat": now, "exp": now + 600, "partner_id": str(uuid.uuid4()), "is_test": False,
    } | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {"typ": "at+jwt", "kid": forger.kid} | dict(header)
    return jwt.encode(claims, forger.key, algorithm="ES256", headers=headers)


def test_a_signed_token_is_refused_for_each_claim_that_is_wrong(state, doors, proxy):
    door, forger, now = doors(proxy, "forged"), state.forger, int(time.time())
    eventually(lambda: door.told(token=forged(forger)))
    for changed in (
        {"exp": now - 120}, {"exp": None}, {"exp": "never"}, {"iat": now + 3_600, "exp": now + 7_200},
        {"iss": "https://evil.example"}, {"iss": None}, {"aud": "https://evil.example"}, {"aud": None},
    ):
        assert door.denied(token=forged(forger, **changed)).status == 401, changed
    for typ in ("JWT", "gatepost-revocations+jwt", "client-authentication+jwt"):
        assert door.denied(token=forged(forger, {"typ": typ})).status == 401, typ


def test_a_token_that_nobody_of_ours_signed_is_refused(state, doors, proxy):
    door, forger = doors(proxy, "forged"), state.forger
    eventually(lambda: door.told(token=forged(forger)))
    payload = forged(forger).split(".")[1]
    stranger = type(forger)(**{**vars(forger), "key": ec.generate_private_key(ec.SECP256R1())})
    public = forger.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unsigned = [f"{encoded({'typ': 'at+jwt', 'alg': alg})}.{payload}." for alg in ("none", "None", "ES256")]
    head = encoded({"typ": "at+jwt", "alg": "HS256", "kid": forger.kid})
    keyed = encoded_bytes(hmac.new(public, f"{head}.{payload}".encode(), hashlib.sha256).digest())
    for token in (*unsigned, f"{head}.{payload}.{keyed}", forged(stranger)):
        assert door.denied(token=token).status == 401, token


def encoded(document):
    return encoded_bytes(json.dumps(document).encode())


def encoded_bytes(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def test_when_gatepost_is_away_nothing_gets_through(state, upstream, asking_proxy):
    nowhere = f"http://127.0.0.1:{proxies.free_port()}"
    with guarded(state, upstream, asking_proxy, "--api", "plain", "--url", nowhere) as door:
        for token in (None, state.token(state.writer, "plain")):
            assert door.denied(token=token).status in (502, 503)


def test_when_gatepost_does_not_answer_nothing_gets_through(state, upstream, asking_proxy):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with guarded(state, upstream, asking_proxy, "--api", "plain", "--url", url) as door:
            assert door.denied(token="x").status in (502, 503, 504)


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_no_answer_but_200_of_gatepost_lets_anyone_through(state, upstream, asking_proxy, status):
    headers = [("X-Partner-Id", "p"), ("Location", "/elsewhere"), ("X-Accel-Redirect", "/bookings")]
    with Upstream(answering(status, headers)) as gatepost:
        url = f"http://{gatepost.address}"
        with guarded(state, upstream, asking_proxy, "--api", "plain", "--url", url) as door:
            door.denied(token="x")
        assert gatepost.reached == 1


def test_what_gatepost_did_not_say_is_not_taken_from_the_caller(state, upstream, asking_proxy):
    with Upstream(answering(200, [("X-Partner-Id", "p")])) as gatepost:
        url = f"http://{gatepost.address}"
        with guarded(state, upstream, asking_proxy, "--api", "plain", "--url", url) as door:
            came = door.told(headers=[("X-Client-Id", "evil"), ("X-Is-Test", "false")], token="x")
    assert came.of("x-partner-id") == ["p"]
    assert "evil" not in came.of("x-client-id") and "false" not in came.of("x-is-test")


def test_a_revoked_client_is_refused_within_seconds(state, doors, asking_proxy):
    client = state.make_client("proxied", ["plain"], ["bookings:read"])
    door, token = doors(asking_proxy, "plain"), state.token(client, "plain")
    assert door.told(token=token)
    state.command("client", "suspend", client["client_id"])
    eventually(lambda: refused(door, token), seconds=5)
    state.command("client", "resume", client["client_id"])
    assert door.denied(token=token).status == 401, "resume revives no token"


def refused(door, token):
    return call(door.port, token=token).status == 401
