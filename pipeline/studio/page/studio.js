/** The studio's page: what is open, selected and heard, and the transport; the other modules show and change it. */

import { Api } from "./api.js";
import { Mistake, byId, clock, element } from "./dom.js";
import { mountFiles } from "./files.js";
import { mountMaking, progress } from "./making.js";
import { Player } from "./player.js";
import { Score } from "./score.js";
import { Selection, spoken } from "./selection.js";
import { mountWords } from "./words.js";

const SETTLE_MS = 1500;

class Studio extends EventTarget {
  constructor() {
    super();
    this.api = new Api();
    this.player = new Player((hash) => this.api.sound(hash), () => this.tell("transport"), (error) => this.fail(error));
    this.selection = new Selection();
    this.song = null;
    this.songs = [];
    this.versions = [];
    this.heard = -1;
    this.looping = false;
    this.mix = {};
    this.queue = Promise.resolve();
  }

  get metrics() {
    return this.player.metrics;
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  on(what, act) {
    this.addEventListener(what, act);
  }

  /** Says a sentence to screen readers. */
  say(text) {
    byId("said").textContent = text;
  }

  /** Shows what went wrong. */
  fail(error) {
    if (!(error instanceof Mistake)) { console.error(error); }
    byId("message").textContent = error.message;
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => { byId("message").textContent = ""; }, 12000);
  }

  /** Does what may fail, with the control marked as busy; playing goes on. */
  async work(control, act) {
    byId("message").textContent = "";
    control?.setAttribute("aria-busy", "true");
    try {
      return await act();
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      control?.removeAttribute("aria-busy");
    }
  }

  /** The same for long work, which is not begun again before it is done. */
  async workOnce(control, act) {
    return control.getAttribute("aria-busy") === "true" ? undefined : this.work(control, act);
  }

  /** One after another, so that answers come in the order of the clicks. */
  inTurn(act) {
    const turn = this.queue.then(act);
    this.queue = turn.catch(() => {});
    return turn;
  }

  async start() {
    const [name, number] = location.hash.slice(1).split("/");
    const session = await this.api.open(name);
    const info = await this.api.get();
    Object.assign(this, { album: info.album, model: info.model, instruments: info.instruments, kits: info.kits });
    this.qualities = info.qualities;
    byId("album-title").textContent = info.album.title;
    byId("artist").textContent = info.album.artist || "AlbumGAN";
    document.title = `${info.album.title} – studio`;
    this.setSongs(info.songs);
    const first = info.songs.find((song) => song.number === Number(number)) ?? info.songs[0];
    history.replaceState(null, "", `#${session}`);
    if (first) { await this.open(first.number); }
  }

  setSongs(songs) {
    this.songs = songs;
    this.tell("songs");
  }

  async open(number) {
    const song = await this.api.get(`/songs/${number}`);
    this.leave();
    this.looping = false;
    this.selection.reset();
    this.song = song;
    this.mix = {};
    this.player.open(song);
    history.replaceState(null, "", `#${this.api.session}/${number}`);
    document.querySelectorAll("[inert]").forEach((one) => { one.inert = false; });
    byId("keep").disabled = false;
    this.shown();
  }

  /** Takes the song that the server answered, and swaps what sounds. */
  apply(song, clicked) {
    if (!this.song || song.number !== this.song.number) { return; }
    this.dropVersions();
    for (const track of song.tracks) { delete this.mix[track.name]?.volume; }
    this.song = song;
    this.player.update(song, clicked, performance.now());
    const entry = this.songs.find((one) => one.number === song.number);
    if (entry) { Object.assign(entry, { title: song.title, key: song.key, bars: song.bars, changed: song.changed }); }
    this.tell("songs");
    this.shown();
  }

  shown() {
    this.selection.fit(this.song.tracks.length, this.song.bars);
    this.tell("song");
    this.select();
    this.setMix();
    this.settle();
  }

