"""Make the zips that serverless.yml names: `make package`.

    build/slack.zip    the code and the few packages that the functions slack and reconcile need,
                       for the Python of Lambda; it is all that the deployment on AWS takes
    build/code.zip     the code alone, for the stage local, whose functions find the packages in
                       the checkout's own environment

The same checkout gives the same bytes, so a deployment that changes nothing changes no function.
Compiled files go along: without them a cold start of the slack function takes three times as long,
and Slack waits 3 seconds in all.
"""

import argparse
import json
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from infra import bundle
from infra.bundle import ROOT, BundleError, Target

RUNTIME = "3.13"
"""The parameter `runtime` of serverless.yml."""

LARGEST = 15_000_000
"""Bytes of a zip: what is larger takes longer to fetch at a cold start."""

LARGER_WITH_EXTRA = 5_000_000
"""Bytes more for each group of pyproject.toml that somebody asked for."""

LARGEST_UNPACKED = 250_000_000
"""Bytes that Lambda takes of a function's zip when it is unpacked, rounded down."""

# boto3 comes along although Lambda has one: that one is of another version every other week, and
# botocore reads a folder of 400 services before it finds the three.
_PACKAGES = ("slack-bolt", "aiohttp", "cryptography", "boto3", "jsonschema", "rfc8785")
_NOT_NEEDED = (
    "bin",
    "*.dist-info",
    "slack",  # the old name of slack_sdk
    "cffi",  # cryptography runs with its compiled half alone, which lies beside it
    "pycparser",
    "dateutil/zoneinfo",  # the system's own is used
    "aiohttp/_websocket/*.so",  # no WebSocket is opened; without these it is written in Python
    "multidict/_testcapi*",
    "slack_sdk/audit_logs",
    "slack_sdk/rtm*",
    "slack_sdk/scim",
    "slack_sdk/web/legacy_*",
    "jsonschema/benchmarks",
    "jsonschema/tests",
    "jsonschema_specifications/tests",
    "referencing/tests",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pyi",
    "**/*.c",
    "**/*.h",
    "boto3/examples",
    "botocore/data/*/*/examples-1.json",
)
_OTHERS = (
    *("handlers/judging", "handlers/runtime/doctor", "handlers/tools/builtin"),
    *("handlers/adapters/mcp_*", "handlers/adapters/openai_*", "handlers/adapters/*_issues.py"),
    *("index/formats", "index/sources"),
)
"""Code that only other functions and the command line use."""


def slack_zip(target: Path, platform: Target, extras: Sequence[str] = ()) -> bool:
    """Write the zip of the slack and reconcile functions; tell whether it is compiled.

    ``extras`` are groups of pyproject.toml. Raises BundleError.
    """
    wanted = [
        *bundle.requirements(_PACKAGES),
        *(line for name in extras for line in bundle.group(name)),
    ]
    with tempfile.TemporaryDirectory(prefix="footnote-zip-") as scratch:
        folder = Path(scratch)
        bundle.install(folder, wanted, platform)
        bundle.remove(folder, _NOT_NEEDED)
        bundle.keep_services(folder, bundle.DOOR_SERVICES)
        bundle.copy_code(folder)
        bundle.remove(folder, _OTHERS)
        compiled = bundle.compile_code(folder, platform)
        write_zip(folder, target)
    check_size(target, largest=LARGEST + LARGER_WITH_EXTRA * len(extras))
    return compiled


def check_size(
    target: Path, *, largest: int = LARGEST, largest_unpacked: int = LARGEST_UNPACKED
) -> None:
    """Raise BundleError for a zip that has more bytes than these, as it is or unpacked."""
    with zipfile.ZipFile(target) as zipped:
        unpacked = sum(entry.file_size for entry in zipped.infolist())
    for size, most, state in (
        (target.stat().st_size, largest, ""),
        (unpacked, largest_unpacked, " when it is unpacked"),
    ):
        if size > most:
            raise BundleError(
                f"{target.name} has {size:,} bytes{state}; {most:,} are allowed. See what came "
                "with the last package, and add it to what is not needed."
            )


def code_zip(target: Path) -> None:
    """Write the zip of the stage local, compiled for the Python that runs this."""
    with tempfile.TemporaryDirectory(prefix="footnote-zip-") as scratch:
        folder = Path(scratch)
        bundle.copy_code(folder)
        bundle.compile_code(folder, Target())
        write_zip(folder, target)


def write_zip(folder: Path, target: Path) -> None:
    """Write all files below ``folder``, by name and with one time; the file appears at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w") as zipped:
        for name in sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")):
            if (folder / name).is_file():
                entry = zipfile.ZipInfo(name)  # its time is the first that a zip can tell: 1980
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3  # Unix, whatever wrote it
                entry.external_attr = 0o100644 << 16  # Lambda's user must be able to read it
                zipped.writestr(entry, (folder / name).read_bytes(), compresslevel=9)
    unfinished.replace(target)


def main() -> int:
    """Parse the command line and act; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.package", description="Make the zips that serverless.yml names."
    )
    parser.add_argument(
        "--python",
        default=RUNTIME,
        metavar="VERSION",
        help=f"Python of the functions on AWS, as in the parameter runtime (default: {RUNTIME})",
    )
    parser.add_argument(
        "--machine",
        default="x86_64",
        choices=("x86_64", "arm64"),
        help="processor of the functions, as in the parameter architecture (default: x86_64)",
    )
    parser.add_argument(
        "--code-only", action="store_true", help="make nothing but code.zip, for the stage local"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build", help="where to put them (default: build)"
    )
    parser.add_argument(
        "--extra", action="append", default=[], help="a group of pyproject.toml, such as otel"
    )
    parser.add_argument(
        "--json", action="store_true", help="tell it as one JSON object on standard output"
    )
    arguments = parser.parse_args()
    made: dict[str, dict[str, object]] = {}
    try:
        local = arguments.folder / "code.zip"
        code_zip(local)
        made[local.name] = _about(local, Target().python, compiled=True)
        if not arguments.code_only:
            target = arguments.folder / "slack.zip"
            platform = Target(arguments.python, arguments.machine)
            compiled = slack_zip(target, platform, arguments.extra)
            made[target.name] = _about(target, arguments.python, compiled=compiled)
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(made))
    for name, about in made.items():
        if not arguments.json:
            print(f"{name}: {about['megabytes']} MB")
        if not about["compiled"]:
            print(f"warning: {name}: {uncompiled(arguments.python)}", file=sys.stderr)
    return 0


def uncompiled(python: str) -> str:
    """Return what it means that a zip for ``python`` holds no compiled files, and what to do."""
    return (
        f"There is no Python {python} on this machine to compile it with, so each cold start "
        "compiles it anew and takes three times as long, of the 3 seconds that Slack waits. "
        f"Install Python {python} (`pyenv install {python}`, or `uv python install {python}`) and "
        "make it again; or say --python with a version that is here, and deploy with "
        "`--param runtime=pythonVERSION`."
    )


def _about(path: Path, python: str, *, compiled: bool) -> dict[str, object]:
    megabytes = round(path.stat().st_size / 1e6, 1)
    return {"megabytes": megabytes, "python": python, "compiled": compiled}


if __name__ == "__main__":
    sys.exit(main())
