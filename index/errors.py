"""What can go wrong with knowledge, and whether trying again can help.

    KnowledgeError
    ├── DocumentUnreadable     one document; skipped, named and counted, never stops the rest
    ├── CatalogInvalid         the file that declares the sources; names every problem
    ├── SourceUnavailable      the place documents come from              retryable
    ├── FetchFailed            an address gave no usable answer           retryable
    │   ├── FetchRefused       it leads where requests may not go
    │   └── AnswerTooLarge     it holds more than was allowed
    ├── SuspiciousDeletion     a listing shrank too much; confirm it
    ├── EmbedderUnavailable    weights missing or not the published ones
    │   └── NotExportable      the model works, but not without torch
    ├── EmbedderUnreachable    the endpoint that embeds did not answer    retryable
    ├── EmbedderMismatch       the index was built with another embedder
    ├── RerankerUnavailable    the named reranker cannot be loaded
    ├── IndexMissing           nothing was synced yet
    ├── IndexUnavailable       storage did not answer                     retryable
    ├── WriterConflict         another writer holds the table             retryable
    ├── PreparedBroken         what was staged for it cannot be read
    ├── NothingPrepared        not one document within the time           retryable
    └── DocumentsMissing       what others prepare has not come yet       retryable

``str(error)`` is a sentence for the person who can act on it.
"""

from typing import ClassVar


class KnowledgeError(Exception):
    """Root of the tree. ``retryable`` says whether the same call may succeed later by itself."""

    retryable: ClassVar[bool] = False


class DocumentUnreadable(KnowledgeError):
    """A document is encrypted, empty, oversized, broken or of an unknown format."""


class CatalogInvalid(KnowledgeError):
    """The catalog of sources cannot be used. ``problems`` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["The catalog of sources needs you:", *problems]))


class SourceUnavailable(KnowledgeError):
    """A source could not be listed or read."""

    retryable = True


class FetchFailed(KnowledgeError):
    """A web address did not answer, or not as it should."""

    retryable = True


class FetchRefused(FetchFailed):
    """A web address, or what it redirects or resolves to, may not be asked."""

    retryable = False


class AnswerTooLarge(FetchFailed):
    """What a web address holds is larger than allowed. ``received`` counts the bytes read of it."""

    retryable = False

    def __init__(self, message: str, received: int) -> None:
        self.received = received
        super().__init__(message)


class SuspiciousDeletion(KnowledgeError):
    """A sync would remove so much that the listing is more likely broken than right."""


class EmbedderUnavailable(KnowledgeError):
    """The embedding model is missing, or its weights are not the published ones."""


class NotExportable(EmbedderUnavailable):
    """The model cannot be turned into an ONNX file that gives the same vectors."""


class EmbedderUnreachable(KnowledgeError):
    """The endpoint that embeds did not answer, or not as it should."""

    retryable = True


class EmbedderMismatch(KnowledgeError):
    """The index was built with another embedder, so distances would mean nothing."""


class RerankerUnavailable(KnowledgeError):
    """The reranker that the operator named cannot be loaded or does not work."""


class IndexMissing(KnowledgeError):
    """There is no index at this address yet."""


class IndexUnavailable(KnowledgeError):
    """The storage under the index did not answer."""

    retryable = True


class WriterConflict(KnowledgeError):
    """Another writer changed the table at the same time."""

    retryable = True


class PreparedBroken(KnowledgeError):
    """What was staged beside the index is broken, or another version wrote it: it is made again."""


class NothingPrepared(KnowledgeError):
    """The time of a worker was over before the first documents of its portion were done."""

    retryable = True


class DocumentsMissing(KnowledgeError):
    """Documents that workers were asked to prepare have not come, so the source is not in step."""

    retryable = True
