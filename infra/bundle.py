"""Lay out what a function runs: its packages, its code and their compiled files, for one Python.

Shared by infra/package.py, which makes zips, and infra/image.py, which makes the container image.
Versions are those of constraints.txt; a package that it does not name is refused, so that the same
checkout always gives the same files.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
PLACE = "/var/task"
"""Where Lambda unpacks a zip and where the image keeps its code; tracebacks name files there."""

DOOR_SERVICES = ("dynamodb", "sqs", "ssm")
"""The services of AWS that the doors in a zip call through boto3."""

SERVICES = (*DOOR_SERVICES, "s3")
"""Those that any function calls: documents, prepared portions and cards lie in buckets."""

_CODE = ("bot", "handlers", "index")
_LEFT_OUT = {"bot/playground"}
"""The local Slack and its sample documents: nothing that is deployed needs them."""

_SUFFIXES = {".py", ".md", ".txt", ".typed"}
_GLIBC = {"3.11": (2, 26)}
"""Lambda's Python 3.11 runs on Amazon Linux 2; everything newer on Amazon Linux 2023."""

_NEWEST_GLIBC = (2, 34)


class BundleError(Exception):
    """Something the person at the keyboard must decide or mend; the text says what."""


@dataclass(frozen=True)
class Target:
    """The Python and the processor that will run it: "3.13" and "x86_64" or "arm64"."""

    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine: str = "x86_64"

    def platforms(self) -> list[str]:
        """Return the tags of wheels that run there, the newest first."""
        processor = {"x86_64": "x86_64", "arm64": "aarch64"}[self.machine]
        major, newest = _GLIBC.get(self.python, _NEWEST_GLIBC)
        tags = [f"manylinux_{major}_{minor}_{processor}" for minor in range(newest, 16, -1)]
        return [*tags, f"manylinux2014_{processor}"]


def dependencies() -> list[str]:
    """Return the names of all packages that pyproject.toml asks for."""
    return list(_asked())


def requirements(names: Iterable[str]) -> list[str]:
    """Return what pyproject.toml asks for under these names of packages. Raises BundleError."""
    asked = _asked()
    missing = sorted(set(names) - set(asked))
    if missing:
        raise BundleError(f"pyproject.toml does not ask for {', '.join(missing)}.")
    return [asked[name] for name in names]


def group(name: str) -> list[str]:
    """Return what an optional group of pyproject.toml asks for. Raises BundleError."""
    groups: dict[str, list[str]] = _project()["optional-dependencies"]
    if name not in groups:
        raise BundleError(f"pyproject.toml has no group {name}; it has {', '.join(groups)}.")
    return groups[name]


def install(folder: Path, wanted: Sequence[str], target: Target | None = None) -> None:
    """Install packages and what they need into ``folder``, for this Python if not for another.

    Raises BundleError.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--target", str(folder)]
    if target is not None:
        command += ["--implementation", "cp", "--python-version", target.python]
        command += [part for tag in target.platforms() for part in ("--platform", tag)]
    command += ["--constraint", str(CONSTRAINTS), *wanted]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).splitlines()
        said = "\n".join(line for line in lines if not line.startswith("WARNING"))
        what = f"Python {target.python} on {target.machine}" if target else "this Python"
        raise BundleError(f"{said}\npip could not install the packages for {what}.")
    loose = sorted(_installed(folder) - _pinned())
    if loose:
        raise BundleError(
            f"constraints.txt does not name {', '.join(loose)}, so another day would bring another "
            "version. Add these lines to it."
        )


def remove(folder: Path, patterns: Iterable[str]) -> None:
    """Remove what the patterns match below ``folder``."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def keep_services(folder: Path, services: Iterable[str] = SERVICES) -> None:
    """Remove botocore's descriptions of all services of AWS but these."""
    described = folder / "botocore" / "data"
    known = {path.name for path in described.iterdir() if path.is_dir()}
    remove(described, known - set(services))


def copy_code(folder: Path) -> None:
    """Copy the code of Footnote into ``folder``, without what only tests and demos need."""
    for package in _CODE:
        for path in sorted((ROOT / package).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix not in _SUFFIXES or not path.is_file():
                continue
            if any(name.startswith(f"{left_out}/") for left_out in _LEFT_OUT):
                continue
            copy = folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def interpreter(python: str) -> str | None:
    """Return a Python of that version on this machine, or None.

    Besides the PATH, the folders of pyenv and uv are looked into: their programs on the PATH may
    stand for another version.
    """
    home = Path.home()
    kept = (
        *sorted(home.glob(f".pyenv/versions/{python}.*/bin/python{python}")),
        *sorted(home.glob(f".local/share/uv/python/cpython-{python}.*/bin/python{python}")),
    )
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in (sys.executable, shutil.which(f"python{python}"), *map(str, kept)):
        if candidate is None:
            continue
        asked = subprocess.run([candidate, "-I", "-c", ask], capture_output=True, text=True)
        if asked.returncode == 0 and asked.stdout.strip() == python:
            return candidate
    return None


def compile_code(folder: Path, target: Target) -> bool:
    """Compile all modules below ``folder``; tell whether there is a Python here that can.

    The compiled files bear the hash of their source in place of its time, and are used unchecked:
    times change on the way to Lambda, and then a module is compiled again at each cold start.
    Raises BundleError for a module that does not compile.
    """
    program = interpreter(target.python)
    if program is None:
        return False
    command = [program, "-I", "-m", "compileall", "-q", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", PLACE]
    # Constants that are sets are written in the order of their hashes.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run([*command, str(folder)], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise BundleError(f"{done.stdout}{done.stderr}\nNot everything could be compiled.")
    return True


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _asked() -> dict[str, str]:
    return {_name(line): line for line in _project()["dependencies"]}


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()


def _installed(folder: Path) -> set[str]:
    found = set()
    for metadata in folder.glob("*.dist-info/METADATA"):
        about = HeaderParser().parsestr(metadata.read_text("utf-8"))
        found.add(_pin(about["Name"], about["Version"]))
    return found


def _pinned() -> set[str]:
    lines = CONSTRAINTS.read_text("utf-8").splitlines()
    return {_pin(*line.split("==")) for line in lines if "==" in line and line[0] != "#"}


def _pin(name: str, version: str) -> str:
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"
