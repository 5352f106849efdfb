"""The Slack door must start within Slack's 3 seconds, so its settings bring nothing heavy."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

ADDED = """
import sys
import slack_bolt.async_app, boto3
before = set(sys.modules)
import handlers.runtime.settings
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""


def test_settings_bring_no_library_with_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADDED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"handlers"} | sys.stdlib_module_names
