"""Authlib on Flask behind gunicorn (2 workers, 8 threads each), with one client of client_credentials whose tokens
are RS256 JWTs of the measured key. Run it with Python; it prints one line when it listens."""

import hashlib
import hmac
import json
import os
import secrets
import socket
import sys

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, jsonify
from joserfc.jwk import KeySet, RSAKey


class Client(ClientMixin):
    def __init__(self, secret_hash):
        self.secret_hash = secret_hash
        self.client_id = "bench"

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return "bench:read"

    def check_client_secret(self, client_secret):
        return hmac.compare_digest(self.secret_hash, hashlib.sha256(client_secret.encode()).hexdigest())

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_post"

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class Grant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]


def create_app():
    keys = KeySet([RSAKey.import_key(json.loads(os.environ["PEER_KEY"]))])

    class Tokens(JWTBearerTokenGenerator):
        def get_jwks(self):
            return keys

        def get_audiences(self, client, user, scope):
            return "https://api.example"

    app = Flask(__name__)
    client = Client(os.environ["PEER_SECRET_HASH"])
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: client if client_id == client.client_id else None,
        save_token=lambda token, request: None,
    )
    server.register_token_generator("default", Tokens("https://peer.example"))
    server.register_grant(Grant)

    @app.post("/token")
    def token():
        return server.create_token_response()

    @app.get("/keys")
    def published():
        return jsonify(keys.as_dict(private=False))

    return app


def main():
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    listening.set_inheritable(True)
    secret = secrets.token_urlsafe(30)
    key = RSAKey.generate_key(int(os.environ.get("BITS", "4096")), auto_kid=True)
    os.environ["PEER_KEY"] = json.dumps(key.as_dict(private=True, use="sig", alg="RS256"))
    os.environ["PEER_SECRET_HASH"] = hashlib.sha256(secret.encode()).hexdigest()
    address = "127.0.0.1:%d" % listening.getsockname()[1]
    ready = {"address": address, "token": "/token", "keys": "/keys", "client_id": "bench", "client_secret": secret}
    print(json.dumps(ready), flush=True)
    words = ["-m", "gunicorn", "--workers", "2", "--threads", "8", "--keep-alive", "60", "--preload"]
    words += ["--log-level", "error", "--bind", "fd://%d" % listening.fileno(), "app:create_app()"]
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    os.execv(sys.executable, [sys.executable, *words])


if __name__ == "__main__":
    main()
