"""Rerolls requested on the command line: `album.reroll=[3]`, or `album.reroll=[3.chorus]` for a section.

The command is `python -m pipeline +stage=album album.reroll=[3]`.
What is asked joins `generate.rerolls`, the list that generate keeps in its manifest, so that everything follows as from
any setting: songs that are not in it stay, and the same settings give the same album again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.config import stage_directory
from pipeline.errors import UserError
from pipeline.files import read_manifest
from pipeline.progress import say
from pipeline.songs.compose.rerolls import check_roles, history_of, read_rerolls
from pipeline.songs.song import Song
from pipeline.studio.kept.kept_songs import kept_songs

if TYPE_CHECKING:
    from pipeline.config import Config


def ask_again(config: Config) -> None:
    """Add what `album.reroll` names to `generate.rerolls`.

    An album that was interrupted after its songs were made is finished first: the same words again go on with it.

    Raises
    ------
    UserError
        There is no such song or section, or nothing to send back yet.
    """
    asked = _entries(config.album.reroll)
    if not asked:
        return
    generate = read_manifest(stage_directory("generate", config))
    if generate is None:
        raise UserError("album.reroll: there are no songs yet that could be made anew; run +stage=album without it.")
    settings = config.generate
    if settings.like is not None or settings.interpolate is not None:
        raise UserError("album.reroll makes songs anew, not phrases to explore; another generate.seed= makes others.")
    kept = kept_songs(config)
    rerolls = read_rerolls(asked, max([int(generate.facts["songs"]), *kept]), "album.reroll")
    for reroll in rerolls:
        if reroll.number in kept:
            raise UserError(
                f"album.reroll: song {reroll.number} is the one that was kept in the studio; remove "
                f"{kept[reroll.number]} to have it made anew, or make it anew in the studio."
            )
        song = Song.load(stage_directory("generate", config) / "songs" / f"{reroll.number:02d}.npz")
        check_roles(history_of([reroll], reroll.number), reroll.number, (one.role for one in song.sections))
    album = read_manifest(stage_directory("album", config))
    shown = album is not None and album.inputs.get("generate") == generate.fingerprint
    if not shown and settings.rerolls[-len(asked) :] == asked:
        say(f"album: {', '.join(asked)} made anew already; the album that was interrupted is finished.")
        return
    settings.rerolls = [*settings.rerolls, *asked]


def _entries(value: Any) -> list[str]:
    """What `album.reroll` holds, a list or a single entry, as text."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return [str(entry) for entry in entries]
