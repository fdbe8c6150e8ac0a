"""``twin replay``: where do other controllers decide differently; ``twin serve``: a controller for other processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from twin.cli.common import parse_sets, plain_errors
from twin.errors import ScenarioError

SHOWN = 5


@plain_errors
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a run folder", show_default=False)],
    control: Annotated[
        list[str] | None,
        typer.Option(
            "--control", metavar="DESK=MODULE:CLASS", help="the controller to feed; default: the recorded one"
        ),
    ] = None,
) -> None:
    """Feed the recorded messages of a run to other control code; exit code 1 where decisions differ."""
    from scenarios.replay import journals
    from scenarios.replay import replay as carry_out
    from twin.cli.desks import recorded_factory
    from twin.hosts import find_factory
    from twin.run_folder import read_stamp

    asked = parse_sets(control, "--control", "alerting=mypkg.mymodule:MyDesk")
    stamp = read_stamp(folder)
    differ = False
    for desk in asked or journals(folder):
        factory = find_factory(asked[desk]) if asked else recorded_factory(stamp, desk)
        if factory is None:
            typer.echo(f"{desk}: its code is not known from the stamp; name it: --control {desk}=MODULE:CLASS")
            continue
        found = carry_out(folder, desk, factory)
        differ |= not found.same
        for line in _told(found):
            typer.echo(line)
    raise typer.Exit(int(differ))


def _told(found: Any) -> list[str]:
    from scenarios.checks.patterns import moment

    head = f"{found.desk}: {found.calls:,} calls, {found.messages:,} messages, {found.commands:,} commands"
    if found.same:
        return [f"{head}: the same decisions"]
    lines = [f"{head}: {len(found.differences):,} calls differ" + (f", failed {found.error}" if found.error else "")]
    for d in found.differences[:SHOWN]:
        lines.append(f"  {moment(d.now_s)}")
        lines += [f"    then: {_short(c)}" for c in d.only_then[:3]]
        lines += [f"    now:  {_short(c)}" for c in d.only_now[:3]]
        if not d.only_then and not d.only_now:
            lines.append("    the same commands in another order")
    return lines


def _short(command: dict[str, Any]) -> str:
    text = json.dumps({k: v for k, v in command.items() if k != "type"}, ensure_ascii=False)
    return f"{command['type']} {text if len(text) <= 140 else text[:137] + '…'}"


@plain_errors
def serve(
    factory: Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="the controller", show_default=False)],
    port: Annotated[int, typer.Option("--port", help="port on 127.0.0.1; 0: any that is free", min=0, max=65535)] = 0,
) -> None:
    """Let a controller answer runs in other processes: write its address where a scenario names the control code."""
    import os
    import secrets

    from twin.hosts import find_factory
    from twin.remote import TOKEN
    from twin.remote import serve as make

    token = os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    try:
        server = make(find_factory(factory), port, token)
    except OSError as error:
        raise ScenarioError(f"--port {port}: cannot be used ({os.strerror(error.errno or 0)})") from None
    if TOKEN not in os.environ:
        typer.echo(f"export {TOKEN}={token}")
    typer.echo(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()
