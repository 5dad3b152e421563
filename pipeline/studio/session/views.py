"""A song as a page shows it: plain values for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.scores.instruments import instrument_name
from pipeline.songs.provenance import origin_letters
from pipeline.songs.song import Song
from pipeline.studio.session.draft import SongDraft


def song_view(draft: SongDraft) -> dict[str, Any]:
    """The song of a draft without its sound: notes, form, chords, words, where it is in its history."""
    song = draft.song
    return {
        "number": draft.number,
        "title": draft.title,
        "version": draft.version,
        "can_undo": draft.can_undo,
        "can_redo": draft.can_redo,
        "seed": draft.seed,
        "remarks": list(draft.remarks),
        "key": song.key,
        "tempo_bpm": round(song.tempo_bpm, 3),
        "swing": song.swing,
        "bars": song.num_bars,
        "steps_per_bar": song.spec.steps_per_bar,
        "step_seconds": (seconds := step_seconds(song)),
        "bar_seconds": seconds[:: song.spec.steps_per_bar],
        "tracks": tracks_view(song),
        "sections": [
            {"name": one.name, "role": one.role, "first_bar": one.first_bar, "num_bars": one.num_bars}
            for one in song.sections
        ],
        "chords": [[step, symbol] for step, symbol in song.chord_changes()],
        "lines": draft.words.lines(),
    }


def tracks_view(song: Song) -> list[dict[str, Any]]:
    """The tracks of a song: notes (step, length, pitch, velocity), instrument, who wrote which bar."""
    origins = origin_letters(song.all_origins)
    notes = notes_view(song)
    return [
        {
            "name": track.name,
            "is_drum": track.is_drum,
            "program": song.programs[index],
            "instrument": instrument_name(song.programs[index], track.is_drum),
            "volume": song.volumes[index],
            "pan": song.pans[index],
            "notes": notes[index],
            "origins": origins[index],
        }
        for index, track in enumerate(song.spec.tracks)
    ]


def notes_view(song: Song, first_bar: int = 0, end_bar: int | None = None) -> list[list[list[int]]]:
    """Of each track the notes that begin in some bars: step, length, pitch, velocity."""
    steps = song.spec.steps_per_bar
    end = song.num_bars if end_bar is None else end_bar
    inside = (song.notes["onset"] >= first_bar * steps) & (song.notes["onset"] < end * steps)
    notes, velocities = song.notes[inside], song.velocities[inside]
    table = np.stack([notes["onset"], notes["length"], notes["pitch"], velocities], axis=1)
    return [table[notes["track"] == track].tolist() for track in range(song.spec.num_tracks)]


def step_seconds(song: Song) -> list[float]:
    """When each step of the song is played, and when it ends: swing and tempi included."""
    ticks = song.swung(np.arange(song.num_steps + 1, dtype=np.int64) * song.ticks_per_step)
    return [round(float(second), 5) for second in song.seconds_at(ticks / song.ticks_per_step)]
