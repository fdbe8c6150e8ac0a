"""What people ask the assistant before they apply: a question for each item or scene, in their own words.

Generated: formal, colloquial, or misspelt (a homophone, or a character left out); shares as in the study's questions.
The tables here were written without looking at the assistant's own tables of words, and nothing was tuned to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.control.services.assistant.pages import taken_apart
from twin.control.services.catalogue.items import Catalogue
from twin.dice import Dice
from twin.world.offices.matters import Matter

STYLES = ("formal", "colloquial", "misspelt")
SHARES = (0.35, 0.44, 0.21)  # of the 369 questions of the study without a profile
_FORMAL = ("{n}怎么办理", "办理{n}需要哪些材料", "{n}的办理流程是什么", "请问{n}去哪里申请")
_COLLOQUIAL: dict[str, tuple[str, ...]] = {
    "设立登记": ("想开个{s}咋办手续", "{s}刚要弄，去哪登记"),
    "变更登记": ("{s}的信息变了要改，咋弄", "{s}要变更一下去哪办"),
    "注销登记": ("{s}不干了咋注销", "{s}要注销，带啥"),
    "许可": ("搞{s}要办啥许可", "{s}的许可证咋办"),
    "许可延续": ("{s}许可快到期了咋续", "{s}的证要续期"),
    "备案": ("{s}要备案不", "{s}备案找谁"),
    "资格认定": ("{s}的资格咋认定", "想认定{s}，要啥条件"),
    "证书换发": ("{s}的证到期了咋换", "{s}要换个新证"),
    "证书补发": ("{s}丢了咋补", "{s}的证掉了补办带啥"),
    "待遇申领": ("{s}的待遇咋领", "{s}能领钱了找谁"),
    "补贴申领": ("{s}有补贴不，咋申请", "{s}补贴上哪领"),
    "信息查询证明": ("想开个{s}的证明", "{s}的记录上哪查"),
    "年度报告": ("{s}年报咋报", "{s}要报年度报告，怎么弄"),
    "": ("{s}都要办啥", "{s}咋办，跑几个地方"),
}
#: what people call some subjects
_SAID = {
    "居民身份证": "身份证", "驾驶证": "驾照", "机动车": "车", "社会保险": "社保", "养老保险": "养老金",
    "户口": "户口本",
    "失业保险": "失业金", "住房公积金": "公积金", "出入境证件": "护照", "不动产权": "房产证", "婚姻": "结婚证",
    "食品经营": "饭店", "药品零售": "药店", "养犬": "狗证", "网吧": "网吧", "公章刻制": "公章", "个体工商户": "个体户",
    "职工医保": "医保", "商品房预售": "预售房", "道路货运": "货车", "幼儿园": "幼儿园", "宅基地": "宅基地",
}  # fmt: skip
_SOUNDS_ALIKE = {
    "证": "正", "照": "罩", "险": "显", "登": "灯", "补": "捕", "费": "废", "税": "睡", "户": "护", "驾": "架",
    "营": "赢", "许": "须", "案": "岸", "销": "消", "报": "抱", "领": "岭", "贴": "帖", "换": "焕", "续": "序",
}  # fmt: skip


class Questions:
    """Draws the question of a matter, and says which answers are right."""

    def __init__(self, catalogue: Catalogue, dice: Dice) -> None:
        self._catalogue = catalogue
        self._style, self._which = dice.stream("services.question_style"), dice.stream("services.question")
        self._slip = dice.stream("services.question_slip")
        alike: dict[tuple[str, str], list[str]] = {}
        for i in catalogue.items:
            alike.setdefault(taken_apart(i.name), []).append(i.code)
        self._alike = alike

    def right(self, m: Matter) -> frozenset[str]:
        """Return the codes of the pages that answer: the scene or any of its items; forms of one item are alike."""
        c = self._catalogue
        codes: set[str] = set()
        if m.scene >= 0:
            scene = c.scenes[m.scene]
            codes.update((scene.code, *scene.items, *scene.merged))
        else:
            codes.update(self._alike[taken_apart(c.items[m.items[0]].name)])
        return frozenset(codes)

    def of(self, matters: Sequence[Matter]) -> list[tuple[str, str]]:
        """Return question and style of each matter."""
        number: Any = np.array([m.number for m in matters], dtype=np.int64)
        if not number.size:
            return []
        style = self._style.choice(SHARES, number).tolist()
        which, slip = self._which.uniform(number).tolist(), self._slip.uniform(number).tolist()
        return [(self._ask(m, s, u, v), STYLES[s]) for m, s, u, v in zip(matters, style, which, slip, strict=True)]

    def _ask(self, m: Matter, style: int, u: float, v: float) -> str:
        c = self._catalogue
        name = c.scenes[m.scene].name.removesuffix("一件事") if m.scene >= 0 else c.items[m.items[0]].name
        subject, action = ("", "") if m.scene >= 0 else taken_apart(name)
        if style == 0 or (style == 2 and u < 0.5):
            text = _FORMAL[int(u * len(_FORMAL))].format(n=name)
        else:
            ways = _COLLOQUIAL.get(action, _COLLOQUIAL[""])
            said = _SAID.get(subject, subject) if action else (subject or name)
            text = ways[int(u * len(ways))].format(s=said)
        return _slipped(text, v) if style == 2 else text


def _slipped(text: str, u: float) -> str:
    """Write a homophone in place of one character, or leave one out where none sounds alike."""
    at = [i for i, ch in enumerate(text) if ch in _SOUNDS_ALIKE]
    if at:
        i = at[int(u * len(at))]
        return text[:i] + _SOUNDS_ALIKE[text[i]] + text[i + 1 :]
    i = 1 + int(u * max(len(text) - 2, 1))
    return text[:i] + text[i + 1 :]
