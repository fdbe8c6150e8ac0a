"""A catalogue of service items as a YAML file that a city can own: departments, materials, items, scenes (F34, F41)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twin.control.services.catalogue.items import Catalogue, CatalogueError, Department, Item, Material, Scene, Step
from twin.errors import ScenarioError

_MOST_BYTES = 20_000_000


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Department(_Row):
    code: str = Field(min_length=1)
    name: str
    name_en: str = ""


class _Material(_Row):
    code: str = Field(min_length=1)
    name: str
    name_en: str = ""
    licence: bool = False
    basic: bool = False
    others: int = Field(0, ge=0, le=20)


class _Step(_Row):
    name: str = Field(min_length=1)
    kind: str
    dept: str
    after: list[str] = []
    work_min: float = Field(0.0, ge=0)
    share: float = Field(0.0, ge=0)
    wait_days: int = Field(0, ge=0)


class _Item(_Row):
    code: str = Field(min_length=1)
    name: str
    dept: str
    kind: str = "licence"
    target: str
    steps: list[_Step]
    materials: list[str] = []
    legal_days: int = Field(ge=0)
    promised_days: int = Field(ge=0)
    fee_cny: float = Field(0.0, ge=0)
    parallel: bool = False
    decides: str = ""
    cross_region: bool = False
    electronic: bool = True
    weight: float = Field(1.0, ge=0)
    version: int = Field(1, ge=1)
    since: str = "2026-01-01"
    reason: str = "first version"
    generated: bool = False
    surrendered: list[str] = []
    places: int = Field(0, ge=0)


class _Scene(_Row):
    code: str = Field(min_length=1)
    name: str
    target: str
    items: list[str]
    needs: list[tuple[int, int]] = []
    merged: list[str] = []
    merged_needs: list[tuple[int, int]] = []
    weight: float = Field(1.0, ge=0)
    generated: bool = False


class _File(_Row):
    departments: list[_Department]
    materials: list[_Material]
    items: list[_Item]
    scenes: list[_Scene] = []


def catalogue_of(data: Any, where: str = "catalogue") -> Catalogue:
    """Return the catalogue of the content of a file. Raises ScenarioError: where, what, what is allowed."""
    try:
        file = _File.model_validate(_pairs(data))
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(p) for p in first["loc"]) or "it"
        raise ScenarioError(f"{where}: {at}: {first['msg'].lower()}, got {first['input']!r:.80}") from None
    try:
        return Catalogue(
            tuple(Department(**d.model_dump()) for d in file.departments),
            tuple(Material(**m.model_dump()) for m in file.materials),
            tuple(_item(i) for i in file.items),
            tuple(_scene(row) for row in file.scenes),
        )
    except CatalogueError as error:
        raise ScenarioError(f"{where}: {error}") from None


def _pairs(data: Any) -> Any:
    """Take lists of two where pairs are kept."""
    if not isinstance(data, dict) or not isinstance(data.get("scenes"), list):
        return data
    scenes = []
    for scene in data["scenes"]:
        if isinstance(scene, dict):
            scene = {  # noqa: PLW2901
                k: [tuple(p) if isinstance(p, list) else p for p in v]
                if k.endswith("needs") and isinstance(v, list)
                else v
                for k, v in scene.items()
            }
        scenes.append(scene)
    return {**data, "scenes": scenes}


def _item(row: _Item) -> Item:
    values = row.model_dump(exclude={"steps", "materials", "surrendered"})
    steps = tuple(Step(**{**s.model_dump(), "after": tuple(s.after)}) for s in row.steps)
    return Item(**values, steps=steps, materials=tuple(row.materials), surrendered=tuple(row.surrendered))


def _scene(row: _Scene) -> Scene:
    return Scene(
        row.code, row.name, row.target, tuple(row.items), tuple(row.needs), tuple(row.merged), tuple(row.merged_needs),
        row.weight, row.generated,
    )  # fmt: skip


@lru_cache(maxsize=4)
def read_catalogue(path: str) -> Catalogue:
    """Read a catalogue file. Raises ScenarioError in one sentence."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    file = Path(path)
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ScenarioError(f"{file}: is larger than {_MOST_BYTES // 1_000_000} MB")
        data = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read ({error.strerror})") from None
    except YAMLError as error:
        raise ScenarioError(f"{file}: is no YAML ({' '.join(str(error).split())[:160]})") from None
    return catalogue_of(data, str(file))


def as_data(catalogue: Catalogue) -> dict[str, Any]:
    """Return a catalogue as the content of a file, to be written as YAML or JSON and edited."""
    from dataclasses import asdict, fields

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    names = [f.name for f in fields(Catalogue) if f.init]
    return {name: [plain(asdict(row)) for row in getattr(catalogue, name)] for name in names}
