"""Find the Chromium that the browser test drives, and install one where there is none.

Run as a script it prints the path of the browser; the Makefile does so before the tests.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find() -> str:
    """Return the path of a Chromium or Chrome on this machine, or an empty string."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    if MAC.exists():
        return str(MAC)
    return _playwrights_own()


def _playwrights_own() -> str:
    """Return the path of the browser that Playwright downloaded, or an empty string."""
    code = (
        "from playwright.sync_api import sync_playwright as p\n"
        "with p() as started: print(started.chromium.executable_path)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    path = asked.stdout.strip()
    return path if path and Path(path).exists() else ""


def install() -> str:
    """Install Chromium, from the system's packages if that needs no password; return its path."""
    for commands in (_apt(), _playwright()):
        for command in commands:
            print(f"No Chromium found; running: {' '.join(command)}", file=sys.stderr, flush=True)
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
                break
        path = find() if commands else ""
        if path:
            return path
    return ""


def _apt() -> list[list[str]]:
    """Return the commands of a Debian-like system where this user may install, else none."""
    if not shutil.which("apt-get"):
        return []
    prefix: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"]).returncode != 0:
            return []
        prefix = ["sudo", "-n"]
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    wanted = ["-y", "--no-install-recommends", "install", "chromium"]
    return [[*prefix, *quiet, "update"], [*prefix, *quiet, *wanted]]


def _playwright() -> list[list[str]]:
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def main() -> int:
    """Print the path of a browser, installing one first if need be; return the exit status."""
    path = find() or install()
    if not path:
        print(
            "error: the browser test needs Chromium or Chrome, and neither apt-get nor Playwright "
            "could install one here. Install it, so that `chromium` or `google-chrome` is found, "
            "and run this again.",
            file=sys.stderr,
        )
        return 1
    print(f"The browser test uses {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
