"""Partnership → limited company: the items of "cancel + found", and of the one change in their place (F37).

The procedures are written down after the law and the usual public guides, before the reform: Partnership Enterprise
Law of the PRC, art. 86–90 (liquidator; creditors may declare claims within 45 days of the public notice; cancellation
of the registration), Company Law and the rules on registration of market entities (founding), tax deregistration,
seals, social insurance. A business licence that ends is handed back: at the cancellation, and at the change. As one
*change* the company takes over claims and debts, so nobody is liquidated and no notice is waited for. Numbers of
materials and steps follow from these lists; none was chosen to meet a target.
"""

from __future__ import annotations

from collections.abc import Callable

from twin.control.services.catalogue.items import Item, Scene, Step

_CREDITORS_DAYS = 45  # Partnership Enterprise Law, art. 88

Usual = Callable[[str, tuple[str, ...], bool, int], tuple[Step, ...]]


def conversion_items(usual: Usual) -> tuple[Item, ...]:
    """Return the eleven items: ten of "cancel + found", and the change that replaces them."""

    def item(
        number: int, dept: str, name: str, days: int, materials: str, others: tuple[str, ...] = (), back: str = ""
    ) -> Item:
        return Item(
            code=f"370100-{dept}-P{number:02d}",
            name=name,
            dept=dept,
            kind="licence",
            target="company",
            steps=usual(dept, others, False, days),
            materials=tuple(materials.split()),
            legal_days=days,
            promised_days=max(1, days // 2),
            fee_cny=0.0,
            parallel=bool(others),
            decides="首席代表",
            weight=0.02,
            generated=False,
            surrendered=tuple(back.split()),
        )

    liquidation = item(
        1, "MR", "合伙企业清算人备案及债权人公告", 3, "form resolution member-id business-licence agent-id"
    )
    notice = Step("notice", "notice", "MR", ("decide",), wait_days=_CREDITORS_DAYS)
    liquidation = _with(liquidation, (*[s for s in liquidation.steps if s.kind != "make"], notice))
    return (
        liquidation,
        item(2, "TX", "税务注销（清税）", 20, "form business-licence agent-id accounts liquidation invoices"),
        item(3, "HR", "社会保险登记注销", 5, "form business-licence agent-id tax-clear"),
        item(4, "MR", "合伙企业注销登记（清算完结）", 5,
             "form liquidation tax-clear business-licence notice-proof proxy agent-id", back="business-licence"),
        item(5, "PS", "印章缴销", 3, "seals cancelled agent-id"),
        item(6, "MR", "公司名称申报", 3, "form member-id agent-id"),
        item(7, "MR", "有限责任公司设立登记", 5,
             "form articles member-id resolution appointment legal-rep-id premises proxy agent-id"),
        item(8, "PS", "新设企业公章刻制备案", 3, "business-licence legal-rep-id agent-id"),
        item(9, "TX", "税务登记及发票申领", 5, "form business-licence legal-rep-id agent-id"),
        item(10, "HR", "社会保险参保登记", 5, "form business-licence agent-id bank"),
        item(11, "MR", "合伙企业转为有限责任公司变更登记", 5,
             "form resolution articles member-id appointment legal-rep-id premises audit assets pledge seals invoices "
             "business-licence agent-id tax-clear", ("TX", "PS", "HR"), "business-licence"),
    )  # fmt: skip


def _with(item: Item, steps: tuple[Step, ...]) -> Item:
    from dataclasses import replace

    return replace(item, steps=steps)


CONVERSION = Scene(
    code="scene-98",
    name="合伙企业转公司一件事",
    target="company",
    items=(
        "370100-MR-P01", "370100-TX-P02", "370100-HR-P03", "370100-MR-P04", "370100-PS-P05",
        "370100-MR-P06", "370100-MR-P07", "370100-PS-P08", "370100-TX-P09", "370100-HR-P10",
    ),
    # clearance after the notice, cancellation after clearance, founding after cancellation, the rest after founding
    needs=((1, 0), (2, 1), (3, 1), (4, 3), (5, 3), (6, 5), (7, 6), (8, 6), (9, 6)),
    merged=("370100-MR-P11",),
    weight=0.3,
    generated=False,
)  # fmt: skip
