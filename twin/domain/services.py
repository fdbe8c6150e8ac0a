"""What applicants, windows and officers say to each other: cases, tasks, corrections, results (F34-F42).

Columns are tuples of one length. ``case``: number of a case; ``step``: row of a step in the plan of its case;
``officer``: number of an officer. Groups (who can do what) are numbers, see ``twin.control.services.groups``.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.domain.commands import Command
from twin.domain.messages import Floats, Ints, Message

#: outcomes of a task, in the order of their codes; append only
OUTCOMES = ("ok", "return", "refuse")
OK, RETURN, REFUSE = range(3)


@dataclass(frozen=True)
class OfficeRules(Message):
    """How the office works, told once at the start of its desk; a later one replaces it.

    ``levers``: names of the levers of the reform that are on. ``first_weekday``: of day 0 (0 Monday). A case that is
    not corrected within ``correct_days`` working days is closed. An officer is reminded when ``remind_share`` of the
    legal limit has passed; a task nobody heard of for ``ask_days`` working days is asked about.
    """

    levers: tuple[str, ...]
    first_weekday: int
    correct_days: int
    remind_share: float
    ask_days: int


@dataclass(frozen=True)
class HoursTold(Message):
    """Open hours of a calendar: rows of (``weekday``, ``from_s``, ``until_s``); ``holidays``: days of the run."""

    calendar: int
    weekday: tuple[int, ...]
    from_s: tuple[int, ...]
    until_s: tuple[int, ...]
    holidays: tuple[int, ...]


@dataclass(frozen=True)
class ItemsTold(Message):
    """Items in numbers; a later version of an item holds for cases filed from then on.

    Per item: ``item``, ``version``, ``dept``, ``legal_days``, ``parallel``, ``electronic``, ``basic``. Per step:
    ``step_item`` (row above), ``step_kind``, ``step_dept``, ``step_after`` (bits), ``step_min``, ``step_share``,
    ``step_wait_days``. Per material: ``material_item`` (row above), ``material``.
    """

    item: Ints
    version: Ints
    dept: Ints
    legal_days: Ints
    parallel: Ints
    electronic: Ints
    basic: Ints
    step_item: Ints
    step_kind: Ints
    step_dept: Ints
    step_after: Ints
    step_min: Floats
    step_share: Floats
    step_wait_days: Ints
    material_item: Ints
    material: Ints


@dataclass(frozen=True)
class StaffTold(Message):
    """Officers: ``officer``, ``calendar``; and skills as pairs (``skill_officer``, ``skill_group``)."""

    officer: tuple[int, ...]
    calendar: tuple[int, ...]
    skill_officer: tuple[int, ...]
    skill_group: tuple[int, ...]


@dataclass(frozen=True)
class CasesFiled(Message):
    """Applications that came in. ``office``: where (number of an office or channel).

    Items as pairs (``item_case``, ``item``), in order; ``need_case``, ``need``, ``needed``: place ``need`` among the
    items of a case needs the result of place ``needed``. ``place_case``, ``place``: other places (numbers of counties)
    whose authorities take part in a case, in order.
    """

    case: tuple[int, ...]
    office: tuple[int, ...]
    item_case: tuple[int, ...]
    item: tuple[int, ...]
    need_case: tuple[int, ...]
    need: tuple[int, ...]
    needed: tuple[int, ...]
    place_case: tuple[int, ...] = ()
    place: tuple[int, ...] = ()


@dataclass(frozen=True)
class TasksWorked(Message):
    """Officers have put work down: they are free for the next; what came of it is told by TasksDone."""

    case: tuple[int, ...]
    step: tuple[int, ...]
    officer: tuple[int, ...]


@dataclass(frozen=True)
class TasksDone(Message):
    """Steps came to an end. ``outcome``: index of OUTCOMES ("return": something is missing)."""

    case: tuple[int, ...]
    step: tuple[int, ...]
    outcome: tuple[int, ...]


@dataclass(frozen=True)
class TaskStopped(Message):
    """An officer had to leave a task undone (ill, called away); it must be begun anew by somebody."""

    case: int
    step: int
    officer: int
    reason: str


@dataclass(frozen=True)
class ApplicantCame(Message):
    """Applicants brought what they were asked for (a correction, a supplement, papers to the next counter)."""

    case: tuple[int, ...]
    step: tuple[int, ...]


@dataclass(frozen=True)
class PlaceAnswered(Message):
    """The authority of another place has done its part of a case; ``outcome``: index of OUTCOMES."""

    case: int
    step: int
    place: int
    outcome: int


@dataclass(frozen=True)
class ResultTaken(Message):
    """The applicant has the result in hand."""

    case: int


@dataclass(frozen=True)
class AppealMade(Message):
    """The applicant appeals against a refusal."""

    case: int


@dataclass(frozen=True)
class CaseWithdrawn(Message):
    """The applicant takes the application back."""

    case: int


@dataclass(frozen=True)
class OfficerChanged(Message):
    """An officer is away outside the usual (``present`` False), or back."""

    officer: int
    present: bool


@dataclass(frozen=True)
class SystemChanged(Message):
    """The computer system of a department (-1: of all) is down or up again; nobody can begin a task there meanwhile."""

    dept: int
    up: bool


@dataclass(frozen=True)
class BeginTask(Command):
    """An officer shall do a step of a case now."""

    case: int
    step: int
    officer: int


@dataclass(frozen=True)
class AskApplicant(Command):
    """Ask the applicant for ``what``: "correct" or "supplement" (until ``until_s``), or to "carry" papers on (0)."""

    case: int
    step: int
    what: str
    until_s: int


@dataclass(frozen=True)
class AskPlace(Command):
    """Ask the authority of another place to do its part of a case; the papers go with it as data (多地联办)."""

    case: int
    step: int
    place: int


@dataclass(frozen=True)
class AcceptCase(Command):
    """Tell the applicant that the case is accepted 受理, to be decided by ``due_s``."""

    case: int
    due_s: int


@dataclass(frozen=True)
class DeliverResult(Command):
    """Give the result out: "granted" or "refused", at once if it is ``electronic``."""

    case: int
    result: str
    electronic: bool


@dataclass(frozen=True)
class ConcludeCase(Command):
    """Close a case, with the state in which it ends."""

    case: int
    state: str


@dataclass(frozen=True)
class RemindOfficers(Command):
    """Remind those at work on a case that its limit is near; ``late``: it has passed, their superiors hear of it."""

    case: int
    due_s: int
    late: bool


@dataclass(frozen=True)
class AskState(Command):
    """Ask what became of a task of which nothing was heard for long; an answer comes as TasksDone or TaskStopped."""

    case: int
    step: int
    officer: int


@dataclass(frozen=True)
class PagesTold(Message):
    """What the assistant can point to, as columns of one length; a later one replaces all.

    ``kind``: "item", "scene" or "policy"; ``subject``/``action``: the name taken apart; ``guide``, ``materials``,
    ``steps``, ``limit``, ``fee``: what is read out; ``industries``: joined by "|"; ``table``: a policy's JDM, or "".
    """

    code: tuple[str, ...]
    kind: tuple[str, ...]
    name: tuple[str, ...]
    department: tuple[str, ...]
    target: tuple[str, ...]
    subject: tuple[str, ...]
    action: tuple[str, ...]
    guide: tuple[str, ...]
    materials: tuple[str, ...]
    steps: tuple[str, ...]
    limit: tuple[str, ...]
    fee: tuple[str, ...]
    usual: tuple[float, ...]
    industries: tuple[str, ...]
    table: tuple[str, ...]


@dataclass(frozen=True)
class QuestionAsked(Message):
    """Somebody asked the assistant something, in Chinese."""

    question: str


@dataclass(frozen=True)
class AnswerQuestion(Command):
    """Answer the question told with ``question_key``: pages best first with their scores, and the text.

    ``handed_over``: the assistant is not sure, or only a person can answer; the pages are for that person to see.
    """

    question_key: str
    code: tuple[str, ...]
    score: tuple[float, ...]
    handed_over: bool
    text: str
