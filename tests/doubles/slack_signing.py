"""Requests as Slack signs them."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def signature(body: bytes, timestamp: str, secret: str = SECRET) -> str:
    """Return the value of X-Slack-Signature."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed(body: bytes, content_type: str, **more: str) -> dict[str, str]:
    """Return the headers of a delivery made now; underscores in names become hyphens."""
    timestamp = str(int(time.time()))
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(body, timestamp),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def event_request(envelope: object, **more: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an Events API delivery."""
    body = json.dumps(envelope).encode()
    return body, signed(body, "application/json", **more)


def form_request(fields: dict[str, str], **more: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a slash command."""
    body = urlencode(fields).encode()
    return body, signed(body, "application/x-www-form-urlencoded", **more)


def click_request(payload: dict[str, Any], **more: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an interaction."""
    return form_request({"payload": json.dumps(payload)}, **more)
