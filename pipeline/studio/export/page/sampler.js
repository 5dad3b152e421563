/** Music around what is there: the browser's counterpart of `pipeline/songs/inpaint/window_inpainting.py`. */

import { ATTRIBUTES, Grid, Layout, SILENT, attributesOf } from "./attributes.js";
import { transposeChords } from "./chords.js";
import { Random } from "./random.js";

const NEAREST = 4;
const MAY_REST = 0.25;
const OTHER_LABEL = 25;

/** Bars `[first, end]` of the next window of at most `bars`, or null where every bar of `open` is made. */
export function nextWindow(open, bars) {
  const first = open.indexOf(true);
  if (first < 0) { return null; }
  const after = open.indexOf(false, first), count = (after < 0 ? open.length : after) - first;
  const before = count >= bars ? Math.floor(bars / 2) : Math.floor((bars - count + 1) / 2);
  const start = Math.max(0, Math.min(first - before, open.length - bars));
  return [start, Math.min(start + bars, open.length)];
}

/** Latents of `count` phrases, with names as the sampler has them. */
export function drawLatents(random, count, model) {
  const { tracks, latent_size: size } = model;
  const sizes = { z: size, z_time: size, z_track: tracks.length * size, z_track_time: tracks.length * size };
  return Object.fromEntries(Object.entries(sizes).map(([name, width]) => [name, random.normals(count * width)]));
}

/** Makes what is missing of songs; `networks` have `sample(inputs, count)` and `score(streams, mask, count)`. */
export class Sampler {
  /** `model` is model.json, `examples` a Float32Array of rows of conditions. */
  constructor(model, examples, networks) {
    this.model = model;
    this.layout = new Layout(model);
    this.examples = examples;
    this.rows = examples.length / this.layout.size;
    this.networks = networks;
    this.bounds();
  }

  /** The range of each condition in the data. */
  bounds() {
    const { size } = this.layout;
    this.least = new Float32Array(size).fill(Infinity);
    this.most = new Float32Array(size).fill(-Infinity);
    this.examples.forEach((value, index) => {
      const place = index % size;
      if (value < this.least[place]) { this.least[place] = value; }
      if (value > this.most[place]) { this.most[place] = value; }
    });
  }

  /**
   * Notes of the free cells.
   *
   * @param song `{bars, tracks: [{notes: [[step, length, pitch, velocity]]}], chords}`; chords are rows of half bars,
   *   null where they are open
   * @param free `(track, bar)` is to be made
   * @param request `{seed, candidates, shift, key, tempo, style, density, temperature, condition_strength,
   *   chord_strength}`; `shift` moves the song to the key of the data, `density` is notes a bar of each track or null
   * @param progress called with the share that is done
   * @returns `{notes, chords}`: notes `[step, length, pitch]` of each track, and rows of chords that the first window was
   *   made for; where nothing stays and no chords are asked for, they are those of a phrase of the data
   */
  async make(song, free, request, progress = () => {}) {
    const { model } = this, tracks = model.tracks.length, bars = Math.max(song.bars, model.bars);
    const open = Array.from({ length: tracks }, (_, track) =>
      Array.from({ length: bars }, (_, bar) => bar >= song.bars || free(track, bar)));
    const kept = open.map((row) => row.map((one, bar) => !one && bar < song.bars));
    const grid = new Grid(model, bars);
    song.tracks.forEach((track, index) => grid.add(index, keptNotes(track.notes, kept[index], model.steps_per_bar), request.shift));
    const random = new Random(request.seed);
    const asked = this.asked(request), measured = attributesOf(grid, (track, bar) => kept[track][bar]);
    const chords = song.chords && transposeChords(song.chords, request.shift);
    const windows = open.flat().filter(Boolean).length;
    const isFresh = !kept.flat().some(Boolean);
    let latents = null, window;
    while ((window = nextWindow(open[0].map((_, bar) => open.some((row) => row[bar])), model.bars))) {
      const fresh = drawLatents(random, request.candidates, model);
      if (latents) { Object.assign(fresh, { z: latents.z, z_track: latents.z_track }); }
      const conditions = latents ? latents.conditions.slice() : this.conditions(asked, measured, request.candidates, random, isFresh);
      if (chords) { this.setChords(conditions, chords, window[0], request.candidates); }
      const best = await this.window(grid, open, window, { ...fresh, conditions }, request);
      latents ??= repeated(best, request.candidates);
      open.forEach((row) => row.fill(false, ...window));
      progress(1 - open.flat().filter(Boolean).length / windows);
    }
    const first = this.chordsOf(latents.conditions);
    return { notes: this.notesOf(grid, kept, song.bars, request.shift), chords: transposeChords(first, -request.shift) };
  }

