"""``twin costs``: what a parcel costs by robot and by courier, and on which assumption the saving hangs (F24)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.common import LangOption, check_lang, plain_errors

if TYPE_CHECKING:
    from scenarios.costs import Bar

WIDTH = 28
WORDS = {
    "en": {
        "title": "Cost of the last mile, CNY (prices mostly assumed: see the table of prices)",
        "robots": "robots",
        "couriers": "couriers",
        "per": "per delivered parcel",
        "hour": "orders delivered within the hour",
        "un": "orders not delivered",
        "saving": "saving per parcel by robot",
        "tornado": "Saving with one price at a time at the low and the high end of its range",
    },
    "zh": {
        "title": "末端配送成本（元；多数价格为假定，见价目表）",
        "robots": "无人车",
        "couriers": "快递员",
        "per": "单件成本",
        "hour": "一小时内送达的订单",
        "un": "未送达的订单",
        "saving": "无人车单件节省",
        "tornado": "逐项改变价格（取下限与上限）时的节省",
    },
}


@plain_errors
def costs(
    robots: Annotated[Path, typer.Argument(metavar="ROBOTS", help="run folder with robots", show_default=False)],
    couriers: Annotated[Path, typer.Argument(metavar="COURIERS", help="run folder with couriers", show_default=False)],
    prices: Annotated[Path | None, typer.Option("--prices", help="your table of prices (a copy of costs.yaml)")] = None,
    lang: LangOption = "en",
) -> None:
    """Compare what a parcel costs by robot and by courier, and say which assumption the saving hangs on."""
    from scenarios.costs import cost, load_prices, quantities, saving, tornado, verdict
    from twin.errors import ScenarioError
    from twin.log import Facts

    check_lang(lang)
    word = WORDS[lang]
    table = load_prices(prices)
    both = []
    for folder in (robots, couriers):
        facts = Facts.read(folder)
        try:
            both.append(quantities(facts))
        except ScenarioError as error:
            raise ScenarioError(f"{folder}: {error}") from None
    for folder, q, wanted in zip((robots, couriers), both, ("robot", "courier"), strict=True):
        if q.fleet != wanted:
            raise ScenarioError(f"{folder}: parcels were brought by {q.fleet}s, not by {wanted}s; check the order")
        if q.delivered == 0:
            raise ScenarioError(f"{folder}: no parcel was delivered, so none has a cost")
    sheets = [cost(q, table) for q in both]
    typer.echo(word["title"])
    typer.echo(f"  {'':36s}{word['robots']:>12s}{word['couriers']:>12s}")
    for name in dict.fromkeys([*sheets[0].items, *sheets[1].items]):
        typer.echo(f"  {name:36s}" + "".join(f"{s.items.get(name, 0.0):12,.0f}" for s in sheets))
    typer.echo(f"  {word['per']:36s}" + "".join(f"{s.per_parcel:12,.2f}" for s in sheets))
    typer.echo(f"  {word['hour']:36s}" + "".join(f"{100 * q.within_hour / q.orders:11.1f}%" for q in both))
    typer.echo(f"  {word['un']:36s}" + "".join(f"{100 * (q.orders - q.delivered) / q.orders:11.1f}%" for q in both))
    base = saving(both[0], both[1], table)
    typer.echo(f"  {word['saving']:36s}{100 * base:11.1f}%")
    typer.echo(f"\n{word['tornado']}")
    bars = tornado(both[0], both[1], table)
    _tornado(bars, base)
    typer.echo(f"\n{verdict(base, bars)}")


def _tornado(all_bars: list[Bar], base: float) -> None:
    """Draw the ten widest bars around the saving as it is."""
    bars = [b for b in all_bars if b.swing > 0][:10]
    reach = max((max(abs(b.at_low - base), abs(b.at_high - base)) for b in bars), default=1.0)
    for b in bars:
        left, right = min(b.at_low, b.at_high), max(b.at_low, b.at_high)
        a, z = (round((end - base) / reach * WIDTH / 2) for end in (left, right))
        line = "".join("█" if a <= k < z else "│" if k == 0 else " " for k in range(-WIDTH // 2, WIDTH // 2 + 1))
        p = b.price
        typer.echo(
            f"  {p.name:20s}{100 * b.at_low:7.1f}% {line} {100 * b.at_high:6.1f}%  {p.low:g}–{p.high:g} {p.unit}"
        )
