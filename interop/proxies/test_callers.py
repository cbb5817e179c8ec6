"""A valid token opens the door, and the API hears from the proxy who calls; what callers say of themselves is lost."""

import pytest
import servers

IDENTITY = ("x-partner-id", "x-client-id", "x-scopes", "x-is-test")
FORWARDED = (
    "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
    "X-Forwarded-Server", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Original-Method", "X-Original-URI",
    "X-Original-URL", "X-Real-IP", "X-Rewrite-URL",
)
# Some APIs take another method from these than the one of the request line, which is the one that was judged.
OVERRIDES = ("X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override")
# What HAProxy 2.6 can't verify; it says so instead of printing a configuration.
UNVERIFIED = [("haproxy", "PS256"), ("haproxy", "EdDSA")]


def identity(came):
    """Who calls, as an API would read it that takes underscores for hyphens."""
    found = {}
    for name, value in came.headers:
        if name.replace("_", "-") in IDENTITY:
            found.setdefault(name.replace("_", "-"), []).append(value)
    return found


def expected(state, client, scopes, is_test="false"):
    return {
        "x-partner-id": [state.partner_id], "x-client-id": [client["client_id"]], "x-scopes": [scopes], "x-is-test": [is_test],
    }


def test_a_valid_token_reaches_the_api_with_who_it_is(state, doors, proxy):
    door = doors(proxy, "plain")
    came = door.told("/bookings?day=1&x=%20", "POST", body="{}", token=state.token(state.writer, "plain"))
    assert (came.method, came.target, came.body) == ("POST", "/bookings?day=1&x=%20", "{}")
    assert identity(came) == expected(state, state.writer, "bookings:read bookings:write")


def test_a_test_client_is_marked(state, doors, proxy):
    came = doors(proxy, "plain").told(token=state.token(state.tester, "plain"))
    assert identity(came) == expected(state, state.tester, "bookings:read", "true")


def test_a_token_of_the_passport_profile_is_as_good(state, doors, proxy):
    api = next(api for api in state.apis if api["profile"] == "passport")
    came = doors(proxy, api["name"]).told(token=state.fresh_token(api, api["audience"]))
    told = {name: values for name, values in identity(came).items()}
    assert told == {
        "x-partner-id": [api["partner_id"]], "x-client-id": [api["client_id"]], "x-scopes": [api["scope"]], "x-is-test": ["false"],
    }


@pytest.mark.parametrize("alg", ["RS256", "PS256", "EdDSA"])
def test_tokens_of_other_algorithms_are_as_good(state, doors, proxy, alg):
    api = next(api for api in state.apis if api["profile"] == "rfc9068" and api["alg"] == alg)
    if (proxy, alg) in UNVERIFIED:
        with pytest.raises(servers.ServerFailed, match="HAProxy verifies RS256, ES256"):
            doors(proxy, api["name"])
        return
    came = doors(proxy, api["name"]).told(token=state.fresh_token(api, api["audience"]))
    assert came.of("x-client-id") == [api["client_id"]]


def spellings(name):
    """A header's name as it is, in other letters, and as some APIs read it."""
    return {name, name.lower(), name.upper(), name.replace("-", "_"), name.replace("-", "_", 1), "_".join(name.rsplit("-", 1))}


def test_what_callers_say_of_themselves_never_reaches_the_api(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.reader, "plain")
    for name in (*IDENTITY, "X-Partner-Id", "X-Client-Id", "X-Scopes", "X-Is-Test"):
        for spelling in spellings(name):
            came = door.told(headers=[(spelling, "evil"), (spelling, "evil, too")], token=token)
            assert identity(came) == expected(state, state.reader, "bookings:read"), spelling
            assert "evil" not in str(came.headers), spelling


def test_a_caller_without_scopes_can_give_itself_none(state, doors, proxy):
    headers = [("X-Scopes", "bookings:write"), ("X_Scopes", "bookings:write")]
    came = doors(proxy, "plain").told(headers=headers, token=state.token(state.scopeless, "plain"))
    assert identity(came).get("x-scopes", [""]) == [""]
    assert identity(came)["x-client-id"] == [state.scopeless["client_id"]]


def test_forwarded_headers_of_callers_never_reach_the_api(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.reader, "plain")
    for name in FORWARDED:
        came = door.told(headers=[(name, "evil.example"), (name.lower(), "for=evil.example")], token=token)
        assert "evil" not in str(came.headers), name
        assert came.target == "/bookings"


def test_a_caller_can_not_give_the_api_another_method_than_the_judged_one(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.reader, "plain")
    for name in OVERRIDES:
        for spelling in spellings(name):
            came = door.told(headers=[(spelling, "EVIL")], token=token)
            assert came.method == "GET" and "EVIL" not in str(came.headers), spelling


def test_no_header_of_the_proxy_is_dropped_as_hop_by_hop(state, doors, proxy):
    door, token = doors(proxy, "plain"), state.token(state.tester, "plain")
    for value in ("X-Is-Test, X-Partner-Id", "close, x-is-test, x-scopes, x-client-id", "Authorization, X-Forwarded-Uri"):
        came = door.told(headers=[("Connection", value)], token=token)
        assert identity(came) == expected(state, state.tester, "bookings:read", "true"), value


def test_a_caller_can_not_choose_what_is_judged(state, doors, proxy):
    """The table lets the reader see /bookings only, whatever other headers name."""
    door, token = doors(proxy, "routed"), state.token(state.reader, "routed")
    for headers in (
        [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/bookings")],
        [("X-Original-Method", "GET"), ("X-Original-URI", "/bookings")],
        [("X_Original_Method", "GET"), ("X_Original_URI", "/bookings"), ("X-HTTP-Method-Override", "GET")],
    ):
        assert door.denied("/bookings/7", "DELETE", headers=headers, token=token).status == 403
