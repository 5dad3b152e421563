"""Pretraining of `base.pt.xz`, the model that `train.init=base` begins with.

    python -m pipeline.training.pretraining --pop909 DIR --groove DIR

It learns from game music (the Debian packages of `data=games`, fetched with apt where they are not installed), the 4/4
songs of POP909 (github.com/music-x-lab/POP909-Dataset) and the drums of the Groove MIDI Dataset
(magenta.tensorflow.org/datasets/groove), of which all other tracks are unknown. Rare styles come more often. Of so
few songs much is learnt by heart; so a second run goes on with phrases moved by a few semitones, more dropout and fewer
repetitions, and keeps the weights that validation songs are likeliest with. Ctrl-C keeps what was learnt: the same
command goes on. On one core the two runs, `outputs/base-first` and `outputs/base`, take some 80 and 65 minutes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.config import compose
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.progress import say
from pipeline.settings.train import BASE
from pipeline.sources.debian import PACKAGES, find_in_packages
from pipeline.sources.folders import files_of
from pipeline.training.pretrained import SHIPPED, write_compact

RUNS: dict[str, tuple[str, ...]] = {
    "base-first": ("train.steps=2000", "train.minutes=240", "train.pretrain_share=0.9", "train.style_balance=0.6"),
    BASE: (
        "train.init=outputs/base-first/train/checkpoint.pt",
        "train.steps=1750",
        "train.minutes=120",
        "train.pretrain_share=0.93",
        "train.style_balance=0.3",
        "train.max_transposition=3",
        "model.dropout=0.25",
        "train.generator_speed=1.2",
        "train.decay_share=0.9",
        "train.patience=20",
        "train.report_steps=50",
    ),
}
"""Settings of each run beside the defaults: mostly likelihood, since a run that begins with the model has a
discriminator of its own."""
ONE_STYLE = {"freedm": "freedoom"}
"""Packages whose music is that of another one."""


def gather(pop909: str, groove: str, place: Path) -> int:
    """Link all files below `place`, a folder for each source; how many there are.

    Raises
    ------
    UserError
        When a folder is missing or holds no music, or a package can't be had.
    """
    games = compose("data=games")
    links: dict[Path, Path] = {}
    for row in find_in_packages(games.data, games.collect, ask_again=False):
        version, *names = Path(row.where).relative_to(PACKAGES).parts
        package = version.partition("_")[0]
        links[Path(ONE_STYLE.get(package, package), "-".join(names))] = Path(row.where)
    for name, folder in (("pop909", pop909), ("groove", groove)):
        paths = [Path(path) for path in files_of(folder, f"--{name}")]
        if not paths:
            raise UserError(f"--{name} {folder} holds no MIDI files.")
        links |= {Path(name, "-".join(path.relative_to(Path(folder).expanduser()).parts)): path for path in paths}
    shutil.rmtree(place, ignore_errors=True)
    for link, path in links.items():
        (place / link).parent.mkdir(parents=True, exist_ok=True)
        (place / link).symlink_to(path.resolve())
    return len(links)


def main(words: list[str] | None = None) -> int:
    """Make the model; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.training.pretraining", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--pop909", required=True, metavar="DIR", help="the MIDI files of POP909")
    parser.add_argument("--groove", required=True, metavar="DIR", help="the MIDI files of the Groove MIDI Dataset")
    parser.add_argument("--steps", type=int, help="of each run, to try it")
    parser.add_argument("--out", type=Path, default=SHIPPED[BASE], metavar="FILE", help="(%(default)s)")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="other settings of the run")
    given = parser.parse_args(words)
    try:
        count = gather(given.pop909, given.groove, Path(compose(f"data={BASE}").data.path or ""))
        say(f"pretraining: {count:,} files to learn from.")
        short = () if given.steps is None else (f"train.steps={given.steps}",)
        for name, settings in RUNS.items():
            run = [sys.executable, "-m", "pipeline", "+stage=train", f"data={BASE}", f"name={name}"]
            done = subprocess.run([*run, *settings, *short, *given.settings], check=False)
            if done.returncode:
                return done.returncode
        with atomic_path(given.out) as temporary:
            write_compact(Path("outputs") / BASE / "train" / "checkpoint.pt", temporary)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say(f"{given.out} written ({given.out.stat().st_size / 1000:,.0f} KB).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
