/** The album on any static host: plays its songs, and makes another phrase or selected bars anew in this browser. */

import { keyName, keyOfChords, readKey, readProgression, shiftToCommon } from "./chords.js";
import { byId, clock, element } from "./dom.js";
import { midiFile } from "./midi.js";
import { keptNotes } from "./sampler.js";
import { Score } from "./score.js";
import { Selection, spoken } from "./selection.js";
import { Player } from "./sound.js";

const KEEP_AFTER_MS = 4000;
const USUAL_VELOCITY = 90;
const BASE = new URL(".", import.meta.url);
const read = async (name) => (await fetch(new URL(name, BASE))).json();

/** What undo brings back. */
function stateOf({ tracks, chords, key }) {
  return { notes: tracks.map((track) => track.notes), chords, key };
}

function meanVelocity(notes) {
  return notes.length ? notes.reduce((sum, note) => sum + note[3], 0) / notes.length : USUAL_VELOCITY;
}

class Page {
  constructor(model, songs) {
    Object.assign(this, { model, songs, selection: new Selection(), selects: false, made: 0, waiting: new Map(), calls: 0 });
    this.player = new Player(model, BASE, () => this.showPlaying());
    this.score = new Score(this);
    for (const song of songs) {
      Object.assign(song, { speed: 1, edited: false, history: [stateOf(song)], version: 0 });
      song.tracks.forEach((track) => { track.velocity = meanVelocity(track.notes); });
    }
    this.worker = new Worker(new URL("worker.js", BASE), { type: "module" });
    this.worker.onmessage = ({ data }) => this.heardOf(data);
    this.worker.onerror = () => this.heardOf({ kind: "failed", error: "The networks can't run in this browser." });
    this.listen();
    this.showAlbum();
    this.open(songs[0]);
    requestAnimationFrame(() => this.tick());
  }

  // What is shown

  showAlbum() {
    const { album, runtime } = this.model;
    document.title = `${album.title} · ${album.artist}`;
    byId("album-title").textContent = album.title;
    byId("artist").textContent = album.artist;
    byId("runtime").textContent = runtime.is_local
      ? `They are run by onnxruntime-web ${runtime.version}, which lies beside this page.`
      : `They are run by onnxruntime-web ${runtime.version} from ${new URL(runtime.script.url).host}, checked by its hash.`;
    this.showSongs();
  }

  showSongs() {
    byId("songs").replaceChildren(...this.songs.map((song, index) => element("li", { class: song.isNew ? "made" : "" }, element("button", {
      type: "button", "aria-current": song === this.song ? "true" : null, click: () => this.open(song),
    }, element("b", { text: String(index + 1) }), song.title, ...(song.edited ? [element("small", { text: song.isNew ? "new" : "changed" })] : [])))));
  }

  open(song) {
    this.player.pause();
    Object.assign(this.player, { step: 0, loop: null, song });
    this.player.muted.clear();
    this.player.solo.clear();
    this.song = song;
    this.selection.reset();
    this.selection.fit(song.tracks.length, song.bars);
    this.selects = false;
    byId("tempo").value = Math.round(this.tempo);
    this.player.load(song).catch(() => {});
    this.showSong();
    this.showSongs();
  }

  get tempo() {
    return this.song.tempo_bpm * this.song.speed;
  }

  showSong() {
    const { song } = this;
    byId("song-title").textContent = song.title;
    const facts = [song.key, `${Math.round(this.tempo)} beats a minute`, `${song.bars} bars`, clock(song.step_seconds.at(-1) / song.speed)];
    byId("facts").replaceChildren(...facts.map((text) => element("li", { text })));
    this.score.setSong();
    this.showSelection();
    byId("undo").disabled = song.version === 0;
    byId("redo").disabled = song.version + 1 >= song.history.length;
    byId("tempo-said").textContent = Math.round(this.tempo);
  }

  showSelection() {
    const { selection, song, selects } = this, names = selection.ordered().map((track) => song.tracks[track].name);
    byId("selected").textContent = selects ? spoken(names, selection.first, selection.end, song.tracks.length) : song.isNew ? song.title : "A new phrase";
    byId("another").textContent = selects ? "Make it anew" : "Another one";
    byId("nothing").disabled = !selects;
    byId("first-bar").max = byId("last-bar").max = song.bars;
    for (const [id, bar] of [["first-bar", selection.first + 1], ["last-bar", selection.end]]) {
      if (Number(byId(id).value) !== bar) { byId(id).value = bar; } // what is being typed stays as it is
    }
    byId("midi-selection").hidden = !selects;
    this.score.draw();
  }