  /** A request as a row of conditions within the range of the data; NaN where nothing is asked for. */
  asked(request) {
    const { layout } = this, row = new Float32Array(layout.size).fill(NaN);
    request.density?.forEach((notes, track) => { row[track] = notes ?? NaN; });
    row[layout.key] = request.key ?? NaN;
    row[layout.tempo] = request.tempo ?? NaN;
    row[layout.style] = request.style ?? NaN;
    return this.learnable(row);
  }

  learnable(row) {
    const { layout } = this, { key, style } = layout;
    const known = row.map((value, place) => (this.least[place] <= this.most[place]
      ? Math.min(Math.max(value, this.least[place]), this.most[place]) : NaN));
    for (const place of [key, style]) {
      let seen = false;
      for (let index = place; index < this.examples.length && !seen; index += layout.size) { seen = this.examples[index] === row[place]; }
      if (!seen) { known[place] = NaN; }
    }
    return known;
  }

  /** Conditions of candidates: what is asked for, else that of the kept notes, else of phrases of the data like them. */
  conditions(asked, measured, count, random, isFresh) {
    const { layout } = this, { size } = layout, attributes = ATTRIBUTES * layout.tracks;
    const known = this.learnable(asked.map((value, place) => (Number.isNaN(value) ? measured[place] : value)));
    const unlike = Float64Array.from({ length: this.rows }, (_, row) => {
      let sum = 0;
      for (let place = 0; place < attributes; place++) {
        const example = this.examples[row * size + place];
        const off = Math.abs(Math.log1p(example) - Math.log1p(known[place]));
        if (!Number.isNaN(off)) { sum += off; }
        if (place < layout.tracks && example < SILENT && Number.isNaN(known[place])) { sum += 1; }
      }
      for (const label of isFresh ? [layout.key, layout.style] : []) {
        if (!Number.isNaN(known[label]) && this.examples[row * size + label] !== known[label]) { sum += OTHER_LABEL; }
      }
      return sum;
    });
    const order = Array.from(unlike.keys()).sort((a, b) => unlike[a] - unlike[b] || a - b);
    const nearest = order.slice(0, NEAREST * count), conditions = new Float32Array(count * size);
    for (let index = 0; index < count; index++) {
      const row = nearest[random.below(nearest.length)];
      for (let place = 0; place < size; place++) {
        const staysOpen = !isFresh && place >= layout.chroma && place < layout.key; // harmony of another song fits no given note
        const value = Number.isNaN(known[place]) && !staysOpen ? this.examples[row * size + place] : known[place];
        conditions[index * size + place] = value;
      }
      for (let track = 0; track < layout.tracks; track++) {
        if (!(conditions[index * size + track] < SILENT)) { continue; }
        for (let kind = 1; kind < ATTRIBUTES; kind++) { conditions[index * size + kind * layout.tracks + track] = NaN; }
      }
    }
    return conditions;
  }

  /** Rows of chords in the first row of conditions; -1 where they are open. */
  chordsOf(conditions) {
    const { chords, halfBars } = this.layout;
    return Array.from({ length: halfBars }, (_, half) =>
      Array.from({ length: 3 }, (_, part) => (Number.isNaN(conditions[chords + 3 * half]) ? -1 : conditions[chords + 3 * half + part])));
  }

  /** Requests the chords of a window; where there are any the chroma is open. */
  setChords(conditions, chords, firstBar, count) {
    const { layout, model } = this;
    for (let half = 0; half < layout.halfBars; half++) {
      const row = chords[2 * firstBar + half] ?? [-1, -1, -1], isKnown = row[1] >= 0;
      for (let index = 0; index < count; index++) {
        const place = index * layout.size + layout.chords + 3 * half;
        row.forEach((value, part) => { conditions[place + part] = isKnown && model.knows_chords ? value : NaN; });
        if (isKnown) { conditions.fill(NaN, index * layout.size + layout.chroma, index * layout.size + layout.chords); }
      }
    }
  }

