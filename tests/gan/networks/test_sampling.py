"""How phrases are made fast: threads that share a batch and notes that are looked up change none of them."""

import threading
from collections.abc import Iterator

import pytest
import torch

from gan.context import Context, StreamContext, embed_context, mask_of_steps
from gan.networks.generator import SHARE, Generator
from gan.ops.threads import on_threads
from gan.rolls import to_streams
from gan.settings import ModelSettings
from gan.spec import HOLD, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.augmentation import draw_masks

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=2, num_pitches=24, lowest_pitch=41)
COUNT = 2 * SHARE + 5


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def music(count: int) -> torch.Tensor:
    rolls = torch.rand((count, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.1
    rolls[:, HOLD] = False
    return rolls


def make_generator() -> Generator:
    torch.manual_seed(0)
    sizes = ModelSettings(latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, context_width=8)
    generator = Generator(SPEC, DataStatistics.of([music(12)], SPEC), sizes).eval()
    for head in generator.heads:
        for name, weight in head.named_parameters():
            weight.data *= 10 if name.endswith("weight") else 0.3  # what has learnt nothing is silent
    return generator


@pytest.mark.parametrize("condition_strength", [1.0, 0.5])
@pytest.mark.parametrize(
    "given", [None, Context(music(COUNT), draw_masks(COUNT, SPEC, torch.Generator().manual_seed(1)))]
)
def test_threads_make_the_phrases_that_one_makes(
    two_threads: None, given: Context | None, condition_strength: float
) -> None:
    generator = make_generator()
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(2))
    shared = generator.sample(latents, given, condition_strength)
    torch.set_num_threads(1)
    alone = generator.sample(latents, given, condition_strength)
    assert alone.flatten(1).any(1).all() and len(alone.flatten(1).unique(dim=0)) == COUNT
    assert torch.equal(shared, alone)


def test_what_is_left_to_chance_does_not_depend_on_threads(two_threads: None) -> None:
    generator = make_generator()
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(2))
    made = []
    for width in (2, 1):
        torch.set_num_threads(width)
        chance = torch.Generator().manual_seed(3)
        made.append(generator.sample(latents, temperature=[1, 1, 1], generator=chance))
    assert torch.equal(*made)


def test_rows_are_shared_evenly_and_come_back_in_order(two_threads: None) -> None:
    workers, widths = set(), set()

    def work(rows: slice) -> torch.Tensor:
        workers.add(threading.get_ident())
        widths.add(torch.get_num_threads())
        return torch.arange(rows.start, rows.stop)

    assert on_threads(work, 9, least=4).tolist() == list(range(9))
    assert threading.get_ident() in workers and len(workers) == 2 and widths == {1}
    assert torch.get_num_threads() == 2
    later = threading.Thread(target=lambda: widths.add(torch.get_num_threads()))
    later.start()
    later.join()
    assert widths == {1, 2}, "threads that start afterwards are as wide as before"


def test_few_rows_and_a_single_thread_stay_where_they_are(two_threads: None) -> None:
    def work(rows: slice) -> torch.Tensor:
        return torch.full((rows.stop,), threading.get_ident())

    assert on_threads(work, 7, least=4).tolist() == [threading.get_ident()] * 7
    torch.set_num_threads(1)
    assert on_threads(work, 8, least=4).tolist() == [threading.get_ident()] * 8


def test_trouble_on_a_thread_is_heard_of(two_threads: None) -> None:
    def work(rows: slice) -> torch.Tensor:
        raise ValueError(f"row {rows.start}")

    with pytest.raises(ValueError, match="row 0"):
        on_threads(work, 8, least=4)
    assert torch.get_num_threads() == 2


def test_notes_that_are_looked_up_sum_to_what_a_product_gives() -> None:
    count, pitch_range, width = 12, 20, 5
    random = torch.Generator().manual_seed(4)
    streams = to_streams(music(count), (0, 2, 4), pitch_range)
    mask = draw_masks(count, SPEC, random)
    assert mask.any() and not mask.flatten(1).any(1).all()
    vectors = torch.randn(SPEC.num_tracks, 2 * pitch_range + 1, width, generator=random, requires_grad=True)
    slope = torch.randn(count, SPEC.num_steps, width, generator=random)
    heard = mask_of_steps(mask, SPEC).unsqueeze(3).to(torch.float32)
    product = torch.einsum("btkn,knw->btw", torch.cat([streams.flatten(3), torch.ones_like(heard)], 3) * heard, vectors)
    found = embed_context(StreamContext(streams, mask), vectors, SPEC)
    torch.testing.assert_close(found, product)
    gradients = [torch.autograd.grad((one * slope).sum(), vectors)[0] for one in (found, product)]
    torch.testing.assert_close(*gradients)