  /** Takes over the balance of the tracks once the server has measured it. */
  settle() {
    clearTimeout(this.settling);
    if (this.song.balanced !== false) { return; }
    this.settling = setTimeout(async () => {
      const { number, version } = this.song, found = await this.api.get(`/songs/${number}`).catch(() => null);
      if (!found || this.song.number !== number || this.song.version !== version) { return; }
      this.song.tracks.forEach((track, index) => { track.gain = found.tracks[index].gain; });
      Object.assign(this.song, { master: found.master, balanced: found.balanced });
      this.player.setMaster(found.master);
      this.setMix();
      this.settle();
    }, SETTLE_MS);
  }

  /** One edit of the song that is open. */
  edit(body, control, clicked = performance.now()) {
    const number = this.song.number;
    const done = this.work(control, () => this.inTurn(async () => {
      this.apply(await this.api.post(`/songs/${number}/edits`, body), clicked);
      return true;
    }));
    done.then((did) => { if (!did && control?.matches("[type=range], select")) { this.tell("song"); } }); // back to what is
    return done;
  }

  async undo(kind = "undo") {
    if (!this.song?.[kind === "undo" ? "can_undo" : "can_redo"]) { return; }
    if (await this.edit({ kind }, byId(kind))) { this.say(kind === "undo" ? "Undone" : "Done again"); }
  }

  /** Tells all that the selection changed. */
  select(said = false) {
    if (this.versions.length && !this.asked.same(this.selection)) { this.leave(); }
    this.setLoop();
    this.tell("selection");
    if (said) { this.say(this.spokenSelection()); }
  }

  spokenSelection() {
    const { selection, song } = this, names = selection.ordered().map((track) => song.tracks[track].name);
    return `${spoken(names, selection.first, selection.end, song.tracks.length)} selected`;
  }

  /** Names of the selected tracks. */
  names() {
    return this.selection.ordered().map((track) => this.song.tracks[track].name);
  }

  /** Whether a track is one that the machine composes; the loops of records are not. */
  composes(name) {
    return this.model.tracks.some((one) => one.name === name);
  }

  setLoop(looping = this.looping) {
    this.looping = looping;
    const spb = this.song.steps_per_bar;
    this.player.setLoop(looping ? [this.selection.first * spb, this.selection.end * spb] : null);
    this.tell("transport");
  }

  toggleLoop() {
    this.setLoop(!this.looping);
    this.say(this.looping ? "The selection repeats" : "No loop");
  }

  /** Plays from the beginning of the selection. */
  playSelection() {
    return this.player.play(this.selection.first * this.song.steps_per_bar);
  }

  async toggle() {
    if (this.player.playing) { this.player.pause(); return; }
    const spb = this.song.steps_per_bar, { first, end } = this.selection, step = this.player.restStep;
    const outside = this.looping && (step < first * spb || step >= end * spb);
    await this.player.play(outside ? first * spb : step);
  }

  setMix() {
    const states = this.song.tracks.map((track) => this.mix[track.name] ?? {});
    const solo = states.some((state) => state.solo);
    const gains = this.song.tracks.map((track, index) => {
      const { volume, muted } = states[index];
      const louder = volume === undefined ? 1 : volume / Math.max(track.volume, 1e-3);
      return (solo ? states[index].solo : !muted) ? track.gain * louder : 0;
    });
    this.player.setMix(gains);
    this.tell("mix");
  }

  /** `what` is `muted` or `solo`. */
  toggleMix(track, what) {
    const { name } = this.song.tracks[track], state = (this.mix[name] ??= {});
    state[what] = !state[what];
    this.setMix();
    this.say(`${name} ${what === "solo" ? (state.solo ? "solo" : "not solo") : state.muted ? "muted" : "heard"}`);
  }

  /** Offers the versions that came for `{first, end, tracks}`, bars and indices of tracks, and plays the first. */
  offer(versions, selection, clicked) {
    this.versions = versions;
    this.heard = -1;
    const { first, end, tracks } = selection;
    this.asked = { first, end, tracks, same: (other) => other.first === first && other.end === end && other.ordered().join() === tracks.join() };
    this.hear(0, clicked);
    this.fetchVersions();
  }

