"""Decision tables of policies: JDM files as a city owns them, compiled to columns for whole registers.

A policy is a JDM graph (GoRules "JSON Decision Model") of an input, one decision table with hit policy *first*, and an
output. zen-engine evaluates it for one company in about 0.1 ms; a register of 100,000 companies and 50 policies would
take ten minutes. So the table is compiled here to numpy comparisons over columns, for the part of the ZEN language
that policies use; zen is the reference that the compiled table is tested against, and the way out for what is not
compiled (:func:`by_zen`).

Cells: empty (anything), ``true``/``false``, numbers, ``'text'``, ``>= 5``, ``[1..10]``, ``(1..10)``, and lists of these
with commas (any of them). Outputs: ``amount_cny``, an expression of numbers, fields, ``+ - *``, ``/`` by a number,
``min([a, b])``, ``max([a, b])``. Amounts are rounded to the fen (0.01 CNY).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.domain.messages import Floats, Ints

Bools = npt.NDArray[np.bool_]
Columns = Mapping[str, npt.NDArray[Any]]

AMOUNT = "amount_cny"
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_COMPARE = re.compile(rf"(>=|<=|>|<|==)\s*({_NUMBER})\Z")
_RANGE = re.compile(rf"([\[(])\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])])\Z")
_LITERAL = re.compile(rf"{_NUMBER}\Z")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"\Z")
_SPLIT = re.compile(r",(?=(?:[^'\"]*['\"][^'\"]*['\"])*[^'\"]*\Z)")
_COMPARES: dict[str, Callable[[Any, float], Any]] = {
    ">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less, "==": np.equal,
}  # fmt: skip

Test = Callable[[Columns], Any]


class TableError(ValueError):
    """A policy's table is not what it should be: one sentence."""


@dataclass(frozen=True)
class Table:
    """A parsed decision table. ``fields``: what it reads; ``rules``: cells as written, for explanations."""

    policy: str
    fields: tuple[str, ...]
    rules: tuple[tuple[tuple[str, str], ...], ...]
    amounts: tuple[str, ...]
    jdm: str
    tests: tuple[tuple[Test, ...], ...]
    values: tuple[Test, ...]

    @property
    def compiled(self) -> bool:
        """Whether all cells could be compiled; if not, :meth:`match` asks zen row by row."""
        return len(self.tests) == len(self.rules)

    def match(self, columns: Columns, size: int) -> tuple[Ints, Floats]:
        """Return for each of ``size`` companies the first rule that fits (-1: none), and the amount (0)."""
        if not self.compiled:
            return by_zen(self, columns, size)
        rule = np.full(size, -1, dtype=np.int64)
        amount = np.zeros(size)
        free = np.ones(size, dtype=bool)
        with np.errstate(invalid="ignore"):
            for i, (tests, value) in enumerate(zip(self.tests, self.values, strict=True)):
                fits = free.copy()
                for test in tests:
                    fits &= test(columns)
                if fits.any():
                    rule[fits] = i
                    amount[fits] = np.broadcast_to(value(columns), size)[fits]
                    free &= ~fits
        paid: Floats = np.where(np.isfinite(amount), amount, 0.0).round(2)
        return rule, paid

    def explain(self, rule: int, values: Mapping[str, Any]) -> str:
        """Return why a company gets what it gets: the rule and the inputs that met it."""
        met = [f"{field} = {_said(values[field])} ({cell})" for field, cell in self.rules[rule] if cell]
        return f"rule {rule + 1} of {self.policy}: {'; '.join(met) or 'everybody'}; amount {self.amounts[rule]}"


