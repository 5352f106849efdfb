"""AgentDojo is run only where `make bench-agentdojo` has installed it."""

from pathlib import Path

READY = Path(__file__).resolve().parents[3] / "build" / "agentdojo" / ".ready"

collect_ignore = [] if READY.exists() else ["test_agentdojo.py"]
