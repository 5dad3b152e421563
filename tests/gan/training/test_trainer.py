"""Training: signs, resuming, seeds, trouble."""

import copy
import io
import itertools

import pytest
import torch

from gan.networks.checkpoint import load_discriminator, load_generator
from gan.rolls import batches_from, to_streams
from gan.settings import AlbumGANSettings, TrainSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.batches import Heard, Pair
from gan.training.monitor import TrainingFailed
from gan.training.precision import exactly, takes_bfloat16
from gan.training.trainer import Lesson, Trainer

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=30, lowest_pitch=41)
MODEL = AlbumGANSettings(latent_size=4, trunk_width=24, trunk_blocks=1, track_width=12, step_width=12, beat_width=24)
TRAIN = TrainSettings(steps=12, batch_size=4, noise_steps=8, report_steps=1, penalty_steps=2)
SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def rolls(count: int = 24) -> torch.Tensor:
    """Lines along a scale over a bass and a beat."""
    made = torch.zeros((count, *SPEC.shape), dtype=torch.bool)
    for index in range(count):
        made[index, ONSET, 0, :, ::4, 3] = True
        for beat in range(4):
            made[index, ONSET, 1, :, 4 * beat, SCALE[(index + beat) % 8]] = True
            made[index, HOLD, 1, :, 4 * beat + 1 : 4 * beat + 4, SCALE[(index + beat) % 8]] = True
        made[index, ONSET, 2, :, 0, SCALE[index % 8]] = True
        made[index, HOLD, 2, :, 1:, SCALE[index % 8]] = True
    return made


def trainer(seed: int = 3, settings: TrainSettings = TRAIN) -> Trainer:
    return Trainer(SPEC, DataStatistics.of([rolls()], SPEC), MODEL, settings, seed)


def run(subject: Trainer, steps: int | None = None) -> list[dict[str, object]]:
    batches = batches_from(rolls(), SPEC, subject.settings.batch_size, seed=0, start_step=subject.step)
    lines = [report.to_dict() for report in subject.run(itertools.islice(batches, steps))]
    for line in lines:
        del line["seconds"]
    return lines


def weights(subject: Trainer) -> dict[str, torch.Tensor]:
    state = subject.state_dict()
    return {
        f"{part} {name}": value
        for part in ("generator", "average", "discriminator")
        for name, value in state[part].items()
    }


def through_a_file(state: dict[str, object]) -> dict[str, object]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def assert_equal_weights(first: Trainer, second: Trainer) -> None:
    ours, theirs = weights(first), weights(second)
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different


def test_resumed_run_equals_uninterrupted_run():
    whole, part = trainer(), trainer()
    lines = run(whole)
    first = run(part, steps=7)  # between two reports: the figures collected so far are kept too
    resumed = trainer()
    resumed.load_state_dict(through_a_file(part.state_dict()))
    assert resumed.step == 7
    assert first + run(resumed) == lines
    assert_equal_weights(whole, resumed)


def test_same_seed_gives_the_same_weights_and_another_seed_others():
    first, second, other = trainer(), trainer(), trainer(seed=4)
    for subject in (first, second, other):
        torch.rand(3)  # the global stream must not matter
        run(subject, steps=4)
    assert_equal_weights(first, second)
    ours, theirs = weights(first), weights(other)
    assert not torch.equal(ours["generator tracks_to_trunk.weight"], theirs["generator tracks_to_trunk.weight"])


def test_training_leaves_the_global_random_stream_alone():
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    run(trainer(), steps=3)
    assert torch.equal(torch.rand(3), wanted)


def scores(subject: Trainer, real: torch.Tensor, fake: torch.Tensor) -> float:
    with torch.no_grad():
        return (subject.discriminator(real) - subject.discriminator(fake)).mean().item()


def pair(subject: Trainer) -> tuple[torch.Tensor, torch.Tensor]:
    real = to_streams(rolls(16), subject.generator.lowest_pitches, subject.generator.pitch_range)
    latents = subject.generator.sample_latents(16, torch.Generator().manual_seed(0))
    return real, subject.generator(latents, 1.0, torch.Generator().manual_seed(1))


def test_a_discriminator_step_tells_real_from_fake_better():
    subject = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"gamma": 0.0}))
    real, fake = pair(subject)
    before = scores(subject, real, fake.detach())
    for _ in range(5):
        subject._step_discriminator(Pair(real, fake, None), 0, teaches=False)
    assert scores(subject, real, fake.detach()) > before


def test_a_generator_step_makes_fakes_score_higher():
    subject = trainer()
    for _ in range(20):  # a discriminator that knows something
        real, fake = pair(subject)
        subject._step_discriminator(Pair(real, fake, None), 0, teaches=False)
    real, fake = pair(subject)
    before = scores(subject, real, fake.detach())
    for _ in range(10):
        real, fake = pair(subject)
        with torch.no_grad():
            real_logits, fake_logits = subject.discriminator(real, fake).chunk(2)
        frozen = copy.deepcopy(subject.discriminator.state_dict())
        subject._step_generator(Pair(real, fake, None), Lesson(real_logits, fake_logits, None))
        now = subject.discriminator.state_dict()
        assert all(torch.equal(now[name], value) for name, value in frozen.items()), "only the generator learns"
    assert scores(subject, *(x.detach() for x in pair(subject))) < before