  /** Fetches what the versions sound like, their beginnings first. */
  fetchVersions() {
    const window = Math.floor(this.asked.first / this.song.chunk_bars), tracks = this.versions.flatMap((version) => version.tracks);
    this.player.fetchAhead(tracks.map((track) => track.chunks[window]));
    this.player.fetchAhead(tracks.flatMap((track) => Object.values(track.chunks)));
  }

  /** Plays a version in place from the beginning of what it changes, in a loop; -1 is the song as it was. */
  hear(index, clicked = performance.now()) {
    if (!this.versions.length || index >= this.versions.length) { return; }
    this.heard = index;
    this.loopedBefore ??= this.looping;
    this.setLoop(true);
    const overrides = {};
    for (const part of index < 0 ? [] : this.versions[index].tracks) {
      overrides[this.song.tracks.findIndex((track) => track.name === part.name)] = part.chunks;
    }
    this.player.preview(overrides, clicked, this.asked.first * this.song.steps_per_bar);
    this.tell("versions");
    this.say(index < 0 ? "What was there" : `Version ${index + 1} of ${this.versions.length}`);
  }

  async take() {
    if (this.heard < 0) { return; }
    const version = this.versions[this.heard];
    if (await this.edit({ kind: "choose", version: version.id }, byId("take"))) { this.say("Taken"); }
  }

  dropVersions() {
    if (!this.versions.length) { return; }
    this.versions = [];
    this.heard = -1;
    if (this.loopedBefore !== undefined) { this.looping = this.loopedBefore; this.loopedBefore = undefined; }
    this.tell("versions");
  }

  /** Lets the versions go; the song sounds as it is. */
  leave() {
    if (!this.versions.length) { return; }
    this.dropVersions();
    this.player.preview({});
    this.setLoop();
  }
}

function mountSongs(studio) {
  const list = byId("songs");
  studio.on("songs", () => {
    list.replaceChildren(...studio.songs.map((song) => {
      const open = song.number === studio.song?.number;
      const text = element("span", { text: song.title });
      const state = song.changed ? " changed" : song.kept ? " kept" : "";
      const button = element(
        "button",
        { type: "button", "aria-current": open && "true", class: state.trim() || null, click: () => studio.work(button, () => studio.open(song.number)) },
        element("b", { text: String(song.number) }), text,
      );
      if (state) { button.append(element("small", { text: state.trim() })); }
      return element("li", {}, button);
    }));
  });
  studio.on("song", () => {
    const { song } = studio, entry = studio.songs.find((one) => one.number === song.number);
    byId("song-title").textContent = song.title;
    const seconds = song.step_seconds.at(-1);
    const facts = [clock(seconds), `${song.bars} bars`, song.key, `${Math.round(song.tempo_bpm)} bpm`];
    if (song.seed !== null) { facts.push(`seed ${song.seed}`); }
    if (entry?.kept) { facts.push("kept in the album"); }
    byId("remarks").textContent = (song.remarks ?? []).join(" ");
    byId("remarks").hidden = !song.remarks?.length;
    byId("facts").replaceChildren(...facts.map((text) => element("li", { text })));
    [...list.querySelectorAll("button")].forEach((button, index) => {
      const open = studio.songs[index].number === song.number;
      if (open) { button.setAttribute("aria-current", "true"); } else { button.removeAttribute("aria-current"); }
      if (!open) { return; }
      const box = list.parentElement.getBoundingClientRect(), own = button.getBoundingClientRect();
      list.parentElement.scrollLeft += Math.max(own.right + 4 - box.right, 0) - Math.max(box.left - own.left, 0);
    });
  });
}

