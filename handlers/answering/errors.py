"""What can go wrong with a language model.

ModelError
├── ModelUnavailable    no connection, time-out, 429, 5xx, died mid-stream      retryable
├── ModelRefused        bad key, unknown model, bad request: the operator must act
└── ToolsUnsupported    the endpoint or the model cannot call tools
"""

from typing import ClassVar


class ModelError(Exception):
    """Root of the tree. ``retryable`` says whether the same call may succeed later by itself."""

    retryable: ClassVar[bool] = False


class ModelUnavailable(ModelError):
    """The endpoint did not answer, or stopped in the middle."""

    retryable = True


class ModelRefused(ModelError):
    """The endpoint understood and said no."""


class ToolsUnsupported(ModelError):
    """The endpoint, or the model behind it, cannot call tools: another one must be configured."""
