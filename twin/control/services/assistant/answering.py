"""黄小政 answers: what was asked, the pages that fit best, the guide read out; or "I hand you over"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.control.services.assistant.pages import POLICY, Page
from twin.control.services.assistant.profiles import Profile, Pushed, Pusher
from twin.control.services.assistant.ranking import Ranker, Reading, Words
from twin.control.services.assistant.semantic import Semantic
from twin.domain.messages import Floats

HAND_OVER = "我为您转接人工。"
#: below this score the assistant is not sure; set on the tuning half (right: 2.0 or more, others 0.4 or less)
#: and on questions by others (see docs/assistant.md)
SURE = 1.9
SHOWN = 3
MEANING = 0.5  # of the optional embedding (assumed: not measured, the extra is not installed here)


@dataclass(frozen=True)
class Found:
    """A page that fits, with its score (no probability: it only ranks, and is compared with the threshold)."""

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
    """Answers questions over pages; see :mod:`.pages`. The same question gets the same answer.

    ``words``: a city's own tables; ``sure``: the threshold; ``meaning``: vectors of the pages' names, in their order.
    """

    def __init__(
        self, pages: Sequence[Page], words: Words | None = None, sure: float = SURE, meaning: Semantic | None = None
    ) -> None:
        self._ranker = Ranker(pages, words or Words.shipped())
        self._pusher = Pusher(pages)
        self._sure = sure
        self._meaning = meaning
        self.pages = {p.code: p for p in pages}

    def _near(self, text: str) -> Floats | float:
        """Return the lead of pages that are near in meaning, 0..MEANING; it changes the order, never the threshold."""
        if self._meaning is None or not text:
            return 0.0
        similar = self._meaning.similar(text)
        width = float(np.ptp(similar))
        near: Floats = MEANING * (similar - similar.min()) / (width or 1.0)
        return near

    def push(self, profile: Profile, at_most: int = 10) -> tuple[Pushed, ...]:
        """Return what fits a profile without being asked, sure things first, each with the reason."""
        return self._pusher.push(profile, at_most)

    def answer(self, question: str, profile: Profile | None = None, shown: int = SHOWN) -> Answer:
        """Return the answer to a question in Chinese; anything may be asked, nothing raises.

        ``profile``: who asks; between pages that fit alike, those for such people or companies come first.
        """
        reading = self._ranker.read(question)
        scores = self._ranker.scores(reading, profile)
        order = np.argsort(-(scores + self._near(reading.text)), kind="stable")[:shown].tolist()
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
