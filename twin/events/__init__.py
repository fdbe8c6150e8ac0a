"""Facts: the vocabulary of the whole project. Read this first.

A fact is a past-tense record of what happened. Each class of the modules here is one kind; its fields are columns
of the log. A field has one meaning and one type wherever it appears. Every fact also has ``t_s``, the second since
midnight of the first day. Numbers: ``resident``, ``company`` = row of the people arrays; ``vehicle`` = see
``twin.domain.ids``; ``unit`` = a vehicle of a fleet, see ``twin.domain.ids``; ``road`` = road index of the city;
``origin``/``destination`` = row of ``city.blocks`` (or -1); ``mode``/``purpose`` = index into
``MODES``/``PURPOSES`` of ``twin.world.people.ports``; ``place`` = id of a place of the city.

Facts of *perception* (what somebody could know) say so in their first sentence; all others are truth.
"""

from __future__ import annotations

# the order here is the order of the columns in every log
from twin.events.base import Fact as Fact, columns as columns, kinds as kinds  # isort: skip
from twin.events.city import *  # noqa: F403  # isort: skip
from twin.events.fleets import *  # noqa: F403  # isort: skip
from twin.events.bus import *  # noqa: F403  # isort: skip
from twin.events.delivery import *  # noqa: F403  # isort: skip
from twin.events.sanitation import *  # noqa: F403  # isort: skip
from twin.events.supervision import *  # noqa: F403  # isort: skip
from twin.events.junctions import *  # noqa: F403  # isort: skip
from twin.events.v2x import *  # noqa: F403  # isort: skip
from twin.events.city_brain import *  # noqa: F403  # isort: skip
from twin.events.incidents import *  # noqa: F403  # isort: skip
from twin.events.community import *  # noqa: F403  # isort: skip
from twin.events.services import *  # noqa: F403  # isort: skip
from twin.events.companies import *  # noqa: F403  # isort: skip
from twin.events.construction import *  # noqa: F403  # isort: skip
from twin.events.faults import *  # noqa: F403  # isort: skip
