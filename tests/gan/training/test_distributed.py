"""Several processes train as one."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed
import torch.multiprocessing

from gan.conditions import no_labels
from gan.settings import WITHOUT_EFFECT, AlbumGANSettings, MuseGANSettings, TrainSettings
from gan.statistics import DataStatistics
from gan.training.batches import batches_from
from gan.training.distributed import Team
from gan.training.trainer import Trainer
from tests.roll_makers import SPEC, empty, note

MODEL = AlbumGANSettings(
    latent_size=4,
    trunk_width=12,
    trunk_blocks=1,
    track_width=8,
    step_width=8,
    beat_width=16,
    bar_width=16,
    decoder_width=16,
)
TRAIN = TrainSettings(
    steps=5,
    batch_size=8,
    batches_per_step=2,
    learning_rate=0.02,
    generator_speed=1.0,
    pretrain_share=0.4,
    policy_weight=0.3,
    penalty_steps=2,
    max_transposition=2,
    report_steps=2,
)
LABELS = no_labels(12, SPEC)
LABELS[:, 0] = torch.arange(12) % 5
KNOWN = torch.ones(12, 2, dtype=torch.bool)
KNOWN[5, 0] = KNOWN[9, 1] = False


def rolls() -> torch.Tensor:
    """Drums and a bass that differ from phrase to phrase."""
    made = []
    for index in range(12):
        one = empty()
        for step in range(0, 16, 2 + index % 3):
            note(one, 0, step % 2, step, 1, index % 4)
        note(one, 1, 0, index, 5, 4 + index)
        note(one, 1, 1, 3, 6, 9)
        made.append(one)
    rolls = torch.cat(made)
    rolls[~KNOWN.unsqueeze(1).expand(-1, 2, -1)] = False
    return rolls


def trained(team: Team) -> tuple[dict[str, torch.Tensor], list[dict[str, object]]]:
    """The weights after five steps, and the log.

    The steps are those of plain gradient descent: Adam makes whole steps of gradients that are nothing but rounding.
    """
    trainer = Trainer(SPEC, DataStatistics.of([rolls()], SPEC, LABELS, KNOWN), MODEL, TRAIN, 3, team=team)
    for side, network in (("generator", trainer.generator), ("discriminator", trainer.discriminator)):
        trainer.optimizers[side] = torch.optim.SGD(network.parameters())
    batches = batches_from(rolls(), SPEC, TRAIN.phrases_per_step, 0, labels=LABELS, known=KNOWN)
    lines = [report.to_dict() for report in trainer.run(itertools.islice(batches, TRAIN.steps))]
    state = trainer.state_dict()
    parts = ("generator", "average", "discriminator")
    return {f"{part} {name}": value for part in parts for name, value in state[part].items()}, lines


def one_of_two(rank: int, folder: str) -> None:
    """What each of two processes does: everything is left in a file."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", f"file://{folder}/meet", timedelta(seconds=60), world_size=2, rank=rank
    )
    team = Team(rank, 2)
    found = trained(team)
    agreed = [team.any(rank == 1), team.any(False), team.of_first(10.0 + rank), team.share(f"of {rank}")]
    agreed.append(team.gather(torch.tensor([[rank], [2.0]])).tolist())
    torch.save({"found": found, "agreed": agreed}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("two")
    torch.multiprocessing.spawn(one_of_two, (str(folder),), nprocs=2)
    return [torch.load(Path(folder) / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.slow
def test_two_processes_learn_what_one_does_with_the_whole_batch(two):
    weights, lines = trained(Team())
    for one in two:
        theirs, their_lines = one["found"]
        assert theirs.keys() == weights.keys()
        for name, value in weights.items():
            torch.testing.assert_close(theirs[name], value, rtol=1e-5, atol=1e-5)
        assert len(their_lines) == len(lines) == 3
        for line, theirs_too in zip(lines, their_lines, strict=True):
            numbers = {key: value for key, value in line.items() if isinstance(value, float) and key != "seconds"}
            assert {key: theirs_too[key] for key in numbers} == pytest.approx(numbers, rel=1e-4, abs=1e-5)
    same = [one["found"][0] for one in two]
    assert all(torch.equal(same[0][name], same[1][name]) for name in same[0]), "to the bit among the two"


@pytest.mark.slow
def test_processes_agree(two):
    gathered = [[0.0], [2.0], [1.0], [2.0]]
    assert all(one["agreed"] == [True, False, 10.0, "of 0", gathered] for one in two)


def test_what_several_processes_cannot_do_is_refused_in_words():
    statistics = DataStatistics.of([rolls()], SPEC)
    with pytest.raises(ValueError, match=r"train\.batch_size=8 can't be divided among 3 processes"):
        Trainer(SPEC, statistics, MODEL, TRAIN, team=Team(0, 3))
    model = MuseGANSettings(design="tutorial", filters=2)
    plain = WITHOUT_EFFECT
    with pytest.raises(ValueError, match="tutorial normalises over its batch and trains in one process only"):
        Trainer(SPEC, statistics, model, TrainSettings(**TRAIN.to_dict() | plain), team=Team(0, 2))