  /** Fills the open cells of a window with the best of the candidates; returns its latents. */
  async window(grid, open, [first, end], latents, request) {
    const { model, layout } = this, spb = model.steps_per_bar, count = request.candidates, length = (end - first) * spb;
    const part = new Grid(model), mask = new Float32Array(layout.tracks * model.bars);
    part.values.set(grid.values.subarray(first * spb * grid.size, end * spb * grid.size));
    for (let track = 0; track < layout.tracks; track++) {
      for (let pitch = 0; pitch < model.pitch_range; pitch++) { // what is held into the window begins with it
        if (part.has(0, track, 0, pitch)) { part.values[part.at(0, track, 1, pitch)] = 1; }
      }
      for (let bar = 0; bar < model.bars; bar++) { mask[track * model.bars + bar] = open[track][first + bar] ? 0 : 1; }
    }
    const isWhole = (track) => mask.subarray(track * model.bars, (track + 1) * model.bars).every(Boolean);
    const given = attributesOf(part, (track) => isWhole(track));
    latents.conditions.forEach((_, index) => {
      const value = given[index % layout.size];
      if (!Number.isNaN(value)) { latents.conditions[index] = value; }
    });
    const streams = tiled(part.values, count), masks = tiled(mask, count);
    const factors = {
      temperature: new Float32Array(layout.tracks).fill(request.temperature),
      condition_strength: request.condition_strength, chord_strength: request.chord_strength,
    };
    const phrases = await this.networks.sample({ ...latents, streams, mask: masks, ...factors }, count);
    const ratings = await this.networks.score(phrases, masks, count);
    const silences = this.silences(phrases, mask, latents.conditions, count);
    const fewest = Math.min(...silences);
    let best = silences.indexOf(fewest);
    ratings.forEach((rating, index) => { if (silences[index] === fewest && rating > ratings[best]) { best = index; } });
    const size = part.values.length;
    grid.values.set(phrases.subarray(best * size, best * size + length * grid.size), first * spb * grid.size);
    return only(latents, best, count);
  }

  /** How many tracks are silent wherever they are to be made, although the data's seldom are. */
  silences(phrases, mask, conditions, count) {
    const { model, layout } = this, size = phrases.length / count, part = new Grid(model);
    return Array.from({ length: count }, (_, index) => {
      part.values = phrases.subarray(index * size, (index + 1) * size);
      return model.tracks.filter((_, track) => {
        if (conditions[index * layout.size + track] < SILENT || !(model.empty_bars[track] < MAY_REST)) { return false; }
        const own = mask.subarray(track * model.bars, (track + 1) * model.bars);
        if (own.every(Boolean)) { return false; }
        for (let step = 0; step < part.steps; step++) {
          if (own[Math.floor(step / model.steps_per_bar)]) { continue; }
          for (let pitch = 0; pitch < model.pitch_range; pitch++) { if (part.has(step, track, 0, pitch)) { return false; } }
        }
        return true;
      }).length;
    });
  }

  /** Notes `[step, length, pitch]` of the cells that were made, at the song's own pitch. */
  notesOf(grid, kept, bars, shift) {
    const { model } = this, spb = model.steps_per_bar;
    return model.tracks.map((kind, track) => {
      const notes = [], low = model.lowest_pitch + model.lowest_pitches[track] - (kind.is_drum ? 0 : shift);
      const isMade = (step) => step >= 0 && step < bars * spb && !kept[track][Math.floor(step / spb)];
      for (let pitch = 0; pitch < model.pitch_range; pitch++) {
        let note = null;
        for (let step = 0; step < bars * spb; step++) {
          if (!isMade(step) || !grid.has(step, track, 0, pitch)) { note = null; continue; }
          if (note && !grid.has(step, track, 1, pitch)) { note[1] += 1; continue; }
          note = [step, 1, inRange(low + pitch, model)];
          notes.push(note);
        }
      }
      return notes.sort((a, b) => a[0] - b[0] || a[2] - b[2]);
    });
  }
}

/** Notes of the cells that stay: cut where a cell begins that does not, begun where one ends. */
export function keptNotes(notes, kept, stepsPerBar) {
  const found = [];
  for (const [step, length, ...rest] of notes) {
    let begun = null;
    for (let now = step; now <= step + length; now++) {
      const stays = now < step + length && kept[Math.floor(now / stepsPerBar)];
      if (stays && begun === null) { begun = now; }
      if (!stays && begun !== null) { found.push([begun, now - begun, ...rest]); begun = null; }
    }
  }
  return found;
}

function inRange(pitch, model) {
  const high = model.lowest_pitch + model.num_pitches - 1;
  return pitch > high ? pitch - 12 : pitch < model.lowest_pitch ? pitch + 12 : pitch;
}

function tiled(values, count) {
  const found = new Float32Array(values.length * count);
  for (let index = 0; index < count; index++) { found.set(values, index * values.length); }
  return found;
}

function only(latents, index, count) {
  return Object.fromEntries(Object.entries(latents).map(([name, values]) => {
    const size = values.length / count;
    return [name, values.slice(index * size, (index + 1) * size)];
  }));
}

function repeated(latents, count) {
  return Object.fromEntries(Object.entries(latents).map(([name, values]) => [name, tiled(values, count)]));
}
