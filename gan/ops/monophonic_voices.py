"""Lines of notes in whole numbers: what each line plays at each step, and how a gradient gets back through it.

A line is a gate and a choice at each step: where the gate opens, the line takes what it has chosen, a pitch or rest;
where it stays shut, what sounds goes on. All tensors of lines are `[tracks, time, batch, voices]`; pitches count from
the bottom of the pitch_range, and the number `pitch_range` is rest.

The gradient is that of the dense calculation with straight-through choices (Bengio et al., arXiv 1308.3432; Jang et
al., arXiv 1611.01144), in which a note sounds when any voice plays it, so that a voice gets none where another one
plays. A choice that was not taken has no gradient, and most are not: only steps where a gate opens are worked out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def follow(scores: Tensor, opens: Tensor, pulls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What each line chooses at each step, taken or not, what sounds in it, and the pitch that it comes from.

    Parameters
    ----------
    scores
        `[tracks, time, batch, voices, pitch_range + 1]`; the highest is chosen. The last place is rest.
    opens
        Whether the gate is open; it is at the first step.
    pulls
        `[tracks, voices, pitch_range + 1, pitch_range + 1]`, added to the scores by the last pitch of the line, however
        long it has rested since; the last row for a line that has not played yet.

    Returns
    -------
    choices, sounds, comes_from
        Pitches or rest, `[tracks, time, batch, voices]` each.
    """
    tracks, _, batch, voices = opens.shape
    rest = scores.shape[-1] - 1
    table, first = pulls.flatten(0, 2), rows_of_lines(pulls)
    sound = torch.full((tracks, batch, voices), rest, device=scores.device)
    last = sound
    chosen, heard, begun = [], [], []
    for step, gate in enumerate(opens.unbind(1)):
        pull = table.index_select(0, (first + last).view(-1)).view(tracks, batch, voices, -1)
        choice = pull.add_(scores[:, step]).max(-1).indices  # a little faster than argmax
        begun.append(last)
        sound = torch.where(gate, choice, sound)
        last = torch.where(sound == rest, last, sound)
        chosen.append(choice)
        heard.append(sound)
    return torch.stack(chosen, dim=1), torch.stack(heard, dim=1), torch.stack(begun, dim=1)


