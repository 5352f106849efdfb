"""What every test may use: a place for the Block Kit payloads that are type-checked at the end."""

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

SAMPLES = Path(__file__).parents[1] / "build" / "blockkit"

Emitted = Callable[[str, Any], None]


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
