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

# boto3 comes along although Lambda has one: that one is of another version every other week, and
# botocore reads a folder of 400 services before it finds the three.
_PACKAGES = ("slack-bolt", "aiohttp", "cryptography", "boto3")
_NOT_NEEDED = (
    "bin",
    "*.dist-info",
    "slack",  # the old name of slack_sdk
    "cffi",  # cryptography runs with its compiled half alone, which lies beside it
    "pycparser",
    "dateutil/zoneinfo",  # the system's own is used
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pyi",
    "**/*.c",
    "**/*.h",
    "boto3/examples",
    "botocore/data/*/*/examples-1.json",
)


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
        bundle.keep_services(folder)
        bundle.copy_code(folder)
        compiled = bundle.compile_code(folder, platform)
        write_zip(folder, target)
    if target.stat().st_size > LARGEST:
        raise BundleError(
            f"{target.name} has {target.stat().st_size:,} bytes; {LARGEST:,} are allowed. See what "
            "came with the last package, and add it to what is not needed."
        )
    return compiled


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
    arguments = parser.parse_args()
    try:
        code_zip(arguments.folder / "code.zip")
        _tell(arguments.folder / "code.zip")
        if not arguments.code_only:
            platform = Target(arguments.python, arguments.machine)
            compiled = slack_zip(arguments.folder / "slack.zip", platform, arguments.extra)
            _tell(arguments.folder / "slack.zip")
            if not compiled:
                print(
                    f"There is no Python {arguments.python} here to compile slack.zip with, so its "
                    "cold starts take three times as long. Install it, or say --python with a "
                    "version that is here, and `osls deploy --param runtime=pythonVERSION`.",
                    file=sys.stderr,
                )
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _tell(path: Path) -> None:
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
