"""People at the command centre: agents who take calls, operators who look at pictures (F10, F11).

Each has a queue (:mod:`.call_desk`). An operator may miss what is there and see what is not; some spots no camera
shows, and then a guard on the spot looks, who needs longer, or nobody can tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from twin.clock import Phase
from twin.domain.city_brain import Confirmation
from twin.domain.incidents import AskLook, LookResult, Sign
from twin.domain.messages import Message
from twin.events import CallAnswered, ConfirmationGiven, IncidentLooked, SignTold
from twin.scenario.responders import Looks
from twin.world.ports import RunContext
from twin.world.responders.call_desk import CallDesk
from twin.world.responders.conduct import HazardBook, find
from twin.world.responders.themes import ways_of

GUARD_S = 300.0  # mean time until a guard nearby has looked, s (assumed)
NOTICE_M = 60.0  # a caller points so far off, standard deviation in x and y (assumed)


def entity(*words: object) -> int:
    """Return a stable number for draws, below 2⁶², of anything that has a name."""
    text = "\x1f".join(map(str, words)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 2


class CommandCentre:
    """Calls and looks; ``tell(desk, message)`` brings the answers. ``hit``/``wrong``: of an operator who looks.

    ``in_view``: replaces the drawn answer to whether a camera shows a spot (theme, x, y), where sensors are known.
    """

    def __init__(
        self, context: RunContext, hazards: HazardBook, settings: Looks, hit: float, wrong: float,
        tell: Callable[[str, Message], None],
    ) -> None:  # fmt: skip
        self._c, self._hazards, self._settings, self._tell = context, hazards, settings, tell
        self._hit, self._wrong = hit, wrong
        self._calls, self._watch = CallDesk(settings.agents), CallDesk(settings.watchers)
        self.in_view: Callable[[str, float, float], bool] | None = None
        stream = context.dice.stream
        self._service, self._error = stream("responders.look"), stream("responders.look_error")
        self._view, self._guard = stream("responders.in_view"), stream("responders.guard")
        self._caller, self._talk = stream("responders.caller"), stream("responders.talk")
        self._delay, self._offset = stream("responders.call_delay"), stream("responders.call_place")
        self._looks = 0

    # -- looks -----------------------------------------------------------------------------------------------

    def look(self, alert: str, x_m: float, y_m: float, theme: str, now_s: int) -> None:
        """Let a person say whether an alert is true: by its picture, or, where there is none, on the spot."""
        self._looks += 1
        number = self._looks
        who = entity("alert", alert, now_s)
        by, at_s = self._operator(who, alert, now_s)
        if not self._shown(theme, x_m, y_m):
            by, at_s = "guard", at_s + self._seconds_of_guard(who)

        def say() -> None:
            t_s = self._c.clock.now_s
            hazard = self._pictured(alert, theme, x_m, y_m, t_s)
            there = self._says(hazard >= 0, who)
            self._c.log.add(ConfirmationGiven, t_s=t_s, alert=alert, confirmed=there, who=by, hazard=hazard)
            self._tell("alerting", Confirmation(t_s, f"confirm/{alert}/{number}", alert, there, by))

        self._c.clock.at(at_s, Phase.PERCEIVE, say)

    def ask(self, command: AskLook, now_s: int) -> None:
        """Let an operator look for the incident desk; where a machine raised it, its picture shows the spot."""
        who = entity("incident", command.key)
        by, at_s = self._operator(who, command.incident, now_s)
        shown = command.purpose == "confirm" or self._shown(command.theme, command.x_m, command.y_m)

        def say() -> None:
            t_s = self._c.clock.now_s
            hazard = self._there(command.theme, command.x_m, command.y_m, t_s)
            there = self._says(hazard >= 0, who)
            seen = "cannot see" if not shown or by in command.not_by else "there" if there else "gone"
            self._c.log.add(IncidentLooked, t_s=t_s, incident=command.incident, who=by, what=seen, hazard=hazard)
            self._tell("incidents", LookResult(t_s, f"look/{command.key}", command.incident, command.key, seen, by))

        self._c.clock.at(at_s, Phase.PERCEIVE, say)

    def _operator(self, who: int, ref: str, now_s: int) -> tuple[str, int]:
        """Return which operator looks, and when he is done."""
        service_s = max(1.0, float(self._service.exponential(self._settings.look_s, who)[0]))
        begins_s, agent = self._watch.take(float(now_s), service_s)
        self._answered(ref, now_s, begins_s, service_s)
        return f"operator-{agent + 1}", max(now_s + 1, round(begins_s + service_s))

    def _answered(self, ref: str, now_s: int, begins_s: float, service_s: float) -> None:
        self._c.log.add(CallAnswered, t_s=now_s, ref=ref, waited_s=round(begins_s - now_s), duration_s=round(service_s))

    def _shown(self, theme: str, x_m: float, y_m: float) -> bool:
        if self.in_view is not None:
            return self.in_view(theme, x_m, y_m)
        spot = entity("spot", theme, round(x_m / 50), round(y_m / 50))
        return float(self._view.uniform(spot)[0]) < self._settings.in_view

    def _seconds_of_guard(self, who: int) -> int:
        return 1 + round(float(self._guard.exponential(GUARD_S, who)[0]))

    def _pictured(self, alert: str, theme: str, x_m: float, y_m: float, now_s: int) -> int:
        """Return the number of what the pictures of an alert show; without pictures, of what is there now; or -1."""
        pictured = self._hazards.pictured
        return pictured[alert] if alert in pictured else self._there(theme, x_m, y_m, now_s)

    def _there(self, theme: str, x_m: float, y_m: float, now_s: int) -> int:
        row = find(self._hazards, theme, x_m, y_m, now_s)
        return int(self._hazards.id[row]) if row >= 0 else -1

    def _says(self, there: bool, who: int) -> bool:
        """Return what somebody says who looks at a place where something is, or nothing."""
        return float(self._error.uniform(who)[0]) < (self._hit if there else self._wrong)

    # -- calls -----------------------------------------------------------------------------------------------

    def noticed(self, row: int, theme: str, x_m: float, y_m: float, severity: str, now_s: int) -> None:
        """Let a passer-by see a hazard that began, and perhaps call after a while, if it is still there."""
        number = int(self._hazards.id[row])
        ways = ways_of(theme)
        if float(self._caller.uniform(number)[0]) >= min(1.0, ways.called * self._settings.calls):
            return
        calls_s = now_s + 1 + round(float(self._delay.exponential(ways.call_s, number)[0]))
        if calls_s < self._c.end_s:
            self._c.clock.at(
                calls_s, Phase.PERCEIVE, lambda: self._call(row, number, theme, x_m, y_m, severity, calls_s)
            )

    def _call(self, row: int, number: int, theme: str, x_m: float, y_m: float, severity: str, now_s: int) -> None:
        if int(self._hazards.ended_s[row]) <= now_s:
            return
        talk_s = max(1.0, float(self._talk.exponential(self._settings.talk_s, number)[0]))
        begins_s, _ = self._calls.take(float(now_s), talk_s)
        ref = f"call-{number}"
        self._answered(ref, now_s, begins_s, talk_s)
        x_m += NOTICE_M * float(self._offset.normal(number, 0)[0])
        y_m += NOTICE_M * float(self._offset.normal(number, 1)[0])
        at_s = max(now_s + 1, round(begins_s + talk_s))

        def tell() -> None:
            self._c.log.add(SignTold, t_s=at_s, source="call", ref=ref, theme=theme, hazard=number)
            self._tell(
                "incidents",
                Sign(
                    t_s=at_s, key=f"sign/{ref}", source="call", ref=ref, theme=theme, seen_s=now_s, x_m=x_m, y_m=y_m,
                    place="", grid="", severity=severity, text="a passer-by calls",
                ),
            )  # fmt: skip

        self._c.clock.at(at_s, Phase.PERCEIVE, tell)
