"""Starts the proxies on free ports, with the configuration that `gatepost guard snippet` prints and nothing around it
but what a proxy needs to run in a temporary folder."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {snippet};
}}
"""

APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
ServerName localhost
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule lua_module {modules}/mod_lua.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
Include {snippet}
"""

CADDY = """
{{
	admin off
	storage file_system {folder}/storage
}}
import {snippet}
"""

APACHE_MODULES = "/usr/lib/apache2/modules"


def nginx(folder, snippet):
    main = written(folder / "nginx.conf", NGINX.format(folder=folder, snippet=snippet))
    return [program("nginx"), "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]


def apache(folder, snippet):
    # Apache serves nobody as root; as anyone else it can't change its user.
    user = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    text = APACHE.format(folder=folder, snippet=snippet, modules=APACHE_MODULES, user=user)
    return [program("apache2"), "-f", str(written(folder / "apache.conf", text)), "-DFOREGROUND"]


def caddy(folder, snippet):
    main = written(folder / "Caddyfile", CADDY.format(folder=folder, snippet=snippet))
    return [program("caddy"), "run", "--config", str(main), "--adapter", "caddyfile"]


def haproxy(folder, snippet):
    return [program("haproxy"), "-db", "-f", str(snippet)]


COMMANDS = {"nginx": nginx, "apache": apache, "caddy": caddy, "haproxy": haproxy}
# HAProxy can't ask Gatepost without code of its own; it verifies tokens itself.
ASKING = ("nginx", "apache", "caddy")


def program(name):
    """Where a server lies; Debian keeps servers out of some users' PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed; run ci/prepare.sh"
    return found


def written(path, text):
    path.write_text(text)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(name, folder, snippet, port):
    """The proxy with that configuration; ends with the block."""
    file = written(folder / "snippet.conf", snippet)
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with open(folder / "output.log", "w+") as log:
        process = subprocess.Popen(
            COMMANDS[name](folder, file), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        try:
            wait_until_open(process, port, folder)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_open(process, port, folder):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            ended = process.poll() is not None
            assert not ended and time.monotonic() < deadline, f"the proxy did not start:\n{logs(folder)}"
            time.sleep(0.02)


def logs(folder):
    return "\n".join(path.read_text(errors="replace") for path in Path(folder).glob("*.log"))
