"""The command that asks the service assistant 黄小政: ``twin ask-service``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from twin.cli.common import fail, plain_errors


@plain_errors
def ask_service(
    question: Annotated[str, typer.Argument(help="a question in Chinese; with --age or --industry may be empty")] = "",
    age: Annotated[int, typer.Option("--age", help="years: what fits a person of this age")] = -1,
    circumstance: Annotated[
        list[str] | None, typer.Option("--circumstance", help="of a person, such as veteran")
    ] = None,
    industry: Annotated[str, typer.Option("--industry", help="of a company, such as new_materials")] = "",
    stage: Annotated[str, typer.Option("--stage", help="of a company: founded, growing, mature, leaving")] = "",
    json_: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
) -> None:
    """Ask the service assistant (generated catalogue and policies): item, guide, materials, policy; or a person."""
    from scenarios.assistant_study import shipped
    from twin.control.services.assistant.profiles import Profile, ProfileError
    from twin.domain.companies import COMPANY_STAGES
    from twin.scenario.mistakes import did_you_mean
    from twin.world.people.companies import INDUSTRIES

    for option, value, allowed in (("--industry", industry, INDUSTRIES), ("--stage", stage, COMPANY_STAGES)):
        if value and value not in allowed:
            fail(f"{option}: is '{value}'; allowed: {', '.join(allowed)}{did_you_mean(value, allowed)}")
    profile = None
    try:
        if industry or stage:
            told = {"industry": industry, "stage": stage}
            profile = Profile("company", company={k: v for k, v in told.items() if v})
        elif age != -1 or circumstance:
            profile = Profile("person", age, tuple(circumstance or ()))
    except ProfileError as error:
        fail(error)
    if not question.strip() and profile is None:
        fail("there is no question; ask something, such as 身份证掉了咋补, or name --age, --industry or --stage")
    assistant = shipped()
    answer = assistant.answer(question, profile) if question.strip() else None
    pushed = assistant.push(profile) if profile else ()
    if json_:
        found = (
            [{"code": f.code, "kind": f.kind, "name": f.name, "score": f.score} for f in answer.found] if answer else []
        )
        row = {
            "handed_over": answer.handed_over if answer else False,
            "text": answer.text if answer else "",
            "found": found,
            "pushed": [{"code": p.code, "name": p.name, "reason": p.reason} for p in pushed],
        }
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    if answer:
        typer.echo(answer.text)
    if pushed:
        typer.echo("为您推送：")
        for p in pushed:
            typer.echo(f"- {p.name}（{p.code}）：{p.reason}")
