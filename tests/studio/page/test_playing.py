"""The sound of the studio's page: it plays in time, and follows what changes."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from tests.studio.page.pretend_server import PretendStudio
from tests.studio.page.waiting import until


def heard(page: Page) -> None:
    """Wait until the mix is not silent."""
    until(page, "studio.player.level > 0.003")


def step(page: Page) -> float:
    return float(page.evaluate("studio.player.step"))


def sounding(page: Page) -> list[str]:
    """Hashes of the sounds that are scheduled."""
    voices = page.evaluate("[...studio.player.voices.values()].filter((one) => one.source).map((one) => one.hash)")
    return list(voices)


def test_playing_moves_the_playhead_and_is_not_silent(page: Page) -> None:
    page.click("#play")
    heard(page)
    until(page, "studio.player.step > 4")
    assert "translateX" in page.eval_on_selector("#playhead", "(line) => line.style.transform")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.keyboard.press("Space")
    there = step(page)
    page.wait_for_timeout(80)
    assert step(page) == there > 4
    page.click("#stop")
    assert step(page) == 0
    page.fill("#first-bar", "9")
    page.press("#first-bar", "Tab")
    page.focus("#cursor")
    page.keyboard.press("Shift+Space")
    assert 128 <= step(page) < 144


def test_the_clock_of_the_sound_is_the_song_s(page: Page) -> None:
    page.click("#play")
    heard(page)
    apart = page.evaluate(
        """async () => {
            const { player } = studio, now = () => [player.context.currentTime, player.time.secondsAt(player.step)];
            const before = now();
            await new Promise((done) => setTimeout(done, 300));
            const after = now();
            return after[1] - before[1] - (after[0] - before[0]);
        }"""
    )
    assert abs(apart) < 0.02


def test_a_loop_stays_in_the_selection(page: Page) -> None:
    page.fill("#first-bar", "5")
    page.press("#first-bar", "Tab")
    page.click("#loop")
    page.evaluate("studio.player.play(5 * 16 - 2)")
    until(page, "studio.player.segmentCount > 1")
    page.wait_for_timeout(150)
    assert 4 * 16 <= step(page) < 5 * 16
    assert page.get_attribute("#loop", "aria-pressed") == "true"


def test_the_ruler_seeks_while_it_plays(page: Page) -> None:
    page.click("#play")
    heard(page)
    page.click("#ruler", position={"x": 44 * 6 + 5, "y": 10})
    assert 6 * 16 <= step(page) < 7 * 16
    heard(page)


def test_mute_and_solo_are_heard_at_once(page: Page) -> None:
    gains = "studio.player.trackGains.map((one) => Math.round(100 * one.gain.value))"
    page.evaluate("studio.player.context.resume()")
    until(page, f"{gains}.join() === '40,40,40,40'")
    page.click('[aria-label="Solo Bass"]')
    until(page, f"{gains}.join() === '0,0,0,40'")
    page.click('[aria-label="Solo Bass"]')
    page.click('[aria-label="Mute Drums"]')
    until(page, f"{gains}.join() === '40,0,40,40'")
    assert page.get_attribute('[aria-label="Mute Drums"]', "aria-pressed") == "true"


def test_a_volume_is_heard_and_kept(page: Page, studio: PretendStudio) -> None:
    page.evaluate("studio.player.context.resume()")
    page.fill('[aria-label="Volume of Piano"]', "0.4")
    until(page, "Math.abs(studio.player.trackGains[2].gain.value - 0.2) < 0.01")
    until(page, "studio.song.version === 1")
    assert studio.asked[-1] == ("edits", {"kind": "volume", "track": "Piano", "volume": 0.4})


@pytest.mark.parametrize(("change", "kind"), [("tempo", "tempo"), ("instrument", "instrument")])
def test_what_changes_while_it_plays_is_heard_at_the_same_place(
    page: Page, studio: PretendStudio, change: str, kind: str
) -> None:
    page.click("#play")
    heard(page)
    before, hashes, began = step(page), sounding(page), time.monotonic()
    if change == "tempo":
        page.fill("#tempo", "90")
    else:
        page.select_option('[aria-label="Instrument of Piano"]', label="church organ")
    until(page, "studio.metrics.changes.length === 1")
    assert studio.asked[-1][1]["kind"] == kind
    assert 0 <= step(page) - before < 8 * (time.monotonic() - began) + 2, "it plays on from the same step"
    page.wait_for_timeout(100)
    heard(page)
    swapped = set(sounding(page)) - set(hashes)
    assert len(swapped) >= (4 if change == "tempo" else 1)
    seconds = page.evaluate("studio.player.time.secondsAt(16)")
    assert seconds == pytest.approx(60 / 90 * 4 if change == "tempo" else 2)


def test_other_tracks_play_on_when_one_is_swapped(page: Page) -> None:
    page.click("#play")
    heard(page)
    sources = "[...studio.player.voices].filter(([key]) => !key.includes('/2/')).map(([, one]) => one.started)"
    before = page.evaluate(sources)
    page.select_option('[aria-label="Instrument of Piano"]', label="church organ")
    until(page, "studio.metrics.changes.length === 1")
    assert page.evaluate(sources)[: len(before)] == before


def test_busy_work_does_not_stop_the_sound(page: Page, studio: PretendStudio) -> None:
    studio.held = True
    page.click("#play")
    heard(page)
    page.click("#anew")
    assert page.get_attribute("#anew", "aria-busy") == "true"
    page.keyboard.press("Enter")
    before = step(page)
    until(page, f"studio.player.step > {before} + 1 && studio.player.level > 0.003")
    studio.held = False
    page.wait_for_selector("#versions button")
    assert page.get_attribute("#anew", "aria-busy") is None
    assert len(studio.asked) == 1, "it is not begun again before it is done"


def test_sounds_that_were_not_heard_for_long_are_let_go(page: Page) -> None:
    kept = page.evaluate(
        """async () => {
            const { sounds, song } = studio.player, hashes = song.tracks.flatMap((track) => track.chunks);
            for (const hash of hashes.slice(1)) { await sounds.fetch({ hash }); }
            sounds.seconds += 580;
            await sounds.fetch({ hash: hashes[0] });
            return [hashes.length, sounds.buffers.size];
        }"""
    )
    assert 0 < kept[1] < kept[0]


def test_slow_sounds_do_not_pile_up_work(page: Page) -> None:
    """What waits for many sounds looks once for each that comes, not once for each time that it asked."""
    ticks = page.evaluate(
        """async () => {
            const { player } = studio, { tick } = player, { soundOf } = player.sounds;
            let count = 0;
            player.tick = () => { count += 1; tick.call(player); };
            player.sounds.buffers.clear();
            const rest = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
            player.sounds.soundOf = async (hash) => { await rest(300); return soundOf(hash); };
            await player.play(0);
            for (let time = 0; time < 20; time++) { player.tick(); await rest(30); }
            return count;
        }"""
    )
    assert ticks < 100