def follow_open(rows: Tensor, weight: Tensor, bias: Tensor, opens: Tensor, pulls: Tensor) -> tuple[Tensor, Tensor]:
    """What `follow` gives, with scores for those steps alone at which a gate opens: no gradient comes of it.

    Parameters
    ----------
    rows, weight, bias
        Features `[tracks, time * batch, width]` and the projection that makes scores of them, `[tracks, width, voices *
        (pitch_range + 1)]` and `[tracks, 1, voices * (pitch_range + 1)]`.
    opens, pulls
        As in `follow`.

    Returns
    -------
    choices, sounds
        Pitches or rest, `[tracks, time, batch, voices]` each; a choice is rest where no gate opens.
    """
    tracks, time, batch, voices = opens.shape
    places, width = pulls.shape[-1], rows.shape[-1]
    by_line = opens.permute(0, 3, 1, 2)
    chosen = by_line.reshape(-1).nonzero().squeeze(1)  # of [tracks, voices, time, batch]
    line, moment = chosen // (time * batch), chosen % (time * batch)
    scores = rows.new_empty(len(chosen), places)
    by_voice, starts = weight.view(tracks, width, voices, places), bias.view(tracks, voices, places)
    begin = 0
    for number, count in enumerate(by_line.sum((2, 3)).view(-1).tolist()):
        track, voice = divmod(number, voices)
        span = slice(begin, begin + count)
        torch.addmm(
            starts[track, voice],
            rows[track].index_select(0, moment[span]),
            by_voice[track, :, voice],
            out=scores[span],
        )
        begin += count
    order = (moment // batch).argsort(stable=True)
    scores, line, phrase = scores.index_select(0, order), line[order], moment[order] % batch
    counts = opens.sum((0, 2, 3)).tolist()
    slots = (line // voices * batch + phrase) * voices + line % voices  # of [tracks, batch, voices]
    table, bases = pulls.flatten(0, 2), line * places
    sound = torch.full((tracks * batch * voices,), places - 1, device=rows.device)
    last = sound.clone()
    choices = torch.full((time, len(sound)), places - 1, device=rows.device)
    sounds = torch.empty_like(choices)
    begin = 0
    for step, count in enumerate(counts):
        span = slice(begin, begin + count)
        mine, before_it = slots[span], last[slots[span]]
        choice = table.index_select(0, bases[span] + before_it).add_(scores[span]).max(-1).indices
        sound[mine] = choice
        last[mine] = torch.where(choice == places - 1, before_it, choice)
        choices[step, mine], sounds[step] = choice, sound
        begin += count
    shape = (time, tracks, batch, voices)
    return choices.view(shape).transpose(0, 1), sounds.view(shape).transpose(0, 1)


def streams_of(opens: Tensor, choices: Tensor, sounds: Tensor, pitch_range: int, dtype: torch.dtype) -> Tensor:
    """Streams `[batch, time, tracks, 2, pitch_range]` with ones wherever a line plays."""
    tracks, time, batch, _ = opens.shape
    streams = torch.zeros(batch, time, tracks, 2, pitch_range, dtype=dtype, device=opens.device)
    place = torch.arange(batch * time * tracks, device=opens.device).view(batch, time, tracks)
    place = place.permute(2, 1, 0).unsqueeze(3) * (2 * pitch_range)
    heard, struck = sounds < pitch_range, opens & (choices < pitch_range)
    ones = torch.cat([(place + sounds)[heard], (place + pitch_range + choices)[struck]])
    streams.view(-1).index_fill_(0, ones, 1.0)
    return streams


def rows_of_lines(pulls: Tensor) -> Tensor:
    """The first row of each line in `pulls.flatten(0, 2)`, `[tracks, 1, voices]`."""
    tracks, voices, places, _ = pulls.shape
    return (torch.arange(tracks * voices, device=pulls.device) * places).view(tracks, 1, voices)


def before(sounds: Tensor, rest: int) -> Tensor:
    """What sounded in each line one step earlier; rest before the first."""
    return torch.cat([torch.full_like(sounds[:, :1], rest), sounds[:, :-1]], dim=1)


def ends(opens: Tensor) -> Tensor:
    """The step at which each line's gate opens next, or the end."""
    time = opens.shape[1]
    steps = torch.arange(time, device=opens.device).view(-1, 1, 1)
    onwards = torch.where(opens, steps, time).flip(1).cummin(1).values.flip(1)
    return torch.cat([onwards[:, 1:], torch.full_like(onwards[:, :1], time)], dim=1)


def others(pitches: Tensor) -> Tensor:
    """What all other voices play, `[..., voices, voices - 1]`."""
    return torch.stack([pitches.roll(-shift, -1) for shift in range(1, pitches.shape[-1])], dim=-1)


class Play(torch.autograd.Function):
    """Streams `[batch, time, tracks, 2, pitch_range]` of lines that have been followed.

    Inputs that get a gradient: `rows` `[tracks, time * batch, width]`, `weight` `[tracks, width, voices *
    (pitch_range + 1)]` and `bias` of the projection that made the scores; the gates' logits, noise included; `pulls`.
    Then what `follow` took and returned, and `forced`: where a gate was open whatever its logit.
    """

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor,
        gate: Tensor,
        pulls: Tensor,
        scores: Tensor,
        opens: Tensor,
        forced: Tensor,
        choices: Tensor,
        sounds: Tensor,
        comes_from: Tensor,
        temperature: float,
    ) -> Tensor:
        """Write ones wherever a line plays."""
        ctx.save_for_backward(rows, weight, gate, pulls, scores, opens, forced, choices, sounds, comes_from)
        ctx.temperature = temperature
        return streams_of(opens, choices, sounds, scores.shape[-1] - 1, scores.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `rows`, `weight`, `bias`, `gate` and `pulls`.

        That a choice also decides what pulls at the next one is left out: it would need the steps in turn once more.
        """
        rows, weight, gate, pulls, scores, opens, forced, choices, sounds, comes_from = ctx.saved_tensors
        tracks, time, batch, voices = opens.shape
        places, width = scores.shape[-1], rows.shape[-1]  # pitches of the pitch_range, and rest
        sounding, struck = gradients[0].permute(3, 2, 1, 0, 4)  # [tracks, time, batch, pitch_range] each

        # What comes of playing a pitch from a step on: sums over time, of which two make a note.
        sums = scores.new_empty(tracks, time + 1, batch, voices, places)
        sums[:, 0] = 0.0
        sums[..., -1] = 0.0  # rest changes nothing by itself
        sums[:, 1:, ..., :-1] = sounding.unsqueeze(3)
        strikes = scores.new_zeros(tracks, time, batch, places)
        strikes[..., :-1] = struck
        taken = torch.where(opens, choices, places - 1)
        if voices > 1:
            sums[:, 1:].scatter_(-1, others(sounds), 0.0)
        for step in range(time):  # faster than cumsum over a dimension that is not the last
            sums[:, step + 1] += sums[:, step]

        def flat(step: Tensor) -> Tensor:
            """Rows of `sums` for each line, at these steps."""
            track = torch.arange(tracks, device=step.device).view(-1, 1, 1, 1)
            phrase = torch.arange(batch, device=step.device).view(-1, 1)
            voice = torch.arange(voices, device=step.device)
            place: Tensor = ((track * (time + 1) + step) * batch + phrase) * voices + voice
            return place

        start = flat(torch.arange(time, device=opens.device).view(-1, 1, 1))  # [tracks, time, batch, voices]
        end = flat(ends(opens))
        moments = torch.arange(tracks * time * batch, device=opens.device).view(tracks, time, batch, 1)

        # Gates, open or not: the note that would begin, against the one that would go on.
        pick = sums.view(-1)
        alone = (others(taken) != choices.unsqueeze(-1)).all(-1) if voices > 1 else torch.ones_like(opens)
        gain = strikes.view(-1)[moments * places + choices] * alone
        gain += pick[end * places + choices] - pick[start * places + choices]
        kept = before(sounds, places - 1)
        gain -= pick[end * places + kept] - pick[start * places + kept]
        soft_gate = torch.sigmoid(gate / ctx.temperature)
        gate_gradient = (gain * soft_gate * (1 - soft_gate) / ctx.temperature).masked_fill(forced, 0.0)

        # Choices that were taken, line by line.
        lines = (0, 3, 1, 2)  # [tracks, voices, time, batch]
        chosen = opens.permute(lines).reshape(-1).nonzero().squeeze(1)
        counts = opens.sum((1, 2)).view(-1).tolist()

        def rows_of(values: Tensor) -> Tensor:
            """Of each choice that was taken."""
            return values.expand_as(opens).permute(lines).reshape(-1).index_select(0, chosen)

        moment = rows_of(moments)
        voice = rows_of(torch.arange(voices, device=opens.device))
        value = sums.view(-1, places).index_select(0, rows_of(end))
        value -= sums.view(-1, places).index_select(0, rows_of(start))
        onset = strikes.view(-1, places).index_select(0, moment)
        if voices > 1:
            onset.scatter_(-1, others(taken).flatten(0, 3).index_select(0, moment * voices + voice), 0.0)
        value += onset
        leaning = scores.view(-1, places).index_select(0, moment * voices + voice)
        pulling = rows_of(rows_of_lines(pulls).unsqueeze(1) + comes_from)
        leaning += pulls.flatten(0, 2).index_select(0, pulling)
        soft = torch.softmax(leaning / ctx.temperature, dim=-1)
        slope = soft * (value - (soft * value).sum(-1, keepdim=True)) / ctx.temperature

        # Through the projection, whose rows are mostly left out.
        by_voice = weight.view(tracks, width, voices, places)
        weight_gradient = torch.empty_like(by_voice)
        bias_gradient = scores.new_empty(tracks, 1, voices, places)
        back = scores.new_empty(len(slope), width)
        flat_rows = rows.flatten(0, 1)
        begin = 0
        for line, count in enumerate(counts):
            track, number = divmod(line, voices)
            span = slice(begin, begin + count)
            weight_gradient[track, :, number] = flat_rows.index_select(0, moment[span]).t() @ slope[span]
            bias_gradient[track, 0, number] = slope[span].sum(0)
            torch.mm(slope[span], by_voice[track, :, number].t(), out=back[span])
            begin += count
        rows_gradient = torch.zeros_like(flat_rows).index_add_(0, moment, back).view_as(rows)
        pulls_gradient = torch.zeros_like(pulls.flatten(0, 2)).index_add_(0, pulling, slope)
        return (
            rows_gradient,
            weight_gradient.view_as(weight),
            bias_gradient.flatten(2),
            gate_gradient,
            pulls_gradient.view_as(pulls),
            *[None] * 7,
        )
