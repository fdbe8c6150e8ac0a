"""How well the service assistant answers: accuracy at 1 and 3, share handed over, milliseconds a question (F42).

The questions (``assistant_questions.csv``) were written before any retrieval. Halves are split by a hash of the id
(:func:`half`): words, weights and the threshold were set by looking at the tuning half only.

    python -m scenarios.assistant_study tuning --wrong
"""

from __future__ import annotations

import csv
import hashlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from twin.control.services.assistant.answering import Assistant
from twin.control.services.assistant.pages import PolicyText, pages_of

HERE = Path(__file__).parent
HANDOVER = "HANDOVER"
TUNING, TEST = "tuning", "test"


@dataclass(frozen=True)
class Question:
    """A question with the codes that count as right (``(HANDOVER,)``: a person must answer)."""

    id: str
    question: str
    expected: tuple[str, ...]
    style: str


@dataclass(frozen=True)
class Score:
    """Shares are of 1. ``at_1``/``at_3``: of the questions with an answer, those with a right page first, or shown.

    A question that has an answer and was handed over counts as wrong. ``handed_over``: share of the questions with an
    answer that were; ``caught``: share of those for a person that were.
    """

    questions: int
    at_1: float
    at_3: float
    handed_over: float
    caught: float
    ms: float
    ms_most: float


def half(question_id: str) -> str:
    """Return the half a question belongs to: the lowest bit of the first byte of SHA-256 of its id."""
    return TEST if hashlib.sha256(question_id.encode()).digest()[0] % 2 else TUNING


def questions(of: str | None = None, path: Path = HERE / "assistant_questions.csv") -> tuple[Question, ...]:
    """Return the questions of a half (None: all)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Question(r["id"], r["question"], tuple(r["expected"].split("|")), r["style"])
                for r in csv.DictReader(file)]  # fmt: skip
    return tuple(q for q in rows if of in (None, half(q.id)))


def shipped() -> Assistant:
    """Return the assistant over the shipped catalogue and policies."""
    from twin.control.services.catalogue.generate import generated
    from twin.world.companies.policies import shipped as policies

    told = [PolicyText(p.policy, p.title_zh, p.jdm, p.direct) for p in policies()]
    return Assistant(pages_of(generated(), told))


def measure(assistant: Assistant, asked: tuple[Question, ...], wrong: list[str] | None = None) -> Score:
    """Ask all and count; times are processor time of this process. ``wrong``: takes a line for each miss."""
    first = three = over = caught = 0
    took: list[float] = []
    for q in asked:
        began = time.process_time()
        answer = assistant.answer(q.question)
        took.append(1000 * (time.process_time() - began))
        if q.expected == (HANDOVER,):
            caught += answer.handed_over
            good = answer.handed_over
        else:
            over += answer.handed_over
            hits = [f.code in q.expected for f in answer.found]
            good = not answer.handed_over and any(hits)
            first += not answer.handed_over and hits[0]
            three += good
        if wrong is not None and not good:
            names = "/".join(assistant.pages[c].name for c in q.expected if c in assistant.pages)
            found = " ".join(f"{f.name}:{f.score:.2f}" for f in answer.found)
            wrong.append(f"{q.id} {q.style} {q.question} → {'人工 ' * answer.handed_over}{found} | {names}")
    without = sum(q.expected == (HANDOVER,) for q in asked)
    many = max(len(asked) - without, 1)
    return Score(
        len(asked), first / many, three / many, over / many, caught / max(without, 1), sum(took) / len(took), max(took)
    )


def main(arguments: list[str]) -> None:
    """Print the score of a half, by style too; ``--wrong``: and the misses (the tuning half only)."""
    of = arguments[0] if arguments else TUNING
    assistant = shipped()
    wrong: list[str] = []
    print(of, measure(assistant, questions(of), wrong))
    for style in ("formal", "colloquial", "misspelt", "profile"):
        part = tuple(q for q in questions(of) if q.style == style)
        print(f"{style:>11}", measure(assistant, part))
    if "--wrong" in arguments and of == TUNING:
        print("\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
