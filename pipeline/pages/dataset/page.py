"""The page of a prepared set: what became of the files, what the music is like, and phrases to hear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from pipeline.dataset.sample_identification.catalog_pairs import FoundSample
from pipeline.dataset.splits import SPLITS
from pipeline.dataset.store import PhraseStore, SongRow
from pipeline.drawing.palette import BACKGROUND, QUIET_TEXT
from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.pages.dataset import charts
from pipeline.pages.dataset.counts import MusicCounts, count_music, usable_seconds
from pipeline.pages.dataset.examples import PICTURE_BOX, PICTURE_SIZE, PhraseExample, make_phrase_examples
from pipeline.pages.dataset.samples import SampleSection, sample_sections
from pipeline.pages.dataset.tables import (
    MOST_FILES,
    MOST_SONGS,
    RejectReason,
    groups_of,
    reasons_of,
    remarks_of,
    song_row,
    track_row,
)
from pipeline.pages.html import inset, templates
from pipeline.progress import counted
from pipeline.settings.data import TracksSettings
from pipeline.settings.render import RenderSettings

PAGE = "index.html"
MOST_GROUPS = 12
"""Groups of songs that share a tune."""


@dataclass(frozen=True)
class PageFacts:
    """What the page is told besides the store."""

    title: str
    """What the data set is called, a phrase or a name."""
    num_files: int
    """Files (rows of the catalog) that were to become songs."""
    num_others: int
    """Rows of the catalog that are samples or texts."""
    commands: Sequence[tuple[str, str]]
    """What each command to go on with does, and the command."""
    common_key: bool
    """Whether songs were moved to C major or A minor."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Of recordings, by source: the picture of the transcription, relative to the page."""
    samples: Sequence[FoundSample] = ()
    """What was found of the catalog's samples in the songs that used them."""


def write_set_page(
    directory: Path, store: PhraseStore, facts: PageFacts, tracks: TracksSettings, render: RenderSettings
) -> list[str]:
    """Write `index.html`, and pictures and sounds in `page/`.

    Where pictures and sounds can't be made (no synthesizer, say), the page is written without them.

    Parameters
    ----------
    directory
        Of the set; everything lies in it and is linked relatively.
    store
        The set.
    facts
        What else is to be said.
    tracks, render
        The instruments and the sound of the phrases.

    Returns
    -------
    Remarks for the user, a sentence each.
    """
    remarks = []
    examples: list[PhraseExample] = []
    try:
        examples = make_phrase_examples(directory, store, tracks, render)
    except (UserError, RuntimeError, ValueError) as error:
        remarks.append(f"the page has no phrases to hear: {error}")
    samples = sample_sections(directory, facts.samples)
    write_text(directory / PAGE, render_set_page(store, facts, tracks, examples, samples))
    return remarks


def render_set_page(
    store: PhraseStore,
    facts: PageFacts,
    tracks: TracksSettings,
    examples: Sequence[PhraseExample],
    samples: Sequence[SampleSection] = (),
) -> str:
    """The page as HTML; every text is escaped, every path quoted."""
    songs, music = store.songs, count_music(store)
    seconds = [usable_seconds(song, store.spec) for song in songs]
    reasons = reasons_of(store.rejects)
    groups, remarks = groups_of(songs), remarks_of(songs)
    environment = templates(Path(__file__).parent)
    environment.filters |= {"percent": charts.format_percent, "rounded": short_number}
    return environment.get_template("page.html.j2").render(
        facts=facts,
        summary=_summary(store, facts),
        listening=_listening(facts, tracks),
        spec=store.spec,
        num_songs=len(songs),
        num_phrases=len(store),
        seconds=sum(seconds),
        reasons=reasons,
        bar_parts=_bar_parts(len(songs), reasons),
        splits=_splits(store),
        songs=[song_row(song, its, facts.pictures) for song, its in zip(songs[:MOST_SONGS], seconds, strict=False)],
        remarks=remarks[:MOST_FILES],
        num_remarks=len(remarks),
        groups=groups[:MOST_GROUPS],
        num_groups=(len(groups), sum(len(group) for group in groups)),
        tracks=[track_row(music, store.statistics, track) for track in range(store.spec.num_tracks)],
        charts=_charts(music, songs, seconds, facts.common_key),
        counted=music.phrases,
        examples=examples,
        samples=samples,
        picture_size=PICTURE_SIZE,
        box=inset(PICTURE_SIZE, PICTURE_BOX),
        panel=BACKGROUND,
        quiet=QUIET_TEXT,
    )


