"""Runs every suite of this folder against servers started for it, and says plainly which failed."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import servers

HERE = Path(__file__).resolve().parent
SUITES = {
    "python": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "python")],
    "proxies": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "proxies")],
    "node": ["node", "--test", "--test-reporter=spec"],
}


def main():
    options = arguments()
    gatepost = str(Path(options.gatepost).resolve())
    try:
        with servers.dev(gatepost) as dev, servers.serve(gatepost) as serve:
            failed = run_suites(options.only or list(SUITES), {"gatepost": gatepost, "dev": dev, "serve": serve})
    except servers.ServerFailed as failure:
        sys.exit(f"interop: {failure}")
    if failed:
        sys.exit(f"interop: FAILED: {', '.join(failed)}")
    print("interop: every client got its tokens, every verifier accepted them, every proxy asked for one")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gatepost", required=True, help="the program under test")
    parser.add_argument("--only", action="append", choices=SUITES, help="run this suite alone; may be repeated")
    return parser.parse_args()


def run_suites(names, described):
    """Runs the suites, which find the servers through a file named by GATEPOST_INTEROP; gives the failed ones."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(described, file)
        file.flush()
        environment = os.environ | {"GATEPOST_INTEROP": file.name, "PYTHONDONTWRITEBYTECODE": "1"}
        failed = []
        for name in names:
            print(f"   interop: {name}", flush=True)
            done = subprocess.run(SUITES[name], cwd=HERE / name, env=environment, stdin=subprocess.DEVNULL, timeout=900)
            if done.returncode != 0:
                failed.append(name)
        return failed


if __name__ == "__main__":
    main()
