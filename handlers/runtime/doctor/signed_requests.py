"""Requests to the address that Slack posts to, signed as Slack signs them.

Nothing that is sent here makes the bot say or store anything.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex

import aiohttp
from slack_sdk.signature import SignatureVerifier

_REPLY_BYTES = 65_536
_SILENT = {
    # A message that was changed: heard, acknowledged, and answered with silence.
    "type": "event_callback",
    "team_id": "T0PROBE",
    "event": {"type": "message", "subtype": "message_changed", "hidden": True, "channel": "C0"},
}


class EndpointUnreachable(Exception):
    """Nothing at the address answered. ``str(error)`` is a sentence."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and after how many seconds."""

    status: int
    text: str
    seconds: float


class EventsEndpoint:
    """The address at ``url``, as Slack would use it with ``signing_secret``."""

    def __init__(
        self,
        url: str,
        signing_secret: str,
        *,
        clock: Callable[[], float] = time.time,
        timeout: float = 8.0,
    ) -> None:
        """Keep all that; ``clock`` is in seconds since the epoch, ``timeout`` in seconds."""
        self._url = url
        self._verifier = SignatureVerifier(signing_secret)
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def challenge(self) -> tuple[Reply, bool]:
        """Ask as Slack does when the address is entered; tell also whether it answered rightly."""
        word = token_hex(16)
        reply = await self._post({"type": "url_verification", "challenge": word})
        return reply, reply.status == 200 and word in reply.text

    async def silent_event(self) -> Reply:
        """Deliver an event that ends as silence."""
        return await self._post({**_SILENT, "event_id": f"Ev{token_hex(8)}"})

    async def forged_event(self) -> Reply:
        """Deliver the same with a signature of somebody who does not know the secret."""
        return await self._post({**_SILENT, "event_id": f"Ev{token_hex(8)}"}, forged=True)

    async def _post(self, payload: Mapping[str, object], *, forged: bool = False) -> Reply:
        body = json.dumps(payload)
        timestamp = str(int(self._clock()))
        verifier = SignatureVerifier(token_hex(16)) if forged else self._verifier
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(verifier.generate_signature(timestamp=timestamp, body=body)),
        }
        began = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(
                    self._url, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                raw = await response.content.read(_REPLY_BYTES)
        except TimeoutError as error:
            raise EndpointUnreachable("The address did not answer in time.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise EndpointUnreachable(
                f"{self._url} cannot be reached ({type(error).__name__}). Another address is given"
                " with --events-url; make local-cloud prints its own."
            ) from error
        return Reply(response.status, raw.decode("utf-8", "replace"), time.monotonic() - began)