def short_number(value: float) -> str:
    """`15`, `5.4` or `7`."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")


def _summary(store: PhraseStore, facts: PageFacts) -> str:
    """What the set is, in two or three sentences."""
    songs, rejects, spec = len(store.songs), len(store.rejects), store.spec
    files = counted(facts.num_files, "file")
    holds = "holds" if facts.num_files == 1 else "hold"
    parts = "" if songs + rejects == facts.num_files else f", which {holds} {songs + rejects:,} pieces of music"
    sentences = [
        f"Of {files}{parts}, {songs:,} {'is' if songs == 1 else 'are'} in the set, cut into phrases of "
        f"{counted(spec.bars, 'bar')} in {spec.metre} with {counted(spec.steps_per_beat, 'step')} a beat; "
        + (
            f"{rejects:,} {'is' if rejects == 1 else 'are'} not, each for a reason that is listed below."
            if rejects
            else "none was left out."
        )
    ]
    if facts.common_key:
        sentences.append("For training every song was moved to C major or A minor.")
    if facts.num_others == 1:
        sentences.append("1 row of the catalog is a sample or a text, which is no song.")
    elif facts.num_others:
        sentences.append(f"{facts.num_others:,} rows of the catalog are samples or texts, which are no songs.")
    return " ".join(sentences)


def _listening(facts: PageFacts, tracks: TracksSettings) -> str:
    """What one hears."""
    key = ", in the common key," if facts.common_key else ""
    return (
        f"As the network meets them{key} at their song's tempo, played by the arrangement "
        f"\u201c{tracks.arrangements[0].name}\u201d. They come from songs of all tempi, with few and with many tracks."
    )


def _bar_parts(num_songs: int, reasons: Sequence[RejectReason]) -> list[tuple[str, str, float]]:
    """Text with its count, colour and percent of each part of the bar that shows what became of the music."""
    total = num_songs + sum(reason.count for reason in reasons)
    parts = [(f"{num_songs:,} in the set", charts.BAR, num_songs)]
    parts += [(one.counted, one.colour, one.count) for one in reasons]
    return [(text, colour, 100 * count / total) for text, colour, count in parts]


def _splits(store: PhraseStore) -> list[tuple[str, str, int, int]]:
    """Name, purpose, songs and phrases of each split."""
    purposes = {
        "train": "the network learns from these",
        "validation": "they choose the moment to stop, and rank runs",
        "test": "nothing is chosen by them; they say how good it is",
    }
    songs = Counter(song.split for song in store.songs)
    names = {"train": "training"}
    return [(names.get(one, one), purposes[one], songs[one], len(store.packed(one))) for one in SPLITS]


def _charts(
    music: MusicCounts, songs: Sequence[SongRow], seconds: Sequence[float], common_key: bool
) -> list[tuple[str, str, Markup]]:
    """Heading, a sentence and the picture of each chart."""
    keys = Counter(song.key for song in songs if song.key)
    unknown = sum(not song.key for song in songs)
    without = f" In {unknown:,} none stands out." if unknown else ""
    moved = "after every song was moved to C major or A minor" if common_key else "in the songs' own keys"
    pitched = bool(music.spec.pitched)
    tempi = [song.tempo_bpm / music.spec.quarters_per_beat for song in songs]
    beats = "beats, which are dotted quarter notes," if music.spec.is_compound else "beats"
    drawn = [
        ("Tempo", f"Songs by {beats} a minute.", charts.histogram(tempi, "bpm", "song")),
        ("Length", "Songs by minutes of music.", charts.histogram([s / 60 for s in seconds], "minutes", "song")),
    ]
    if pitched:
        sentence = "Where each track lies; brighter is more often."
        drawn.append(("Range", sentence, charts.pitch_range_strips(music)))
    if keys:
        sentence = f"Songs around the circle of fifths, as they were written.{without}"
        drawn.append(("Keys", sentence, charts.key_circle(keys)))
    if pitched:
        drawn.append(("Notes", f"How often each note begins, {moved}.", charts.pitch_class_bars(music)))
    drawn.append(("Rhythm", "Where in the bar notes begin, track by track.", charts.rhythm_rows(music)))
    if music.spec.num_tracks > 1:
        drawn.append(("Together", "Which tracks sound in the same phrase.", charts.together_rows(music)))
    return drawn
