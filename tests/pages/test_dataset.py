"""The page of a prepared set: everything is accounted for, nothing breaks it, and what it plays can be heard."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.audio.loudness import LONGEST_TAIL_SECONDS, measure_wav
from pipeline.config import Config, compose, flatten
from pipeline.dataset.cutting import SourceFile, prepare_file
from pipeline.dataset.reasons import count_of_reason
from pipeline.dataset.sample_identification.catalog_pairs import FoundSample
from pipeline.dataset.sample_identification.matches import SampleMatch
from pipeline.dataset.store import Reject, open_store
from pipeline.dataset.store_writer import StoreSummary, write_store
from pipeline.files import Manifest, settings_of, write_manifest
from pipeline.pages.dataset.charts import SvgDrawing, histogram, key_circle
from pipeline.pages.dataset.commands import (
    free_name,
    hydra_value,
    next_commands,
    set_overrides,
    with_batches_of_at_most,
)
from pipeline.pages.dataset.counts import count_music
from pipeline.pages.dataset.examples import LONGEST_SECONDS
from pipeline.pages.dataset.page import PAGE, PageFacts, render_set_page, write_set_page
from pipeline.pages.dataset.samples import sample_sections
from pipeline.pages.dataset.tables import MOST_FILES, MOST_REASONS, kind_of_source, reasons_of
from pipeline.settings.data import ArrangementSettings, TrackSettings, TracksSettings
from pipeline.settings.render import RenderSettings
from pipeline.stage_table import STAGES
from pipeline.stages import prepare
from tests.music_makers import BAND, cutting, song_midi, tune, write_midi

NUM_EXAMPLES = 2
TRACKS = replace(BAND, arrangements=[ArrangementSettings("trio", [0, 0, 33])])
RENDER = RenderSettings(
    synth="midirenderer",
    soundfont=None,
    sample_rate_hz=44100,
    loudness_lufs=-16.0,
    peak_dbfs=-1.0,
    stems=False,
    compressed=None,
    vocal=False,
    vocal_voice="en-us",
    word_times=True,
)
HOSTILE = "a <b>song & \"quotes\" 'and' [brackets] \N{MUSICAL NOTE}\N{PILE OF POO}"
FACTS = PageFacts("The <music> of & friends", 9, 2, [("Train on it", "python -m pipeline 'data.path=a <b>'")], True)


class Page(HTMLParser):
    """All text, all tags, and every address of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        """The text, spaces made one."""
        return " ".join(" ".join(self.text).split())


def prepared(folder: Path, target: Path, tracks: TracksSettings = BAND, **changes: object) -> StoreSummary:
    """A set of all files in `folder`, read in this process."""
    target.mkdir()
    how = cutting(tracks=tracks, hop_bars=4, **changes)
    sources = [SourceFile(path.stem, str(path)) for path in sorted(folder.iterdir())]
    return write_store((prepare_file(source, how) for source in sources), how, target)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StoreSummary]:
    """A set of four short songs, one with a name that means harm, beside files that can't be used; and its page."""
    folder, target = tmp_path_factory.mktemp("music"), tmp_path_factory.mktemp("prepared") / "set"
    for seed in range(3):
        song_midi(folder / f"song-{seed}.mid", seed, root=60 + seed, bars=4)
    song_midi(folder / f"{HOSTILE}.mid", 3, bars=4)
    song_midi(folder / "copy.mid", 1, root=66, bars=4)
    song_midi(folder / "waltz.mid", 9, metre=(3, 4))
    (folder / "<script>alert(1)</script>\n.mid".replace("/", "\N{DIVISION SLASH}")).write_bytes(b"?")
    (folder / "empty.mid").write_bytes(b"")
    summary = prepared(folder, target)
    with pytest.MonkeyPatch.context() as few:
        few.setattr("pipeline.pages.dataset.examples.NUM_EXAMPLES", NUM_EXAMPLES)
        assert write_set_page(target, open_store(target), FACTS, TRACKS, RENDER) == []
    return target, summary


@pytest.fixture(scope="module")
def chorales() -> Config:
    """The settings of one of the data sets that come along."""
    return compose("data=chorales")


@pytest.fixture(scope="module")
def page(made: tuple[Path, StoreSummary]) -> Page:
    return Page((made[0] / PAGE).read_text(encoding="utf-8"))


def test_every_reason_is_named_with_its_count_and_its_files(made: tuple[Path, StoreSummary], page: Page) -> None:
    for reason, count in made[1].reasons().items():
        assert count_of_reason(count, reason) in page.words
    for reject in open_store(made[0]).rejects:
        assert " ".join(reject.path.split()) in page.words
    assert "4 in the set" in page.words


