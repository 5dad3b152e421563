"""The studio's page as a whole: files in and out, who can use it, how wide it is, and its colours."""

from __future__ import annotations

import re
from typing import Any
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from pipeline.drawing.palette import BACKGROUND, LINE, QUIET_TEXT, STRONG_LINE, SURFACE, TEXT, TRACK_COLOURS
from tests.studio.page.pretend_server import PAGE, PretendStudio
from tests.studio.page.waiting import until

DROP = """([name, content]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([Uint8Array.from(content, (one) => one.charCodeAt(0))], name));
    for (const kind of ["dragenter", "dragover", "drop"]) {
        const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
        document.querySelector("main").dispatchEvent(event);
        if (kind === "dragenter") { window.overlaid = !document.getElementById("drop").hidden; }
    }
}"""
DRAG = """(link) => {
    const carried = new DataTransfer();
    link.dispatchEvent(new DragEvent("dragstart", { dataTransfer: carried, bubbles: true }));
    return carried.getData("DownloadURL");
}"""


def violations(page: Page) -> list[str]:
    """What axe finds wrong, with where it is."""
    found: dict[str, Any] = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


def test_a_dropped_file_becomes_a_further_song(page: Page, studio: PretendStudio) -> None:
    page.evaluate(DROP, ["my tune.mid", "MThd and so on"])
    assert page.evaluate("overlaid") is True
    until(page, "studio.song.number === 3")
    assert studio.asked[-1] == ("files my tune.mid", 14)
    assert page.inner_text("#song-title") == "my tune"
    assert page.evaluate("studio.song.tracks[0].origins") == "g" * 12
    assert page.is_hidden("#drop") and page.is_hidden("#work")
    page.focus("#cursor")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#said").endswith(", given")


