"""A local Slack: a strict Web API, signed events, Socket Mode, and a page to talk in."""

from bot.playground.delivery import NotAcknowledged
from bot.playground.errors import PlaygroundMisuse
from bot.playground.server import Playground

__all__ = ["NotAcknowledged", "Playground", "PlaygroundMisuse"]
