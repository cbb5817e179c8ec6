"""The API behind the proxies: it echoes what reached it, and remembers how much did."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Upstream:
    """A server on a free port of 127.0.0.1; `handler` answers."""

    def __init__(self, handler):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.reached = 0
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self):
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def reached(self):
        return self.server.reached


class Echo(BaseHTTPRequestHandler):
    """Tells method, target, headers and body of the request as they came, in JSON."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.server.reached += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        method, target, _ = self.requestline.split(" ")
        headers = [[name.lower(), value] for name, value in self.headers.items()]
        told = json.dumps({"method": method, "target": target, "headers": headers, "body": body}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if method != "HEAD":
            self.wfile.write(told)

    def log_message(self, *_):
        pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer


def answering(status, headers=()):
    """A handler that gives every GET this answer."""

    class Answering(Echo):
        def do_GET(self):
            self.server.reached += 1
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Answering
