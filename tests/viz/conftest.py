"""A toy city, a small run in it, its page, and a browser that is offline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geo.city import City
from tests.cities import toy_city
from tests.viz.fleet_sample import make_fleet_run
from tests.viz.sample import make_run
from viz import map as viz_map


@pytest.fixture(scope="session")
def city_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    return toy_city(folder).save(folder / "city")


@pytest.fixture(scope="session")
def city(city_dir: Path) -> City:
    return City.load(city_dir)


@pytest.fixture(scope="session")
def run_dir(city_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(city_dir, tmp_path_factory.mktemp("run") / "sample", vehicles=400, hours=0.5)


@pytest.fixture(scope="session")
def page_file(run_dir: Path) -> Path:
    return viz_map.build(run_dir)


@pytest.fixture(scope="session")
def fleet_dir(city_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_fleet_run(city_dir, tmp_path_factory.mktemp("fleet_run") / "fleets")


@pytest.fixture(scope="session")
def fleet_page_file(fleet_dir: Path) -> Path:
    return viz_map.build(fleet_dir)


class Opened:
    """A page that was opened, and what it asked for and complained about."""

    def __init__(self, browser: Any, file: Path, fragment: str = "", size: tuple[int, int] = (1280, 800)) -> None:
        self.context = browser.new_context(offline=True, viewport={"width": size[0], "height": size[1]})
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.goto(file.as_uri() + fragment, wait_until="commit")
        self.wait("window.__ready || window.__failed", 60)

    def wait(self, condition: str, seconds: float = 5) -> None:
        """Wait until a condition holds in the page (asked from outside: the page's policy allows no eval)."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(f"() => Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s: {condition}; errors: {self.errors}")
            self.page.wait_for_timeout(30)

    def js(self, code: str, arg: Any = None) -> Any:
        """Evaluate code in the page; ``app`` is its state."""
        return self.page.evaluate(f"(arg) => {{ const app = window.__map; {code} }}", arg)

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    opened: list[Opened] = []

    def go(file: Path, fragment: str = "", size: tuple[int, int] = (1280, 800)) -> Opened:
        opened.append(Opened(browser, file, fragment, size))
        return opened[-1]

    yield go
    for page in opened:
        page.close()


@pytest.fixture(scope="session")
def shared(browser, page_file):
    """One page for most tests: opening one takes seconds where the processor draws."""
    opened = Opened(browser, page_file)
    yield opened
    opened.close()


@pytest.fixture
def page(shared):
    """The shared page, as it was when opened."""
    shared.js(
        """
        document.activeElement.blur();
        if (document.querySelector("#help").open) document.querySelector("#help").close();
        app.play(false); app.direction = 1; app.setSpeed(30); app.setOver(false); app.setDraw("auto"); app.choose(null);
        for (const [id, [, on]] of Object.entries(app.about.switches)) app.on[id] = on;
        app.panels.switches(); app.panels.controls(); app.camera = app.whole(); app.seek(0);
        """
    )
    shared.errors.clear()
    return shared


def silent(page: Opened, file: Path) -> None:
    """Assert that the page asked for nothing and complained of nothing."""
    assert page.errors == []
    assert [r for r in page.requests if r.partition("#")[0] != file.as_uri()] == []
