"""Vectors from an OpenAI-compatible endpoint, and what is done when it does not behave."""

import json

import numpy as np
import pytest

from handlers.adapters.openai_embedder import BATCH_TEXTS, LONGEST_TEXT, MOST_TRIES, OpenAIEmbedder
from index.errors import EmbedderUnavailable, EmbedderUnreachable
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.scripted_embeddings import (
    KEY,
    Dies,
    Embeds,
    Fails,
    Hangs,
    Reversed,
    Says,
    ScriptedEmbeddings,
    Shrinks,
    Step,
)


class Patient:
    """Counts the pauses instead of waiting."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def embedder(
    server: ScriptedEmbeddings, patient: Patient | None = None, *, key: str = KEY
) -> OpenAIEmbedder:
    return OpenAIEmbedder(
        model="tiny-words",
        api_key=key,
        base_url=server.base_url,
        query_timeout=0.3,
        documents_timeout=0.3,
        retry_wait=0.02,
        jitter=lambda: 0.0,
        sleep=patient or Patient(),
    )


def scripted(*steps: Step) -> ScriptedEmbeddings:
    return ScriptedEmbeddings(steps=list(steps), steps_only=True)


def vector(numbers: object) -> str:
    return json.dumps({"data": [{"index": 0, "embedding": numbers}]})


def test_many_texts_go_in_batches_and_come_back_in_order() -> None:
    texts = [f"text number {n}" for n in range(2 * BATCH_TEXTS + 1)]
    with scripted(Embeds(), Embeds(), Reversed(), Embeds()) as server:
        vectors = embedder(server).embed_documents(texts)
        assert [len(one) for one in server.inputs] == [1, BATCH_TEXTS, BATCH_TEXTS, 1]
    expected = HashingEmbedder().embed_documents(texts)
    assert np.allclose(vectors, expected, atol=1e-5)


def test_its_dimensions_are_asked_for_once_and_its_name_says_what_makes_the_vectors() -> None:
    with scripted(Embeds()) as server:
        ours = embedder(server)
        assert (ours.dimensions, ours.dimensions) == (64, 64)
        assert ours.name == "openai:tiny-words"


def test_what_an_endpoint_would_refuse_is_not_sent() -> None:
    with scripted(*[Embeds()] * 3) as server:
        ours = embedder(server, key="")
        ours.embed_documents(["", " \n", "a\0b"])
        ours.embed_query("x" * (LONGEST_TEXT + 1))
        assert server.inputs[1:] == [[".", ".", "a b"], ["x" * LONGEST_TEXT]]


@pytest.mark.parametrize(
    "trouble", [Fails(429), Fails(500), Fails(503), Dies(), Says("<html>"), Says('{"data": []}')]
)
def test_trouble_that_may_pass_is_tried_again_after_a_pause(trouble: Step) -> None:
    patient = Patient()
    with scripted(trouble, trouble, Embeds()) as server:
        assert embedder(server, patient).embed_query("leave").shape == (64,)
    assert patient.pauses == [0.02, 0.04]


def test_an_endpoint_that_asks_for_patience_gets_it_up_to_a_limit() -> None:
    patient = Patient()
    with scripted(Embeds(), Fails(429, retry_after="7"), Embeds()) as server:
        embedder(server, patient).embed_documents(["leave"])
    assert patient.pauses == [7.0]
    with (
        scripted(Embeds(), Fails(429, retry_after="3600")) as server,
        pytest.raises(EmbedderUnreachable, match=r"is busy \(HTTP 429\)"),
    ):
        embedder(server, patient).embed_documents(["leave"])
    assert patient.pauses == [7.0]


def test_whoever_asks_is_not_kept_waiting_twice_and_a_sync_is() -> None:
    with scripted(Hangs()) as server, pytest.raises(EmbedderUnreachable, match="in time"):
        embedder(server).embed_query("leave")
    with scripted(Embeds(), Hangs(), Embeds()) as server:
        assert embedder(server).embed_documents(["leave"]).shape == (1, 64)


def test_it_gives_up_after_a_few_tries() -> None:
    with (
        scripted(*[Fails(500)] * MOST_TRIES) as server,
        pytest.raises(EmbedderUnreachable, match=r"failed \(HTTP 500\)"),
    ):
        embedder(server).embed_query("leave")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, None, "OPENAI_API_KEY"),
        (403, None, "OPENAI_API_KEY"),
        (404, None, "FOOTNOTE_EMBEDDER"),
        (400, None, "makes embeddings"),
        (429, "insufficient_quota", "quota"),
    ],
)
def test_what_the_operator_has_to_mend_is_not_tried_again_and_quotes_no_secret(
    status: int, code: str | None, said: str
) -> None:
    with (
        scripted(Fails(status, code=code)) as server,
        pytest.raises(EmbedderUnavailable, match=said) as caught,
    ):
        embedder(server).embed_query("a confidential question")
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in str(error) and "confidential" not in str(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "body",
    [
        '{"data": [{"index": 0}]}',
        '{"data": [{"index": 1, "embedding": [1.0]}]}',
        '{"data": 5}',
        "[]",
        vector([]),
        vector(["a"]),
        vector([0.0, 0.0]),
        vector([1.0, None]),
        '{"data": [{"index": 0, "embedding": [1.0, NaN]}]}',
        '{"data": [{"index": 0, "embedding": "AACAPw=="}]}',
    ],
)
def test_what_is_no_vector_is_never_taken_for_one(body: str) -> None:
    with (
        scripted(*[Says(body)] * MOST_TRIES) as server,
        pytest.raises(EmbedderUnreachable, match="no list of vectors"),
    ):
        embedder(server).embed_query("leave")


def test_vectors_of_another_length_than_before_are_refused() -> None:
    with (
        scripted(Embeds(), Shrinks()) as server,
        pytest.raises(EmbedderUnavailable, match="63 numbers a vector, and did so with 64"),
    ):
        embedder(server).embed_documents(["leave"])


def test_nobody_there_is_told_as_such() -> None:
    with ScriptedEmbeddings() as server:
        gone = embedder(server)
    with pytest.raises(EmbedderUnreachable, match="cannot be reached"):
        gone.embed_query("leave")
