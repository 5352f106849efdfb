"""What fits into the context window of a model. Pure.

A tokenizer belongs to one model, and any model may be behind the endpoint, so tokens are estimated
from characters, rather too many than too few.
"""

from collections.abc import Callable, Sequence

from handlers.answering.ports import Message
from index.documents import Passage

CHARACTERS_A_TOKEN = 3
"""OpenAI's rule of thumb is 4 characters of English a token
(https://help.openai.com/en/articles/4936856), DeepSeek's .3 tokens a character, which is 3.3
(https://api-docs.deepseek.com/quick_start/token_usage); code and other Latin languages take more
tokens. Every character beyond ASCII counts as a token of its own: a Chinese one takes about .6."""

MESSAGE_TOKENS = 8
"""What a message takes besides its content: role and separators, 3 or 4 with OpenAI's models."""

ANSWER_TOKENS = 700
"""Kept free for the answer: five sentences of 40 words at most are 300 tokens, twice over."""


def tokens_in(text: str) -> int:
    """Return about how many tokens a text takes, rounded up."""
    plain = sum(character.isascii() for character in text)
    return -(-plain // CHARACTERS_A_TOKEN) + len(text) - plain


def fitting(
    passages: Sequence[Passage],
    window: int,
    asked: Callable[[Sequence[Passage]], Sequence[Message]],
    *,
    reserve: int = ANSWER_TOKENS,
) -> tuple[Passage, ...]:
    """Return the most valuable passages with which prompt and answer fit ``window`` tokens.

    ``passages`` come most valuable first and keep their order; ``asked`` makes the prompt of them.
    The least valuable are left out; the very best stays in any case, since a prompt without one
    can have no answer.
    """
    kept = list(passages)
    while len(kept) > 1:
        needed = sum(tokens_in(m.content) + MESSAGE_TOKENS for m in asked(kept))
        if needed + reserve <= window:
            break
        kept.pop()
    return tuple(kept)
