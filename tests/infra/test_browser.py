"""A browser is found where it is, and installed by the system's own means where it is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def program(folder: Path, name: str, script: str) -> Path:
    """Write a small program into a folder that will be all of PATH."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"from infra import browser; print({code})"]
    env = {**os.environ, "PATH": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def test_a_browser_that_is_there_is_used(tmp_path: Path) -> None:
    chrome = program(tmp_path, "google-chrome", "exit 0")
    assert run("browser.find()", tmp_path).stdout.strip() == str(chrome)


def test_a_missing_browser_comes_from_the_systems_packages_without_a_password(
    tmp_path: Path,
) -> None:
    log = tmp_path / "calls"
    for name in ("env", "cp", "chmod", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    program(tmp_path, "sudo", 'shift; exec "$@"')
    program(tmp_path, "true", "exit 0")
    steps = [f'echo "$*" >> {log}', f'case "$*" in *chromium) cp {log} {tmp_path}/chromium; esac']
    program(tmp_path, "apt-get", "; ".join([*steps, f"chmod +x {tmp_path}/chromium || true"]))
    done = run("browser.install()", tmp_path)
    assert done.stdout.strip() == str(tmp_path / "chromium"), done.stderr
    assert [line.split()[-1] for line in log.read_text().splitlines()] == ["update", "chromium"]
    assert "No Chromium found; running" in done.stderr
