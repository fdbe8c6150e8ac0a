"""Somebody with a matter asks the assistant first, and what it says changes what is brought (F42).

The answers are those of the control code behind messages. Questions of a minute are told together. Who is told the
right item knows the list and avoids a share of the flaws; who is told of another item, and does not notice, comes with
its papers; who is handed over hears it from a person in open hours. No answer within an hour: as if not asked.
"""

from __future__ import annotations

from collections.abc import Callable

from twin.control.services.catalogue.items import Catalogue
from twin.dice import Dice
from twin.domain.messages import Message
from twin.domain.services import AnswerQuestion, QuestionAsked
from twin.events import AssistantAnswered, AssistantAsked
from twin.world.offices.filing import Filing
from twin.world.offices.matters import Matter
from twin.world.offices.office import ASK, TOLD, UNHEARD, Office
from twin.world.offices.papers import Papers
from twin.world.offices.questions import Questions

TOGETHER_S, PATIENCE_S = 60, 3_600  # the second is assumed
NONE, INFORMED, MISLED = range(3)
EFFECTS = ("none", "informed", "misled")


class Consulting:
    """Who asks, what they ask, and what comes of it. ``share``: of the matters that somebody asks about beforehand."""

    def __init__(
        self, catalogue: Catalogue, dice: Dice, papers: Papers, tell: Callable[[Message], None], share: float
    ) -> None:
        self._catalogue, self._papers, self._tell, self._share = catalogue, papers, tell, share
        self._questions = Questions(catalogue, dice)
        self._asks, self._notices = dice.stream("services.asks"), dice.stream("services.notices")
        self._hotline = dice.stream("services.hotline")
        self._asked: set[int] = set()  # matters that wait for an answer

    def join(self, office: Office, filing: Filing) -> None:
        """Take part in an office."""
        self._o, self._filing = office, filing

    def first(self, now_s: int, number: int, _: int) -> None:
        """Let somebody with a new matter ask at the end of the minute, or file at once."""
        m = self._o.matters[number]
        if m.on_foot or float(self._asks.uniform(number)[0]) >= self._share:
            self._filing.go_on(m, now_s)
            return
        self._o.at(-(-(now_s + 1) // TOGETHER_S) * TOGETHER_S, ASK, number, 0)

    def ask(self, now_s: int, number: int, _: int) -> None:
        """Put the question to the assistant."""
        ((question, style),) = self._questions.of([self._o.matters[number]])
        self._asked.add(number)
        self._o.log.add(AssistantAsked, t_s=now_s, matter_no=number, question=question, style=style)
        self._o.at(now_s + PATIENCE_S, UNHEARD, number, 0)
        self._tell(QuestionAsked(now_s, f"matter/{number}", question))

    def answered(self, c: AnswerQuestion, now_s: int) -> None:
        """Let an answer do what it does; one that nobody waits for does nothing."""
        number = int(c.question_key.rpartition("/")[2])
        if number not in self._asked:
            return
        m = self._o.matters[number]
        right = self._questions.right(m)
        rank = next((k for k, code in enumerate(c.code, 1) if code in right), 0)
        t_s = now_s
        if c.handed_over:
            effect = INFORMED if self._drawn(m, 1) < self._o.behaviour.hotline_right else NONE
            t_s = self._o.hours.add(now_s, int(60.0 * self._o.behaviour.hotline_min * 2.0 * self._drawn(m, 0)))
        else:
            effect = self._read(m, rank)
        if effect == MISLED and not self._papers.misled(m, self._catalogue.item_row.get(c.code[0], m.items[0])):
            effect = NONE  # the other item asks for the same papers
        if effect == INFORMED:
            self._papers.informed(m)
        self._o.log.add(
            AssistantAnswered, t_s=now_s, matter_no=number, rank=rank, handed_over=c.handed_over, effect=EFFECTS[effect]
        )
        self._asked.discard(number)
        self._o.at(t_s, TOLD, number, 0)

    def _drawn(self, m: Matter, occurrence: int) -> float:
        return float(self._hotline.uniform(m.number, occurrence)[0])

    def _read(self, m: Matter, rank: int) -> int:
        """Return what an asker makes of the pages: the right one first, further down, or not there."""
        b, u = self._o.behaviour, float(self._notices.uniform(m.number)[0])
        if rank == 1 or (rank > 1 and u < b.picks):
            return INFORMED
        return NONE if u < b.notices else MISLED

    def told(self, now_s: int, number: int, _: int) -> None:
        """Let somebody file who has an answer."""
        self._filing.go_on(self._o.matters[number], now_s)

    def unheard(self, now_s: int, number: int, _: int) -> None:
        """Let somebody file who has not heard anything."""
        if number in self._asked:
            self._asked.discard(number)
            self._filing.go_on(self._o.matters[number], now_s)
