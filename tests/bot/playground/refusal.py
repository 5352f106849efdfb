from collections.abc import Awaitable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError


async def refusal_of(call: Awaitable[Any]) -> dict[str, Any]:
    """Return the body of the refusal that a call of Slack's client meets."""
    with pytest.raises(SlackApiError) as refused:
        await call
    body: dict[str, Any] = refused.value.response.data
    return body
