"""How far an accompaniment depends on the track that it was made for: every figure beside that of a stranger's track.

Each figure is of one phrase with one given track. The strangers are the same track of phrases of other songs, held
against the same accompaniment; where music depends on nothing, they fit as well as the right one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.metrics.counts import tallies
from gan.metrics.musegan import centroids
from gan.metrics.track_pairs import Parts, draw_tracks, relations, strangers
from gan.networks.layers import activate, linear
from gan.seeds import mix_seed
from gan.spec import RollSpec

LEARNT = 3000
"""Training phrases that are learnt from at most, evenly spread: neighbours of one song are nearly the same."""
WRONG = 3
"""Given tracks of other songs for each right one."""
EPOCHS = 20
BATCH = 64
WIDTH = 64
DROPOUT = 0.3
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
EXTREME = 4.0
"""Standard deviations beyond which a number says nothing more."""


class Matcher(nn.Module):
    """A score of each pair of a given track and an accompaniment, higher where they belong together.

    Parameters
    ----------
    sample
        Relations of some pairs, `[pairs, features]`: what is usual.
    """

    middle: Tensor
    spread: Tensor

    def __init__(self, sample: Tensor) -> None:
        super().__init__()
        self.register_buffer("middle", sample.mean(0))
        self.register_buffer("spread", sample.std(0).clamp(min=1e-3))
        self.hidden = linear(sample.shape[1], WIDTH)
        self.score = linear(WIDTH, 1, gain=0.1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, found: Tensor) -> Tensor:
        """`[..., features]` to `[...]`."""
        x = ((found - self.middle) / self.spread).clamp(-EXTREME, EXTREME)
        out: Tensor = self.score(self.dropout(activate(self.hidden(self.dropout(x)))))
        return out.squeeze(-1)

    @torch.no_grad()
    def scores(self, given: Parts, rest: Parts, tracks: Tensor) -> Tensor:
        """How well track `tracks[n]` of phrase n of `given` fits the other tracks of phrase n of `rest`, `[pairs]`."""
        found: Tensor = self(relations(given, rest, tracks))
        return found


def train_matcher(rolls: Tensor, songs: Tensor, spec: RollSpec, seed: int = 0) -> Matcher:
    """A classifier that learnt from real phrases.

    Parameters
    ----------
    rolls
        Training phrases, bool or packed `[phrases, *spec.shape]`.
    songs
        The number of each phrase's song, int64 `[phrases]`. Raises `ValueError` where no two songs can be paired.
    spec
        The shape of the rolls.
    seed
        Decides the pairs, their order and the first weights.
    """
    random = torch.Generator().manual_seed(mix_seed(seed, 1))
    if len(rolls) > LEARNT:
        places = torch.linspace(0, len(rolls) - 1, LEARNT, dtype=torch.float64).round().long()
        rolls, songs = rolls[places], songs[places]
    parts = Parts.of(rolls, spec)
    tracks = draw_tracks(parts.plays, spec, random)
    others = strangers(parts.plays, songs, tracks, WRONG, random)
    rows = ((tracks >= 0) & (others >= 0).all(1)).nonzero().flatten()
    if len(rows) < 2:
        raise ValueError("there are no two songs whose tracks could be exchanged")
    shown = torch.cat([rows.unsqueeze(1), others[rows]], dim=1)  # the right one first
    found = torch.stack([relations(parts[column], parts[rows], tracks[rows]) for column in shown.T], dim=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 2))
        return _learnt(found, random)


def _learnt(found: Tensor, random: torch.Generator) -> Matcher:
    """A matcher for relations `[phrases, 1 + WRONG, features]`, those of the right pair in front."""
    matcher = Matcher(found.flatten(0, 1))
    steps = EPOCHS * -(-len(found) // BATCH)
    optimizer = torch.optim.AdamW(matcher.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(found), generator=random), BATCH):
            loss = F.cross_entropy(matcher(found[rows]), torch.zeros(len(rows), dtype=torch.long))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return matcher.eval()


def followed(given: Parts, made: Parts, tracks: Tensor, others: Tensor, matcher: Matcher) -> dict[str, Tensor]:
    """What the accompaniments have to do with their given tracks, each `[phrases]`.

    `matched`: the share of strangers that `matcher` likes less than the right given track (0.5 is a toss of a coin).
    `tonal`, `rhythmic`: the distances `tonal_distance` and `rhythmic_distance` from the right given track, mean over
    the other tracks; `tonal_shuffled`, `rhythmic_shuffled`: from a stranger; `tonal_nearer`, `rhythmic_nearer`: the
    share of strangers that are further off. Ties count half, and so does an accompaniment without notes.

    Parameters
    ----------
    given, made
        Phrases that the given tracks are from, and the phrases with what was made for them; the given track of the
        latter is not read. For real music both are the same.
    tracks
        The given track of each phrase, int64 `[phrases]`.
    others
        The strangers of each, rows of `given`, int64 `[phrases, strangers]`; -1 where there is none.
    matcher
        The classifier.
    """
    beside = made.plays.clone()
    beside[torch.arange(len(tracks)), tracks] = False
    silent = ~beside.any(1)
    measures: dict[str, Callable[[Parts], Tensor]] = {
        "matched": lambda parts: torch.where(silent, torch.nan, -matcher.scores(parts, made, tracks)),
        "tonal": lambda parts: tonal_distance(parts, made, tracks).nanmean(1),
        "rhythmic": lambda parts: rhythmic_distance(parts, made, tracks).nanmean(1),
    }
    found = {}
    for name, measure in measures.items():
        right = measure(given)  # [phrases], less is nearer
        wrong = torch.stack([measure(given[column.clamp(min=0)]) for column in others.T], dim=1)
        gap = torch.where(others < 0, torch.nan, wrong - right.unsqueeze(1))
        nearer = torch.where(gap.isnan(), torch.nan, 0.5 * (1 + gap.sign())).nanmean(1)
        if name == "matched":
            found[name] = torch.where(silent, 0.5, nearer)
        else:
            met = ~gap.isnan()
            shuffled = torch.where(met, wrong, torch.nan).nanmean(1)
            found |= {name: right, f"{name}_shuffled": shuffled, f"{name}_nearer": nearer}
    return found


def tonal_distance(given: Parts, made: Parts, tracks: Tensor) -> Tensor:
    """Distance of the tonal centroids of each pitched track and the given one, mean over beats in which both sound.

    `[phrases, pitched tracks]`, as `gan.metrics.musegan.tonal_distance` has it; NaN where the two never sound in the
    same beat, and of the given track itself.
    """
    spec, rows = given.spec, torch.arange(len(tracks))
    centres = []
    for sounding in (given.sounding[rows, tracks].unsqueeze(1), made.sounding[:, list(spec.pitched)]):
        beats = sounding.float().reshape(*sounding.shape[:2], -1, spec.steps_per_beat, 12).sum(3)
        centres.append(centroids(beats))  # [phrases, tracks, beats, 6]
    apart: Tensor = torch.linalg.vector_norm(centres[1] - centres[0], dim=-1).nanmean(-1)
    return apart.masked_fill(tracks.unsqueeze(1) == torch.tensor(spec.pitched), torch.nan)


def rhythmic_distance(given: Parts, made: Parts, tracks: Tensor) -> Tensor:
    """`1 - steps at which both begin notes / steps at which either does` of each track and the given one (Jaccard).

    `[phrases, tracks]`, 0 (the same rhythm) to 1 (never together); NaN where either is silent, and of the given track.
    """
    rows = torch.arange(len(tracks))
    mine = given.struck[rows, tracks].ne(0).any(-1).unsqueeze(1)  # [phrases, 1, time]
    theirs = made.struck.ne(0).any(-1)
    apart = 1 - (mine & theirs).sum(-1) / (mine | theirs).sum(-1)
    unheard = ~mine.any(-1) | ~theirs.any(-1)
    unheard[rows, tracks] = True
    return apart.masked_fill(unheard, torch.nan)


def unisons(given: Tensor, made: Tensor, tracks: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """Of the notes of the other pitched tracks, the shares that begin with a note of the given one, each `[phrases]`.

    `unison`: with one of the same pitch; `octave`: with one of the same pitch class, and none of the same pitch. NaN
    where the accompaniment has no notes. An accompaniment that copies what was given follows it best of all, and is
    found out by these.

    Parameters
    ----------
    given, made
        Rolls, bool or packed `[phrases, *spec.shape]`; as of `followed`.
    tracks
        The given track of each phrase, int64 `[phrases]`.
    spec
        The shape of the rolls.
    """
    shares: dict[str, list[Tensor]] = {"unison": [], "octave": []}
    start = 0
    for theirs, mine in zip(tallies(made, spec), tallies(given, spec), strict=True):
        rows = torch.arange(len(theirs))
        chosen = tracks[start : start + len(theirs)]
        start += len(theirs)
        begun = mine.onset[rows, chosen].unsqueeze(1)  # [phrases, 1, time, pitches]
        classes = (begun @ theirs.fold > 0).float() @ theirs.fold.T
        heard = torch.tensor([float(not track.is_drum) for track in spec.tracks]).expand(len(theirs), -1).clone()
        heard[rows, chosen] = 0
        others = theirs.onset * heard.view(*heard.shape, 1, 1)
        notes = others.sum((1, 2, 3))
        same, alike = (others * begun).sum((1, 2, 3)), (others * classes).sum((1, 2, 3))
        shares["unison"].append(same / notes)
        shares["octave"].append((alike - same) / notes)
    return {name: torch.cat(parts) for name, parts in shares.items()}
