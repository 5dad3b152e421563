/** Notes of cells as the networks take them: streams, masks, and how each track plays (`gan/conditions.py`). */

export const ATTRIBUTES = 4;
export const SILENT = 0.05;

/** Where in a row of conditions everything is, as `ConditionLayout` has it. */
export class Layout {
  constructor(model) {
    this.tracks = model.tracks.length;
    this.steps = model.steps_per_bar;
    this.halfBars = 2 * model.bars;
    this.rhythm = ATTRIBUTES * this.tracks;
    this.chroma = this.rhythm + this.steps;
    this.chords = this.chroma + 12;
    this.key = this.chords + 3 * this.halfBars;
    this.tempo = this.key + 1;
    this.style = this.key + 2;
    this.size = this.key + 3;
  }
}

/** A window of a song in the key of the data: what sounds and begins at each step, in each track's own pitch range. */
export class Grid {
  constructor(model, bars = model.bars) {
    this.model = model;
    this.steps = bars * model.steps_per_bar;
    this.size = model.tracks.length * 2 * model.pitch_range;
    this.values = new Float32Array(this.steps * this.size);
  }

  /** Place of a cell: plane 0 sounds, plane 1 begins. */
  at(step, track, plane, pitch) {
    return step * this.size + (track * 2 + plane) * this.model.pitch_range + pitch;
  }

  has(step, track, plane, pitch) {
    return this.values[this.at(step, track, plane, pitch)] > 0.5;
  }

  /** Takes in notes `[step, length, pitch]` of a track, counted from the first step of the window. */
  add(track, notes, shift) {
    const { model } = this, isDrum = model.tracks[track].is_drum;
    for (const [step, length, pitch] of notes) {
      const row = rowOf(model, track, pitch, isDrum ? 0 : shift);
      if (row === null || step >= this.steps || step + length <= 0) { continue; }
      const first = Math.max(step, 0), end = Math.min(isDrum ? step + 1 : step + length, this.steps);
      if (first >= end) { continue; }
      for (let now = first; now < end; now++) { this.values[this.at(now, track, 0, row)] = 1; }
      this.values[this.at(first, track, 1, row)] = 1;
    }
  }
}

/** The row of a pitch in its track's range, moved there by octaves; null for a drum outside it. */
function rowOf(model, track, pitch, shift) {
  const low = model.lowest_pitch + model.lowest_pitches[track];
  let row = pitch + shift - low;
  if (row >= 0 && row < model.pitch_range) { return row; }
  if (model.tracks[track].is_drum) { return null; }
  row = row < 0 ? row + 12 * Math.ceil(-row / 12) : row - 12 * Math.ceil((row - model.pitch_range + 1) / 12);
  return row >= 0 && row < model.pitch_range ? row : null;
}

/**
 * How each track plays in the cells that `shown(track, bar)` tells, and the rhythm of it all.
 *
 * NaN stands for what can't be seen: other tracks may use more pitch classes than these, so the chroma is open.
 */
export function attributesOf(grid, shown) {
  const { model } = grid, layout = new Layout(model), spb = model.steps_per_bar, bars = grid.steps / spb;
  const conditions = new Float32Array(layout.size).fill(NaN), rhythm = new Float64Array(spb);
  for (let track = 0; track < layout.tracks; track++) {
    const seen = [];
    for (let bar = 0; bar < bars; bar++) { if (shown(track, bar)) { seen.push(bar); } }
    if (!seen.length) { continue; }
    const counts = countTrack(grid, track, seen, rhythm);
    const { notes, cells, steps, short } = counts;
    [notes / seen.length, cells / notes / model.steps_per_beat, cells / steps, short / notes].forEach((value, kind) => {
      conditions[kind * layout.tracks + track] = value;
    });
  }
  const all = rhythm.reduce((a, b) => a + b, 0);
  rhythm.forEach((count, step) => { conditions[layout.rhythm + step] = count / all; });
  return conditions;
}

function countTrack(grid, track, bars, rhythm) {
  const { model } = grid, spb = model.steps_per_bar, seen = new Set(bars);
  let notes = 0, cells = 0, steps = 0, short = 0;
  for (const bar of bars) {
    for (let step = bar * spb; step < (bar + 1) * spb; step++) {
      let voices = 0;
      for (let pitch = 0; pitch < model.pitch_range; pitch++) {
        if (!grid.has(step, track, 0, pitch)) { continue; }
        voices += 1;
        if (!grid.has(step, track, 1, pitch)) { continue; }
        notes += 1;
        rhythm[step % spb] += 1;
        const next = step + 1, goesOn = next < grid.steps && seen.has(Math.floor(next / spb))
          && grid.has(next, track, 0, pitch) && !grid.has(next, track, 1, pitch);
        short += goesOn ? 0 : 1;
      }
      cells += voices;
      steps += voices ? 1 : 0;
    }
  }
  return { notes, cells, steps, short };
}
