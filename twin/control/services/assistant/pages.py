"""What the assistant can point to: items, scenes and policies, one page each, with the text of the guide.

Pages are made from the catalogue and from nothing else, so the guide that is read out is the item's own (F41).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from twin.control.services.assistant.actions import ACTIONS
from twin.control.services.catalogue.book import guide, implementation
from twin.control.services.catalogue.items import Catalogue, Scene

ITEM, SCENE, POLICY = "item", "scene", "policy"
_PARENTHESES = re.compile(r"[（(][^（）()]*[）)]")
_SCENE_ACTS = {"开办": "设立登记", "变更": "变更登记", "注销": "注销登记"}
_OTHER_ENDINGS = {"登记注销": "注销登记", "注销": "注销登记"}
_STEPS = {
    "check": "受理审核",
    "review": "审查",
    "visit": "现场核查",
    "decide": "决定",
    "notice": "公告",
    "make": "制证",
}
_FIELD = re.compile(r"'([^']+)'")


@dataclass(frozen=True)
class Page:
    """One thing that a question can be answered with.

    ``subject`` and ``action``: the name taken apart (no action: ""). ``target``: "person" or "company".
    ``industries``: those a policy is for (none: all). ``guide``, ``materials``, ``steps``, ``limit``, ``fee``: what is
    read out, in Chinese. ``usual``: how often it is asked for, relative. ``table``: a policy's decision table (JDM).
    """

    code: str
    kind: str
    name: str
    department: str
    target: str
    subject: str
    action: str
    guide: str
    materials: str = ""
    steps: str = ""
    limit: str = ""
    fee: str = ""
    usual: float = 1.0
    industries: tuple[str, ...] = ()
    table: str = ""


@dataclass(frozen=True)
class PolicyText:
    """A policy as the assistant is told of it: ``title`` in Chinese, ``jdm``: its decision table."""

    policy: str
    title: str
    jdm: str
    direct: bool = False


def taken_apart(name: str) -> tuple[str, str]:
    """Return the subject and the action of an item's name; an action that is none of the usual ones is ""."""
    plain = _PARENTHESES.sub("", name)
    for ending in ACTIONS:
        if plain.endswith(ending) and plain != ending:
            return plain[: -len(ending)], ending
    for ending, action in _OTHER_ENDINGS.items():
        if plain.endswith(ending) and plain != ending:
            return plain[: -len(ending)], action
    return plain, ""


def pages_of(catalogue: Catalogue, policies: Sequence[PolicyText] = ()) -> tuple[Page, ...]:
    """Return the pages of a catalogue and of policies, in their order."""
    items = [_item(catalogue, i.code) for i in catalogue.items]
    return (*items, *(_scene(catalogue, s) for s in catalogue.scenes), *(_policy(p) for p in policies))


def _item(catalogue: Catalogue, code: str) -> Page:
    i = catalogue.item(code)
    subject, action = taken_apart(i.name)
    rows = implementation(catalogue, code)["steps"]
    names = {d.code: d.name for d in catalogue.departments}
    return Page(
        code=code,
        kind=ITEM,
        name=i.name,
        department=names[i.dept],
        target=i.target,
        subject=subject,
        action=action,
        guide=guide(catalogue, code),
        materials="、".join(catalogue.materials[catalogue.material_row[m]].name for m in i.materials),
        steps=" → ".join(f"{_STEPS.get(s['kind'], s['kind'])}（{names[s['department']]}）" for s in rows),
        limit=f"法定{i.legal_days}个工作日，承诺{i.promised_days}个工作日",
        fee="不收费" if i.fee_cny == 0 else f"{i.fee_cny:g}元",
        usual=i.weight,
    )


def _scene(catalogue: Catalogue, scene: Scene) -> Page:
    name = scene.name.removesuffix("一件事")
    act = next((a for a in _SCENE_ACTS if name.startswith(a)), "")
    items = [catalogue.item(code) for code in (scene.merged or scene.items)]
    materials = list(dict.fromkeys(m for i in items for m in i.materials))
    said = "、".join(catalogue.materials[catalogue.material_row[m]].name for m in materials)
    lines = [
        f"{scene.name}（{scene.code}）：一次申请，合并办理",
        *(f"{n}. {i.name}（{i.code}）" for n, i in enumerate(items, 1)),
        f"申请材料（合并去重）：{said}",
    ]
    return Page(
        code=scene.code,
        kind=SCENE,
        name=scene.name,
        department="一窗受理",
        target=scene.target,
        subject=name.removeprefix(act),
        action=_SCENE_ACTS.get(act, ""),
        guide="\n".join(lines),
        materials=said,
        steps=" → ".join(i.name for i in items),
        limit=f"各事项中最长承诺{max(i.promised_days for i in items)}个工作日",
        fee=f"{sum(i.fee_cny for i in items):g}元",
        usual=scene.weight,
    )


def _policy(policy: PolicyText) -> Page:
    try:
        nodes = json.loads(policy.jdm)["nodes"]
        content = next(n["content"] for n in nodes if n["type"] == "decisionTableNode")
    except (ValueError, KeyError, TypeError, StopIteration):
        content = {}
    columns = [c for c in content.get("inputs", ()) if c.get("field") == "industry"]
    cells = [str(rule.get(c["id"], "")) for rule in content.get("rules", ()) for c in columns]
    everybody = not columns or any(not cell.strip() for cell in cells)
    found = () if everybody else tuple(dict.fromkeys(name for cell in cells for name in _FIELD.findall(cell)))
    way = "免申即享（直达快享）" if policy.direct else "需申请"
    return Page(
        code=policy.policy,
        kind=POLICY,
        name=policy.title,
        department="惠企政策",
        target="company",
        subject=_PARENTHESES.sub("", policy.title),
        action="",
        guide=f"{policy.title}（{policy.policy}）\n兑现方式：{way}",
        industries=found,
        table=policy.jdm,
    )
