"""osls is the version that the lock file names, and deploys without a tool of the machine."""

import json
import subprocess

from infra import osls


def test_osls_is_there_in_the_locked_version() -> None:
    done = subprocess.run(osls.command("--version"), env={}, capture_output=True, text=True)
    lock = json.loads((osls.LOCK / "package-lock.json").read_text("utf-8"))
    assert lock["packages"]["node_modules/osls"]["version"] in done.stdout


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (osls.LOCK / "package-lock.json").read_text("utf-8")
