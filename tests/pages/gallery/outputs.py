"""An outputs folder with runs in every state: an album, a text, an experiment, a sweep, broken and half-made ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.files import Manifest, write_json, write_manifest
from tests.song_makers import song_of

MUSIC = {"data.name": "originals", "data.title": "Songs <written> for it", "seed": 1, "train.steps": 79}
LYRIC = {
    "number": 1,
    "title": "Salt",
    "sections": [
        {"name": "verse", "lines": ["one", "two"], "authors": ["model", "person"]},
        {"name": "chorus", "lines": ["three"], "authors": ["edited"]},
        {"name": "chorus", "lines": ["three"], "authors": ["edited"]},
    ],
}


def finished(folder: Path, settings: dict[str, Any], facts: dict[str, Any], notes: dict[str, Any], *files: str) -> None:
    """A finished stage whose files hold their own names."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    stage = folder.parent.name if folder.parent.name in ("generate", "render") else folder.name
    write_manifest(folder, Manifest(stage, 1, settings, {}, facts, notes))


def write_album(run: Path, **settings: Any) -> None:
    """A run with all stages."""
    samples = ("samples/step-000000.png", "samples/step-000080.png", "samples/step-000080.mp3", "notebook.ipynb")
    finished(run / "train", MUSIC, {"steps": 80}, {"train_seconds": 60.0}, *samples)
    finished(run / "generate/album", {"generate.rerolls": [], **settings}, {"songs": 1}, {})
    song_of().save(run / "generate/album/songs/01.npz")
    finished(run / "lyrics", {"lyrics.kind": "song"}, {}, {"bits_per_character": 1.73}, "lyrics.txt", "report.md")
    write_json(run / "lyrics/lyrics.json", {"songs": [LYRIC]})
    album = ("index.html", "cover.png", "tracks/01 #1.wav")
    notes = {"title": "Salt & <i>Vinegar</i>", "seconds": 70.0}
    finished(run / "album", {"album.artist": "Nobody"}, {}, notes, *album)
    playlist = "#EXTM3U\n#EXTINF:70,Nobody - Salt - again\ntracks/01 #1.wav\n"
    (run / "album/album.m3u").write_text(playlist, encoding="utf-8")


def write_outputs(outputs: Path) -> None:
    """Runs `mine`, `verses`, `sweep/0`, `sweep/1`, `broken` and `begun`, and what is no run."""
    write_album(outputs / "mine")
    finished(outputs / "verses/lyrics", {"lyrics.kind": "song"}, {}, {}, "lyrics.txt", "learning.png")
    (outputs / "verses/lyrics/lyrics.txt").write_text("1. Salt\n\n[verse]\none <b>\n", encoding="utf-8")
    for job in "01":
        finished(outputs / f"sweep/{job}/train", MUSIC | {"seed": int(job) + 1}, {"steps": 80}, {}, "learning.png")
    ranking = {"ranking": ["sweep/1", "sweep/0"]}
    finished(outputs / "sweep/evaluate", {}, {}, ranking, "index.html", "ranking.png")
    (outputs / "broken/train").mkdir(parents=True)
    (outputs / "broken/train/manifest.json").write_text("{", encoding="utf-8")
    (outputs / "begun/train").mkdir(parents=True)
    log = [json.dumps({"step": step}) for step in (8, 1216)]
    (outputs / "begun/train/metrics.jsonl").write_text("\n".join(log) + '\n{"step": 12', encoding="utf-8")
    (outputs / "example").mkdir()
    (outputs / "example/page.png").write_text("no run", encoding="utf-8")
    (outputs / ".hidden/train").mkdir(parents=True)
