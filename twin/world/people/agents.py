"""Mesa agents of the people model: thin views, each a row number; the state itself lies in the model's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from twin.world.people.companies import INDUSTRIES, STAGES
from twin.world.people.population import OCCUPATIONS

if TYPE_CHECKING:
    from twin.world.people.model import PeopleModel


class Resident(mesa.Agent):  # type: ignore[misc]
    """One resident; ``number`` is the row in ``model.residents``."""

    model: PeopleModel

    def __init__(self, model: PeopleModel, number: int) -> None:
        super().__init__(model)
        self.number = int(number)

    def _column(self, name: str) -> Any:
        return getattr(self.model.population.people, name)[self.number]

    @property
    def age(self) -> int:
        """Years."""
        return int(self._column("age"))

    @property
    def occupation(self) -> str:
        """One of OCCUPATIONS."""
        return OCCUPATIONS[int(self._column("occupation"))]

    @property
    def household(self) -> int:
        """Index of the household."""
        return int(self._column("household"))

    @property
    def home(self) -> int:
        """Row of ``city.blocks``."""
        return int(self._column("home"))

    @property
    def work(self) -> int:
        """Location code of the workplace; -1 without one."""
        return int(self._column("work"))

    @property
    def company(self) -> Company | None:
        """The company, or None."""
        row = int(self._column("company"))
        return self.model.company(row) if row >= 0 else None

    @property
    def at(self) -> int:
        """Location code of the present place; -1 when travelling."""
        return int(self.model.whereabouts()[self.number])

    @property
    def margin_shift_s(self) -> float:
        """How much earlier than usual this person leaves, after late days."""
        return float(self.model.habits.shift_s[self.number])


class Company(mesa.Agent):  # type: ignore[misc]
    """One company; ``number`` is the row in ``model.companies``."""

    model: PeopleModel

    def __init__(self, model: PeopleModel, number: int) -> None:
        super().__init__(model)
        self.number = int(number)

    @property
    def block(self) -> int:
        """Row of ``city.blocks``."""
        return int(self.model.companies.block[self.number])

    @property
    def industry(self) -> str:
        """One of INDUSTRIES."""
        return INDUSTRIES[int(self.model.companies.industry[self.number])]

    @property
    def stage(self) -> str:
        """Stage of life (F44), one of STAGES."""
        return STAGES[int(self.model.companies.stage[self.number])]

    @property
    def jobs(self) -> int:
        """Jobs it offers."""
        return int(self.model.companies.jobs[self.number])

    def staff(self) -> Any:
        """Ids of the residents and visitors who work here."""
        population = self.model.population
        return population.ids(np.flatnonzero(population.people.company == self.number))


class Community(mesa.Agent):  # type: ignore[misc]
    """One community; ``number`` is the row in ``city.communities``, ``name`` its id."""

    model: PeopleModel

    def __init__(self, model: PeopleModel, name: Any, number: int) -> None:
        super().__init__(model)
        self.name = name
        self.number = int(number)

    def members(self) -> Any:
        """Numbers of the residents who live here."""
        model = self.model
        return np.flatnonzero(model.block_community[model.residents.home] == self.number)

    def present(self) -> int:
        """How many residents are within this community now."""
        at = self.model.whereabouts()
        return int((self.model.block_community[at[at >= 0]] == self.number).sum())
