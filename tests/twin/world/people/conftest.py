"""The made-up city as a fixture."""

from __future__ import annotations

import pytest
from made_up_city import make_city

from geo.city import City


@pytest.fixture(scope="session")
def city() -> City:
    """The made-up city with everything in it; nobody may write to it."""
    made = make_city()
    made.check()
    return made
