"""A real model is asked only where `make real-model` has fetched one: a gigabyte is no surprise."""

from tests.benchmarks.real_model.fetch import is_there

collect_ignore = [] if is_there() else ["test_agent.py", "test_real_model.py"]