  showPlaying() {
    const { playing } = this.player;
    byId("play").classList.toggle("on", playing);
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    byId("loop").setAttribute("aria-pressed", String(Boolean(this.player.loop)));
    this.score?.draw();
  }

  tick() {
    if (this.player.playing) {
      this.score.follow();
      this.score.draw();
    }
    const step = this.player.position(), { song, model } = this;
    const seconds = song.step_seconds[Math.min(Math.floor(step), song.step_seconds.length - 1)] / song.speed;
    const said = `${clock(seconds)} / ${clock(song.step_seconds.at(-1) / song.speed)}`, bar = Math.floor(step / model.steps_per_bar) + 1;
    if (this.said !== said + bar) { byId("position").replaceChildren(`${bar} `, element("span", { text: said })); this.said = said + bar; }
    requestAnimationFrame(() => this.tick());
  }

  say(text) {
    byId("status").textContent = text;
  }

  complain(text) {
    byId("message").textContent = text;
    clearTimeout(this.complaint);
    this.complaint = setTimeout(() => { byId("message").textContent = ""; }, 7000);
  }

  // Selecting and playing

  select() {
    this.selects = true;
    if (this.player.loop) { this.loop(true); }
    this.showSelection();
  }

  selectBars(first, end) {
    this.selection.setTracks(this.song.tracks.map((_, index) => index));
    this.selection.setBars(first, end);
    this.select();
  }

  toggleTrack(index) {
    if (this.selects) { this.selection.toggleTrack(index); } else { this.selection.setTracks([index]); }
    this.select();
  }

  loop(wanted) {
    const spb = this.model.steps_per_bar, { selection, selects, song } = this;
    this.player.loop = wanted ? (selects ? [selection.first * spb, selection.end * spb] : [0, song.bars * spb]) : null;
    const { loop, step } = this.player;
    if (this.player.playing) { this.player.play(song, loop && (step < loop[0] || step >= loop[1]) ? loop[0] : this.player.position()); }
    this.showPlaying();
  }

  seek(step) {
    this.player.step = Math.min(step, this.song.bars * this.model.steps_per_bar - 1);
    if (this.player.playing) { this.player.play(this.song, this.player.step); }
    this.score.draw();
  }

  play() {
    if (this.player.playing) { this.player.pause(); return; }
    const { loop } = this.player, at = this.player.position();
    this.player.play(this.song, loop && (at < loop[0] || at >= loop[1]) ? loop[0] : at);
  }

  balance() {
    if (!this.player.audio.paused) { this.player.play(this.song, this.player.position()); }
    this.player.balance();
    this.score.draw();
  }

  // Making

  /** What a person asks for, or an error that says what is wrong. */
  request() {
    const { model, song } = this, typed = byId("typed-chords").value.trim(), keyText = byId("key").value.trim();
    const chords = typed ? readProgression(typed, model.chords) : null, own = readKey(song.key);
    const key = keyText ? readKey(keyText) : chords && !this.selects ? keyOfChords(chords, model.chords) : own;
    const seedText = byId("seed").value.trim();
    if (seedText && !/^\d{1,15}$/.test(seedText)) { throw new Error("A seed is a whole number."); }
    return {
      chords, key, keyIsTyped: Boolean(keyText), seed: seedText ? Number(seedText) : crypto.getRandomValues(new Uint32Array(1))[0],
      busier: Number(byId("density").value), temperature: Number(byId("temperature").value), strength: Number(byId("strength").value),
    };
  }

  async another() {
    let asked;
    try { asked = this.request(); } catch (error) { this.complain(error.message); return; }
    this.player.context.resume();
    byId("another").setAttribute("aria-busy", "true");
    byId("another").disabled = true;
    const begun = performance.now();
    try {
      await (this.selects ? this.makeCells(asked) : this.makePhrase(asked));
      this.say(`Made in ${((performance.now() - begun) / 1000).toFixed(1)} s with the seed ${asked.seed}.`);
    } catch (error) {
      this.complain(error.message);
    } finally {
      byId("another").removeAttribute("aria-busy");
      byId("another").disabled = false;
    }
  }

  /** Numbers that the sampler takes. */
  numbers(asked, density, tempo, style) {
    const { model } = this, number = (model.in_common_key ? (asked.key.minor ? 9 : 0) : asked.key.tonic) + 12 * asked.key.minor;
    return {
      seed: asked.seed, candidates: model.candidates, key: number, tempo, style, density, temperature: asked.temperature,
      condition_strength: asked.strength, chord_strength: asked.chords ? model.chord_strength : 1,
      shift: model.in_common_key ? shiftToCommon(asked.key) : 0,
    };
  }