def test_penalties_keep_the_discriminator_flat():
    slopes = []
    for gamma in (0.0, 100.0):
        settings = TrainSettings(**TRAIN.to_dict() | {"gamma": gamma, "penalty_steps": 1})
        subject = trainer(settings=settings)
        real, fake = pair(subject)
        for _ in range(30):
            subject._step_discriminator(Pair(real, fake, None), 0, teaches=False)
        probe = real.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(subject.discriminator(probe).sum(), probe)
        slopes.append(slope.square().sum().item())
    assert slopes[1] < 0.5 * slopes[0]


def test_reports_come_when_due_and_tell_all():
    subject = trainer()
    batches = batches_from(rolls(), SPEC, TRAIN.batch_size, seed=0)
    reports = list(subject.run(batches))
    assert [report.step for report in reports] == list(range(1, 13))
    assert [report.step for report in reports if report.samples is not None] == [8, 12]
    assert [report.step for report in reports if report.checkpoint_due] == [8, 12]
    assert reports[7].samples.shape == (16, *SPEC.shape)
    assert {"discriminator_loss", "generator_loss", "told_apart", "r1", "r2", "noise"} <= set(reports[0].figures)
    assert set(reports[0].notes_per_bar) == set(SPEC.names)
    assert reports[-1].figures["noise"] == TRAIN.noise_floor, "some stays"


def test_time_is_an_upper_bound():
    settings = TrainSettings(**TRAIN.to_dict() | {"minutes": 1e-9})
    subject = trainer(settings=settings)
    assert run(subject) == []
    assert subject.step == 0


def test_more_steps_continue_a_finished_run():
    subject = trainer()
    run(subject)
    longer = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"steps": 15}))
    longer.load_state_dict(through_a_file(subject.state_dict()))
    assert [line["step"] for line in run(longer)] == [13, 14, 15]


def test_a_loaded_generator_samples_what_the_trainer_would():
    subject = trainer()
    run(subject, steps=6)
    state = through_a_file(subject.state_dict())
    generator, discriminator = load_generator(state), load_discriminator(state)
    wanted = subject.average.sample(subject.fixed_latents)
    assert torch.equal(generator.sample(subject.fixed_latents), wanted)
    assert torch.equal(discriminator.score(wanted), subject.discriminator.score(wanted))
    assert not torch.equal(subject.average.tracks_to_trunk.weight, subject.generator.tracks_to_trunk.weight), (
        "samples come from the average"
    )


def test_a_state_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="not a checkpoint"):
        load_generator({"weights": 1})
    state = trainer().state_dict()
    with pytest.raises(ValueError, match="another seed"):
        trainer(seed=9).load_state_dict(state)


def test_a_loss_that_is_no_number_stops_training_with_a_sentence():
    subject = trainer()
    with torch.no_grad():
        subject.discriminator.score_bars.bias.fill_(float("nan"))
    with pytest.raises(TrainingFailed, match=r"step 0: .*discriminator_loss.* is not a number"):
        run(subject)


def test_weights_that_are_no_numbers_are_never_offered_for_saving():
    subject = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"steps": 1}))
    broken = subject.generator.tracks_to_trunk.weight

    def spoil(step: int) -> None:
        with torch.no_grad():
            broken[0, 0] = torch.inf

    subject._follow = lambda: spoil(0)  # after the losses were looked at
    with pytest.raises(TrainingFailed, match="weights of the generator are not numbers"):
        run(subject)


def test_few_phrases_over_and_over_are_told_in_words():
    subject = trainer()
    shape = (4, SPEC.num_steps, SPEC.num_tracks, 5)
    everywhere = torch.ones(shape[:3], dtype=torch.bool)
    draws = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) > 0.8).float()
    real, same = Heard.of(draws, everywhere), Heard.of(draws[:1].expand(shape), everywhere)
    assert same.variety() == pytest.approx(0)
    assert 0.5 < real.variety() < 1
    assert Heard.of(torch.eye(4).view(4, 1, 1, 4), torch.ones(4, 1, 1).bool()).variety() == pytest.approx(1)
    figures = {"discriminator_loss": 0.6, "generator_loss": 0.7, "generator_gradient": 1, "discriminator_gradient": 1}
    told = []
    for _ in range(12):
        subject.meter.add(figures, same, real)
        told.append(subject.meter.report(1, 1.0, 0.1, 0.0, None, False).warnings)
    assert told[0] == []
    assert told[-1][0].startswith("the generator makes few phrases over and over: they differ by 0.00")


