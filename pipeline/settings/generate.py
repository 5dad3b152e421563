"""Settings of the stage `generate`, and the names of the requests that its songs are made for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.settings import PROGRAM_SEED

ALBUM, GIVEN, EXPLORE, FLIP = "album", "given", "explore", "flip"
"""Requests that are named by what is asked for: songs from nothing, around given notes, phrases to explore, and songs
on loops of old records."""
FLIP_SPEEDS = ("song", "record", "turntable")
LOOP_KINDS = ("melodic", "drums")


@dataclass
class GenerateSettings:
    """Songs from a trained generator."""

    songs: int = 6
    """How many songs the album has."""
    request: str | None = None
    """Names the request: its songs go to `generate/REQUEST`, beside those of other requests. null is `album`, with
    `given` it is `given`, with `like` or `interpolate` it is `explore`, with `flip` it is `flip` unless an album is
    made."""
    seed: int = PROGRAM_SEED
    """Draws the songs: each depends on it and its own number alone."""
    candidates: int = 16
    """Phrases generated for each phrase kept (reranking)."""
    variation: float = 0.15
    """How far a returning section strays from its first time: 0 exact, 1 a fresh one. Where a plan of the data's songs
    says what returns, it counts for strophes that are repeated to make a song long enough."""
    min_seconds: float = 60.0
    """Least seconds of a song."""
    max_seconds: float = 180.0
    """Most seconds of a song: its form gets as many sections as fit; a drawn tempo moves a little where that
    helps."""
    tempo_bpm: float | None = None
    """Quarter notes a minute, also in 6/8; null draws it from the training set's."""
    tempo_range_bpm: list[float] | None = None
    """Slowest and fastest tempo, between which each song's is drawn."""
    key: str | None = None
    """Such as `G major` or `E minor`; null draws one a song. With `given` or `like`: the key that the file is in."""
    chords: Any = None
    """Chords for all sections, `"Am F C G"`, or by section, `{verse: "Am F C G", chorus: "F G | Am C"}`: one a bar, or
    two between bar lines; repeated to the section's end. The key follows from them unless `key` is given."""
    density: Any = None
    """Notes a bar by the name of the track, such as `{Drums: 12}`; tracks that are left out are left to chance."""
    style: str | None = None
    """One of the folders that the data set's music lies in; null leaves it to chance."""
    instruments: Any = None
    """Instruments by the name of the track, such as `{Bass: "Slap Bass 1", Lead: 65}`: General MIDI names in any case,
    or programs counted from 0 to 127; of drums the set (`Jazz`, `Brush`). Tracks that are left out play what the
    arrangement says."""
    condition_strength: float = 1.0
    """How strongly key, tempo, density and style count: 1 as learnt, 0 not at all."""
    chord_strength: float = 2.0
    """How strongly chords count, `generate.chords` and those of a plan: 1 as learnt, where some half of them are heard;
    from 2 on most are, and the more of the music is their tones. In songs the tune hears them as learnt at most."""
    temperature: Any = None
    """How much is left to chance, a number for all tracks or by the name of the track: a factor of the model's own
    (`model.rhythm_temperature`, `model.pitch_temperature`); 0 makes what is most likely, above 1 is wilder."""
    given: str | None = None
    """A file of notes (MIDI, kar, MusicXML, ABC) that the rest is made around."""
    keep: Any = None
    """Tracks of `given` that stay, a list or one name; all others are made for them."""
    bars: Any = None
    """Bars of `given` to make anew, counted from 1: a list of bars and of stretches such as `5-8`."""
    continue_bars: int | None = None
    """Bars to go on for after `given` ends."""
    like: str | None = None
    """A file of notes whose phrase is looked for in the latent space (GAN inversion)."""
    towards: str | None = None
    """Another such file, or a seed: where `interpolate` leads to; null is the next seed."""
    from_bar: int | None = None
    """Where in `like` and `towards` the phrase begins, counted from 1; null takes the first in which most plays."""
    distance: float = 0.3
    """How far the variations of `like` stray: 0 is as near as found, 1 as far as any other phrase."""
    interpolate: int | None = None
    """Phrases on the way from one seed or phrase to another, both ends included."""
    flip: Any = None
    """Old records that songs are built on (sampling): a recording or a file of notes, or a list of them. A loop of each
    goes into every song, in its tempo and key, and the band is made around it."""
    loop: Any = None
    """Which loop of `flip`: a number of those that are found (`loops/loops.png`), or bars of the record such as
    `17-18`; for several records a list. null takes the best one for the first song, the next for the second."""
    loop_kind: str = "melodic"
    """What loops are looked for: `melodic`, or `drums` for drum breaks, which take the place of the band's drums."""
    flip_speed: str = "song"
    """Whose tempo it is: `song` stretches the loop to the song's, `record` makes the song as fast as the record,
    `turntable` changes the record's pitch and speed together, as a turntable does."""
    form: str | None = None
    """Form of all songs: `song` (verse, chorus, bridge), `hymn` (bar form AAB), `rondo`, `ballad` (AABA), `arch`
    (ABCBA), `strophic` (verses with a refrain), see `pipeline/songs/form.py`. A file of notes such as `song.mid` gives
    its plan, bar by bar, and its length: which bars return, who plays and how densely. null draws a plan for each song
    from a model of those of the data's songs; from fewer than ten songs, it takes the forms in turn."""
    rerolls: list[str] = field(default_factory=list)
    """Songs (`3`) and sections (`3.chorus`) sent back, in order; `album.reroll` adds to it."""
    humanize: float = 1.0
    """Strength of a player's velocities and timing, and of slowing down at the end: 0 is a machine, 1 as learnt."""
    swing: float | None = None
    """Share of each beat that its first half lasts: 0.5 is straight, 0.67 a triplet feel, 0.75 the most; null leaves
    it to the player that `humanize` draws, or to the file of `given`."""


def request_name(settings: GenerateSettings) -> str:
    """The request that a folder is named by: as typed, else by what is asked for."""
    return settings.request or request_kind(settings)


def request_kind(settings: GenerateSettings) -> str:
    """`ALBUM`, `GIVEN`, `EXPLORE` or `FLIP`."""
    if settings.given is not None:
        return GIVEN
    if settings.flip is not None:
        return FLIP
    return ALBUM if settings.like is None and settings.interpolate is None else EXPLORE
