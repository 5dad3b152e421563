"""Contents of the album page, from the artefacts of other stages: media brought over, facts put into words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gan.spec import RollSpec
from pipeline.dataset.whole_songs import WholeSong
from pipeline.drawing.structure import SongStructure
from pipeline.files import bring
from pipeline.pages.album.page import (
    AlbumTrack,
    PageDownload,
    PageLine,
    PageSection,
    PageSyllable,
    PageVerse,
    TrainingSample,
)
from pipeline.pages.album.provenance import provenance_of
from pipeline.rendering.song_files import listed_files
from pipeline.scores.notes import Notes
from pipeline.scores.structure.self_similarity import bar_similarity, recurrence
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import NO_LYRICS, SungLyrics, check_fits, seconds_of, with_words

AUDIO = ("mp3", "flac", "wav")
"""What the player takes, the smallest first."""
LABELS = {
    "mid": "MIDI",
    "wav": "WAV",
    "mp3": "MP3",
    "flac": "FLAC",
    "musicxml": "Score (MusicXML)",
    "png": "Piano roll",
    "lrc": "Words with times (LRC)",
    "dawproject": "DAW project (DAWproject)",
    "rpp": "DAW project (REAPER)",
}
NUM_SAMPLES = 6
"""Pictures of learning on the page."""


def media_bytes(songs: Sequence[Mapping[str, Any]], directory: Path) -> int:
    """The size of all files of the songs that are there."""
    paths = [directory / path for song in songs for _, path in listed_files(song.get("files", {}))]
    return sum(path.stat().st_size for path in paths if path.is_file())


def bring_tracks(
    rendered: Sequence[Mapping[str, Any]],
    source: Path,
    songs: Mapping[int, Song],
    lyrics: Mapping[str, Any],
    sung: Mapping[int, SungLyrics],
    nearest: Mapping[int, str],
    album: Path,
    kept: Collection[int] = (),
) -> list[AlbumTrack]:
    """Bring every song's files to `album/tracks/` and tell the page about it; what is missing is left out.

    Parameters
    ----------
    rendered
        The songs of `render.json`.
    source
        The directory of `render.json`.
    songs
        By number.
    lyrics
        What `lyrics.json` holds.
    sung
        The words on their notes, by the number of the song; those of other songs are only read.
    nearest
        By number, how near the song is to its nearest training song, in words.
    album
        Where the page will lie.
    kept
        Numbers of the songs that were kept in the studio.
    """
    written = {lyric["number"]: lyric for lyric in lyrics.get("songs", [])}
    tracks = []
    for one in rendered:
        number = one["number"]
        song, lyric = songs.get(number), written.get(number)
        verses = _verses(lyric["sections"], song, sung.get(number, NO_LYRICS)) if lyric else ()
        track = _bring_track(one, source, song, verses, nearest.get(number), album)
        tracks.append(track if song is None else replace(track, provenance=provenance_of(song, number in kept)))
    return tracks


def _verses(sections: Sequence[Mapping[str, Any]], song: Song | None, words: SungLyrics) -> list[PageVerse]:
    """The words to read, with the times of what is sung."""
    times: dict[tuple[int, int], list[PageSyllable]] = {}
    if song is not None and words.syllables:
        check_fits(song, words.syllables)
        bounds = seconds_of(with_words(song, words.syllables), words.syllables)
        for one, (start, end) in zip(words.syllables, bounds, strict=True):
            times.setdefault((one.section, one.line), []).append(
                PageSyllable(one.text + " " * one.ends_word, round(start, 3), round(end, 3))
            )
    places = dict(enumerate(words.sections))
    return [
        PageVerse(
            str(section["name"]),
            [
                PageLine(str(line), times.get((places.get(at, -1), row), ()))
                for row, line in enumerate(section["lines"])
            ],
        )
        for at, section in enumerate(sections)
    ]


def _bring_track(
    rendered: Mapping[str, Any],
    source: Path,
    song: Song | None,
    verses: Sequence[PageVerse],
    nearest: str | None,
    album: Path,
) -> AlbumTrack:
    downloads, places = [], {}
    for kind, path in listed_files(rendered.get("files", {})):
        if (source / path).is_file():
            place = f"tracks/{path}"
            bring(source / path, album / place)
            places[kind] = place
            label = LABELS.get(kind, kind.replace("stems:", "Stem:"))
            downloads.append(PageDownload(label, place, (source / path).stat().st_size))
    seconds = float(rendered["seconds"])
    return AlbumTrack(
        number=int(rendered["number"]),
        title=str(rendered["title"]),
        seconds=seconds,
        audio=next((places[kind] for kind in AUDIO if kind in places), None),
        picture=places.get("png"),
        facts=[*_facts(rendered, song), *([nearest] if nearest else [])],
        instruments=_instruments(song) if song else (),
        sections=_sections(song) if song else (),
        marks=_marks(song) if song else ((0.0, 0.0), (seconds, 1.0)),
        lyric=verses,
        downloads=downloads,
    )


def _facts(rendered: Mapping[str, Any], song: Song | None) -> list[str]:
    """Key, tempo (by the beats of the metre), arrangement and loops of old records, those that are known.

    An arrangement is left out where one of its tracks is silent: its name may be that of the instrument.
    """
    tempo = rendered.get("tempo_bpm")
    beat = song.spec.quarters_per_beat if song else 1.0
    metre = f" in {song.spec.metre}" if song and song.spec.is_compound else ""
    is_whole = song is None or len(_sounding(song)) == song.spec.num_tracks
    facts = [
        rendered.get("key"),
        tempo and f"{float(tempo) / beat:.0f} beats a minute{metre}",
        is_whole and rendered.get("arrangement"),
        *(f"on {words}" for words in rendered.get("records", ())),
    ]
    return [str(fact) for fact in facts if fact]


def _sounding(song: Song) -> list[int]:
    """The tracks that have a note."""
    return [int(track) for track in np.unique(song.notes["track"])]


def _instruments(song: Song) -> list[tuple[int, str, str]]:
    """Place and name of each track that sounds, and the name of its General MIDI program."""
    from pretty_midi import program_to_instrument_name

    return [
        (place, track.name, "Drum kit" if track.is_drum else program_to_instrument_name(song.programs[place]))
        for place in _sounding(song)
        for track in [song.spec.tracks[place]]
    ]


def _sections(song: Song) -> list[PageSection]:
    starts = song.seconds_at([section.first_bar * song.spec.steps_per_bar for section in song.sections])
    return [
        PageSection(section.name, float(start)) for section, start in zip(song.sections, starts.tolist(), strict=True)
    ]


def _marks(song: Song) -> list[tuple[float, float]]:
    """Where the tempo changes, as (seconds, share of the picture)."""
    steps = np.array([*(step for step, _ in song.tempo_map), song.num_steps])
    shares = (steps / song.num_steps).tolist()
    return [(round(at, 4), round(share, 6)) for at, share in zip(song.seconds_at(steps).tolist(), shares, strict=True)]


def bring_samples(train: Path, album: Path) -> tuple[list[TrainingSample], str | None]:
    """Bring some of the sample pictures with their sounds, first and last among them, and the learning curves."""
    samples = []
    for picture in chosen_samples(train, NUM_SAMPLES):
        place = f"training/{picture.name}"
        bring(picture, album / place)
        step = step_of(picture)
        label = f"After {step:,} steps" if step else "Before the first step"
        sound = picture.with_suffix(".mp3")
        if sound.is_file():
            bring(sound, album / "training" / sound.name)
        samples.append(TrainingSample(label, place, f"training/{sound.name}" if sound.is_file() else None))
    curves = train / "learning.png"
    if not curves.is_file():
        return samples, None
    bring(curves, album / "training" / "learning.png")
    return samples, "training/learning.png"


def chosen_samples(train: Path, most: int) -> list[Path]:
    """Some of the sample pictures of a training in order, the first and the last among them."""
    pictures = sorted((train / "samples").glob("*.png"), key=step_of)
    if len(pictures) > most:  # most happens early
        chosen = np.round(np.geomspace(1, len(pictures), most)).astype(int) - 1
        pictures = [pictures[index] for index in np.unique(chosen)]
    return pictures


def structures(
    songs: Sequence[Song], titles: Mapping[int, str], real: Sequence[WholeSong]
) -> tuple[list[SongStructure], list[SongStructure]]:
    """How alike the bars of each song are: of the album's songs, and of real ones of the same tracks and grid."""
    made = []
    for song in songs:
        sections = [(one.role, one.first_bar, one.num_bars) for one in song.sections]
        title = titles.get(song.number, f"Song {song.number}")
        made.append(_structure(title, song.notes, song.num_bars, song.spec, sections))
    return made, [_structure(one.title, one.notes, one.bars, songs[0].spec, ()) for one in real]


def _structure(
    title: str, notes: Notes, bars: int, spec: RollSpec, sections: Sequence[tuple[str, int, int]]
) -> SongStructure:
    alike = bar_similarity(notes, bars, spec, "jaccard").astype(np.float64)
    return SongStructure(title, alike, recurrence(alike), sections)


def mean_recurrence(songs: Sequence[SongStructure]) -> float | None:
    """How much comes back in these songs; None where there is none long enough."""
    known = [song.recurrence for song in songs if np.isfinite(song.recurrence)]
    return round(float(np.mean(known)), 3) if known else None


def step_of(picture: Path) -> int:
    """The step in a picture's name."""
    numbers = re.findall(r"\d+", picture.stem)
    return int(numbers[-1]) if numbers else 0
