"""Make ``.venv`` and install Footnote into it, with a build of torch that fits the machine.

Runs on a bare Python 3.11 or newer; the targets of the Makefile call it. On Linux, PyPI's torch
brings gigabytes of CUDA libraries. A machine without a GPU gets the CPU build, whose version ends
in ``+cpu``. PyPI never carries such a version, so asking for exactly it can never bring CUDA. It is
looked for

1. wherever pip is configured to look (a local wheel directory, a company's mirror), then
2. at TORCH_INDEX, which is PyTorch's own index of CPU builds unless it is set otherwise.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
LOCK_HEADER = """\
# The exact set that every machine gets. `make lock` writes this file; edit pyproject.toml instead.
# torch==X is satisfied by X and by X+cpu; infra/install.py chooses which of them is installed.
"""


class InstallError(Exception):
    """Something the person at the keyboard must decide or mend; the text says what."""


def run(venv: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the Python of ``venv`` and return what it printed."""
    command = [str(venv / "bin" / "python"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def install(venv: Path, *arguments: str) -> str:
    """Let pip install; return an empty string, or what pip said when it could not."""
    options = ("--quiet", "--no-input", "--disable-pip-version-check")
    done = run(venv, "-m", "pip", "install", *options, *arguments)
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).splitlines()
    return "\n".join(line for line in lines if not line.startswith("WARNING")) or "pip failed."


def make_venv(venv: Path) -> None:
    """Create ``venv`` unless a working one is there. Raises InstallError."""
    if (venv / "bin" / "python").exists() and run(venv, "-m", "pip", "--version").returncode == 0:
        return
    shutil.rmtree(venv, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(venv)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        raise InstallError(
            f"{made.stdout}{made.stderr}\n{sys.executable} cannot make a virtual environment. "
            "On Debian and Ubuntu, `apt-get install python3-venv` mends that."
        )


def install_torch(venv: Path, build: str, system: str = platform.system()) -> None:
    """Install the ``build`` of torch: "cpu", "cuda", or "" for what is there already, else CPU.

    Only Linux has the choice. The dependencies of torch come with the project, from the usual
    index. Raises InstallError.
    """
    lines = CONSTRAINTS.read_text().splitlines()
    version = next(line for line in lines if line.startswith("torch==")).removeprefix("torch==")
    asked = run(venv, "-c", "from importlib.metadata import version; print(version('torch'))")
    present = asked.stdout.strip()
    if not build and present.partition("+")[0] == version:
        return
    if system == "Linux" and build != "cuda":
        if present != f"{version}+cpu":
            install_cpu_torch(venv, version)
        return
    # `===` compares the text; with `==`, pip would take a local +cpu wheel for the newer version.
    said = install(venv, "--no-deps", f"torch==={version}")
    if said:
        raise InstallError(f"{said}\nThere is no torch {version} for {machine()} where pip looks.")


def install_cpu_torch(venv: Path, version: str) -> None:
    """Install the CPU build for Linux from the first place that has it. Raises InstallError."""
    wanted = ("--no-deps", f"torch=={version}+cpu")
    if not install(venv, *wanted):
        return
    index = os.environ.get("TORCH_INDEX", TORCH_INDEX)
    said = "TORCH_INDEX is empty."
    if index:
        said = install(venv, *wanted, "--index-url", index, "--timeout", "15", "--retries", "2")
    if said:
        raise InstallError(
            f"{said}\nNo CPU build of torch {version} for {machine()} was found, neither where pip "
            f"looks by itself nor at {index or 'TORCH_INDEX'}. PyPI has only the build with CUDA, "
            "which takes several gigabytes, so nothing was installed. Set TORCH_INDEX to a mirror "
            f"of {TORCH_INDEX}, or put the wheel into a folder and set PIP_FIND_LINKS to it, or "
            "accept the large build: make setup TORCH=cuda"
        )


def install_project(venv: Path, extras: str) -> None:
    """Install Footnote itself, editable, with the pinned set. Raises InstallError."""
    target = f".[{extras}]" if extras else "."
    said = install(venv, "--constraint", str(CONSTRAINTS), "--editable", target)
    if said:
        raise InstallError(f"{said}\npip could not install what pyproject.toml asks for.")


def machine() -> str:
    """Name the machine as wheels do: Python, system, processor."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


def set_up(venv: Path, build: str, extras: str) -> None:
    """Bring ``venv`` in step with pyproject.toml and constraints.txt. Raises InstallError."""
    steps = (
        (f"making {venv.name} for {machine()}", partial(make_venv, venv)),
        (f"installing torch ({build or 'CPU'})", partial(install_torch, venv, build)),
        (f"installing Footnote {extras}".rstrip(), partial(install_project, venv, extras)),
    )
    for number, (doing, step) in enumerate(steps, start=1):
        print(f"{number}/{len(steps)} {doing} ...", flush=True)
        started = time.monotonic()
        step()
        print(f"    done in {time.monotonic() - started:.0f} s", flush=True)
    if not build and shutil.which("nvidia-smi"):
        print("There is an NVIDIA GPU here; `make setup TORCH=cuda` installs torch for it.")


def lock(venv: Path) -> None:
    """Resolve pyproject.toml afresh in ``venv`` and write constraints.txt. Raises InstallError."""
    make_venv(venv)
    install_torch(venv, "cpu")
    # setuptools is asked for by name because torch needs it from Python 3.12 on.
    said = install(venv, "--upgrade", "--editable", ".[dev]", "setuptools")
    if said:
        raise InstallError(f"{said}\npip could not resolve what pyproject.toml asks for.")
    frozen = run(venv, "-m", "pip", "freeze", "--all", "--exclude-editable", "--exclude", "pip")
    pins = sorted((line.partition("+")[0] for line in frozen.stdout.splitlines()), key=str.lower)
    CONSTRAINTS.write_text(LOCK_HEADER + "\n".join(pins) + "\n")
    print(f"{CONSTRAINTS.name} holds {len(pins)} packages.")


def main() -> int:
    """Parse the command line and act; return the exit status."""
    parser = argparse.ArgumentParser(description="Make .venv and install Footnote into it.")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--torch", choices=("", "cpu", "cuda"), default="", help="default: CPU")
    parser.add_argument("--extras", default="", help="groups of pyproject.toml, such as dev")
    parser.add_argument("--lock", action="store_true", help="resolve afresh, write constraints.txt")
    arguments = parser.parse_args()
    try:
        if arguments.lock:
            lock(arguments.venv)
        else:
            set_up(arguments.venv, arguments.torch, arguments.extras)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
