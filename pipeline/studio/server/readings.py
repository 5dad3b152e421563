"""Requests of the page as the session takes them: selections, versions, edits, songs."""

from __future__ import annotations

import re
from collections.abc import Callable

from gan.spec import RollSpec
from pipeline.songs.request import match_track
from pipeline.studio.server.fields import FieldError, Fields
from pipeline.studio.session.draft import SongDraft
from pipeline.studio.session.selection import ANEW, MODES, MOST_VERSIONS, Selection, VersionRequest
from pipeline.studio.session.studio_session import SongRequest

MOST_BARS, MOST_STEPS = 2000, 200_000
"""Of a song."""
MOST_NOTES = 20_000
"""Of an edit."""
LARGEST_SEED = 2**53
"""The largest whole number that a page holds exactly."""
VERSION_FIELDS = ("mode", "count", "seed", "chords", "key", "density", "temperature", "condition_strength", "tempo_bpm")


SONG_FIELDS = ("chords", "key", "tempo_bpm", "form", "density", "temperature", "condition_strength", "seed")


def selection_of(fields: Fields, spec: RollSpec) -> Selection:
    """The selected tracks and bars: `"tracks": ["Bass"], "bars": [8, 10]`."""
    first_bar, end_bar = fields.pair("bars", 0, MOST_BARS)
    return Selection.of_names(fields.texts("tracks"), first_bar, end_bar, spec)


def version_request_of(fields: Fields) -> VersionRequest:
    """What versions are to be like."""
    return VersionRequest(
        mode=fields.choice("mode", MODES, ANEW),
        count=fields.whole("count", 1, MOST_VERSIONS, 5),
        seed=fields.optional_whole("seed", 0, LARGEST_SEED),
        chords=fields.optional_text("chords"),
        key=fields.optional_text("key"),
        density=fields.numbers_by_name("density", 0, 200),
        temperature=fields.number("temperature", 0, 2, 1.0),
        condition_strength=fields.number("condition_strength", 0, 1, 1.0),
        tempo_bpm=fields.optional_number("tempo_bpm", 20, 400),
    )


def song_request_of(fields: Fields) -> SongRequest:
    """What a whole further song is to be like."""
    return SongRequest(
        chords=fields.optional_text("chords"),
        key=fields.optional_text("key"),
        tempo_bpm=fields.optional_number("tempo_bpm", 20, 400),
        form=_form(fields),
        density=fields.numbers_by_name("density", 0, 200),
        temperature=fields.number("temperature", 0, 2, 1.0),
        condition_strength=fields.number("condition_strength", 0, 1, 1.0),
        seed=fields.optional_whole("seed", 0, LARGEST_SEED),
    )


def _form(fields: Fields) -> str | None:
    """The name of a form; a file, which the command line takes too, is none."""
    form = fields.optional_text("form")
    if form is not None and not re.fullmatch(r"[\w -]{1,60}", form):
        raise FieldError("The field form must be the name of a form, such as song or aaba.")
    return form


def _choose(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "version")
    draft.choose(fields.text("version"))


def _draw(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "track", "add", "remove")
    step, pitch = (0, MOST_STEPS), (0, 127)
    add = fields.rows("add", (step, (1, MOST_STEPS), pitch, (1, 127)), MOST_NOTES)
    remove = fields.rows("remove", (step, pitch), MOST_NOTES)
    if not add and not remove:
        raise FieldError("Give notes to add or to remove.")
    draft.draw(_track(draft, fields), [(a, b, c, d) for a, b, c, d in add], [(a, b) for a, b in remove])


def _set_instrument(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "track", "program")
    draft.set_instrument(_track(draft, fields), fields.whole("program", 0, 127))


def _set_tempo(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "tempo_bpm")
    draft.set_tempo(fields.number("tempo_bpm", 20, 400))


def _set_swing(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "swing")
    draft.set_swing(fields.number("swing", 0, 1))


def _set_volume(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "track", "volume")
    draft.set_volume(_track(draft, fields), fields.number("volume", 0, 1))


def _transpose(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind", "key")
    draft.transpose(fields.text("key"))


def _undo(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind")
    draft.undo()


def _redo(draft: SongDraft, fields: Fields) -> None:
    fields.allow("kind")
    draft.redo()


EDITS: dict[str, Callable[[SongDraft, Fields], None]] = {
    "choose": _choose,
    "notes": _draw,
    "instrument": _set_instrument,
    "tempo": _set_tempo,
    "swing": _set_swing,
    "volume": _set_volume,
    "key": _transpose,
    "undo": _undo,
    "redo": _redo,
}
"""Edits of a song by their kind."""


def edit(draft: SongDraft, fields: Fields) -> None:
    """Change a song as the fields say."""
    EDITS[fields.choice("kind", EDITS)](draft, fields)


def _track(draft: SongDraft, fields: Fields) -> int:
    return match_track(fields.text("track"), draft.song.spec, "track")