function mountTransport(studio) {
  const { player } = studio;
  byId("play").addEventListener("click", () => studio.toggle());
  byId("stop").addEventListener("click", () => player.stop(studio.looping ? studio.selection.first * studio.song.steps_per_bar : 0));
  byId("loop").addEventListener("click", () => studio.toggleLoop());
  byId("undo").addEventListener("click", () => studio.undo());
  byId("redo").addEventListener("click", () => studio.undo("redo"));
  const show = () => {
    if (!studio.song) { return; }
    const { song } = studio, step = player.heardStep, bar = Math.min(Math.floor(step / song.steps_per_bar), song.bars - 1);
    const perBeat = studio.model.steps_per_beat, beat = Math.floor((step - bar * song.steps_per_bar) / perBeat) + 1;
    const seconds = player.time.secondsAt(step);
    byId("position").firstChild.data = `${bar + 1}.${beat} `;
    byId("position").lastChild.textContent = `${clock(seconds)} / ${clock(player.time.seconds)}`;
    byId("level").style.transform = `scaleX(${player.playing ? Math.min(player.level * 3, 1) : 0})`;
  };
  const frame = () => { show(); if (player.playing) { requestAnimationFrame(frame); } };
  studio.on("transport", () => {
    byId("play").classList.toggle("on", player.playing);
    byId("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
    byId("loop").setAttribute("aria-pressed", String(studio.looping));
    frame();
  });
  studio.on("song", () => {
    byId("undo").disabled = !studio.song.can_undo;
    byId("redo").disabled = !studio.song.can_redo;
    byId("tempo").value = studio.song.tempo_bpm;
    byId("tempo-said").textContent = `${Math.round(studio.song.tempo_bpm)} bpm`;
    show();
  });
  byId("tempo").addEventListener("input", () => { byId("tempo-said").textContent = `${byId("tempo").value} bpm`; });
  byId("tempo").addEventListener("change", () => studio.edit({ kind: "tempo", tempo_bpm: Number(byId("tempo").value) }, byId("tempo")));
}

/** Keys that work wherever no text is typed. Buttons that were clicked, not tabbed to, leave them their keys. */
function mountKeys(studio, score) {
  let tabbed = false;
  addEventListener("pointerdown", () => { tabbed = false; }, true);
  addEventListener("keydown", (event) => { if (event.key === "Tab") { tabbed = true; } }, true);
  const plain = {
    " ": (event) => (event.shiftKey ? studio.playSelection() : studio.toggle()), Enter: () => score.enter(), l: () => studio.toggleLoop(), u: () => studio.undo(),
    r: () => studio.undo("redo"), t: () => studio.take(), Escape: () => score.escape(), f: () => byId("follow").click(),
    p: () => byId("pencil").click(), e: () => score.toggleFold(studio.selection.cursor.track), a: () => score.allTracks(),
    m: () => studio.toggleMix(studio.selection.cursor.track, "muted"), s: () => studio.toggleMix(studio.selection.cursor.track, "solo"),
    "+": () => score.zoom(1.25), "=": () => score.zoom(1.25), "-": () => score.zoom(0.8), "?": () => byId("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const { target } = event, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!studio.song || event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) { return; }
    const range = target.matches('input[type="range"]');
    if (target.matches("input, select, textarea") && !(range && [" ", "u", "t"].includes(key))) { return; }
    const presses = target.matches("button, a, summary") && (tabbed || target.matches("a"));
    if (presses && (key === " " || key === "Enter")) { return; }
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") { event.preventDefault(); studio.undo(event.shiftKey ? "redo" : "undo"); }
      if (key === "y") { event.preventDefault(); studio.undo("redo"); }
      return;
    }
    const act = /^[0-5]$/.test(key) ? () => studio.hear(Number(key) - 1) : plain[key] ?? (!range && score.arrow(event));
    if (act) { event.preventDefault(); act(event); }
  });
  byId("help-button").addEventListener("click", () => byId("help").showModal());
}

const studio = new Studio();
window.studio = studio;
mountSongs(studio);
mountTransport(studio);
const score = studio.score = new Score(studio);
mountMaking(studio);
mountWords(studio, score);
mountFiles(studio);
mountKeys(studio, score);
studio.start().then(() => document.body.classList.add("ready"), (error) => studio.fail(error)).finally(() => progress());
