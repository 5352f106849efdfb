"""What every test may use: a place for the Block Kit payloads that are type-checked at the end.

Tests marked ``corpus`` read documents that are no part of the project. Where those are absent the
tests are left out, and the head of the report says so.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "data"
SAMPLES = Path(__file__).parents[1] / "build" / "blockkit"

Emitted = Callable[[str, Any], None]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what reads the corpora, where there are none."""
    left_out = [one for one in items if one.get_closest_marker("corpus") and not CORPORA.is_dir()]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [one for one in items if one not in left_out]


def pytest_report_header() -> list[str]:
    """Say so."""
    if CORPORA.is_dir():
        return []
    return ["no shared/data beside the checkout: tests on its real documents are left out"]


@pytest.fixture
def emitted() -> Emitted:
    """Save a payload for the type check (tests/typescript): blocks, a view, or a whole call."""

    def save(kind: str, payload: Any) -> None:
        # Forms carry blocks and views as JSON text.
        payload = json.loads(payload) if isinstance(payload, str) else payload
        content = {"message": {"blocks": payload}, "call": payload}.get(kind, {"view": payload})
        text = json.dumps({"kind": kind, **content}, indent=1, sort_keys=True)
        SAMPLES.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        (SAMPLES / f"{kind}-{name}.json").write_text(text, encoding="utf-8")

    return save
