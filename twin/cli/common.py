"""What all commands share: one-sentence errors, ``--set``, languages."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from geo.errors import CityError
from twin.errors import ScenarioError, TwinError

F = TypeVar("F", bound=Callable[..., Any])

BAD_INPUT = 2
INTERRUPTED = 130
LANGS = ("en", "zh")

ScenarioArg = Annotated[str, typer.Argument(help="a name of 'twin list', or a .yaml file", show_default=False)]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="change a key, such as people.residents=1000")
]
LangOption = Annotated[str, typer.Option("--lang", help="en or zh")]


def plain_errors(command: F) -> F:
    """Let a command end with one sentence on stderr and exit code 2 where the twin says what is wrong."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (TwinError, CityError) as error:
            fail(error)
        except KeyboardInterrupt:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(INTERRUPTED) from None

    return guarded  # type: ignore[return-value]


def fail(error: object, code: int = BAD_INPUT) -> NoReturn:
    """Print every problem as "Error: …" on stderr and exit."""
    for sentence in getattr(error, "problems", None) or [str(error)]:
        typer.echo(f"Error: {sentence}", err=True)
    raise typer.Exit(code)


def parse_sets(
    sets: Sequence[str] | None, option: str = "--set", example: str = "people.residents=1000"
) -> dict[str, str]:
    """Turn ``key=value`` options into a mapping; the last of a key counts. ScenarioError names the ``option``."""
    out: dict[str, str] = {}
    for text in sets or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise ScenarioError(f"{option} '{text}': has no '='; write it like {example}")
        out[name.strip()] = value
    return out


def check_lang(lang: str) -> str:
    """Return the language, or say which there are."""
    if lang not in LANGS:
        raise ScenarioError(f"--lang: is '{lang}'; allowed: {' or '.join(LANGS)}")
    return lang
