"""The git program, run so that neither a repository nor this machine's settings can steer it.

What it runs with is all named here: no configuration of the system or the user, no hooks, no
prompts, no credentials but the given ones, only the transports of ``PROTOCOLS``. A process that
takes too long is ended with everything it has started.
"""

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from index.errors import SourceUnavailable

PROTOCOLS: Final = ("file", "http", "https", "ssh")
"""Not ``ext``, which runs any program, and not ``git``, which anybody on the way can change."""

_CONFIGURATION: Final = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.askPass": "",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    # Less than a kilobyte a second for a minute: nobody is there any more.
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
_ERROR_BYTES = 20_000


class GitFailed(Exception):
    """Git ended with an error. ``str()`` is git's own last word, cleaned and short."""


class GitProgram:
    """Runs git on one bare repository in ``work``, which need not exist yet."""

    def __init__(self, work: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """Describe how it is run; ``settings`` are added to the configuration."""
        self.repository = work / "repository.git"
        self._home = work / "home"
        self._settings = {**_CONFIGURATION, **(settings or {})}

    async def run(
        self,
        *arguments: str,
        seconds: float,
        fed: bytes = b"",
        most: int = 1 << 30,
        inside: bool = True,
    ) -> bytes:
        """Return what git writes to its standard output when ``fed`` its standard input.

        What does not need the repository is run outside of any, in case it is broken.

        Raises GitFailed if it ends with an error, or writes more than ``most`` bytes. Raises
        SourceUnavailable if there is no git on this machine or it takes longer than ``seconds``.
        """
        program = shutil.which("git")
        if program is None:
            raise SourceUnavailable("There is no git program on this machine; install git.")
        try:
            await asyncio.to_thread(self._home.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise SourceUnavailable(
                f"{self._home} cannot be made ({error.strerror}); allow it or free some space."
            ) from error
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                f"--git-dir={self.repository if inside else os.devnull}",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._home,
                env=self._environment(program),
                start_new_session=True,
            )
        except OSError as error:
            raise SourceUnavailable(f"git could not be started ({error.strerror}).") from error
        try:
            async with asyncio.timeout(seconds):
                output, said, _ = await asyncio.gather(
                    _read(process.stdout, most), _read_error(process.stderr), _feed(process, fed)
                )
                await process.wait()
        except TimeoutError:
            raise SourceUnavailable(
                f"git {arguments[0]} took longer than {seconds:.0f} seconds and was ended; check"
                " the connection, or give it more time with seconds."
            ) from None
        finally:
            await _end(process)
        if process.returncode:
            raise GitFailed(_last_word(said))
        return output

    def _environment(self, program: str) -> dict[str, str]:
        configured = {"GIT_CONFIG_COUNT": str(len(self._settings))}
        for number, (name, value) in enumerate(self._settings.items()):
            configured[f"GIT_CONFIG_KEY_{number}"] = name
            configured[f"GIT_CONFIG_VALUE_{number}"] = value
        return {
            "PATH": os.pathsep.join([str(Path(program).parent), os.defpath]),
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
            "GIT_ASKPASS": "",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
            "SSH_ASKPASS_REQUIRE": "never",
            **configured,
        }


def credentials(url: str, user: str, token: str) -> dict[str, str]:
    """Return the configuration that sends a token to the host of ``url``, and to no other.

    In git's environment it stands neither on a command line nor in a file. Redirects are not
    followed with it, for they may lead to whomever.
    """
    parts = urllib.parse.urlsplit(url)
    basic = base64.b64encode(f"{user}:{token}".encode()).decode()
    return {
        f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {basic}",
        "http.followRedirects": "false",
    }


async def _read(stream: asyncio.StreamReader | None, most: int) -> bytes:
    assert stream is not None
    parts, size = [], 0
    while part := await stream.read(1 << 16):
        parts.append(part)
        size += len(part)
        if size > most:
            raise GitFailed(f"wrote more than {most:,} bytes")
    return b"".join(parts)


async def _read_error(stream: asyncio.StreamReader | None) -> bytes:
    """Return the end of what is said, and read all of it: a full pipe would stop git."""
    assert stream is not None
    said = b""
    while part := await stream.read(1 << 12):
        said = (said + part)[-_ERROR_BYTES:]
    return said


async def _feed(process: asyncio.subprocess.Process, fed: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(fed)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End git with all that it started, which share its group, and wait for it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _last_word(said: bytes) -> str:
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    word = telling[0] if telling else "no reason given"
    word = word.removeprefix("fatal: ").removeprefix("error: ")
    return "".join(one if one.isprintable() else " " for one in word)[:300].strip(" .")
