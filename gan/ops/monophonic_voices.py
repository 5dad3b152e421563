"""Monophonic voices in whole numbers: what each one plays at each step, and the straight-through gradient of it.

A voice has a gate and a choice at each step: where the gate opens, the voice takes what it has chosen, a pitch or rest;
where it stays shut, what sounds goes on. All tensors of voices are `[tracks, time, batch, voices]`; pitches count from
the bottom of the pitch range, and the number `pitch_range` is rest.

The gradient is that of the dense calculation with straight-through choices (Bengio et al., arXiv 1308.3432; Jang et
al., arXiv 1611.01144), in which a note sounds when any voice plays it, so that a voice gets none where another one
plays: `dense_voices_reference`. A choice that was not taken has no gradient, and most are not: only steps where a gate
opens are worked out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def decode_voices(scores: Tensor, opens: Tensor, transitions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What each voice chooses at each step, taken or not, what sounds in it, and the pitch that it comes from.

    Parameters
    ----------
    scores
        `[tracks, time, batch, voices, pitch_range + 1]`; the highest is chosen. The last place is rest.
    opens
        Whether the gate is open; it is at the first step.
    transitions
        `[tracks, voices, pitch_range + 1, pitch_range + 1]`, added to the scores by the last pitch of the voice,
        however long it has rested since; the last row for a voice that has not played yet.

    Returns
    -------
    choices, playing, origins
        Pitches or rest, `[tracks, time, batch, voices]` each.
    """
    tracks, _, batch, voices = opens.shape
    rest = scores.shape[-1] - 1
    table, first = transitions.flatten(0, 2), first_rows(transitions)
    now = torch.full((tracks, batch, voices), rest, device=scores.device)
    last = now
    choices, playing, origins = [], [], []
    for step, gate in enumerate(opens.unbind(1)):
        prior = table.index_select(0, (first + last).view(-1)).view(tracks, batch, voices, -1)
        choice = prior.add_(scores[:, step]).max(-1).indices  # a little faster than argmax
        origins.append(last)
        now = torch.where(gate, choice, now)
        last = torch.where(now == rest, last, now)
        choices.append(choice)
        playing.append(now)
    return torch.stack(choices, dim=1), torch.stack(playing, dim=1), torch.stack(origins, dim=1)


