"""Monophonic voices in whole numbers against the dense straight-through calculation, forwards and backwards."""

import pytest
import torch
from torch.nn.functional import pad

from gan.ops.monophonic_voices import (
    VoicesToStreams,
    decode_open_gates,
    decode_voices,
    dense_voices_reference,
    voices_to_streams,
)

TRACKS, TIME, BATCH, WIDTH, PITCHES = 2, 32, 3, 6, 12


class Voices:
    """Features, weights, gates and transitions that make voices play all over the place."""

    def __init__(self, voices: int) -> None:
        random = torch.Generator().manual_seed(voices)

        def draw(*shape: int, size: float = 1.0) -> torch.Tensor:
            return (size * torch.randn(*shape, generator=random)).requires_grad_()

        self.rows = draw(TRACKS, TIME * BATCH, WIDTH, size=3.0)
        self.weight, self.bias = draw(TRACKS, WIDTH, voices * (PITCHES + 1)), draw(TRACKS, 1, voices * (PITCHES + 1))
        self.gate = draw(TRACKS, TIME, BATCH, voices)
        self.inner = draw(TRACKS, voices, PITCHES, PITCHES)
        self.forced = torch.rand(TRACKS, TIME, BATCH, 1, generator=random).expand(-1, -1, -1, voices) < 0.1
        self.forced = self.forced.clone()
        self.forced[:, 0] = True
        self.opens = (self.gate.detach() > 0) | self.forced
        self.shape = (TRACKS, TIME, BATCH, voices, PITCHES + 1)

    @property
    def learning(self) -> list[torch.Tensor]:
        return [self.rows, self.weight, self.bias, self.gate, self.inner]

    @property
    def transitions(self) -> torch.Tensor:
        return pad(self.inner, [0, 1, 0, 1])  # to and from rest nothing is more usual

    def scores(self) -> torch.Tensor:
        return torch.baddbmm(self.bias, self.rows, self.weight).view(self.shape)

    def fast(self, temperature: float) -> torch.Tensor:
        with torch.no_grad():
            scores = self.scores()
            decoded = decode_voices(scores, self.opens, self.transitions)
        return VoicesToStreams.apply(
            self.rows, self.weight, self.bias, self.gate, self.transitions, scores, self.opens, self.forced, *decoded,
            temperature,
        )  # fmt: skip

    def dense(self, temperature: float) -> torch.Tensor:
        return dense_voices_reference(self.scores(), self.gate, self.forced, self.transitions, temperature)


@pytest.mark.parametrize("voices", [1, 3])
def test_voices_play_what_the_dense_calculation_plays(voices):
    setup = Voices(voices)
    fast, dense = setup.fast(1.0), setup.dense(1.0)
    assert set(fast.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(fast, dense)
    onsets, sounding = fast[:, :, :, 1].sum(), fast[:, :, :, 0].sum()
    assert 50 < onsets < 0.9 * sounding, "many notes, some of them held"


@pytest.mark.parametrize("temperature", [0.7, 1.0])
@pytest.mark.parametrize("voices", [1, 3])
def test_gradients_are_those_of_the_dense_calculation(voices, temperature):
    setup = Voices(voices)
    weights = torch.randn(BATCH, TIME, TRACKS, 2, PITCHES, generator=torch.Generator().manual_seed(0))
    gradients = [
        torch.autograd.grad((streams * weights).sum(), setup.learning)
        for streams in (setup.fast(temperature), setup.dense(temperature))
    ]
    for fast, dense in zip(*gradients, strict=True):
        assert dense.abs().max() > 0
        torch.testing.assert_close(fast, dense, rtol=1e-4, atol=1e-4 * dense.abs().max().item())


@pytest.mark.parametrize("voices", [1, 3])
def test_a_walk_from_step_to_step_plays_the_same(voices):
    setup = Voices(voices)
    streams, scores = setup.fast(1.0), setup.scores().detach()
    expected = torch.zeros_like(streams)
    for track in range(TRACKS):
        for phrase in range(BATCH):
            for voice in range(voices):
                now = last = PITCHES
                for step in range(TIME):
                    if setup.opens[track, step, phrase, voice]:
                        likely = scores[track, step, phrase, voice].clone()
                        if last < PITCHES:
                            likely[:PITCHES] += setup.inner[track, voice, last].detach()
                        now = int(likely.argmax())
                        if now < PITCHES:
                            last = now
                            expected[phrase, step, track, 1, now] = 1.0
                    if now < PITCHES:
                        expected[phrase, step, track, 0, now] = 1.0
    assert torch.equal(streams, expected)


@pytest.mark.parametrize("voices", [1, 3])
def test_scoring_only_open_gates_plays_the_same(voices):
    setup = Voices(voices)
    with torch.no_grad():
        arguments = setup.rows, setup.weight, setup.bias, setup.opens, setup.transitions
        choices, playing = decode_open_gates(*arguments)
        streams = voices_to_streams(setup.opens, choices, playing, PITCHES, torch.float32)
        assert torch.equal(streams, setup.fast(1.0))