  async makeCells(asked) {
    const { song, selection, model } = this, bars = [selection.first, selection.end], chosen = selection.ordered(), spb = model.steps_per_bar;
    const free = song.tracks.map((_, track) => Array.from({ length: song.bars }, (_, bar) => selection.has(track, bar)));
    const own = readKey(song.key), chords = song.chords.map((row) => [...row]);
    const moves = asked.key.minor === own.minor ? asked.key.tonic - own.tonic : null;
    for (let half = 2 * bars[0]; half < 2 * bars[1]; half++) {
      if (asked.chords) { chords[half] = asked.chords[(half - 2 * bars[0]) % asked.chords.length]; }
      else if (moves === null) { chords[half] = [-1, -1, -1]; }
      else if (moves) { chords[half] = chords[half].map((value, part) => (part === 1 || value < 0 ? value : (value + moves + 12) % 12)); }
    }
    const density = song.tracks.map((track, index) => (chosen.includes(index) ? this.usual(track, bars) * 2 ** asked.busier : null));
    const { notes } = await this.call(song, chords, free, this.numbers(asked, density, this.tempo, song.style));
    if (song !== this.song) { return; }
    const tracks = song.tracks.map((track, index) => {
      if (!chosen.includes(index)) { return track.notes; }
      const kept = keptNotes(track.notes, free[index].map((one) => !one), spb);
      return [...kept, ...this.performed(notes[index], track)].sort((a, b) => a[0] - b[0] || a[2] - b[2]);
    });
    this.push({ notes: tracks, chords: asked.chords || moves !== 0 ? chords : song.chords, key: song.key });
    this.loopAround(bars);
  }

  /** Notes a bar that a track has in some bars; where it is silent there, in the whole song. */
  usual(track, [first, end]) {
    const spb = this.model.steps_per_bar, inside = track.notes.filter(([step]) => step >= first * spb && step < end * spb).length;
    return inside ? inside / (end - first) : track.notes.length ? track.notes.length / new Set(track.notes.map(([step]) => Math.floor(step / spb))).size : 2;
  }

  async makePhrase(asked) {
    const { model, song } = this, { bars, steps_per_bar: spb } = model, tempo = this.tempo;
    const rows = asked.chords && Array.from({ length: 2 * bars }, (_, half) => asked.chords[half % asked.chords.length]);
    const density = asked.busier ? song.tracks.map((track) => this.usual(track, [0, song.bars]) * 2 ** asked.busier) : null;
    const empty = { bars, tracks: song.tracks.map(() => ({ notes: [] })) };
    const free = song.tracks.map(() => new Array(bars).fill(true));
    const { notes, chords } = await this.call(empty, rows, free, this.numbers(asked, density, tempo, song.style));
    if (song.isNew && this.song === song) {
      this.push({ notes: song.tracks.map((track, index) => this.performed(notes[index], track)), chords, key: keyName(asked.key) });
    } else {
      const seconds = (60 / tempo) * (model.quarters_per_bar / spb);
      const phrase = {
        ...song, number: null, title: `New phrase ${++this.made}`, isNew: true, edited: true, sound: null, bars, speed: 1, tempo_bpm: tempo,
        key: keyName(asked.key), chords, sections: [], version: 0,
        step_seconds: Array.from({ length: bars * spb + 1 }, (_, step) => step * seconds),
        tracks: song.tracks.map((track, index) => ({ ...track, origins: "", notes: this.performed(notes[index], track) })),
      };
      phrase.history = [stateOf(phrase)];
      this.songs.push(phrase);
      this.open(phrase);
    }
    this.loopAround([0, bars]);
  }

  /** Notes with velocities: as loud as the track's are, with an accent on beats. */
  performed(notes, track) {
    const { steps_per_bar: spb, steps_per_beat: beat } = this.model;
    const accent = (step) => (step % spb === 0 ? 6 : step % beat === 0 ? 2 : step % 2 ? -5 : -1);
    return notes.map(([step, length, pitch]) => [step, length, pitch, Math.round(Math.min(Math.max(track.velocity + accent(step), 20), 124))]);
  }

  /** A state that the song has from now on. */
  push(state) {
    const { song } = this;
    song.history.length = song.version + 1;
    song.history.push(state);
    this.step(1);
  }

  /** Goes on or back in the history. */
  step(by) {
    const { song } = this, wanted = song.version + by;
    if (wanted < 0 || wanted >= song.history.length) { return; }
    song.version = wanted;
    song.edited = song.isNew || wanted > 0;
    const { notes, chords, key } = song.history[wanted];
    Object.assign(song, { chords, key });
    song.tracks.forEach((track, index) => { track.notes = notes[index]; });
    if (this.player.playing) { this.player.play(song, this.player.position()); }
    this.showSong();
    this.showSongs();
  }

