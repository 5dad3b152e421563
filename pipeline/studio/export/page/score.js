/** The rolls of a song, scrolled together; cells are selected by dragging, with `Selection`. */

import { chordName } from "./chords.js";
import { byId, element } from "./dom.js";
import { Roll, drawRuler, rollColours } from "./roll.js";

const DRAG_PIXELS = 6;
const LEAST_SCALE = 3;

export class Score {
  /** `page` has `song`, `selection`, `player`, and is told by `select(says)` and `balance()`. */
  constructor(page) {
    this.page = page;
    this.box = byId("score");
    this.colours = rollColours();
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.lay()).observe(this.box);
    this.listen();
  }

  setSong() {
    const { song, model } = this.page;
    this.rows = song.tracks.map((track, index) => this.row(track, index));
    byId("tracks").replaceChildren(...this.rows.map((row) => row.place));
    const spb = model.steps_per_bar;
    this.sectionBars = new Set(song.sections.map((one) => one.first_bar));
    byId("sections").replaceChildren(...song.sections.map((one) => {
      const button = element("button", { type: "button", class: "section", "data-role": one.role, click: () => this.page.selectBars(one.first_bar, one.first_bar + one.num_bars) }, element("span", { text: one.name }));
      button.bars = [one.first_bar, one.num_bars];
      return button;
    }));
    this.chordMarks = song.chords.flatMap((row, half) => {
      const name = chordName(row, model.chords), before = half ? chordName(song.chords[half - 1], model.chords) : "";
      return name && name !== before ? [Object.assign(element("span", { class: "chord", text: name }), { step: half * spb / 2 })] : [];
    });
    byId("chords").replaceChildren(...this.chordMarks);
    this.lay();
  }

  row(track, index) {
    const colour = this.colours.tracks[index % 8], { page } = this;
    const name = element("button", { type: "button", class: "name", "aria-pressed": "false", "aria-label": `Select ${track.name}`, click: () => page.toggleTrack(index) },
      element("i", { class: "swatch", style: `background:${colour}` }), track.name);
    const tiny = (letter, what, set) => element("button", {
      type: "button", class: "tiny", "aria-pressed": String(set.has(index)), "aria-label": `${what} ${track.name}`, text: letter,
      click: ({ currentTarget }) => {
        if (!set.delete(index)) { set.add(index); }
        currentTarget.setAttribute("aria-pressed", String(set.has(index)));
        page.balance();
      },
    });
    const canvas = element("canvas", { class: "notes", role: "img", "aria-label": `${track.name}: ${track.notes.length} notes` });
    const top = element("div", { class: "head-top" }, name, tiny("M", "Mute", page.player.muted), tiny("S", "Solo", page.player.solo));
    const head = element("div", { class: "head" }, top, element("small", { text: track.instrument }));
    const place = element("div", { class: "row track" }, head, element("div", { class: "lane" }, canvas));
    return { place, name, canvas, roll: new Roll(track, colour) };
  }

  /** Lays out for the width that there is. */
  lay() {
    const { song, model } = this.page;
    if (!song) { return; }
    const [{ place }] = this.rows, isNarrow = getComputedStyle(place).flexDirection === "column";
    this.head = isNarrow ? 0 : place.firstElementChild.offsetWidth;
    this.width = Math.max(this.box.clientWidth - this.head, 50);
    this.scale = Math.max(LEAST_SCALE, this.width / (song.bars * model.steps_per_bar));
    const style = byId("axis").style;
    style.setProperty("--lane", `${song.bars * this.barWidth}px`);
    style.setProperty("--view", `${this.box.clientWidth}px`);
    for (const button of byId("sections").children) {
      button.style.left = `${button.bars[0] * this.barWidth + 1}px`;
      button.style.width = `${button.bars[1] * this.barWidth - 2}px`;
    }
    let free = -Infinity;
    for (const mark of this.chordMarks) {
      const x = mark.step * this.scale;
      mark.hidden = x < free;
      if (!mark.hidden) { mark.style.left = `${x}px`; free = x + 34; }
    }
    this.draw();
  }

  get barWidth() {
    return this.page.model.steps_per_bar * this.scale;
  }

  draw() {
    const { song, model, selection, player, selects } = this.page;
    if (!song || !this.width) { return; }
    const view = {
      scale: this.scale, left: this.box.scrollLeft, width: this.width, bars: song.bars, stepsPerBar: model.steps_per_bar,
      stepsPerBeat: model.steps_per_beat, sections: this.sectionBars, colours: this.colours,
    };
    const bars = selects ? [selection.first, selection.end] : null;
    const sounding = player.playing ? Math.floor(player.position()) : -1;
    this.rows.forEach(({ roll, canvas, name }, index) => {
      const chosen = selects && selection.tracks.has(index);
      const muted = player.solo.size ? !player.solo.has(index) : player.muted.has(index);
      roll.draw(canvas, view, { selection: chosen ? bars : null, sounding, muted });
      name.setAttribute("aria-pressed", String(Boolean(chosen)));
    });
    drawRuler(byId("ruler"), view, { selection: bars, loop: player.loop });
    this.drawPlayhead();
  }

  drawPlayhead() {
    byId("playhead").style.transform = `translateX(${this.head + this.page.player.position() * this.scale}px)`;
  }

  /** Scrolls the playhead into view. */
  follow() {
    const x = this.page.player.position() * this.scale, { scrollLeft } = this.box;
    if (x < scrollLeft || x > scrollLeft + this.width - 30) { this.box.scrollLeft = x - 40; }
  }

  barAt(x) {
    const from = this.box.getBoundingClientRect().left + this.head - this.box.scrollLeft;
    return Math.min(Math.max(Math.floor((x - from) / this.barWidth), 0), this.page.song.bars - 1);
  }

  trackAt(target) {
    const index = this.rows?.findIndex((row) => row.place.contains(target)) ?? -1;
    return index < 0 ? null : index;
  }

  listen() {
    let drag = null;
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest(".head, .section")) { return; }
      const track = this.trackAt(event.target);
      drag = { x: event.clientX, y: event.clientY, track, moved: false, touch: event.pointerType === "touch" };
      if (track !== null && !drag.touch) { this.begin(track, event); }
    });
    this.box.addEventListener("pointermove", (event) => {
      if (!drag || drag.touch) { return; }
      drag.moved ||= Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) > DRAG_PIXELS;
      if (!drag.moved) { return; }
      const last = this.page.song.tracks.length - 1;
      if (drag.track === null && !drag.begun) { this.begin(0, { clientX: drag.x }); drag.begun = true; }
      const target = document.elementFromPoint(event.clientX, event.clientY);
      this.page.selection.extend(drag.track === null ? last : this.trackAt(target) ?? this.page.selection.cursor.track, this.barAt(event.clientX));
      this.page.select();
    });
    window.addEventListener("pointerup", (event) => {
      if (!drag) { return; }
      const still = Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y) <= DRAG_PIXELS;
      if (drag.track === null && still) { this.page.seek(Math.max(0, (event.clientX - this.box.getBoundingClientRect().left - this.head + this.box.scrollLeft) / this.scale)); }
      else if (drag.touch && still) { this.begin(drag.track, event); }
      if (drag.track !== null || drag.moved) { this.page.select(true); }
      drag = null;
    });
    window.addEventListener("pointercancel", () => { drag = null; });
  }

  begin(track, { clientX, shiftKey }) {
    const { selection } = this.page;
    if (shiftKey && this.page.selects) { selection.extend(track, this.barAt(clientX)); } else { selection.set(track, this.barAt(clientX)); }
    this.page.select();
  }
}