def _said(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return f"{value:,.10g}" if isinstance(value, float | int | np.number) else str(value)


def parse(policy: str, jdm: str, fields: Sequence[str] | None = None) -> Table:
    """Return the table of a policy. TableError, one sentence: what is missing or wrong, and what is allowed.

    ``fields``: those that company records have; None: they are not checked.
    """
    content = _table_node(policy, jdm)
    inputs, outputs = content.get("inputs") or [], content.get("outputs") or []
    for column in (*inputs, *outputs):
        if not column.get("field"):
            raise TableError(f"policy {policy}: the column '{column.get('name', '?')}' has no field")
    if fields is not None:
        for column in inputs:
            if column["field"] not in fields:
                known = known_of(fields)
                raise TableError(f"policy {policy}: reads the field '{column['field']}'; companies have {known}")
    amount = next((o for o in outputs if o["field"] == AMOUNT), None)
    if amount is None:
        raise TableError(f"policy {policy}: the table has no output column with the field {AMOUNT}")
    rows = content.get("rules") or []
    if not rows:
        raise TableError(f"policy {policy}: the table has no rules")
    rules, amounts, tests, values, ok = [], [], [], [], True
    for n, row in enumerate(rows, 1):
        cells = tuple((str(c["field"]), str(row.get(c["id"], "") or "").strip()) for c in inputs)
        said = str(row.get(amount["id"], "") or "").strip()
        if not said:
            raise TableError(f"policy {policy}: rule {n} has no {AMOUNT}")
        rules.append(cells)
        amounts.append(said)
        try:
            tests.append(tuple(_cell(field, cell) for field, cell in cells if cell))
            value, read = _expression(said)
        except SyntaxError:
            ok = False
            continue
        values.append(value)
        wrong = [f for f in read if fields is not None and f not in fields]
        if wrong:
            raise TableError(
                f"policy {policy}: rule {n} reads the field '{wrong[0]}'; companies have {known_of(fields)}"
            )
    names = tuple(dict.fromkeys(str(c["field"]) for c in inputs))
    done = (tuple(tests), tuple(values)) if ok else ((), ())
    return Table(policy, names, tuple(rules), tuple(amounts), jdm, *done)


def known_of(fields: Sequence[str] | None) -> str:
    """Return the names of fields as a sentence needs them."""
    return ", ".join(fields or ())


def _table_node(policy: str, jdm: str) -> dict[str, Any]:
    try:
        graph = json.loads(jdm)
        nodes = graph["nodes"]
        kinds = [n["type"] for n in nodes]
    except (ValueError, KeyError, TypeError) as error:
        raise TableError(f"policy {policy}: is not a JDM graph with nodes ({error!r})") from None
    if sorted(kinds) != ["decisionTableNode", "inputNode", "outputNode"]:
        raise TableError(
            f"policy {policy}: has the nodes {', '.join(kinds)}; allowed: one input, one table, one output"
        )
    content: dict[str, Any] = next(n for n in nodes if n["type"] == "decisionTableNode").get("content") or {}
    if content.get("hitPolicy", "first") != "first":
        raise TableError(f"policy {policy}: hit policy is {content['hitPolicy']}; allowed: first")
    return content


# -- cells and expressions ---------------------------------------------------------------------------


def _cell(field: str, cell: str) -> Test:
    """Compile a cell; SyntaxError: it is outside the part of the language that is compiled."""
    tests = [_atom(field, part.strip()) for part in _SPLIT.split(cell)]
    if len(tests) == 1:
        return tests[0]

    def any_of(columns: Columns) -> Any:
        found = tests[0](columns)
        for test in tests[1:]:
            found = found | test(columns)
        return found

    return any_of


def _atom(field: str, cell: str) -> Test:
    if cell in ("true", "false"):
        wanted = cell == "true"
        return lambda c: c[field] == wanted
    if match := _COMPARE.match(cell):
        compare, bound = _COMPARES[match[1]], float(match[2])
        return lambda c: compare(c[field], bound)
    if match := _RANGE.match(cell):
        low, high = float(match[2]), float(match[3])
        above = np.greater_equal if match[1] == "[" else np.greater
        below = np.less_equal if match[4] == "]" else np.less
        return lambda c: above(c[field], low) & below(c[field], high)
    if _LITERAL.match(cell):
        number = float(cell)
        return lambda c: c[field] == number
    if match := _TEXT.fullmatch(cell):
        text = match[1] if match[1] is not None else match[2]
        return lambda c: c[field] == text
    raise SyntaxError(cell)


def _expression(text: str) -> tuple[Test, tuple[str, ...]]:
    """Compile an output expression; return it and the fields it reads. SyntaxError: it is not compiled."""
    tree = ast.parse(text, mode="eval").body
    read: list[str] = []

    def build(node: ast.expr) -> Test:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value is not True:
            number = float(node.value)
            return lambda _: number
        if isinstance(node, ast.Name):
            read.append(name := node.id)
            return lambda c: c[name]
        if isinstance(node, ast.BinOp):
            return _binary(node, build)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
            if len(node.args) != 1 or not isinstance(node.args[0], ast.List) or node.keywords:
                raise SyntaxError(text)
            parts = [build(a) for a in node.args[0].elts]
            pick = np.minimum if node.func.id == "min" else np.maximum
            return lambda c: _fold(pick, [p(c) for p in parts])
        raise SyntaxError(text)

    return build(tree), tuple(read)


def _binary(node: ast.BinOp, build: Callable[[ast.expr], Test]) -> Test:
    a, b = build(node.left), build(node.right)
    if isinstance(node.op, ast.Add):
        return lambda c: a(c) + b(c)
    if isinstance(node.op, ast.Sub):
        return lambda c: a(c) - b(c)
    if isinstance(node.op, ast.Mult):
        return lambda c: a(c) * b(c)
    if isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant) and node.right.value:
        return lambda c: a(c) / b(c)
    raise SyntaxError("operator")


def _fold(pick: Callable[[Any, Any], Any], parts: list[Any]) -> Any:
    out = parts[0]
    for part in parts[1:]:
        out = pick(out, part)
    return out


# -- the reference -----------------------------------------------------------------------------------


def by_zen(table: Table, columns: Columns, size: int) -> tuple[Ints, Floats]:
    """Return what zen-engine says, company by company (about 0.1 ms each): the reference of :meth:`Table.match`."""
    import zen

    decision = zen.ZenEngine().create_decision(table.jdm)
    node = next(n for n in json.loads(table.jdm)["nodes"] if n["type"] == "decisionTableNode")["id"]
    rule, amount = np.full(size, -1, dtype=np.int64), np.zeros(size)
    for i in range(size):
        given = {f: v for f, column in columns.items() if (v := _plain(column[i])) is not None}
        answer = decision.evaluate(given, {"trace": True})
        result, trace = answer["result"], answer["trace"][node]["traceData"]
        if AMOUNT in result and trace is not None:
            rule[i], amount[i] = int(trace["index"]), round(float(result[AMOUNT] or 0.0), 2)
    return rule, amount


def _plain(value: Any) -> Any:
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer | np.floating):
        return None if np.isnan(value) else float(value)
    return value
