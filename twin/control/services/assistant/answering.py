"""黄小政 answers: what was asked, the pages that fit best, the guide read out; or "I hand you over"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.control.services.assistant.pages import ITEM, POLICY, Page
from twin.control.services.assistant.ranking import Ranker, Reading, Words

HAND_OVER = "我为您转接人工。"
#: below this score the assistant is not sure; set on the tuning half of the questions
SURE = 1.9
SHOWN = 3


@dataclass(frozen=True)
class Found:
    """A page that fits: ``because``, the words it was found by."""

    code: str
    kind: str
    name: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What is said to the asker. ``found``: best first, also when ``handed_over`` (the person sees them)."""

    intent: str
    found: tuple[Found, ...]
    handed_over: bool
    text: str


class Assistant:
    """Answers questions over pages; see :mod:`.pages`. The same question gets the same answer."""

    def __init__(self, pages: Sequence[Page], words: Words | None = None, sure: float = SURE) -> None:
        self._ranker = Ranker(pages, words or Words.shipped())
        self._sure = sure
        self.pages = {p.code: p for p in pages}

    def answer(self, question: str, shown: int = SHOWN) -> Answer:
        """Return the answer to a question in Chinese; anything may be asked, nothing raises."""
        reading = self._ranker.read(question)
        scores = self._ranker.scores(reading)
        order = np.argsort(-scores, kind="stable")[:shown].tolist()
        pages = self._ranker.pages
        found = tuple(Found(pages[i].code, pages[i].kind, pages[i].name, round(float(scores[i]), 6)) for i in order)
        over = reading.for_a_person or not reading.text or not found or found[0].score < self._sure
        text = HAND_OVER if over else said(reading, [pages[i] for i in order])
        return Answer(reading.intent, found, over, text)


def said(reading: Reading, pages: Sequence[Page]) -> str:
    """Return what is read out: the part asked for, or the whole guide, then the other pages by name."""
    first = pages[0]
    if reading.intent in ("materials", "steps", "limit", "fee") and first.kind != POLICY:
        label = {"materials": "申请材料", "steps": "办理流程", "limit": "办理时限", "fee": "收费"}[reading.intent]
        text = f"{first.name}（{first.code}）{label}：{getattr(first, reading.intent)}"
    else:
        text = first.guide
    others = "\n".join(f"- {p.name}（{p.code}）" for p in pages[1:])
    return f"{text}\n您也可能要办：\n{others}" if others else text


__all__ = ["HAND_OVER", "ITEM", "SURE", "Answer", "Assistant", "Found", "said"]
