"""The assistant as a desk of the city: told its pages, asked questions, it answers or hands over to a person."""

from __future__ import annotations

from collections.abc import Sequence

from twin.control.services.assistant.answering import HAND_OVER, Answer, Assistant
from twin.control.services.assistant.pages import Page
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.services import AnswerQuestion, PagesTold, QuestionAsked


def pages_told(pages: Sequence[Page], t_s: int, key: str) -> PagesTold:
    """Return the message that tells a desk its pages."""
    return PagesTold(
        t_s,
        key,
        code=tuple(p.code for p in pages),
        kind=tuple(p.kind for p in pages),
        name=tuple(p.name for p in pages),
        department=tuple(p.department for p in pages),
        target=tuple(p.target for p in pages),
        subject=tuple(p.subject for p in pages),
        action=tuple(p.action for p in pages),
        guide=tuple(p.guide for p in pages),
        materials=tuple(p.materials for p in pages),
        steps=tuple(p.steps for p in pages),
        limit=tuple(p.limit for p in pages),
        fee=tuple(p.fee for p in pages),
        usual=tuple(p.usual for p in pages),
        industries=tuple("|".join(p.industries) for p in pages),
        table=tuple(p.table for p in pages),
    )


def pages_from(m: PagesTold) -> tuple[Page, ...]:
    """Return the pages of a message: the inverse of :func:`pages_told`."""
    columns = (m.code, m.kind, m.name, m.department, m.target, m.subject, m.action, m.guide, m.materials, m.steps,
               m.limit, m.fee, m.usual)  # fmt: skip
    industries = [tuple(i.split("|")) if i else () for i in m.industries]
    rows = zip(*columns, industries, m.table, strict=True)
    return tuple(Page(*row) for row in rows)


class AssistantDesk:
    """A fold over messages: PagesTold (a later one replaces the pages), QuestionAsked → AnswerQuestion.

    A question that comes before any page is handed over; one that comes twice is answered once. The words of a question
    decide its answer, so the answers to the last ``kept`` different questions are looked up, not found anew.
    """

    def __init__(self, kept: int = 4_096) -> None:
        self._assistant: Assistant | None = None
        self._heard: set[str] = set()
        self._most = kept
        self._kept: dict[str, Answer] = {}

    def decide(self, now_s: int, messages: Sequence[Message]) -> list[Command]:  # noqa: ARG002
        """Take messages in and answer the questions among them."""
        out: list[Command] = []
        for m in messages:
            if m.key in self._heard:
                continue
            self._heard.add(m.key)
            if isinstance(m, PagesTold):
                self._assistant = Assistant(pages_from(m))
                self._kept = {}
            elif isinstance(m, QuestionAsked):
                out.append(self._answer(m))
        return out

    def _answer(self, m: QuestionAsked) -> AnswerQuestion:
        key = f"answer/{m.key}"
        if self._assistant is None:
            return AnswerQuestion(key, m.key, (), (), True, HAND_OVER)
        answer = self._kept.get(m.question)
        if answer is None:
            answer = self._assistant.answer(m.question)
            while len(self._kept) >= max(self._most, 1):
                del self._kept[next(iter(self._kept))]
            self._kept[m.question] = answer
        codes = tuple(f.code for f in answer.found)
        return AnswerQuestion(key, m.key, codes, tuple(f.score for f in answer.found), answer.handed_over, answer.text)
