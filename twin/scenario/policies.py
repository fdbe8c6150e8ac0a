"""Policies of the fleets' desks by name: each system ships some, and anybody can write one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twin.errors import ScenarioError
from twin.scenario import bus, delivery, sanitation, supervision
from twin.scenario.mistakes import did_you_mean, show_value

#: system → name of a shipped policy → where it is
SHIPPED: Mapping[str, Mapping[str, str]] = {
    "bus": bus.POLICIES,
    "delivery": delivery.POLICIES,
    "sanitation": sanitation.POLICIES,
    "supervision": supervision.POLICIES,
}


def policy_problem(system: str, policy: Any) -> str:
    """Return what is wrong with a policy as written: neither a shipped name nor a factory; empty: nothing."""
    known = SHIPPED[system]
    if not isinstance(policy, str) or ":" in policy or policy in known:
        return ""
    allowed = ", ".join(known)
    return f"is {show_value(policy)}; allowed: {allowed}, or package.module:Class{did_you_mean(policy, known)}"


def policy_factory(system: str, policy: Any) -> Callable[[], Any]:
    """Return what makes a policy: of a shipped name, of "package.module:Class", or the class itself."""
    from twin.hosts import find_factory

    problem = policy_problem(system, policy)
    if problem:
        raise ScenarioError(f"{system}.policy {problem}")
    if isinstance(policy, str):
        return find_factory(SHIPPED[system].get(policy, policy))
    return policy  # type: ignore[no-any-return]
