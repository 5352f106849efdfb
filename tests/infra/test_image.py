"""The container image: one recipe, no secret, nobody's root, and no torch in it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import bundle

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text("utf-8")
LARGEST = 700_000_000
"""Bytes of an assembled folder; most are LanceDB, Arrow and the embedder."""


def instructions(stage: int) -> list[str]:
    """Return the lines of a stage of the Dockerfile, with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    stages = " ".join(lines).count("FROM ")
    assert stages == 2
    begin = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    return lines[begin[stage] : [*begin, len(lines)][stage + 1]]


def test_the_image_is_what_the_assembler_puts_together() -> None:
    assert any("-m infra.image --assemble /var/task" in line for line in instructions(0))
    copied = [line for line in instructions(1) if line.startswith("COPY")]
    assert copied == ["COPY --from=assembled /var/task /var/task"]
    assert not [line for line in instructions(1) if "pip" in line]


def test_what_the_image_takes_along_is_asked_for_when_it_is_built() -> None:
    [assembling] = [line for line in instructions(0) if "infra.image" in line]
    script = assembling.removeprefix("RUN ").replace("/venv/bin/python", "echo")
    for extras, expected in (
        ("", []),
        ("otel", ["--extra otel"]),
        ("a b", ["--extra a --extra b"]),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", script], env={"EXTRAS": extras}, capture_output=True, text=True
        )
        assert done.stdout.split(" /docs")[1].strip() == "".join(expected)
    compose = yaml.safe_load((ROOT / "infra" / "compose.yml").read_text("utf-8"))
    assert "EXTRAS" in compose["services"]["footnote"]["build"]["args"]
    assert "ARG EXTRAS=" in instructions(0)


def test_the_image_knows_every_service_of_aws_that_functions_call() -> None:
    code = "".join(path.read_text("utf-8") for path in (bundle.ROOT / "handlers").rglob("*.py"))
    called = set(re.findall(r'\bmake_client\(\s*"(\w+)"', code))
    assert "s3" in called
    assert called == set(bundle.SERVICES)


def test_the_image_runs_as_nobody_special() -> None:
    users = [line for line in instructions(1) if line.startswith("USER")]
    assert users == ["USER 1000:1000"]


def test_no_secret_gets_near_the_image() -> None:
    ignored = (ROOT / "infra" / "Dockerfile.dockerignore").read_text("utf-8").split("\n")
    assert {".env", ".env.*", ".git"} <= set(ignored)
    # Folders are copied by name, so what lies beside them in a checkout is not.
    sources = {line.split()[1] for line in instructions(0) if line.startswith("COPY")}
    assert "." not in sources


def test_the_container_for_those_without_aws_is_locked_down_and_serves() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "compose.yml").read_text("utf-8"))
    service = compose["services"]["footnote"]
    assert [*service["entrypoint"], *service["command"]] == ["python", "-m", "handlers", "serve"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert "ports" not in service
    assert any(volume.endswith(":/docs:ro") for volume in service["volumes"])
    # Whatever it may write to is a volume or memory.
    assert service["environment"]["FOOTNOTE_HOME"] == "/data"


@pytest.mark.parametrize("group", ["lambda", "otel"])
def test_what_an_image_may_take_along_is_pinned(group: str) -> None:
    names = [re.split(r"[<>=]", line)[0] for line in bundle.group(group)]
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    assert names
    assert [name for name in names if not re.search(rf"^{name}==", pins, re.MULTILINE)] == []


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_an_assembled_folder_indexes_and_answers_without_torch(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    # It checks by itself that the doors load, and that the vectors are those of torch.
    command = [sys.executable, "-m", "infra.image", "--assemble", str(folder), "--extra", "otel"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    assert not [path.name for path in folder.glob("torch*")]
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= LARGEST
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(folder),
        "FOOTNOTE_MODELS": str(folder / "models"),
        "FOOTNOTE_HOME": str(tmp_path / "home"),
    }
    for command in (["sync", "--docs", "docs"], ["ask", "How long are backups kept?"]):
        ran = subprocess.run(
            [sys.executable, "-S", "-m", "handlers", *command, "--json"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["verdict"] == "answered"
    exports = "from handlers.adapters.otel import Tracer; Tracer('http://127.0.0.1:9/').close()"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", exports],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
