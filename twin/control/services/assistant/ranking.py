"""Which pages fit a question: subject, action and industry that were spotted, and BM25 over characters.

Score of a page = SUBJECT · s + ACTION · a + LETTERS · b + small terms; s: how well its subject was spotted, a: how well
its action fits what was asked for, b: BM25 (Robertson & Zaragoza 2009; bm25s) over characters and pairs of characters,
on a scale of 0..1. Weights were set on the tuning half of the questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import bm25s
import numpy as np

from twin.control.services.assistant.actions import ACTIONS, FILLERS, FOR_A_PERSON, INTENTS, WORDS
from twin.control.services.assistant.pages import POLICY, Page
from twin.control.services.assistant.profiles import PERSON, Profile
from twin.control.services.assistant.spotting import Spotter, plain, strengths
from twin.control.services.assistant.subjects import INDUSTRIES, POLICIES, SUBJECTS, Said, read
from twin.domain.messages import Floats, Ints

SUBJECT, ACTION, LETTERS, INDUSTRY, USUAL, FOR_ASKER = 2.0, 1.0, 0.8, 0.5, 0.05, 0.1
FULL_BM25 = 30.0  # a BM25 sum that counts as 1
ANY_ACTION = 0.7  # of a page without an action: most scenes of people, and policies
NO_MONEY = -0.6  # of a policy, if nothing was said of money or support
#: what people usually mean when they name no action
NO_ACTION: Mapping[str, float] = {
    "设立登记": 0.45, "许可": 0.4, "备案": 0.35, "待遇申领": 0.3, "资格认定": 0.2, "变更登记": 0.15,
}  # fmt: skip


_AGE = re.compile(r"([0-9]{1,3})(?:周?岁)")


@dataclass(frozen=True)
class Words:
    """The tables of words that a city owns, see :mod:`.subjects`."""

    subjects: tuple[Said, ...]
    actions: tuple[Said, ...]
    industries: tuple[Said, ...]
    intents: tuple[Said, ...]

    @classmethod
    def shipped(cls) -> Words:
        """Return the shipped tables."""
        return cls(
            (*read(SUBJECTS, "subjects"), *read(POLICIES, "policies")),
            read(WORDS, "actions"),
            read(INDUSTRIES, "industries"),
            read(INTENTS, "intents"),
        )


@dataclass(frozen=True)
class Reading:
    """What was understood: official words with strengths, the intent, and whether only a person can answer."""

    text: str
    subjects: Mapping[str, float]
    actions: Mapping[str, float]
    industries: Mapping[str, float]
    intent: str
    money: bool
    for_a_person: bool


def by_age(text: str) -> tuple[tuple[str, float], ...]:
    """Return what an age that is named stands for: from 80 on, the allowance of old age 高龄津贴 (assumed)."""
    return tuple(("高龄津贴", 0.9) for age in _AGE.findall(text) if int(age) >= 80)


def grams(text: str) -> list[str]:
    """Return the characters and the pairs of characters of a text."""
    return [*text, *(text[i : i + 2] for i in range(len(text) - 1))]


class Ranker:
    """Pages with an index over their characters. Made once; :meth:`rank` has no state."""

    def __init__(self, pages: Sequence[Page], words: Words) -> None:
        self.pages = tuple(pages)
        names = dict.fromkeys(p.subject for p in self.pages)
        known = {s.parts for s in words.subjects}
        own = tuple(Said((name,), ((name, 1.0),)) for name in names if (name,) not in known)
        both = tuple(_with_own(s, names) for s in words.subjects)
        self._subjects = Spotter((*both, *own))
        self._actions, self._industries = Spotter(words.actions), Spotter(words.industries)
        self._intents = Spotter(words.intents)
        self._subject_row = {name: i for i, name in enumerate(names)}
        self._subject: Ints = np.array([self._subject_row[p.subject] for p in self.pages], dtype=np.int64)
        actions = {name: i for i, name in enumerate((*ACTIONS, ""))}
        self._action: Ints = np.array([actions[p.action] for p in self.pages], dtype=np.int64)
        self._policy = np.array([p.kind == POLICY for p in self.pages], dtype=bool)
        self._person = np.array([p.target == "person" for p in self.pages], dtype=bool)
        self._any_industry = np.array([not p.industries for p in self.pages], dtype=bool)
        usual = np.array([p.usual for p in self.pages])
        self._usual: Floats = usual / max(float(usual.max(initial=0.0)), 1e-9)
        self._index = bm25s.BM25(method="lucene")
        said = _said_of(words, names)
        texts = [grams(plain(p.name)) + grams(said.get(p.subject, "")) for p in self.pages]
        self._index.index(texts, show_progress=False)
        self._grams = frozenset(g for text in texts for g in text)

    def read(self, question: str) -> Reading:
        """Return what is understood of a question."""
        text = plain(question)
        subjects = dict(strengths(self._subjects.spots(text)))
        for official, strength in by_age(text):
            subjects[official] = max(subjects.get(official, 0.0), strength)
        intents = strengths(self._intents.spots(text))
        intent = max(intents, key=lambda k: intents[k], default="guide")
        return Reading(
            text=text,
            subjects=subjects,
            actions=strengths(self._actions.spots(text)),
            industries=strengths(self._industries.spots(text)),
            intent=intent,
            money="policy" in intents,
            for_a_person=any(w in text for w in FOR_A_PERSON),
        )

    def scores(self, reading: Reading, profile: Profile | None = None) -> Floats:
        """Return the score of each page; ``profile``: a small lead for pages for such askers, and their industry."""
        subject = np.zeros(len(self._subject_row))
        for name, value in reading.subjects.items():
            row = self._subject_row.get(name)
            if row is not None:
                subject[row] = value
        wanted = reading.actions or NO_ACTION
        action = np.array([wanted.get(name, 0.0) for name in ACTIONS] + [ANY_ACTION])
        s = subject[self._subject]
        out: Floats = SUBJECT * s + ACTION * np.where(s > 0, 1.0, 0.3) * action[self._action]
        out += LETTERS * self._letters(reading.text) + USUAL * self._usual
        industries = reading.industries
        if profile is not None:
            out += FOR_ASKER * (self._person == (profile.kind == PERSON))
            industries = industries or {str(profile.company.get("industry", "")): 1.0}
        if self._policy.any():
            fits = np.array([max((industries.get(i, 0.0) for i in p.industries), default=0.0)
                             for p in self.pages if p.kind == POLICY])  # fmt: skip
            named = bool(industries)
            industry = np.where(fits > 0, fits, -1.0 if named else 0.0)
            industry[self._any_industry[self._policy]] = 0.0
            out[self._policy] += INDUSTRY * industry + (0.0 if reading.money else NO_MONEY)
        return out

    def _letters(self, text: str) -> Floats:
        for filler in FILLERS:
            text = text.replace(filler, "")
        known = [g for g in grams(text) if g in self._grams]
        if not known:
            return np.zeros(len(self.pages))
        found: Floats = np.minimum(np.asarray(self._index.get_scores(known), dtype=np.float64) / FULL_BM25, 1.0)
        return found


def _with_own(said: Said, names: Mapping[str, None]) -> Said:
    """Return a row, with the official word it spells exactly at full strength."""
    if len(said.parts) == 1 and said.parts[0] in names:
        name = said.parts[0]
        return replace(said, meant=((name, 1.0), *(m for m in said.meant if m[0] != name)))
    return said


def _said_of(words: Words, names: Mapping[str, None]) -> dict[str, str]:
    """Return by official word what people say for it, as one text for the index (the base of questions)."""
    out: dict[str, list[str]] = {}
    for said in words.subjects:
        for official, strength in said.meant:
            if strength >= 0.9 and official in names:
                out.setdefault(official, []).extend(said.parts)
    return {name: "".join(dict.fromkeys(parts)) for name, parts in out.items()}
