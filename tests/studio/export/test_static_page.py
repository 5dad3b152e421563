"""The exported page, served as any static host would: another phrase, bars made anew, on a phone, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pretty_midi
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from pipeline.config import compose
from pipeline.studio.export.static_page import BANKS, SMALL_BYTES, SOUNDS, export_page
from tests.conftest import SMALL
from tests.studio.export.conftest import static_host

pytestmark = pytest.mark.slow

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
NOTES = "page.song.tracks.map((track) => track.notes)"


@pytest.fixture(scope="module")
def exported(small_album: Path, runtime_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small album."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(small_album)
        export_page(compose(*SMALL, f"studio.runtime={runtime_package}"), folder)
    return folder


@pytest.fixture(scope="module")
def address(exported: Path) -> Iterator[str]:
    with static_host(exported) as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    yield from opened(browser, address)


def opened(browser: Browser, address: str, **settings: Any) -> Iterator[Page]:
    """The page when its networks are there; nothing may fail in it."""
    context, own = browser.new_context(**settings), (address, "data:", "blob:")
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(own) else complaints.append(asked.url))
    page.goto(address)
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    yield page
    context.close()
    assert not complaints


def make(page: Page) -> None:
    """Another one; waits until it is there."""
    page.click("#another")
    page.wait_for_selector("#another:not([aria-busy])", timeout=60_000)


def test_all_but_runtime_and_songs_is_small(exported: Path) -> None:
    files = [path for path in exported.rglob("*") if path.is_file()]
    own = [path for path in files if path.parent.name not in (SOUNDS, "runtime")]
    assert sum(path.stat().st_size for path in own) <= SMALL_BYTES
    model, songs = (json.loads((exported / name).read_text()) for name in ("model.json", "songs.json"))
    assert model["runtime"]["is_local"] and len(songs) == 2
    assert {f"{BANKS}/{bank['file']}" for bank in model["instruments"].values()} <= {
        str(path.relative_to(exported)) for path in files
    }
    assert all((exported / song["sound"]).is_file() for song in songs)


def test_another_phrase_is_made_and_heard(page: Page) -> None:
    make(page)
    assert page.inner_text("#song-title") == "New phrase 1"
    assert page.evaluate(f"{NOTES}.flat().length") > 0
    page.wait_for_function("page.player.sounded && page.player.playing")
    first = page.evaluate(NOTES)
    make(page)
    assert page.evaluate(NOTES) != first and page.is_enabled("#undo")
    page.click("#undo")
    assert page.evaluate(NOTES) == first


def test_the_same_seed_makes_the_same_phrase(page: Page) -> None:
    page.fill("#seed", "7")
    make(page)
    first = page.evaluate(NOTES)
    make(page)
    assert page.evaluate(NOTES) == first
    page.fill("#seed", "8")
    make(page)
    assert page.evaluate(NOTES) != first


def test_selected_bars_are_made_anew_and_the_rest_stays(page: Page) -> None:
    before = page.evaluate(NOTES)
    page.click("button[aria-label='Select Bass']")
    page.fill("#first-bar", "3")
    page.fill("#last-bar", "4")
    page.press("#last-bar", "Tab")
    make(page)
    after, index = page.evaluate(NOTES), page.evaluate("page.song.tracks.findIndex((track) => track.name === 'Bass')")
    steps = page.evaluate("page.model.steps_per_bar")
    assert [notes for track, notes in enumerate(after) if track != index] == [
        notes for track, notes in enumerate(before) if track != index
    ]

    def outside(notes: list[list[int]]) -> list[list[int]]:
        return [note for note in notes if not 2 * steps <= note[0] < 4 * steps and note[0] + note[1] <= 2 * steps]

    assert outside(after[index]) == outside(before[index])
    assert page.evaluate("page.player.loop") == [2 * steps, 4 * steps]


def test_what_is_no_chord_is_said(page: Page) -> None:
    page.fill("#typed-chords", "Am Xylophone")
    page.click("#another")
    assert "Xylophone is no chord" in page.inner_text("#message")
    page.fill("#typed-chords", "Dm | G7 C")
    make(page)
    assert page.inner_text("#chords").split()[:3] == ["Dm", "G7", "C"]


def test_midi_has_the_notes_of_the_song(page: Page, tmp_path: Path) -> None:
    make(page)
    with page.expect_download() as download:
        page.click("#midi")
    download.value.save_as(tmp_path / "phrase.mid")
    found = pretty_midi.PrettyMIDI(str(tmp_path / "phrase.mid"))
    written = sum(len(instrument.notes) for instrument in found.instruments)
    assert written == page.evaluate(f"{NOTES}.flat().length")
    assert abs(found.get_tempo_changes()[1][0] - page.evaluate("page.tempo")) < 0.01


def test_it_goes_on_without_a_network(page: Page) -> None:
    page.wait_for_selector("body[data-offline]", timeout=60_000)
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    make(page)
    page.wait_for_function("page.player.sounded")


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_it_fits_and_axe_finds_nothing_wrong(browser: Browser, address: str, size: str) -> None:
    for page in opened(browser, address, **(PHONE if size == "phone" else {})):
        make(page)
        page.evaluate("page.player.pause()")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [f"{one['id']}: {node['html'][:200]}" for one in violations for node in one["nodes"]] == []


def test_a_song_plays_as_it_was_finished_and_from_notes_once_it_is_changed(page: Page) -> None:
    page.click("#play")
    page.wait_for_function("!page.player.audio.paused && page.player.audio.currentTime > 0.1")
    assert page.evaluate("page.player.position()") > 0
    page.click("button[aria-label='Mute Bass']")
    page.wait_for_function("page.player.audio.paused && page.player.sounded")
    page.click("#stop")
    assert page.evaluate("page.player.position()") == 0 and not page.evaluate("page.player.playing")
