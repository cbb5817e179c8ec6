# What the scripts of this folder share: how to speak, how to find a tool.
say() { printf '   %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# Where the checks keep what they installed for themselves.
checks_folder() { printf '%s/interop\n' "$(cargo metadata --no-deps --locked --format-version 1 | jq -r .target_directory)"; }

# The clients under test want a Node that Debian's stable release may not have yet; npm can bring one.
NODE_WANTED=20
NODE_BROUGHT=22
node_is_new_enough() { [ "$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)" -ge "$NODE_WANTED" ] 2>/dev/null; }
use_brought_node() {
  local runtime
  runtime=$(checks_folder)/runtime/node_modules/node/bin
  if ! node_is_new_enough && [ -x "$runtime/node" ]; then PATH=$runtime:$PATH; fi
}

# Servers, which Debian keeps out of some users' PATH.
server() { PATH=$PATH:/usr/sbin:/usr/local/sbin "$@"; }
has_server() { PATH=$PATH:/usr/sbin:/usr/local/sbin has "$1"; }

# Apache's mod_lua runs Lua 5.3 where Debian builds it; there LuaSocket is a file that it finds by itself.
lua_can_speak_to_sockets() { compgen -G '/usr/share/lua/5.*/socket.lua' >/dev/null; }

# Debian's python3 exists without ensurepip, and then fails only when an environment is made.
python_can_make_environments() { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }

# The folder of initdb and postgres, which Debian keeps out of PATH.
postgres_bin() {
  local folder
  for folder in "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")" \
    $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5,5Vr) \
    "$(pg_config --bindir 2>/dev/null || echo /nowhere)"; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
      printf '%s\n' "$folder"
      return 0
    fi
  done
  return 1
}
