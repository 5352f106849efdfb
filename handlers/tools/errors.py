"""What can go wrong while the agent works.

::

    ToolError                 the model reads the sentence
     ├── BadArguments         they do not fit the schema; the model may mend them
     ├── ToolUnavailable      a service did not answer; retryable
     └── ToolRefused          a service or a rule said no
    AgentError                a person reads the sentence
     ├── AgentsStopped        the kill switch is on
     ├── RunStopped           somebody pressed Stop in its thread
     └── RunTooLarge          the run holds more than the store takes
"""


class ToolError(Exception):
    """A call did not work. ``str(error)`` is written for the model, and holds no secret."""

    retryable = False


class BadArguments(ToolError):
    """The arguments do not fit the tool's schema."""


class ToolUnavailable(ToolError):
    """A service did not answer, or not in time."""

    retryable = True


class ToolRefused(ToolError):
    """A service, or a rule of this house, said no."""


class AgentError(Exception):
    """A run cannot go on. ``str(error)`` is written for the one who asked."""

    retryable = False


class AgentsStopped(AgentError):
    """Somebody stopped all agents."""


class RunStopped(AgentError):
    """Somebody stopped this run."""


class RunTooLarge(AgentError):
    """A run holds more than the store takes."""
