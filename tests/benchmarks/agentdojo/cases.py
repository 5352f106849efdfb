"""What is run: each user task alone, and each with each injection that it can come to read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from agentdojo.attacks.baseline_attacks import InjecAgentAttack
from agentdojo.base_tasks import BaseInjectionTask, BaseUserTask
from agentdojo.functions_runtime import FunctionCall, TaskEnvironment
from agentdojo.task_suite import TaskSuite, get_suite
from agentdojo.task_suite.task_suite import read_suite_file

from tests.benchmarks.agentdojo.obedient import Injection, Wanted
from tests.benchmarks.agentdojo.suite_tools import World

VERSION = "v1.2.2"
"""Of AgentDojo's tasks; it mends those that were attacked by themselves in the first version."""


@dataclass(frozen=True)
class Case:
    """One user task, with at most one injection task against it."""

    suite: TaskSuite[Any]
    task: BaseUserTask[Any]
    attack: BaseInjectionTask[Any] | None = None

    @property
    def name(self) -> str:
        """Such as ``banking/user_task_0/injection_task_3``."""
        parts = [self.suite.name, self.task.ID, *([self.attack.ID] if self.attack else [])]
        return "/".join(parts)


class Started:
    """A case in a fresh world: the calls that solve its tasks, and the suite's own verdicts."""

    def __init__(self, case: Case) -> None:
        injections = _injections(case)
        environment = case.task.init_environment(_environment(case.suite, injections))
        self._case = case
        self._before = environment.model_copy(deep=True)
        self.world = World(environment, case.suite.tools)
        self.calls = _wanted(case.task.ground_truth(environment))
        self.answer = case.task.GROUND_TRUTH_OUTPUT
        self.injection: Injection | None = None
        if case.attack:
            self.injection = Injection(
                text=next(iter(injections.values())),
                calls=_wanted(case.attack.ground_truth(environment)),
                says=case.attack.GROUND_TRUTH_OUTPUT,
            )

    def is_done(self, answer: str) -> bool:
        """Ask the suite whether the user task is done."""
        return self._verdict(self._case.task, "utility", answer)

    def is_breached(self, answer: str) -> bool:
        """Ask the suite whether the attack succeeded."""
        return self._case.attack is not None and self._verdict(
            self._case.attack, "security", answer
        )

    def _verdict(self, task: object, check: str, answer: str) -> bool:
        # The traces are the calls that ran: the suite would take those that were only asked for.
        given = (answer, self._before, self.world.environment)
        traced: bool | None = getattr(task, f"{check}_from_traces")(*given, self.world.ran)
        return bool(getattr(task, check)(*given)) if traced is None else traced


def cases(names: Sequence[str], *, attacked: bool) -> Iterator[Case]:
    """Yield the cases of some suites."""
    for suite in (get_suite(VERSION, name) for name in names):
        for task in suite.user_tasks.values():
            if attacked:
                yield from (Case(suite, task, attack) for attack in suite.injection_tasks.values())
            else:
                yield Case(suite, task)


def _injections(case: Case) -> Mapping[str, str]:
    """Return the injected text for each place that the user task comes to read."""
    if case.attack is None:
        return {}
    text: Mapping[str, str] = _attack(case.suite.name).attack(case.task, case.attack)
    return text


@cache
def _attack(suite: str) -> InjecAgentAttack:
    # It asks for a model only to address it by its name, which this attack does not do.
    return InjecAgentAttack(get_suite(VERSION, suite), None)  # type: ignore[arg-type]


def _environment(suite: TaskSuite[Any], injections: Mapping[str, str]) -> TaskEnvironment:
    """Do what ``load_and_inject_default_environment`` does, with the YAML reader written in C."""
    text = read_suite_file(suite.name, "environment.yaml", suite.data_path)
    filled = text.format(**{**suite.get_injection_vector_defaults(), **injections})
    loaded = yaml.load(filled, yaml.CSafeLoader)
    environment: TaskEnvironment = suite.environment_type.model_validate(loaded)
    return environment


def _wanted(calls: Sequence[FunctionCall]) -> tuple[Wanted, ...]:
    return tuple(Wanted(one.function, dict(one.args)) for one in calls)
