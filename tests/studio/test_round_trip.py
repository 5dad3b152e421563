"""The studio from its command to the album: in a browser two bars are made anew, taken and kept."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from pipeline.songs.song import Song
from tests.conftest import SMALL, program_environment
from tests.studio.page.conftest import browser
from tests.studio.page.waiting import until

__all__ = ["browser"]
pytestmark = pytest.mark.slow
SONG = Path("outputs/small/generate/album/songs/01.npz")
TRACKS = "outputs/small/album/tracks"
BARS = [2, 3]


@pytest.fixture
def address(album_copy: Path) -> Iterator[str]:
    """Where a studio of the small album answers."""
    words = ("+stage=studio", *SMALL, "studio.open=false", "studio.port=0")
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        cwd=album_copy,
        env=program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/", said)):
            line = process.stdout.readline()
            assert line, said
            said += line
        try:
            yield found[0]
        finally:
            process.terminate()


def seconds_of_making(page: Page) -> float:
    """How long it takes until versions of what is selected can be heard, by the clock."""
    begin = time.monotonic()
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('#versions-box').hidden")
    return time.monotonic() - begin


def test_two_bars_made_anew_are_heard_taken_and_kept(browser: Browser, address: str, album_copy: Path) -> None:
    before = Song.load(album_copy / SONG)
    sounds = {path.name: path.read_bytes() for path in (album_copy / TRACKS).glob("*.wav")}
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    page.wait_for_selector("body.ready")
    page.click("#play")
    until(page, "parseFloat(document.querySelector('#level').style.transform.slice(7)) > 0")
    page.click("#stop")
    page.focus("#cursor")
    for key in (*["ArrowDown"] * before.spec.names.index("Bass"), *["ArrowRight"] * BARS[0], "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert page.inner_text("#said") == "Bass, bars 3 to 4 selected"
    times = []
    for _ in range(3):
        times.append(seconds_of_making(page))
        page.keyboard.press("Escape")
        until(page, "document.querySelector('#versions-box').hidden")
    assert min(times) < 3  # well under one where nothing else runs
    seconds_of_making(page)
    page.keyboard.press("1")
    page.keyboard.press("t")
    until(page, "!document.querySelector('#undo').disabled")
    page.click("#keep")
    until(page, "document.querySelector('#said').textContent.endsWith('is kept in the album')", 240)

    after = Song.load(album_copy / SONG)
    bass, steps = before.spec.names.index("Bass"), before.spec.steps_per_bar
    inside = [(song.notes["track"] == bass) & np.isin(song.notes["onset"] // steps, BARS) for song in (before, after)]
    outside = [song.notes[~chosen].tobytes() for song, chosen in zip((before, after), inside, strict=True)]
    assert outside[0] == outside[1]
    assert before.notes[inside[0]].tobytes() != after.notes[inside[1]].tobytes()
    page.goto(f"{address}album/index.html")
    heard = page.get_attribute("audio", "src")
    assert heard is not None
    changed = {name for name, sound in sounds.items() if (album_copy / TRACKS / name).read_bytes() != sound}
    assert changed == {Path(heard).name}
