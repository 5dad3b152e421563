/** The score: rolls of all tracks, ruler, sections and chords on one axis of time, and what points at them. */

import { byId, element } from "./dom.js";
import { drawRuler, rollColours } from "./roll.js";
import { between } from "./selection.js";
import { TrackRow } from "./tracks.js";

const SMALLEST_BAR = 4;
const LARGEST_BAR = 640;
const DRAG_PIXELS = 4;
const SMALLEST_ROW = 62;
const LARGEST_ROW = 116;
const STRIPS_PIXELS = 170; // ruler, strips and what stands under the score

export class Score {
  constructor(studio) {
    this.studio = studio;
    this.box = byId("score");
    this.axis = byId("axis");
    this.cursor = byId("cursor");
    this.rows = [];
    this.barWidth = matchMedia("(max-width: 52rem)").matches ? 28 : 44;
    this.follows = true;
    this.pencil = false;
    this.number = null;
    this.sounding = -1;
    this.colours = rollColours();
    this.listen();
  }

  get scale() {
    return this.barWidth / this.studio.song.steps_per_bar;
  }

  listen() {
    const { studio } = this;
    studio.on("song", () => this.showSong());
    studio.on("selection", () => this.showCursor());
    studio.on("versions", () => this.draw());
    studio.on("mix", () => { this.rows.forEach((row) => row.showMix()); this.draw(); });
    studio.on("transport", () => this.frame());
    new ResizeObserver(() => this.layout()).observe(this.box);
    this.box.addEventListener("scroll", () => { this.draw(); this.frame(); });
    this.box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) { return; }
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 0.87, event.clientX - this.box.getBoundingClientRect().left - this.head);
    }, { passive: false });
    byId("zoom-in").addEventListener("click", () => this.zoom(1.25));
    byId("zoom-out").addEventListener("click", () => this.zoom(0.8));
    byId("zoom-fit").addEventListener("click", () => this.zoom(this.width / this.studio.song.bars / this.barWidth));
    byId("follow").addEventListener("click", () => {
      this.follows = !this.follows;
      byId("follow").setAttribute("aria-pressed", String(this.follows));
    });
    byId("pencil").addEventListener("click", () => this.setPencil(!this.pencil));
    byId("all-tracks").addEventListener("click", () => this.allTracks());
    this.listenToPointers(byId("tracks"), (event) => this.trackAt(event.clientY));
    this.listenToPointers(byId("ruler").parentElement, () => null);
    this.cursor.addEventListener("focus", () => this.showCursor());
  }

  showSong() {
    const { song } = this.studio;
    if (this.number !== song.number || this.rows.length !== song.tracks.length) {
      this.number = song.number;
      this.rows = song.tracks.map((_, index) => new TrackRow(this.studio, this, index));
      byId("tracks").replaceChildren(...this.rows.map((row) => row.row));
      this.box.scrollLeft = 0;
    }
    song.tracks.forEach((track, index) => this.rows[index].update(track));
    this.sectionBars = new Set(song.sections.map((section) => section.first_bar));
    this.layout();
  }

  /** Widths of everything for this zoom and window. */
  layout() {
    const { song } = this.studio;
    if (!song) { return; }
    const first = this.axis.querySelector(".ruler .head");
    this.head = getComputedStyle(this.axis.querySelector(".ruler")).flexDirection === "column" ? 0 : first.offsetWidth;
    this.width = this.box.clientWidth - this.head;
    this.axis.style.setProperty("--lane", `${song.bars * this.barWidth}px`);
    this.axis.style.setProperty("--view", `${this.box.clientWidth}px`);
    const room = this.head ? innerHeight - this.box.getBoundingClientRect().top - STRIPS_PIXELS : 0;
    const height = between(Math.floor(room / song.tracks.length) - 1, SMALLEST_ROW, LARGEST_ROW);
    this.rows.forEach((row) => { row.roll.foldedHeight = height; });
    this.placeSections();
    this.placeChords();
    this.studio.tell("layout");
    this.showCursor(false);
    this.frame();
  }

  placeSections() {
    const { song } = this.studio, lane = byId("sections");
    lane.replaceChildren(...song.sections.map((section) => {
      const last = section.first_bar + section.num_bars;
      const button = element("button", {
        type: "button", class: "section", "aria-label": `${section.name}, bars ${section.first_bar + 1} to ${last}`, title: section.name,
        click: () => this.chooseBars(section.first_bar, last),
      }, element("span", { text: section.name }));
      button.dataset.role = section.role;
      button.style.left = `${section.first_bar * this.barWidth}px`;
      button.style.width = `${section.num_bars * this.barWidth - 2}px`;
      return button;
    }));
  }

  placeChords() {
    const { song } = this.studio;
    let free = -Infinity;
    const shown = song.chords.filter(([step, name]) => {
      const x = step * this.scale;
      if (x < free || name === "N.C." || name === "?") { return false; }
      free = x + 8 + 8 * name.length;
      return true;
    });
    byId("chords").replaceChildren(...shown.map(([step, name]) => {
      const text = element("span", { class: "chord", text: name });
      text.style.left = `${step * this.scale}px`;
      return text;
    }));
  }

  get view() {
    const { song, model } = this.studio;
    return {
      scale: this.scale, left: this.box.scrollLeft, width: this.width, bars: song.bars, stepsPerBar: song.steps_per_bar,
      stepsPerBeat: model.steps_per_beat, sections: this.sectionBars, colours: this.colours,
    };
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (!this.studio.song || this.width <= 0) { return; }
      const { view } = this, { selection, looping } = this.studio;
      drawRuler(byId("ruler"), view, { selection: [selection.first, selection.end], loop: looping });
      this.rows.forEach((row) => row.draw(view, { sounding: this.sounding }));
    });
  }

  /** Follows the playhead while it moves. */
  frame() {
    const { player, song } = this.studio;
    cancelAnimationFrame(this.following);
    if (!song || this.head === undefined) { return; }
    const step = player.heardStep, x = step * this.scale;
    byId("playhead").style.transform = `translateX(${this.head + x}px)`;
    byId("playhead").hidden = x < this.box.scrollLeft;
    const sounding = player.playing ? Math.floor(step) : -1;
    if (sounding !== this.sounding) { this.sounding = sounding; this.draw(); }
    if (player.playing) {
      const { scrollLeft } = this.box;
      if (this.follows && (x > scrollLeft + 0.9 * this.width || x < scrollLeft)) { this.box.scrollLeft = x - 0.08 * this.width; }
      this.following = requestAnimationFrame(() => this.frame());
    }
  }

  /** Scales time around a place in view, or around the middle. */
  zoom(factor, around = this.width / 2) {
    const bar = (this.box.scrollLeft + around) / this.barWidth;
    this.barWidth = between(this.barWidth * factor, SMALLEST_BAR, LARGEST_BAR);
    this.layout();
    this.box.scrollLeft = bar * this.barWidth - around;
    this.draw();
  }

  toggleFold(track, expanded = !this.rows[track].roll.expanded) {
    this.rows[track].setExpanded(expanded);
    this.draw();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (expanded) { this.rows[track].row.scrollIntoView({ block: "nearest", inline: "nearest" }); }
      this.showCursor(false);
    }));
  }

  setPencil(on) {
    this.pencil = on;
    byId("pencil").setAttribute("aria-pressed", String(on));
    byId("velocity").parentElement.hidden = !on;
    this.box.classList.toggle("pencilled", on);
    const { track } = this.studio.selection.cursor;
    if (on && !this.rows.some((row) => row.roll.expanded)) { this.toggleFold(track, true); }
    if (on && this.barWidth < 120) { this.zoom(160 / this.barWidth); this.show(this.studio.selection.first); }
    if (on) { this.studio.say(`Pencil: arrows move by step and pitch, Enter draws or erases in ${this.rows[track].track.name}`); }
    this.showCursor(false);
  }

  get pen() {
    const row = this.rows[this.studio.selection.cursor.track];
    return row?.pen.active ? row.pen : null;
  }

  // What points at the score

  trackAt(y) {
    const found = this.rows.findIndex((row) => y < row.row.getBoundingClientRect().bottom);
    return found < 0 ? this.rows.length - 1 : found;
  }

  barAt(x) {
    const left = byId("ruler").parentElement.getBoundingClientRect().left;
    return between(Math.floor((x - left) / this.barWidth), 0, this.studio.song.bars - 1);
  }

  /** Clicks and drags on rolls (`trackOf` names the track) or on the ruler (no track: all of them; a click seeks). */
  listenToPointers(place, trackOf) {
    let drag = null;
    place.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest(".head, .words")) { return; }
      const track = trackOf(event), pen = track === null ? null : this.rows[track].pen;
      if (pen?.active) { this.studio.selection.cursor.track = track; pen.down(event); drag = { pen }; return; }
      drag = { x: event.clientX, y: event.clientY, track, moved: false, touch: event.pointerType === "touch" };
      if (track !== null && !drag.touch) { this.begin(event, track); }
      if (!drag.touch || track === null) { place.setPointerCapture(event.pointerId); }
    });
    place.addEventListener("pointermove", (event) => {
      if (!drag) { return; }
      if (drag.pen) { drag.pen.move(event); return; }
      if (drag.touch && drag.track !== null) { return; }
      const far = Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) > DRAG_PIXELS;
      if (far && !drag.moved && drag.track === null) { this.beginBars(drag.x); }
      drag.moved ||= far;
      if (drag.moved) { this.dragTo(event, drag.track === null ? null : trackOf(event)); }
    });
    place.addEventListener("pointerup", (event) => {
      if (drag?.pen) { drag.pen.up(); } else if (drag) { this.end(event, drag); }
      drag = null;
    });
    place.addEventListener("pointercancel", () => { drag = null; });
  }

  begin(event, track) {
    const { selection } = this.studio, bar = this.barAt(event.clientX);
    if (event.shiftKey) { selection.extend(track, bar); } else { selection.set(track, bar); }
    this.studio.select();
    this.cursor.focus({ preventScroll: true });
  }

  beginBars(x) {
    const { selection, song } = this.studio, bar = this.barAt(x);
    selection.set(0, bar);
    selection.extend(song.tracks.length - 1, bar);
  }

  dragTo(event, track) {
    const { selection, song } = this.studio, box = this.box.getBoundingClientRect();
    selection.extend(track ?? song.tracks.length - 1, this.barAt(event.clientX));
    if (event.clientX > box.right - 20) { this.box.scrollLeft += 24; }
    if (event.clientX < box.left + this.head + 20) { this.box.scrollLeft -= 24; }
    this.studio.select();
  }

  end(event, drag) {
    if (drag.track === null && !drag.moved) {
      const left = byId("ruler").parentElement.getBoundingClientRect().left;
      if (event.shiftKey) { this.extendBars(this.barAt(event.clientX)); } else { this.studio.player.seek((event.clientX - left) / this.scale); }
      return;
    }
    if (drag.touch && drag.track !== null) { this.begin(event, drag.track); }
    this.studio.say(this.studio.spokenSelection());
  }

  extendBars(bar) {
    const { selection } = this.studio;
    selection.setBars(Math.min(selection.first, bar), Math.max(selection.end, bar + 1));
    this.studio.select(true);
  }

  chooseBars(first, end) {
    const { selection, song } = this.studio;
    selection.setTracks(song.tracks.map((_, index) => index));
    selection.cursor.bar = first;
    selection.setBars(first, end);
    this.studio.select(true);
  }

  allTracks() {
    const { selection, song } = this.studio;
    selection.setTracks(song.tracks.map((_, index) => index));
    this.studio.select(true);
  }

  // Keys

  /** What an arrow or paging key does, or nothing. */
  arrow(event) {
    const { selection, song } = this.studio, { cursor } = selection, { key } = event;
    if (this.pen && key.startsWith("Arrow")) {
      return () => { this.pen.arrow(key, event.shiftKey); this.showCursor(); };
    }
    const starts = [...this.sectionBars, song.bars - 1];
    const moves = {
      ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -song.bars], End: [0, song.bars],
      PageDown: [0, (starts.find((bar) => bar > cursor.bar) ?? cursor.bar) - cursor.bar],
      PageUp: [0, (starts.findLast((bar) => bar < cursor.bar) ?? cursor.bar) - cursor.bar],
    };
    if (!moves[key] || !(event.target === this.cursor || event.target === document.body)) { return null; }
    return () => {
      const track = between(cursor.track + moves[key][0], 0, song.tracks.length - 1);
      const bar = between(cursor.bar + moves[key][1], 0, song.bars - 1);
      if (event.shiftKey) { selection.extend(track, bar); } else { selection.set(track, bar); }
      if (event.target !== this.cursor) { this.cursor.focus({ preventScroll: true }); }
      this.show(bar);
      this.studio.select();
      this.studio.say(event.shiftKey ? this.studio.spokenSelection() : this.spokenCell());
    };
  }

  enter() {
    if (this.pen) { this.pen.enter(); } else { byId("anew").click(); }
  }

  escape() {
    const { selection } = this.studio;
    if (this.studio.versions.length) { this.studio.leave(); this.studio.say("Left as it was"); return; }
    if (this.pencil) { this.setPencil(false); return; }
    selection.set(selection.cursor.track, selection.cursor.bar);
    this.studio.select(true);
  }

  spokenCell() {
    const { selection, song } = this.studio, { track, bar } = selection.cursor;
    const section = song.sections.find((one) => bar >= one.first_bar && bar < one.first_bar + one.num_bars);
    const chord = song.chords.findLast(([step]) => step <= bar * song.steps_per_bar)?.[1];
    const from = bar * song.steps_per_bar, until = from + song.steps_per_bar;
    const count = song.tracks[track].notes.filter(([step]) => step >= from && step < until).length;
    const origin = { d: "drawn by hand", g: "given" }[song.tracks[track].origins?.[bar]];
    const notes = count === 1 ? "1 note" : `${count || "no"} notes`;
    return [song.tracks[track].name, `bar ${bar + 1}`, section?.name, chord, notes, origin].filter(Boolean).join(", ");
  }

  /** Scrolls a bar into view. */
  show(bar) {
    const x = bar * this.barWidth, { scrollLeft } = this.box;
    if (x < scrollLeft) { this.box.scrollLeft = x - this.barWidth; }
    if (x + this.barWidth > scrollLeft + this.width) { this.box.scrollLeft = x + 2 * this.barWidth - this.width; }
  }

  /** Lays the frame of the keyboard around its cell, or around the spot of the pencil. */
  showCursor(draws = true) {
    const row = this.rows[this.studio.selection.cursor.track], { song } = this.studio;
    if (!row || this.head === undefined) { return; }
    const { bar } = this.studio.selection.cursor, { style } = this.cursor, spot = this.pen?.spot;
    const top = row.lane.getBoundingClientRect().top - this.axis.getBoundingClientRect().top;
    style.left = `${this.head + (spot ? spot.step * this.scale : bar * this.barWidth)}px`;
    style.top = `${top + (spot ? row.roll.yOf(spot.pitch) : 0)}px`;
    style.width = `${spot ? Math.max(this.scale, 6) : Math.max(this.barWidth, 6)}px`;
    style.height = `${spot ? row.roll.rowHeight : row.roll.height}px`;
    if (spot) { this.show(Math.floor(spot.step / song.steps_per_bar)); }
    this.cursor.setAttribute("aria-label", `Piano roll: ${this.spokenCell()}`);
    if (draws !== false) { this.draw(); }
  }
}