def test_a_file_that_is_no_music_is_refused_in_a_sentence(page: Page) -> None:
    page.set_input_files("#file", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    until(page, "document.querySelector('[role=alert]').textContent === 'a.txt is neither MIDI nor sound.'")
    assert page.evaluate("studio.song.number") == 1
    page.click("#loop")
    assert page.is_hidden("#work")


def test_downloads_can_be_dragged_out(page: Page) -> None:
    page.click('[aria-label="Select Bass"]')
    page.fill("#last-bar", "4")
    page.press("#last-bar", "Tab")
    page.wait_for_selector("text=/Loops of bars 1.4/")
    names = page.eval_on_selector_all("#downloads a", "(links) => links.map((link) => link.dataset.file)")
    assert names[:3] == ["song.mid", "selection.mid", "track.mid"]
    assert {"song.wav", "stems.zip", "loops.zip", "song.dawproject", "song.rpp.zip", "song.musicxml"} <= set(names)
    kind, name, address = page.eval_on_selector('[data-file="track.mid"]', DRAG).split(":", 2)
    assert (kind, name) == ("audio/midi", "leave-the-hallway-dark-bass.mid")
    with urlopen(address) as answer:
        assert answer.read() == b"MThd"
    selection = page.get_attribute('[data-file="selection.mid"]', "href")
    assert selection is not None and "first=0&end=4&tracks=Bass&token=" in selection


def test_keeping_links_the_album(page: Page, studio: PretendStudio) -> None:
    page.click("#keep")
    page.wait_for_selector("#album-link")
    assert page.get_attribute("#album-link", "href") == "/album/index.html"
    assert studio.kept == {1}
    assert "kept" in page.inner_text("#songs [aria-current]")


def test_another_song_is_opened(page: Page) -> None:
    page.click("#play")
    page.click("text=Rusty Hinge")
    until(page, "studio.song.number === 2")
    assert page.get_attribute("#songs li:nth-child(2) button", "aria-current") == "true"
    assert page.evaluate("studio.player.playing") is False
    assert page.is_visible(".line >> nth=0")


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_axe_finds_nothing_wrong(request: pytest.FixtureRequest, size: str) -> None:
    page: Page = request.getfixturevalue("page" if size == "laptop" else "phone")
    page.click("#anew")
    page.wait_for_selector("#versions button")
    page.click(".line >> nth=1")
    page.wait_for_selector("#candidates li >> nth=6")
    page.click("#pencil")
    page.evaluate("studio.player.pause()")
    assert violations(page) == []
    for dialog in ("#help-button", "#new-song-button"):
        page.click(dialog)
        assert violations(page) == []
        page.keyboard.press("Escape")


def test_tab_goes_through_all_in_the_order_of_the_page(page: Page) -> None:
    named = "(() => { const one = document.activeElement; return one.id || one.ariaLabel || one.tagName; })()"
    order: list[str] = []
    page.focus(".skip")
    while "BODY" not in order:
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", order[-1:]
        page.keyboard.press("Tab")
        order.append(page.evaluate(named))
    wanted = [
        "open-file",
        "keep",
        "play",
        "loop",
        "tempo",
        "pencil",
        "cursor",
        "Unfold Lead",
        "Select Lead",
        "Mute Lead",
    ]
    wanted += [
        "Instrument of Lead",
        "Unfold Drums",
        "first-bar",
        "anew",
        "chord-text",
        "density",
        "seed",
        "key",
        "title",
    ]
    assert [one for one in order if one in wanted] == wanted


def test_enter_and_space_press_the_button_that_was_tabbed_to(page: Page, studio: PretendStudio) -> None:
    page.focus("#keep")
    page.keyboard.press("Tab")
    page.focus("#help-button")
    page.keyboard.press("Enter")
    assert page.get_attribute("#help", "open") is not None
    assert not page.evaluate("studio.player.playing")
    page.keyboard.press("Escape")
    page.click("#loop")
    page.keyboard.press("Space")
    assert page.evaluate("studio.player.playing && studio.looping"), "space plays after a click"


def test_a_phone_shows_all_within_its_width(phone: Page, studio: PretendStudio) -> None:
    phone.click("#anew")
    phone.wait_for_selector("#versions button")
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    wider = """[...document.querySelectorAll("header *, aside *, .transport *, .head *")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.right > 361 && box.width && !one.closest(".songs, .unseen, #axis");
    }).map((one) => one.outerHTML.slice(0, 80))"""
    assert phone.evaluate(wider) == []
    small = """[...document.querySelectorAll("button:not(.section, .line), a, select, input")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width && !one.closest(".unseen, .skip") && (box.height < 38 || box.width < 38);
    }).map((one) => one.outerHTML.slice(0, 80))"""
    assert phone.evaluate(small) == []
    assert phone.evaluate("document.getElementById('score').scrollWidth === 360"), "twelve bars fit its least zoom"
    phone.tap("#stop")
    phone.tap("#play")
    until(phone, "studio.player.level > 0.003")


def test_a_touch_selects_a_cell_and_names_add_tracks(phone: Page) -> None:
    box = phone.locator("#tracks .track canvas").nth(1).bounding_box()
    assert box is not None
    phone.touchscreen.tap(box["x"] + 28 * 3.5, box["y"] + 20)
    assert phone.inner_text("#selected") == "Drums, bar 4"
    phone.tap('[aria-label="Select Bass"]')
    assert phone.inner_text("#selected") == "Drums and Bass, bar 4"


def test_the_page_has_the_colours_of_the_pictures() -> None:
    style = (PAGE / "studio.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", style))
    assert tuple(colours[f"track-{index}"] for index in range(8)) == TRACK_COLOURS
    names = ("paper", "surface", "line", "strong-line", "ink", "quiet")
    assert [colours[name] for name in names] == [BACKGROUND, SURFACE, LINE, STRONG_LINE, TEXT, QUIET_TEXT]


def test_player_and_rolls_know_no_server() -> None:
    for name in ("player.js", "roll.js"):
        text = (PAGE / name).read_text(encoding="utf-8")
        assert not re.search(r"^import|fetch\(\"|/api/", text, re.MULTILINE), name


def test_files_are_short_and_nothing_stands_inline() -> None:
    assert len(list(PAGE.iterdir())) <= 14
    for path in PAGE.iterdir():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 550, path.name
    page = (PAGE / "studio.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|style=|<script(?![^>]* src=)| on\w+=|https?://", page)
