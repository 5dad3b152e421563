/** A track of the score: its name, sound and volume beside its piano roll, and the pencil that draws in it. */

import { byId, element } from "./dom.js";
import { Roll, pitchName } from "./roll.js";
import { between } from "./selection.js";

/** One row of the score. */
export class TrackRow {
  constructor(studio, score, index) {
    Object.assign(this, { studio, score, index });
    const track = studio.song.tracks[index], colour = score.colours.tracks[index % 8];
    const { lowest_pitch: lowest, num_pitches: pitches } = studio.model;
    this.roll = new Roll(track, colour, [lowest, lowest + pitches - 1]);
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.lane = element("div", { class: "lane notes" }, this.canvas);
    this.fold = element("button", { type: "button", class: "fold", "aria-expanded": "false", "aria-label": `Unfold ${track.name}`, click: () => score.toggleFold(index) });
    this.name = element("button", { type: "button", class: "name", "aria-pressed": "false", "aria-label": `Select ${track.name}`, click: (event) => this.choose(event) }, element("i", { class: "swatch" }), track.name);
    this.name.firstChild.style.background = colour;
    this.mute = element("button", { type: "button", class: "tiny", "aria-pressed": "false", "aria-label": `Mute ${track.name}`, text: "M", click: () => studio.toggleMix(index, "muted") });
    this.solo = element("button", { type: "button", class: "tiny", "aria-pressed": "false", "aria-label": `Solo ${track.name}`, text: "S", click: () => studio.toggleMix(index, "solo") });
    this.volume = element("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": `Volume of ${track.name}`, input: () => this.turn(), change: () => this.keepVolume() });
    this.sound = element("select", { "aria-label": `Instrument of ${track.name}`, change: () => studio.edit({ kind: "instrument", track: track.name, program: Number(this.sound.value) }, this.sound) });
    for (const one of track.is_drum ? studio.kits : studio.instruments) {
      this.sound.append(element("option", { value: one.program, text: one.name }));
    }
    this.sound.hidden = !studio.composes(track.name);
    const head = element("div", { class: "head" }, element("div", { class: "head-top" }, this.fold, this.name, this.mute, this.solo), element("div", { class: "head-low" }, this.volume, this.sound));
    this.row = element("div", { class: "row track", role: "group", "aria-label": track.name }, head, this.lane);
    this.pen = new Pencil(this);
    this.update(track);
  }

  update(track) {
    this.track = track;
    this.roll.setTrack(this.studio.composes(track.name) ? track : { ...track, notes: this.stretches(track) });
    this.volume.value = track.volume;
    this.sound.value = String(track.program);
    if (this.sound.selectedIndex < 0) { this.sound.append(element("option", { value: track.program, text: track.instrument, selected: true })); }
    this.showMix();
  }

  /** Where a record plays, as long notes: its loops have none. */
  stretches(track) {
    const { chunk_bars: bars, steps_per_bar: steps } = this.studio.song;
    return track.chunks.flatMap((hash, window) => (hash ? [[window * bars * steps, bars * steps, 60, 60]] : []));
  }

  showMix() {
    const state = this.studio.mix[this.track.name] ?? {};
    this.mute.setAttribute("aria-pressed", String(Boolean(state.muted)));
    this.solo.setAttribute("aria-pressed", String(Boolean(state.solo)));
    const solos = Object.values(this.studio.mix).some((one) => one.solo);
    this.silent = solos ? !state.solo : Boolean(state.muted);
  }

  turn() {
    (this.studio.mix[this.track.name] ??= {}).volume = Number(this.volume.value);
    this.studio.setMix();
  }

  keepVolume() {
    this.studio.edit({ kind: "volume", track: this.track.name, volume: Number(this.volume.value) }, this.volume);
  }

  /** The name selects its track; with ctrl or on touch screens it adds or takes away. */
  choose(event) {
    const { selection } = this.studio, adds = event.ctrlKey || event.metaKey || event.shiftKey || matchMedia("(pointer: coarse)").matches;
    if (adds) { selection.toggleTrack(this.index); } else { selection.setTracks([this.index]); }
    selection.cursor.track = selection.tracks.has(this.index) ? this.index : selection.cursor.track;
    this.studio.select(true);
  }

  setExpanded(expanded) {
    this.roll.setExpanded(expanded);
    this.fold.setAttribute("aria-expanded", String(expanded));
    this.fold.setAttribute("aria-label", `${expanded ? "Fold" : "Unfold"} ${this.track.name}`);
    this.lane.classList.toggle("unfolded", expanded);
  }

  draw(view, marks) {
    const { selection } = this.studio;
    this.roll.draw(this.canvas, view, {
      ...marks,
      muted: this.silent,
      selection: selection.tracks.has(this.index) ? [selection.first, selection.end] : null,
      preview: this.preview(),
      draft: this.pen.draft,
    });
    this.name.setAttribute("aria-pressed", String(selection.tracks.has(this.index)));
  }

  preview() {
    const { studio } = this, version = studio.versions[studio.heard];
    const part = version?.tracks.find((one) => one.name === this.track.name);
    return part ? { first: studio.asked.first, end: studio.asked.end, notes: part.notes } : null;
  }
}

