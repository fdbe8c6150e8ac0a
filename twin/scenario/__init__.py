"""The typed scenario: what to simulate, loaded from YAML with every mistake explained.

``load_scenario`` reads a file or a name of the catalogue; ``check_against_city`` does the checks that need the
city itself (places, roads). ``twin validate`` and ``twin run`` use exactly these two.
"""

from twin.scenario.agree import zoom_period
from twin.scenario.interventions import CloseRoad, DemandChange, Event, Intervention, SpeedLimit, WeatherChange
from twin.scenario.layers import catalogue
from twin.scenario.load import load_scenario
from twin.scenario.mistakes import ScenarioProblems
from twin.scenario.model import WEEKDAYS, Scenario
from twin.scenario.parts import DAY_S, CitySource, Control, People, Traffic, Weather, Zoom, clock_text, seconds_of

__all__ = [
    "DAY_S",
    "WEEKDAYS",
    "CitySource",
    "CloseRoad",
    "Control",
    "DemandChange",
    "Event",
    "Intervention",
    "People",
    "Scenario",
    "ScenarioProblems",
    "SpeedLimit",
    "Traffic",
    "Weather",
    "WeatherChange",
    "Zoom",
    "catalogue",
    "clock_text",
    "load_scenario",
    "seconds_of",
    "zoom_period",
]
