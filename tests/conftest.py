"""What holds for every test.

Hypothesis keeps no time, because machines that share their cores have none to keep, and tries the same examples every
time, so that a change is judged by the change; ``HYPOTHESIS_PROFILE=explore`` looks for new ones.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("twin", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "twin"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; our programs would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

FLAGS = ["--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def find_browser() -> str | None:
    """A Chromium on this machine, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: extra 'test'")
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium found: install one (Debian: apt-get install chromium fonts-noto-cjk)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()
