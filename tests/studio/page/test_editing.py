"""Selecting and changing a song on the studio's page, by pointer and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import FloatRect, Page

from tests.studio.page.pretend_server import PretendStudio
from tests.studio.page.waiting import until

BAR = 44
"""Pixels of a bar at first."""


def said(page: Page) -> str:
    return page.inner_text("#said")


def posted(studio: PretendStudio, what: str) -> list[Any]:
    """The bodies of all requests of a kind."""
    return [body for path, body in studio.asked if path == what]


def notes(page: Page, track: int, first: int, end: int) -> list[list[int]]:
    """Notes of a track in bars."""
    found = page.evaluate("([track]) => studio.song.tracks[track].notes", [track])
    return [note for note in found if first * 16 <= note[0] < end * 16]


def lane(page: Page, track: int) -> FloatRect:
    """Where the roll of a track lies."""
    box = page.locator("#tracks .track canvas").nth(track).bounding_box()
    assert box is not None
    return box


def ask_for(page: Page, first: int, last: int) -> None:
    """Select bars, counted from 1, by their fields."""
    page.fill("#first-bar", str(first))
    page.press("#first-bar", "Tab")
    page.fill("#last-bar", str(last))
    page.press("#last-bar", "Tab")


def test_arrows_move_a_cell_and_extend_the_selection(page: Page) -> None:
    page.focus("#cursor")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", *["ArrowRight"] * 8):
        page.keyboard.press(key)
    assert said(page).startswith("Bass, bar 9, verse 2, ")
    assert said(page).endswith(", 4 notes")
    page.keyboard.press("Shift+ArrowRight")
    assert said(page) == "Bass, bars 9 to 10 selected"
    page.keyboard.press("Shift+ArrowUp")
    assert said(page) == "Piano and Bass, bars 9 to 10 selected"
    assert page.input_value("#last-bar") == "10"
    page.keyboard.press("a")
    assert page.inner_text("#selected") == "All tracks, bars 9 to 10"
    page.keyboard.press("Escape")
    page.keyboard.press("PageUp")
    assert said(page).startswith("Piano, bar 9, verse 2")
    page.keyboard.press("PageUp")
    assert said(page).startswith("Piano, bar 5, chorus")
    page.keyboard.press("End")
    assert page.get_attribute("#cursor", "aria-label") == f"Piano roll: {said(page)}"
    assert "bar 12" in said(page)


def test_dragging_selects_and_shift_extends(page: Page) -> None:
    piano, bass = lane(page, 2), lane(page, 3)
    page.mouse.move(piano["x"] + 2.5 * BAR, piano["y"] + 20)
    page.mouse.down()
    page.mouse.move(bass["x"] + 4.5 * BAR, bass["y"] + 20, steps=4)
    page.mouse.up()
    assert said(page) == "Piano and Bass, bars 3 to 5 selected"
    page.mouse.click(lane(page, 1)["x"] + 1.5 * BAR, lane(page, 1)["y"] + 20)
    page.keyboard.down("Shift")
    page.mouse.click(piano["x"] + 3.5 * BAR, piano["y"] + 20)
    page.keyboard.up("Shift")
    assert page.inner_text("#selected") == "Drums and Piano, bars 2 to 4"
    ruler = page.locator("#ruler").bounding_box()
    assert ruler is not None
    page.mouse.move(ruler["x"] + 5.5 * BAR, ruler["y"] + 10)
    page.mouse.down()
    page.mouse.move(ruler["x"] + 7.5 * BAR, ruler["y"] + 10, steps=3)
    page.mouse.up()
    assert page.inner_text("#selected") == "All tracks, bars 6 to 8"
    page.click('[aria-label="chorus, bars 5 to 8"]')
    page.click('[aria-label="Select Bass"]')
    assert page.inner_text("#selected") == "Bass, bars 5 to 8"
    page.click('[aria-label="Select Lead"]', modifiers=["Control"])
    assert page.inner_text("#selected") == "Lead and Bass, bars 5 to 8"


def test_a_version_is_heard_in_place_and_taken_and_undone(page: Page, studio: PretendStudio) -> None:
    page.click('[aria-label="Select Bass"]')
    ask_for(page, 9, 10)
    before = notes(page, 3, 0, 12)
    page.focus("#cursor")
    page.keyboard.press("Enter")
    page.wait_for_selector("#versions button >> nth=5")
    assert posted(studio, "versions") == [
        {"tracks": ["Bass"], "bars": [8, 10], "mode": "anew", "count": 5, "chords": None, "key": None, "density": None}
        | {"temperature": 1, "condition_strength": 1, "seed": None}
    ]
    until(page, "studio.player.playing && studio.metrics.changes.length > 0")
    page.keyboard.press("3")
    assert said(page) == "Version 3 of 5"
    assert page.get_attribute("#versions button >> nth=3", "aria-pressed") == "true"
    until(page, "studio.player.step >= 128 && studio.player.step < 160 && studio.player.level > 0.003")
    assert notes(page, 3, 0, 12) == before, "nothing has changed yet"
    heard = page.evaluate("studio.versions[2].tracks[0].chunks['4']")
    until(page, f"[...studio.player.voices.values()].some((one) => one.hash === '{heard}')")
    seed = page.evaluate("studio.versions[2].seed")
    assert page.inner_text("#version-seed") == f"seed {seed}"
    page.click("#take")
    until(page, "studio.song.version === 1")
    assert posted(studio, "edits") == [{"kind": "choose", "version": "v3"}]
    assert page.is_hidden("#versions-box")
    assert notes(page, 3, 8, 10) != [note for note in before if 128 <= note[0] < 160]
    page.keyboard.press("Control+z")
    until(page, "studio.song.version === 0")
    assert notes(page, 3, 0, 12) == before
    assert page.is_disabled("#undo")
    page.keyboard.press("r")
    until(page, "studio.song.version === 1")


def test_versions_can_be_left(page: Page) -> None:
    page.click("#anew")
    page.wait_for_selector("#versions button")
    page.keyboard.press("Escape")
    assert page.is_hidden("#versions-box")
    assert page.get_attribute("#loop", "aria-pressed") == "false"
    assert page.evaluate("studio.player.overrides") == {}


@pytest.mark.parametrize(("name", "mode"), [("More like this", "like"), ("Busier", "busier"), ("Sparser", "sparser")])
def test_what_the_controls_say_is_asked_for(page: Page, studio: PretendStudio, name: str, mode: str) -> None:
    page.fill("#density", "9")
    page.fill("#temperature", "0.5")
    page.fill("#strength", "0.5")
    page.fill("#seed", "42")
    page.get_by_role("button", name=name).click()
    page.wait_for_selector("#versions button")
    asked = posted(studio, "versions")[0]
    assert (asked["mode"], asked["density"], asked["seed"]) == (mode, {"Lead": 9}, 42)
    assert (asked["temperature"], asked["condition_strength"]) == (0.5, 0.5)
    assert page.inner_text("#density-said") == "9"
    page.click("#density-free")
    assert page.inner_text("#density-said") == "as it comes"


def test_typed_chords_are_understood_or_refused(page: Page, studio: PretendStudio) -> None:
    page.fill("#chord-text", "Am F C/E G7")
    assert page.inner_text("#chords-understood").startswith("4 bars: Am | F | C/E | G7,")
    page.fill("#chord-text", "Am F | C G")
    assert page.inner_text("#chords-understood").startswith("2 bars: Am F | C G,")
    page.click("#other-chords")
    page.wait_for_selector("#versions button")
    assert posted(studio, "versions")[0]["chords"] == "Am F | C G"
    page.fill("#chord-text", "Am quux")
    assert page.get_attribute("#chord-text", "aria-invalid") == "true"
    page.click("#other-chords")
    assert page.inner_text('[role="alert"]').startswith("quux is no chord;")
    page.fill("#chord-text", "AX")
    page.click("#other-chords")
    until(page, "document.querySelector('[role=alert]').textContent === 'X is no chord.'")
    page.fill("#seed", "many")
    page.fill("#chord-text", "")
    page.click("#anew")
    assert page.inner_text('[role="alert"]').startswith("The seed many is no whole number")
    assert len(posted(studio, "versions")) == 2


def test_the_pencil_draws_and_erases(page: Page, studio: PretendStudio) -> None:
    page.click('[aria-label="Select Bass"]')
    page.click("#pencil")
    assert page.get_attribute('[aria-label="Fold Bass"]', "aria-expanded") == "true"
    until(page, "document.querySelector('.unfolded canvas').offsetHeight > 150")
    page.wait_for_timeout(60)
    page.fill("#velocity", "101")
    where = page.evaluate("studio.song.tracks[3].notes[0]")
    box = page.evaluate("document.querySelector('.unfolded').getBoundingClientRect().toJSON()")
    left, top, scale = box["left"], box["top"], box["width"] / (12 * 16)
    page.mouse.move(left + 1.5 * scale, top + 30)
    page.mouse.down()
    page.mouse.move(left + 6.5 * scale, top + 30, steps=4)
    page.mouse.up()
    until(page, "studio.song.version === 1")
    drawn = posted(studio, "edits")[0]
    assert (drawn["track"], drawn["remove"]) == ("Bass", [])
    step, length, pitch, velocity = drawn["add"][0]
    assert (step, length, velocity) == (1, 6, 101)
    assert page.evaluate("studio.song.tracks[3].origins")[0] == "d"
    assert "drawn" in said(page)
    page.mouse.click(left + 3.5 * scale, top + 30)
    until(page, "studio.song.version === 2")
    assert posted(studio, "edits")[1]["remove"] == [[1, pitch]]
    assert page.evaluate("studio.song.tracks[3].notes[0]") == where
    page.focus("#cursor")
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    until(page, "studio.song.version === 3")
    assert posted(studio, "edits")[2]["add"][0][0] == 1
    page.keyboard.press("Enter")
    until(page, "studio.song.version === 4")
    page.keyboard.press("Escape")
    assert page.get_attribute("#pencil", "aria-pressed") == "false"


def test_a_song_is_continued_transposed_and_renamed(page: Page, studio: PretendStudio) -> None:
    page.click('[aria-label="Continue by 8 bars"]')
    until(page, "studio.song.bars === 20")
    assert posted(studio, "continue")[0]["bars"] == 8
    assert page.inner_text("#selected") == "All tracks, bars 13 to 20"
    page.fill("#key", "E minor")
    page.click("#transpose")
    until(page, "studio.song.key === 'E minor'")
    page.fill("#swing", "0.6")
    until(page, "studio.song.swing === 0.6")
    page.fill("#title", "Harbour Light")
    page.press("#title", "Tab")
    until(page, "studio.song.title === 'Harbour Light'")
    assert page.inner_text("#song-title") == "Harbour Light"
    assert "changed" in page.inner_text("#songs [aria-current]")


def test_a_further_song_is_composed(page: Page, studio: PretendStudio) -> None:
    page.click("#new-song-button")
    page.fill("#new-key", "D minor")
    page.fill("#new-chords", "Dm Bb F C")
    page.fill("#new-tempo", "96")
    page.click("#new-song .solid")
    until(page, "studio.song.number === 3")
    asked = posted(studio, "songs")[0]
    assert (asked["key"], asked["chords"], asked["tempo_bpm"], asked["form"]) == ("D minor", "Dm Bb F C", 96, None)
    assert page.inner_text("#song-title") == "A further song"
    assert page.evaluate("location.hash").endswith("/3")
    page.reload()
    page.wait_for_selector("body.ready")
    assert page.inner_text("#song-title") == "A further song", "the address resumes it"


def test_words_are_chosen_and_typed(page: Page, studio: PretendStudio) -> None:
    line = page.get_by_role("button", name="a letter in the rain")
    first = page.locator("#tracks .track canvas").nth(0).bounding_box()
    box = line.bounding_box()
    assert box is not None and first is not None
    assert box["x"] == pytest.approx(first["x"] + 2 * BAR, abs=2), "under the notes that it is sung on"
    line.click()
    page.wait_for_selector("#candidates li >> nth=6")
    assert page.inner_text("#line-facts") == "by the machine · rhyme B · 6 syllables, the notes ask for 7"
    page.click("#more-candidates")
    page.wait_for_selector("text=line 3 of draw 1")
    page.click("text=line 3 of draw 1")
    until(page, "studio.song.lines[1].text === 'line 3 of draw 1'")
    page.fill("#line-text", "my own words entirely")
    page.click("#line-take")
    until(page, "studio.song.lines[1].text === 'my own words entirely'")
    assert [body["author"] for body in posted(studio, "words")] == ["model", "person"]
    assert page.inner_text("#line-facts").startswith("yours")
    page.click("#words-close")
    assert page.is_hidden("#words-panel")


def test_the_rolls_of_a_long_song_are_drawn_in_a_moment(page: Page) -> None:
    milliseconds = page.evaluate(
        """() => {
            const Roll = studio.score.rows[0].roll.constructor;
            const notes = Array.from({ length: 3200 }, (_, index) => [index >> 1, 2, 40 + index % 30, 90]);
            const canvas = document.createElement("canvas");
            const roll = new Roll({ is_drum: false, notes, origins: "m".repeat(100) }, "#ffd166");
            const view = { ...studio.score.view, scale: 0.6, bars: 100, left: 0 };
            const times = Array.from({ length: 30 }, () => {
                const before = performance.now();
                roll.draw(canvas, view);
                return performance.now() - before;
            });
            return 6 * Math.min(...times);
        }"""
    )
    assert milliseconds < 100, "six tracks of a hundred bars"
