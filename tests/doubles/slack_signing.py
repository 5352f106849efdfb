"""Requests as Slack signs them, on their way over HTTP or through API Gateway."""

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


def signed(body: bytes, content_type: str, *, secret: str = SECRET, **more: str) -> dict[str, str]:
    """Return the headers of a delivery made now; underscores in names become hyphens."""
    timestamp = str(int(time.time()))
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(body, timestamp, secret),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def mention(
    ts: str, text: str = "<@UFOOTNOTE> How long are backups kept?", *, kind: str = "app_mention"
) -> dict[str, Any]:
    """Return what Slack tells when Alice mentions the bot in #general of the playground.

    In a channel a mention comes as two events: ``kind`` "message" is the other one.
    """
    event = {
        "type": kind,
        "user": "UALICE",
        "text": text,
        "ts": ts,
        "event_ts": ts,
        "channel": "CGENERAL",
        **({"channel_type": "channel"} if kind == "message" else {}),
    }
    return {
        "type": "event_callback",
        "team_id": "TPLAYGROUND",
        "api_app_id": "A1",
        "event_id": f"Ev{kind}{ts}",
        "event_time": int(time.time()),
        "event": event,
    }


def event_request(
    envelope: object, *, secret: str = SECRET, **more: str
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an Events API delivery."""
    body = json.dumps(envelope).encode()
    return body, signed(body, "application/json", secret=secret, **more)


def gateway_event(envelope: object, *, secret: str = SECRET, **more: str) -> dict[str, Any]:
    """Return what API Gateway makes of an Events API delivery."""
    body, headers = event_request(envelope, secret=secret, **more)
    return {
        "version": "2.0",
        "routeKey": "POST /slack/events",
        "rawPath": "/slack/events",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {"http": {"method": "POST", "path": "/slack/events"}},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def form_request(fields: dict[str, str], **more: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a slash command."""
    body = urlencode(fields).encode()
    return body, signed(body, "application/x-www-form-urlencoded", **more)


def click_request(payload: dict[str, Any], **more: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an interaction."""
    return form_request({"payload": json.dumps(payload)}, **more)
