"""A browser, and the page of a pretended studio in it: one of each for the tests of a file, as it was for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gan.spec import RollSpec, Track
from pipeline.songs.song import Section
from tests.song_makers import song_of
from tests.studio.page.pretend_server import PretendServer, PretendStudio, view_of

SPEC = RollSpec((Track("Lead"), Track("Drums", True), Track("Piano"), Track("Bass")))
BARS = 12
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
LAPTOP = {"viewport": {"width": 1400, "height": 900}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; tests are skipped where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed: the page of the studio is tested in one")
    with sync_playwright() as playwright:
        settings = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=found, args=settings)
        yield browser
        browser.close()


@cache
def a_view() -> dict[str, Any]:
    """A song of twelve bars, with a note of each track on every beat."""
    random = np.random.default_rng(1)
    notes = []
    for track, pitches in enumerate(([72, 74, 76, 79], [36, 38, 42], [60, 64, 67], [36, 43])):
        for step in range(0, BARS * SPEC.steps_per_bar, 4):
            notes.append((track, int(random.choice(pitches)), step, 1 if track == 1 else 3))
    sections = (Section("verse 1", "verse", 0, 4), Section("chorus", "chorus", 4, 4), Section("verse 2", "verse", 8, 4))
    return view_of(song_of(notes, SPEC, BARS, sections=sections, seed=7), "Leave the Hallway Dark")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[PretendStudio, str]]:
    """A studio and its address."""
    studio = PretendStudio()
    with PretendServer(studio) as address:
        yield studio, address


@pytest.fixture
def studio(served: tuple[PretendStudio, str]) -> PretendStudio:
    """The studio with two songs, to which nothing has been done."""
    sounds = served[0].sounds  # what the page before may still ask for
    vars(served[0]).update(vars(PretendStudio(sounds=sounds)))
    served[0].add(a_view())
    served[0].add(a_view() | {"title": "Rusty Hinge"})
    return served[0]


class Window:
    """A page that is open, and what was wrong in it."""

    def __init__(self, browser: Browser, address: str, settings: dict[str, Any]) -> None:
        self.address = address
        self.complaints: list[str] = []
        self.page = browser.new_context(**settings).new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda asked: self.see(asked.url))

    def see(self, url: str) -> None:
        """Complain of a request to another server."""
        if not url.startswith((self.address, "data:", "about:")):
            self.complaints.append(url)

    def opened(self) -> Iterator[Page]:
        """The page as it is first seen; nothing may fail in it, but for refusals that a test asks for."""
        self.complaints.clear()
        self.page.goto(self.address)
        self.page.wait_for_selector("body.ready")
        yield self.page
        assert not [one for one in self.complaints if "status of 400" not in one]


@pytest.fixture(scope="module")
def window(browser: Browser, served: tuple[PretendStudio, str]) -> Window:
    return Window(browser, served[1], LAPTOP)


@pytest.fixture(scope="module")
def phone_window(browser: Browser, served: tuple[PretendStudio, str]) -> Window:
    return Window(browser, served[1], PHONE)


@pytest.fixture
def page(window: Window, studio: PretendStudio) -> Iterator[Page]:
    """The page at the width of a laptop."""
    yield from window.opened()


@pytest.fixture
def phone(phone_window: Window, studio: PretendStudio) -> Iterator[Page]:
    """The page on a phone."""
    yield from phone_window.opened()