/** Draws and erases notes of an unfolded track: a click adds or erases, a drag sets the length. */
class Pencil {
  constructor(row) {
    this.row = row;
    this.draft = null;
    this.length = row.roll.isDrum ? 1 : row.studio.model.steps_per_beat;
    this.spot = null;
  }

  get active() {
    return this.row.score.pencil && this.row.roll.expanded;
  }

  /** Where a pointer is, in steps and pitch. */
  at(event) {
    const box = this.row.lane.getBoundingClientRect();
    const step = between(Math.floor((event.clientX - box.left) / this.row.score.scale), 0, this.steps - 1);
    return { step, pitch: this.row.roll.pitchAt(event.clientY - box.top) };
  }

  get steps() {
    return this.row.studio.song.bars * this.row.studio.song.steps_per_bar;
  }

  down(event) {
    const { step, pitch } = this.at(event), note = this.row.roll.noteAt(step, pitch);
    event.preventDefault();
    if (note) { this.erase(note); return; }
    this.dragged = false;
    this.draft = [step, Math.min(this.length, this.steps - step), pitch, Number(byId("velocity").value)];
    this.row.lane.setPointerCapture(event.pointerId);
    this.row.score.draw();
  }

  move(event) {
    if (!this.draft) { return; }
    const { step } = this.at(event);
    if (step !== this.draft[0] || this.dragged) {
      this.dragged = true;
      this.draft[1] = this.row.roll.isDrum ? 1 : Math.max(step - this.draft[0] + 1, 1);
    }
    this.row.score.draw();
  }

  async up() {
    const note = this.draft;
    if (!note) { return; }
    if (this.dragged) { this.length = note[1]; }
    await this.change([note], []);
    this.draft = null;
    this.row.score.draw();
  }

  erase(note) {
    return this.change([], [[note[0], note[2]]]);
  }

  async change(add, remove) {
    const { studio, track } = this.row, name = pitchName((add[0]?.[2] ?? remove[0][1]), track.is_drum);
    const done = await studio.edit({ kind: "notes", track: track.name, add, remove }, this.row.fold);
    if (done) { studio.say(`${name} ${add.length ? "drawn" : "erased"}`); }
  }

  /** The keyboard's pencil: arrows move by step and pitch. */
  arrow(key, shift) {
    const { roll, studio } = this.row, spb = studio.song.steps_per_bar;
    this.spot ??= { step: studio.selection.cursor.bar * spb, pitch: roll.rows[roll.rows.length >> 1] };
    const row = roll.rows.indexOf(this.spot.pitch), by = shift ? spb : 1;
    const step = this.spot.step + (key === "ArrowRight" ? by : key === "ArrowLeft" ? -by : 0);
    const next = row + (key === "ArrowUp" ? 1 : key === "ArrowDown" ? -1 : 0);
    this.spot = { step: between(step, 0, this.steps - 1), pitch: roll.rows[between(next, 0, roll.rows.length - 1)] };
    const bar = Math.floor(this.spot.step / spb), sounding = roll.noteAt(this.spot.step, this.spot.pitch);
    studio.say(`${pitchName(this.spot.pitch, roll.isDrum)}, bar ${bar + 1}, step ${(this.spot.step % spb) + 1}${sounding ? ", a note" : ""}`);
    return this.spot;
  }

  enter() {
    if (!this.spot) { return; }
    const { step, pitch } = this.spot, note = this.row.roll.noteAt(step, pitch);
    if (note) { this.erase(note); return; }
    this.change([[step, Math.min(this.length, this.steps - step), pitch, Number(byId("velocity").value)]], []);
  }
}
