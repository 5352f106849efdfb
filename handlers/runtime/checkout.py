"""The checkout that this program runs from, and the set-up programs in it."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from handlers.runtime.stage import WITHOUT_IMAGE

_NEEDED = ("serverless.yml", "infra/osls.py", "infra/package.py")
_LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and the last lines of what it said."""

    status: int
    last: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reason of a failure: what osls says below "Error:", or else the last words."""
        marked = [n for n, line in enumerate(self.last) if line.strip() == "Error:"]
        lines = self.last[marked[-1] + 1 :] if marked else self.last[-6:]
        ends = [n for n, line in enumerate(lines) if line.startswith("View the full error")]
        return " ".join(" ".join(lines[: ends[0]] if ends else lines).split())


def checkout() -> Path | None:
    """Return the folder of the checkout, or None when this is an installed package without one.

    It is the folder that this file belongs to, or else the current one.
    """
    for folder in (Path(__file__).resolve().parents[2], Path.cwd()):
        if all((folder / name).is_file() for name in _NEEDED):
            return folder
    return None


def osls_line(
    command: str, stage: str, region: str, image: str, params: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the module and the arguments that have osls package or deploy a stage."""
    given = {**({"image": image} if image else {}), **params}
    line = ("infra.osls", command, "--stage", stage, "--region", region)
    return (*line, *(f"--param={name}={value}" for name, value in given.items()))


async def make_zips(
    folder: Path,
    stage: str,
    params: Mapping[str, str],
    *,
    hear: Callable[[str], None] = lambda line: None,
) -> Ended:
    """Make the zips that serverless.yml names for a stage, for the Python and machine it names."""
    return await run_module(folder, "infra.package", *zip_options(stage, params), hear=hear)


def zip_options(stage: str, params: Mapping[str, str]) -> list[str]:
    """Return the options of `python -m infra.package` for the parameters of a stage. Pure."""
    more = ["--code-only"] if stage == WITHOUT_IMAGE else []
    if runtime := params.get("runtime"):
        more += ["--python", runtime.removeprefix("python")]
    if architecture := params.get("architecture"):
        more += ["--machine", architecture]
    if stage != WITHOUT_IMAGE:
        for extra in params.get("extras", "").split():
            more += ["--extra", extra]
    return more


async def run_module(
    folder: Path, *arguments: str, hear: Callable[[str], None] = lambda line: None, keep: int = 15
) -> Ended:
    """Run `python -m ARGUMENTS` in ``folder``; ``hear`` gets each line of what it says.

    It inherits the environment. Whoever is cancelled here ends it, and waits for its end.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LONGEST_LINE,
    )
    assert process.stdout is not None
    last: list[str] = []
    try:
        async for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            hear(line)
            if line:
                last = [*last, line][-keep:]
        status = await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    return Ended(status, tuple(last))