  loopAround([first, end]) {
    const spb = this.model.steps_per_bar;
    this.player.loop = [first * spb, end * spb];
    this.player.play(this.song, first * spb);
  }

  /** Has the worker make the free cells of a song. */
  call(song, chords, free, request) {
    const id = ++this.calls, plain = { bars: song.bars, chords, tracks: song.tracks.map(({ notes }) => ({ notes })) };
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, song: plain, free, request });
    });
  }

  heardOf({ kind, id, made, error, share }) {
    const call = this.waiting.get(id);
    if (kind === "ready") { this.ready(); }
    if (kind === "progress" && share < 1) { this.say(`${Math.round(100 * share)} % are made.`); }
    if (kind === "made") { call.resolve(made); }
    if (kind === "failed" && call) { call.reject(new Error(error)); }
    if (kind === "failed" && !call) { this.say(`No music can be made here: ${error}`); }
  }

  /** The networks are there; what else the page needs is kept for times without a network. */
  ready() {
    this.say("Ready.");
    byId("another").disabled = false;
    document.body.dataset.ready = "true";
    if (!("serviceWorker" in navigator)) { return; }
    setTimeout(() => navigator.serviceWorker.register("offline.js").then(() => navigator.serviceWorker.ready)
      .then(() => { document.body.dataset.offline = "true"; }).catch(() => {}), KEEP_AFTER_MS);
  }

  // Controls

  listen() {
    const on = (id, event, does) => byId(id).addEventListener(event, does);
    on("play", "click", () => this.play());
    on("stop", "click", () => this.player.stop());
    on("loop", "click", () => this.loop(!this.player.loop));
    on("undo", "click", () => this.step(-1));
    on("redo", "click", () => this.step(1));
    on("another", "click", () => this.another());
    on("everything", "click", () => this.selectBars(this.selection.first, this.selection.end));
    on("nothing", "click", () => { this.selects = false; this.showSelection(); });
    for (const id of ["first-bar", "last-bar"]) { for (const event of ["input", "change"]) { on(id, event, () => this.typedBars(id, event)); } }
    on("density", "input", ({ target }) => { byId("density-said").textContent = Number(target.value) ? `× ${(2 ** target.value).toFixed(2)}` : "as it is"; });
    for (const id of ["temperature", "strength"]) { on(id, "input", ({ target }) => { byId(`${id}-said`).textContent = Number(target.value).toFixed(2); }); }
    on("tempo", "input", ({ target }) => this.setTempo(Number(target.value)));
    on("midi", "click", ({ currentTarget }) => this.offer(currentTarget, {}));
    on("midi-selection", "click", ({ currentTarget }) => this.offer(currentTarget, { first: this.selection.first, end: this.selection.end, chosen: this.selection.ordered() }));
    window.addEventListener("keydown", (event) => {
      if (event.target.closest("input, button, a, select") || event.metaKey || event.ctrlKey) { return; }
      if (event.key === " ") { event.preventDefault(); this.play(); }
      if (event.key === "Enter" && !byId("another").disabled) { this.another(); }
    });
  }

  /** Bars that are typed: the other end moves along where it would lie on the wrong side. */
  typedBars(id, event) {
    const { bars } = this.song, read = (field) => Math.min(Math.max(Math.round(Number(byId(field).value)) || 1, 1), bars);
    const [first, last] = [read("first-bar"), read("last-bar")];
    if (event === "input" && (!byId(id).value || last < first && id === "last-bar")) { return; } // not all is typed yet
    this.selection.setBars((id === "first-bar" ? first : Math.min(first, last)) - 1, id === "first-bar" ? Math.max(first, last) : last);
    this.select();
  }

  setTempo(tempo) {
    const at = this.player.position(), { playing } = this.player;
    this.song.speed = tempo === Math.round(this.song.tempo_bpm) ? 1 : tempo / this.song.tempo_bpm;
    byId("tempo-said").textContent = tempo;
    if (playing) { this.player.play(this.song, at); }
  }

  offer(link, what) {
    URL.revokeObjectURL(link.href);
    const bytes = midiFile(this.song, this.model, { tempo: this.tempo, ...what });
    link.href = URL.createObjectURL(new Blob([bytes], { type: "audio/midi" }));
    link.download = `${this.song.title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.mid`;
  }
}

const [model, songs] = await Promise.all([read("model.json"), read("songs.json")]);
window.page = new Page(model, songs);