def test_songs_phrases_and_splits_are_counted(made: tuple[Path, StoreSummary], page: Page) -> None:
    store = open_store(made[0])
    assert f"{len(store)} phrases of 4 bars" in page.words
    for split, count in made[1].phrases.items():
        songs = sum(song.split == split for song in store.songs)
        assert f"{'training' if split == 'train' else split} {songs} {count}" in page.words
    for song in store.songs:
        assert " ".join(song.title.split()) in page.words


def test_names_and_titles_are_shown_and_never_obeyed(page: Page) -> None:
    assert page.tags["script"] == 2, "only the page's own"
    assert HOSTILE in page.words
    assert "<script>alert(1)" in page.words
    assert FACTS.title in page.words and FACTS.commands[0][1] in page.words


def test_every_address_is_a_file_beside_the_page(made: tuple[Path, StoreSummary], page: Page) -> None:
    text = (made[0] / PAGE).read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", text)
    files = [unquote(address) for address in page.addresses if address != "data:,"]
    assert len(files) == 6 + 4, "two phrases and four tables"
    assert all(not Path(file).is_absolute() and (made[0] / file).is_file() for file in files)


def test_phrases_sound_for_as_long_as_they_are_and_all_equally_loud(made: tuple[Path, StoreSummary]) -> None:
    sounds = sorted((made[0] / "page").glob("*.mp3"))
    assert len(sounds) == NUM_EXAMPLES == len(list((made[0] / "page").glob("*.png")))
    for sound in sounds:
        found = measure_wav(sound)
        assert 8 - 0.1 <= found.seconds <= LONGEST_SECONDS + LONGEST_TAIL_SECONDS
        assert found.loudness_lufs == pytest.approx(RENDER.loudness_lufs, abs=1)
        assert -20 < found.peak_dbfs < 0


