"""The tools of a suite as tools of ours."""

import json
from collections.abc import Mapping
from typing import Any

from agentdojo.functions_runtime import Function, FunctionCall, FunctionsRuntime, TaskEnvironment
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult


class World:
    """The environment of one case, and the calls that really ran in it, in order."""

    def __init__(self, environment: TaskEnvironment, functions: list[Function]) -> None:
        self.environment = environment
        self.ran: list[FunctionCall] = []
        self._runtime = FunctionsRuntime(functions)

    def run(self, name: str, arguments: Mapping[str, object]) -> object:
        """Run a function. Raises ToolRefused with what the suite says."""
        given: dict[str, Any] = dict(arguments)
        result, error = self._runtime.run_function(self.environment, name, given)
        self.ran.append(FunctionCall(function=name, args=given))
        if error:
            raise ToolRefused(error)
        return result


class SuiteTool:
    """One function of a suite, offered under the effect that a guard gives it."""

    def __init__(self, function: Function, effect: Effect, world: World) -> None:
        self._function = function
        self._effect = effect
        self._world = world

    @property
    def name(self) -> str:
        """The name in the suite."""
        return self._function.name

    @property
    def description(self) -> str:
        """The description in the suite."""
        return self._function.description

    @property
    def parameters(self) -> Mapping[str, object]:
        """The schema that the suite derives from the function."""
        schema: dict[str, object] = self._function.parameters.model_json_schema()
        return schema

    @property
    def effect(self) -> Effect:
        """What the guard says that running it does."""
        return self._effect

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Run it in the world of the case."""
        return ToolResult(written(self._world.run(self.name, arguments)))


def written(result: object) -> str:
    """Return a result as the text that the model reads."""
    if isinstance(result, str):
        return result
    plain = to_jsonable_python(result, fallback=_plain)
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
