"""Programs of the local cloud: each with an environment of its own, none left behind."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from infra.local_cloud.errors import LocalCloudError

LEASH = Path(__file__).with_name("leash.py")
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
_PATIENCE = 15.0


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without the caller's settings, credentials and tokens.

    The functions of the local cloud inherit what the cloud itself is given; a real token of the
    person at the keyboard must not get there. ``home`` stands for the home folder, and its folder
    ``tmp`` takes temporary files.
    """
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, "HOME": str(home), "TMPDIR": str(temporary), **more}


@asynccontextmanager
async def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the block is left; what it prints is added to ``log``."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(LEASH),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            cwd=cwd,
            # Ctrl-C in a terminal reaches every process of the group; ours end when we say so.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await asyncio.shield(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()


async def run(
    command: Sequence[str], *, what: str, log: Path, environment: Mapping[str, str], cwd: Path
) -> None:
    """Run a program to its end. Raises LocalCloudError with its last lines if it fails."""
    async with running(command, log=log, environment=environment, cwd=cwd) as process:
        status = await process.wait()
    if status:
        raise LocalCloudError(f"{last_lines(log)}\n\n{what} failed; all it said is in {log}.")


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log, without the empty lines."""
    if not log.exists():
        return ""
    lines = log.read_text("utf-8", "replace").splitlines()
    return "\n".join([line for line in lines if line.strip()][-count:])