def test_a_gradient_that_explodes_is_told_in_words():
    watch = trainer().meter.watch
    notes = dict(zip(SPEC.names, trainer().statistics.notes_per_bar, strict=True))
    calm = {"discriminator_loss": 0.6, "generator_loss": 0.7, "generator_gradient": 1.0, "discriminator_gradient": 2.0}
    for _ in range(12):
        assert watch.troubles(calm, notes) == []
    (trouble,) = watch.troubles(calm | {"discriminator_gradient": 200.0}, notes)
    assert trouble.startswith("discriminator gradient explodes: it is 200, 100 times its usual size")


def test_given_notes_do_not_count_as_made():
    strikes = torch.zeros(2, SPEC.num_steps, SPEC.num_tracks, 5)
    strikes[:, :, 1, 0] = 1
    free = torch.ones(strikes.shape[:3], dtype=torch.bool)
    free[0, :, 1] = False
    rates = Heard.of(strikes, free).notes_per_bar(SPEC.bars)
    assert rates.tolist() == pytest.approx([0, SPEC.steps_per_bar, 0]), "as if all had been made"


def test_bfloat16_trains_as_float32_does_and_penalties_stay_exact():
    curves = []
    for precision in ("float32", "bfloat16"):
        subject = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"precision": precision}))
        curves.append([line["discriminator_loss"] for line in run(subject, steps=6)])
        assert all(weight.dtype == torch.float32 for weight in subject.generator.parameters())
    assert curves[1] == pytest.approx(curves[0], abs=0.02)
    assert curves[1] != curves[0]
    fast = subject.fast["discriminator"]
    with exactly(fast, True):
        assert fast.exact
    assert not fast.exact
    assert fast.plain == subject.discriminator.compute


def test_automatic_precision_is_float32_on_a_processor():
    assert not takes_bfloat16("auto", torch.device("cpu"))
    assert takes_bfloat16("bfloat16", torch.device("cpu"))


def test_a_machine_without_a_compiler_trains_all_the_same_and_says_so(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise torch._dynamo.exc.TorchDynamoException("no compiler here\nand more")

    monkeypatch.setattr(torch, "compile", lambda plain, **_: refuse)
    subject = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"compile": True}))
    lines = run(subject, steps=6)
    assert lines[0]["warnings"] == ["train.compile=true does nothing: this machine can't compile (no compiler here)"]
    assert lines[-1]["warnings"] == []
    plain = run(trainer(), steps=6)
    assert [line["generator_loss"] for line in lines] == [line["generator_loss"] for line in plain]


def test_training_is_settled_once_noise_is_down_and_the_learning_rate_falls():
    subject = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"steps": 100, "noise_steps": 30, "decay_share": 0.4}))
    told = []
    for subject.step in (29, 30, 59, 60):
        told.append(subject.final_phase)
    assert told == [False, False, False, True]
    subject.settings.decay_share = 0.0
    subject.step = 30
    assert subject.final_phase, "a learning rate that never falls is not waited for"


def test_a_silent_track_is_told_in_words():
    subject = trainer()
    head = next(head for head in subject.generator.heads if 0 in head.tracks)
    with torch.no_grad():
        head.project.bias[head.tracks.index(0)] = -100.0
    warnings = run(subject, steps=3)[0]["warnings"]
    assert len(warnings) == 1
    assert warnings[0].startswith("Drums has fallen silent")


@pytest.mark.parametrize(("loss", "words"), [(0.01, "the discriminator wins"), (2.0, "the generator wins")])
def test_one_side_winning_for_long_is_told_in_words(loss, words):
    subject = trainer()
    draws = torch.rand(4, SPEC.num_steps, SPEC.num_tracks, 5, generator=torch.Generator().manual_seed(0))
    heard = Heard.of((draws > 0.8).float(), torch.ones(draws.shape[:3], dtype=torch.bool))
    steady = {"generator_loss": 0.7, "generator_gradient": 1.0, "discriminator_gradient": 1.0}

    def report(figure: float) -> list[str]:
        subject.meter.add(steady | {"discriminator_loss": figure}, heard, heard)
        return subject.meter.report(1, 1.0, 0.1, 0.0, None, False).warnings

    told = [report(loss) for _ in range(12)]
    assert told[0] == []
    assert words in told[-1][0]
    assert report(0.65) == [], "and is over when it is over"


def test_learning_rate_falls_to_zero_at_the_end():
    subject = trainer(settings=TrainSettings(**TRAIN.to_dict() | {"steps": 100, "decay_share": 0.5}))
    rates = []
    for step in (0, 50, 75, 100):
        subject.step = step
        rates.append(subject.learning_rate() / subject.settings.learning_rate)
    assert rates == pytest.approx([1.0, 1.0, 0.5, 0.0])


def test_transposed_training_runs_and_drums_need_no_key():
    run(trainer(settings=TrainSettings(**TRAIN.to_dict() | {"max_transposition": 2})), steps=2)