def test_the_same_set_has_the_same_page_to_the_byte(
    made: tuple[Path, StoreSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.pages.dataset.examples.NUM_EXAMPLES", NUM_EXAMPLES)
    store = open_store(made[0])
    for name in ("songs.csv", "phrases.csv", "rejects.csv", "statistics.json", "rolls.npy"):
        (tmp_path / name).write_bytes((made[0] / name).read_bytes())
    write_set_page(tmp_path, open_store(tmp_path), FACTS, TRACKS, RENDER)
    names = [PAGE, *(f"page/{path.name}" for path in (store.directory / "page").iterdir())]
    assert [name for name in names if (tmp_path / name).read_bytes() != (made[0] / name).read_bytes()] == []


def test_without_a_synthesizer_the_page_has_all_but_the_phrases(
    made: tuple[Path, StoreSummary], tmp_path: Path
) -> None:
    for name in ("songs.csv", "phrases.csv", "rejects.csv", "statistics.json", "rolls.npy"):
        (tmp_path / name).write_bytes((made[0] / name).read_bytes())
    silent = replace(RENDER, soundfont="no such file.sf2")
    (remark,) = write_set_page(tmp_path, open_store(tmp_path), FACTS, TRACKS, silent)
    assert "no such file.sf2" in remark
    assert "4 in the set" in Page((tmp_path / PAGE).read_text(encoding="utf-8")).words


def test_samples_have_a_section_with_pictures(made: tuple[Path, StoreSummary], tmp_path: Path) -> None:
    match = SampleMatch("aa", "bb", "Old <b>", "New", 16, 18, 3.0, 0.8, 2.0, False, ((0, 8),), 16, 0.97)
    found = FoundSample(match, "new.mid", (0.0, 2.0, 4.0), 0, (0.1, 0.9, 0.2), 0.4, 6.0)
    lost = FoundSample(replace(match, sample_title="Lost", problem="its song is not in the catalog"))
    sections = sample_sections(tmp_path, [found, lost])
    assert (tmp_path / sections[0].picture).is_file() and not sections[1].picture
    facts = replace(FACTS, samples=[found, lost])
    shown = Page(render_set_page(open_store(made[0]), facts, TRACKS, [], sections))
    assert "Old <b> in New" in shown.words and sections[0].picture in shown.addresses
    assert "Bars 17-18 of the sample, +3 semitones, 0.8 times as fast; in 8 bars of 16 (1-8)." in shown.words
    assert "Its song is not in the catalog." in shown.words


def test_a_page_that_fails_never_costs_the_set(
    made: tuple[Path, StoreSummary],
    chorales: Config,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.pages.dataset.commands.next_commands", no_space)
    prepare.add_page(chorales, made[0], [], {})
    assert "its page could not be made: [Errno 28] No space left" in capsys.readouterr().out


def test_many_rejects_are_listed_in_part_and_counted_in_full(made: tuple[Path, StoreSummary]) -> None:
    rejects = [Reject(f"file-{n}.mid", f"too short: {n} bars, and phrases have 4 (roll.bars)") for n in range(100_000)]
    rejects += [Reject(f"odd-{n}.mid", f"oddity {n}") for n in range(2 * MOST_REASONS)]
    reasons = reasons_of(rejects)
    assert len(reasons) == MOST_REASONS and reasons[-1].text == "other reasons"
    assert sum(reason.count for reason in reasons) == len(rejects)
    store = open_store(made[0])
    store.__dict__["rejects"] = rejects
    text = render_set_page(store, FACTS, TRACKS, [])
    assert f"and {100_000 - MOST_FILES:,} more in" in text
    assert len(text) < 200_000


@pytest.mark.parametrize("steps", [12, 24])
def test_finer_steps_and_another_metre_have_a_page_too(tmp_path: Path, steps: int) -> None:
    """One track without drums, one phrase, three beats a bar."""
    spec = RollSpec((Track("Solo <i>"),), beats_per_bar=3, steps_per_beat=steps)
    solo = TracksSettings(
        "solo", "program", [TrackSettings("Solo <i>", programs=list(range(128)))], [ArrangementSettings("one", [73])]
    )
    (tmp_path / "music").mkdir()
    write_midi(tmp_path / "music" / "solo.mid", {(0, 0, "x"): tune(1, bars=3)}, metre=(3, 4))
    target = tmp_path / "set"
    target.mkdir()
    how = cutting(spec=spec, tracks=solo, min_tracks=1)
    write_store(iter([prepare_file(SourceFile("a", str(tmp_path / "music" / "solo.mid")), how)]), how, target)
    store = open_store(target)
    assert len(store) == 1
    assert write_set_page(target, store, FACTS, solo, RENDER) == []
    shown = Page((target / PAGE).read_text(encoding="utf-8"))
    assert "1 phrase of 4 bars" in shown.words and "Solo <i>" in shown.words and "in 3/4" in shown.words
    assert not shown.tags["i"]
    assert measure_wav(target / "page" / "phrase-1.mp3").seconds >= 6 - 0.1


def test_counts_are_of_what_the_music_holds(made: tuple[Path, StoreSummary]) -> None:
    store = open_store(made[0])
    music = count_music(store)
    assert music.phrases == len(store)
    assert music.notes_per_bar(1).tolist() == [4.0] * len(store), "a quarter note each beat"
    assert np.flatnonzero(music.by_step[1]).tolist() == [0, 4, 8, 12]
    assert music.voices.tolist() == [1, 1, 1]
    assert music.together(5) == [((0, 1, 2), 1.0)]
    scale = {0, 2, 4, 5, 7, 9, 11}
    outside = sum(count for pitch, count in enumerate(music.pitch_classes()) if pitch not in scale)
    assert outside / music.pitch_classes().sum() < 0.25
    low, middle, high = music.pitch_range(1) or (0, 0, 0)
    assert 48 <= low <= middle <= high <= 84
    assert music.pitch_range(2) is not None


def test_phrases_are_found_by_song_and_bar(made: tuple[Path, StoreSummary]) -> None:
    store = open_store(made[0])
    index = store.index()
    assert len(index) == len(store) > 0
    for song, row in enumerate(store.songs):
        places = index.of(song)
        assert len(places) == row.phrases
        assert all(index.songs[place] == song and index.first_bars[place] == bar for bar, place in places.items())


def test_one_tempo_and_far_tempi_make_a_histogram() -> None:
    for values in ([120.0], [120.0] * 500, [20.0, 300.0, 5000.0], [0.1, 0.12]):
        drawn = histogram(values, "bpm", "song")
        assert drawn.count("<title>") >= 5
        shown = sum(int(found.replace(",", "")) for found in re.findall(r": ([\d,]+) songs?<", drawn))
        assert shown == len(values) and ": 1 songs" not in drawn


def test_keys_stand_beside_their_relatives() -> None:
    drawn = key_circle({"G major": 3, "E minor": 1, "C# major": 2, "Db major": 5})
    assert "G major: 3 songs" in drawn and "E minor: 1 song<" in drawn
    assert "Db major: 7 songs" in drawn, "one key by two names"
    assert "Songs by key: Db major 5, G major 3, C# major 2, E minor 1" in drawn


def test_text_in_a_drawing_is_escaped() -> None:
    drawing = SvgDrawing(10)
    drawing.text(0, 0, "<a>&")
    assert "&lt;a&gt;&amp;" in drawing.markup('"<') and '"&#34;&lt;"' in drawing.markup('"<')


def test_a_recording_leads_to_the_picture_of_its_transcription(made: tuple[Path, StoreSummary]) -> None:
    store = open_store(made[0])
    first = replace(store.songs[0], source="take 1.mp3")
    store.__dict__["songs"] = [first, *store.songs[1:]]
    facts = replace(FACTS, pictures={"take 1.mp3": "../../transcribed/ab cd/picture.png"})
    assert "../../transcribed/ab%20cd/picture.png" in Page(render_set_page(store, facts, TRACKS, [])).addresses


@pytest.mark.parametrize(
    ("source", "kind"),
    [("a/b.MID", "MIDI"), ("x.musicxml", "MusicXML"), ("tunes.abc#12", "ABC"), ("take 1.MP3", "recording")],
)
def test_a_source_says_what_it_is(source: str, kind: str) -> None:
    assert kind_of_source(source) == kind


def test_the_commands_lead_to_the_same_set(chorales: Config) -> None:
    assert set_overrides(chorales) == ["data=chorales"]
    path = "music & more's (1)"
    config = compose("data=folder", "data.path=x", "tracks=satb", "prepare.hop_bars=3")
    config.data.path, config.data.title = path, f"The music in {path}"
    train, album = next_commands(config, ["train", "album"])
    words = ["data=folder", "tracks=satb", f"data.path={path}", "prepare.hop_bars=3"]
    assert shlex.split(train) == ["python", "-m", "pipeline", "+stage=train", *words]
    assert album == train.replace("=train", "=album")


def test_the_commands_carry_the_name_and_all_that_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = compose(
        "data=folder", "data.path=x", "name=mine", "budget=quick", "train.batch_size=8", "lyrics.temperature=0.5"
    )
    config.data.path = "it's [live], 1/2"
    config.data.title = f"The music in {config.data.path}"
    train, album = (shlex.split(command)[3:] for command in next_commands(config, ["train", "album"]))
    path = "data.path=it's [live], 1/2"
    assert train == ["+stage=train", "data=folder", "budget=quick", path, "train.batch_size=8", "name=mine"]
    assert album == [
        *(
            "+stage=album",
            "data=folder",
            "budget=quick",
            path,
            "train.batch_size=8",
            "lyrics.temperature=0.5",
            "name=mine",
        )
    ]


def test_no_command_is_given_that_would_be_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = compose("data=folder", "data.path=x", "name=mine")
    trained = settings_of(flatten(config), STAGES["train"].groups)
    write_manifest(tmp_path / "outputs" / "mine" / "train", Manifest("train", 1, trained | {"train.steps": 7}, {}))
    assert free_name(config) == "mine", "training goes on from there"
    write_manifest(tmp_path / "outputs" / "mine" / "train", Manifest("train", 1, trained | {"data.path": "y"}, {}))
    assert next_commands(config, ["train"])[0].endswith(" name=mine-2")


def test_a_set_smaller_than_a_batch_can_be_trained_on_by_the_commands_of_its_page() -> None:
    few = compose("data=folder", "data.path=/music", "name=mine")
    (command,) = next_commands(with_batches_of_at_most(few, 11), ("train",))
    assert "train.batch_size=11" in command.split()
    assert next_commands(with_batches_of_at_most(few, 400), ("train",)) == next_commands(few, ("train",))


def test_songs_with_remarks_are_listed(made: tuple[Path, StoreSummary]) -> None:
    store = open_store(made[0])
    first, *others = store.songs
    store.__dict__["songs"] = [replace(first, remark="the name of a track says what plays it: <Bass>"), *others]
    shown = Page(render_set_page(store, FACTS, TRACKS, [])).words
    assert "1 song with a remark" in shown and "what plays it: <Bass>" in shown
    assert "with a remark" not in Page(render_set_page(open_store(made[0]), FACTS, TRACKS, [])).words


def test_one_of_each_is_said_in_the_singular(made: tuple[Path, StoreSummary]) -> None:
    facts = replace(FACTS, num_files=1, num_others=1)
    shown = Page(render_set_page(open_store(made[0]), facts, TRACKS, [])).words
    assert "Of 1 file, which holds" in shown and "1 row of the catalog is a sample or a text" in shown


def test_settings_are_said_as_they_are_typed() -> None:
    assert (
        hydra_value(None) == "null"
        and hydra_value(True) == "true"
        and hydra_value(0.5) == "0.5"
        and hydra_value("a b") == "a b"
    )
    assert hydra_value(["a", "b c", 1]) == "[a,'b c',1]"
    assert hydra_value([{"name": "Drums", "programs": [1, 2]}]) == "[{name: Drums, programs: [1,2]}]"