def decode_open_gates(
    rows: Tensor, weight: Tensor, bias: Tensor, opens: Tensor, transitions: Tensor
) -> tuple[Tensor, Tensor]:
    """What `decode_voices` gives, with scores for those steps alone at which a gate opens: no gradient comes of it.

    Parameters
    ----------
    rows, weight, bias
        Features `[tracks, time * batch, width]` and the projection that makes scores of them, `[tracks, width, voices *
        (pitch_range + 1)]` and `[tracks, 1, voices * (pitch_range + 1)]`.
    opens, transitions
        As in `decode_voices`.

    Returns
    -------
    choices, playing
        Pitches or rest, `[tracks, time, batch, voices]` each; a choice is rest where no gate opens.
    """
    tracks, time, batch, voices = opens.shape
    places, width = transitions.shape[-1], rows.shape[-1]
    by_voice = opens.permute(0, 3, 1, 2)
    taken = by_voice.reshape(-1).nonzero().squeeze(1)  # of [tracks, voices, time, batch]
    voice, moment = taken // (time * batch), taken % (time * batch)  # voices of all tracks are counted through
    scores = rows.new_empty(len(taken), places)
    weights, biases = weight.view(tracks, width, voices, places), bias.view(tracks, voices, places)
    begin = 0
    for number, count in enumerate(by_voice.sum((2, 3)).view(-1).tolist()):
        track, own = divmod(number, voices)
        span = slice(begin, begin + count)
        torch.addmm(
            biases[track, own], rows[track].index_select(0, moment[span]), weights[track, :, own], out=scores[span]
        )
        begin += count
    order = (moment // batch).argsort(stable=True)
    scores, voice, phrase = scores.index_select(0, order), voice[order], moment[order] % batch
    counts = opens.sum((0, 2, 3)).tolist()
    slots = (voice // voices * batch + phrase) * voices + voice % voices  # of [tracks, batch, voices]
    table, first = transitions.flatten(0, 2), voice * places
    now = torch.full((tracks * batch * voices,), places - 1, device=rows.device)
    last = now.clone()
    choices = torch.full((time, len(now)), places - 1, device=rows.device)
    playing = torch.empty_like(choices)
    begin = 0
    for step, count in enumerate(counts):
        span = slice(begin, begin + count)
        open_slots, origin = slots[span], last[slots[span]]
        choice = table.index_select(0, first[span] + origin).add_(scores[span]).max(-1).indices
        now[open_slots] = choice
        last[open_slots] = torch.where(choice == places - 1, origin, choice)
        choices[step, open_slots], playing[step] = choice, now
        begin += count
    shape = (time, tracks, batch, voices)
    return choices.view(shape).transpose(0, 1), playing.view(shape).transpose(0, 1)


def voices_to_streams(opens: Tensor, choices: Tensor, playing: Tensor, pitch_range: int, dtype: torch.dtype) -> Tensor:
    """Streams `[batch, time, tracks, 2, pitch_range]` with ones wherever a voice plays."""
    tracks, time, batch, _ = opens.shape
    streams = torch.zeros(batch, time, tracks, 2, pitch_range, dtype=dtype, device=opens.device)
    place = torch.arange(batch * time * tracks, device=opens.device).view(batch, time, tracks)
    place = place.permute(2, 1, 0).unsqueeze(3) * (2 * pitch_range)
    sounding, onset = playing < pitch_range, opens & (choices < pitch_range)
    ones = torch.cat([(place + playing)[sounding], (place + pitch_range + choices)[onset]])
    streams.view(-1).index_fill_(0, ones, 1.0)
    return streams


def first_rows(transitions: Tensor) -> Tensor:
    """The first row of each voice in `transitions.flatten(0, 2)`, `[tracks, 1, voices]`."""
    tracks, voices, places, _ = transitions.shape
    return (torch.arange(tracks * voices, device=transitions.device) * places).view(tracks, 1, voices)


def one_step_earlier(playing: Tensor, rest: int) -> Tensor:
    """What each voice played one step earlier; rest before the first."""
    return torch.cat([torch.full_like(playing[:, :1], rest), playing[:, :-1]], dim=1)


def next_openings(opens: Tensor) -> Tensor:
    """The step at which each voice's gate opens next, or the end."""
    time = opens.shape[1]
    steps = torch.arange(time, device=opens.device).view(-1, 1, 1)
    onwards = torch.where(opens, steps, time).flip(1).cummin(1).values.flip(1)
    return torch.cat([onwards[:, 1:], torch.full_like(onwards[:, :1], time)], dim=1)


def other_voices(pitches: Tensor) -> Tensor:
    """What all other voices play, `[..., voices, voices - 1]`."""
    return torch.stack([pitches.roll(-shift, -1) for shift in range(1, pitches.shape[-1])], dim=-1)


class VoicesToStreams(torch.autograd.Function):
    """Streams `[batch, time, tracks, 2, pitch_range]` of voices that have been decoded.

    Inputs that get a gradient: `rows` `[tracks, time * batch, width]`, `weight` `[tracks, width, voices *
    (pitch_range + 1)]` and `bias` of the projection that made the scores; the gates' logits, noise included;
    `transitions`. Then what `decode_voices` took and returned, and `forced`: where a gate was open whatever its logit.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor,
        gate: Tensor,
        transitions: Tensor,
        scores: Tensor,
        opens: Tensor,
        forced: Tensor,
        choices: Tensor,
        playing: Tensor,
        origins: Tensor,
        temperature: float,
    ) -> Tensor:
        """Write ones wherever a voice plays."""
        ctx.save_for_backward(rows, weight, gate, transitions, scores, opens, forced, choices, playing, origins)
        ctx.temperature = temperature
        return voices_to_streams(opens, choices, playing, scores.shape[-1] - 1, scores.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `rows`, `weight`, `bias`, `gate` and `transitions`.

        That a choice also decides on the transition to the next one is left out: it would need the steps in turn once
        more.
        """
        rows, weight, gate, transitions, scores, opens, forced, choices, playing, origins = ctx.saved_tensors
        tracks, time, batch, voices = opens.shape
        places, width = scores.shape[-1], rows.shape[-1]  # pitches of the pitch range, and rest
        sounding, onset = gradients[0].permute(3, 2, 1, 0, 4)  # [tracks, time, batch, pitch_range] each

        # What comes of playing a pitch from a step on: sums over time, of which two make a note.
        sums = scores.new_empty(tracks, time + 1, batch, voices, places)
        sums[:, 0] = 0.0
        sums[..., -1] = 0.0  # rest changes nothing by itself
        sums[:, 1:, ..., :-1] = sounding.unsqueeze(3)
        onsets = scores.new_zeros(tracks, time, batch, places)
        onsets[..., :-1] = onset
        taken = torch.where(opens, choices, places - 1)
        if voices > 1:
            sums[:, 1:].scatter_(-1, other_voices(playing), 0.0)
        for step in range(time):  # faster than cumsum over a dimension that is not the last
            sums[:, step + 1] += sums[:, step]

        def flat(step: Tensor) -> Tensor:
            """Rows of `sums` for each voice, at these steps."""
            track = torch.arange(tracks, device=step.device).view(-1, 1, 1, 1)
            phrase = torch.arange(batch, device=step.device).view(-1, 1)
            voice = torch.arange(voices, device=step.device)
            place: Tensor = ((track * (time + 1) + step) * batch + phrase) * voices + voice
            return place

        start = flat(torch.arange(time, device=opens.device).view(-1, 1, 1))  # [tracks, time, batch, voices]
        end = flat(next_openings(opens))
        moments = torch.arange(tracks * time * batch, device=opens.device).view(tracks, time, batch, 1)

        # Gates, open or not: the note that would begin, against the one that would go on.
        pick = sums.view(-1)
        alone = (other_voices(taken) != choices.unsqueeze(-1)).all(-1) if voices > 1 else torch.ones_like(opens)
        gain = onsets.view(-1)[moments * places + choices] * alone
        gain += pick[end * places + choices] - pick[start * places + choices]
        kept = one_step_earlier(playing, places - 1)
        gain -= pick[end * places + kept] - pick[start * places + kept]
        soft_gate = torch.sigmoid(gate / ctx.temperature)
        gate_gradient = (gain * soft_gate * (1 - soft_gate) / ctx.temperature).masked_fill(forced, 0.0)

        # Choices that were taken, voice by voice.
        by_voice = (0, 3, 1, 2)  # [tracks, voices, time, batch]
        chosen = opens.permute(by_voice).reshape(-1).nonzero().squeeze(1)
        counts = opens.sum((1, 2)).view(-1).tolist()

        def of_chosen(values: Tensor) -> Tensor:
            """Of each choice that was taken."""
            return values.expand_as(opens).permute(by_voice).reshape(-1).index_select(0, chosen)

        moment = of_chosen(moments)
        voice = of_chosen(torch.arange(voices, device=opens.device))
        value = sums.view(-1, places).index_select(0, of_chosen(end))
        value -= sums.view(-1, places).index_select(0, of_chosen(start))
        onset_value = onsets.view(-1, places).index_select(0, moment)
        if voices > 1:
            onset_value.scatter_(-1, other_voices(taken).flatten(0, 3).index_select(0, moment * voices + voice), 0.0)
        value += onset_value
        logits = scores.view(-1, places).index_select(0, moment * voices + voice)
        transition = of_chosen(first_rows(transitions).unsqueeze(1) + origins)
        logits += transitions.flatten(0, 2).index_select(0, transition)
        soft = torch.softmax(logits / ctx.temperature, dim=-1)
        logit_gradient = soft * (value - (soft * value).sum(-1, keepdim=True)) / ctx.temperature

        # Through the projection, whose rows are mostly left out.
        weights = weight.view(tracks, width, voices, places)
        weight_gradient = torch.empty_like(weights)
        bias_gradient = scores.new_empty(tracks, 1, voices, places)
        row_gradients = scores.new_empty(len(logit_gradient), width)
        flat_rows = rows.flatten(0, 1)
        begin = 0
        for number, count in enumerate(counts):
            track, own = divmod(number, voices)
            span = slice(begin, begin + count)
            weight_gradient[track, :, own] = flat_rows.index_select(0, moment[span]).t() @ logit_gradient[span]
            bias_gradient[track, 0, own] = logit_gradient[span].sum(0)
            torch.mm(logit_gradient[span], weights[track, :, own].t(), out=row_gradients[span])
            begin += count
        rows_gradient = torch.zeros_like(flat_rows).index_add_(0, moment, row_gradients).view_as(rows)
        transitions_gradient = torch.zeros_like(transitions.flatten(0, 2)).index_add_(0, transition, logit_gradient)
        return (
            rows_gradient,
            weight_gradient.view_as(weight),
            bias_gradient.flatten(2),
            gate_gradient,
            transitions_gradient.view_as(transitions),
            *[None] * 7,
        )


def dense_voices_reference(
    scores: Tensor, gate: Tensor, forced: Tensor, transitions: Tensor, temperature: float
) -> Tensor:
    """The same streams by one-hot vectors from step to step, whose straight-through gradients autograd finds.

    Parameters
    ----------
    scores
        `[tracks, time, batch, voices, pitch_range + 1]`.
    gate
        Logits `[tracks, time, batch, voices]`; a gate opens above 0.
    forced
        Bool in the same shape: where it is open whatever its logit.
    transitions
        As in `decode_voices`.
    temperature
        Of the soft decisions.

    Returns
    -------
    Tensor
        `[batch, time, tracks, 2, pitch_range]`.
    """
    soft_gate = torch.sigmoid(gate / temperature)
    opens = ((gate > 0) | forced).to(scores.dtype) + (soft_gate - soft_gate.detach()) * ~forced
    pitch_range = scores.shape[-1] - 1
    last = torch.zeros_like(scores[:, 0])  # one-hot: the last pitch of each voice
    last[..., -1] = 1.0
    now = torch.zeros_like(scores[:, 0, ..., :-1])  # one-hot: what sounds, zeros for rest
    sounding, onset = [], []
    for step in range(scores.shape[1]):
        logits = scores[:, step] + torch.einsum("kbvp,kvpq->kbvq", last, transitions)
        soft = torch.softmax(logits / temperature, -1)
        hard = torch.zeros_like(soft).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
        started = opens[:, step].unsqueeze(-1) * (hard + soft - soft.detach())[..., :pitch_range]
        now = started + (1 - opens[:, step].unsqueeze(-1)) * now
        plays = now.sum(-1, keepdim=True) > 0.5
        last = torch.where(plays, torch.nn.functional.pad(now, [0, 1]), last).detach()
        sounding.append(now)
        onset.append(started)
    voices = torch.stack(
        [torch.stack(sounding, 1), torch.stack(onset, 1)], dim=4
    )  # [tracks, time, batch, voices, 2, p]
    return (1 - (1 - voices).prod(3)).permute(2, 1, 0, 3, 4)
