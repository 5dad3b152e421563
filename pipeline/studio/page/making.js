/** Making the selection anew: what is asked for, the versions that come, and what else changes the song. */

import { Mistake, byId, element } from "./dom.js";
import { drawMiniature, rollColours } from "./roll.js";
import { between, joined, spoken } from "./selection.js";

const COUNT = 5;
const CHORD = /^(?:[A-Ga-gHh](?:##|bb|#|b|♯|♭|is|es|s)?[^\s/|]*(?:\/[A-Ga-gHh](?:#|b|♯|♭|is|es)?)?|n\.?c\.?|%)$/i;
const MODES = { anew: "Made anew", like: "More like this", busier: "Busier", sparser: "Sparser" };

/** What a typed progression says, or what is wrong with it. */
export function understood(text) {
  const line = text.replaceAll(",", " ").trim();
  if (!line) { return { said: "One a bar; write Am F | C G for two a bar.", right: true }; }
  const bars = line.includes("|") ? line.replace(/^\||\|$/g, "").split("|").map((bar) => bar.trim().split(/\s+/)) : line.split(/\s+/).map((one) => [one]);
  const wrong = bars.flat().find((one) => !CHORD.test(one));
  if (wrong !== undefined) { return { said: `${wrong || "Nothing"} is no chord; write them like Am, F#7, Bbmaj7 or C/E.`, right: false }; }
  const long = bars.find((bar) => bar.length > 2);
  if (long) { return { said: `${long.join(" ")} are ${long.length} chords in a bar; a bar has two at most.`, right: false }; }
  const count = bars.length === 1 ? "1 bar" : `${bars.length} bars`;
  return { said: `${count}: ${bars.map((bar) => bar.join(" ")).join(" | ")}, repeated to the end of the selection.`, right: true };
}

/** A whole number that was typed, or null for none. */
function typedSeed(field) {
  const text = field.value.trim();
  if (!text) { return null; }
  if (!/^\d{1,15}$/.test(text)) { throw new Mistake(`The seed ${text} is no whole number; leave it empty for one by chance.`); }
  return Number(text);
}

export function mountMaking(studio) {
  mountRequest(studio);
  mountVersions(studio);
  mountSelectionFields(studio);
  mountSliders(studio);
  mountSongChanges(studio);
  mountNewSong(studio);
}

/** What the sliders and fields ask for. */
function conditions() {
  const text = byId("chord-text").value.trim(), { said, right } = understood(text);
  if (!right) { throw new Mistake(said); }
  return {
    chords: text || null, key: null, temperature: Number(byId("temperature").value), condition_strength: Number(byId("strength").value),
    seed: typedSeed(byId("seed")),
  };
}

function density(studio) {
  const free = byId("density-free").hidden;
  return free ? null : Object.fromEntries(studio.names().filter((name) => studio.composes(name)).map((name) => [name, Number(byId("density").value)]));
}

function mountRequest(studio) {
  async function ask(mode, button) {
    const clicked = performance.now(), { selection, song } = studio;
    const asked = { first: selection.first, end: selection.end, tracks: selection.ordered() };
    await studio.workOnce(button, async () => {
      const names = studio.names().filter((name) => studio.composes(name));
      if (!names.length) { throw new Mistake(`${joined(studio.names())} is a record that plays as it is; select another track.`); }
      const body = {
        tracks: names, bars: [selection.first, selection.end], mode, count: COUNT, density: density(studio), ...conditions(),
      };
      studio.player.prefetch(asked.first * song.steps_per_bar);
      const answer = await studio.inTurn(() => studio.api.post(`/songs/${song.number}/versions`, body));
      if (studio.song.number !== song.number) { return; }
      studio.dropVersions();
      studio.madeAs = MODES[mode];
      studio.offer(answer.versions, asked, clicked);
      studio.metrics.lastVersions = performance.now() - clicked;
      studio.say(`${answer.versions.length} versions of ${spoken(body.tracks, ...body.bars, song.tracks.length)}; keys 1 to ${answer.versions.length} play them`);
    });
  }
  document.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => ask(button.dataset.mode, button)));
  byId("other-chords").addEventListener("click", () => {
    if (byId("chord-text").value.trim()) { ask("anew", byId("other-chords")); return; }
    byId("chord-text").focus();
    studio.fail(new Mistake("Type the chords first, such as Am F C G."));
  });
  const chords = byId("chord-text");
  chords.addEventListener("input", () => {
    const { said, right } = understood(chords.value);
    byId("chords-understood").textContent = said;
    chords.setAttribute("aria-invalid", String(!right));
  });
  chords.addEventListener("keydown", (event) => { if (event.key === "Enter") { byId("other-chords").click(); } });
}

function mountVersions(studio) {
  const box = byId("versions"), colours = rollColours();
  byId("take").addEventListener("click", () => studio.take());
  byId("leave").addEventListener("click", () => studio.leave());
  let shown = null;
  studio.on("versions", () => {
    const { versions, heard, song } = studio;
    byId("versions-box").hidden = !versions.length;
    if (!versions.length) { shown = null; return; }
    if (shown !== versions) {
      shown = versions;
      byId("versions-title").textContent = `${studio.madeAs}: hear them in place`;
      const was = song.tracks.filter((_, index) => studio.asked.tracks.includes(index)).map((track) => ({ name: track.name, notes: inBars(track.notes, studio) }));
      const choices = [{ tracks: was, label: "as it was" }, ...versions.map((version, index) => ({ ...version, label: String(index + 1) }))];
      box.replaceChildren(...choices.map((choice, index) => versionButton(studio, choice, index - 1, colours)));
      byId("versions-box").scrollIntoView({ block: "nearest" });
    }
    [...box.children].forEach((button, index) => button.setAttribute("aria-pressed", String(index - 1 === heard)));
    byId("take").disabled = heard < 0;
    byId("take").textContent = heard < 0 ? "Take it" : `Take version ${heard + 1}`;
    byId("version-seed").textContent = heard < 0 ? "" : `seed ${versions[heard].seed}`;
  });
}

function inBars(notes, studio) {
  const spb = studio.song.steps_per_bar;
  return notes.filter(([step]) => step >= studio.asked.first * spb && step < studio.asked.end * spb);
}

function versionButton(studio, choice, index, colours) {
  const canvas = element("canvas", { "aria-hidden": "true" }), spb = studio.song.steps_per_bar;
  const count = choice.tracks.reduce((sum, track) => sum + track.notes.length, 0);
  const label = index < 0 ? `What was there, ${count} notes` : `Version ${index + 1}, ${count} notes, seed ${choice.seed}`;
  const button = element("button", { type: "button", "aria-pressed": "false", "aria-label": label, click: () => studio.hear(index) }, canvas, element("span", { text: choice.label }));
  const parts = choice.tracks.map((track) => ({ notes: track.notes, colour: colours.tracks[studio.song.tracks.findIndex((one) => one.name === track.name) % 8] }));
  drawMiniature(canvas, 84, 44, parts, studio.asked.first * spb, (studio.asked.end - studio.asked.first) * spb, colours.surface);
  return button;
}

function mountSelectionFields(studio) {
  const [first, last] = [byId("first-bar"), byId("last-bar")];
  studio.on("selection", () => {
    const { selection, song } = studio;
    byId("selected").textContent = spoken(studio.names(), selection.first, selection.end, song.tracks.length).replace(/^a/, "A");
    first.max = last.max = song.bars;
    first.value = selection.first + 1;
    last.value = selection.end;
  });
  const change = (event) => {
    const { bars } = studio.song;
    let from = between(Math.round(Number(first.value)) || 1, 1, bars), to = between(Math.round(Number(last.value)) || 1, 1, bars);
    if (from > to) { if (event.target === first) { to = from; } else { from = to; } }
    studio.selection.setBars(from - 1, to);
    studio.select(true);
  };
  first.addEventListener("change", change);
  last.addEventListener("change", change);
}

function mountSliders(studio) {
  for (const [id, said] of [["temperature", "temperature-said"], ["strength", "strength-said"]]) {
    byId(id).addEventListener("input", () => { byId(said).textContent = byId(id).value; });
  }
  const free = byId("density-free");
  byId("density").addEventListener("input", () => {
    free.hidden = false;
    byId("density-said").textContent = byId("density").value;
  });
  free.addEventListener("click", () => {
    free.hidden = true;
    byId("density-said").textContent = "as it comes";
    showDensity();
    byId("density").focus();
  });
  const showDensity = () => {
    if (!free.hidden) { return; }
    const { song, selection } = studio, spb = song.steps_per_bar;
    const counts = selection.ordered().map((track) => song.tracks[track].notes.filter(([step]) => step >= selection.first * spb && step < selection.end * spb).length);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length / (selection.end - selection.first);
    byId("density").value = mean;
    byId("density-said").textContent = `as it comes`;
  };
  studio.on("selection", showDensity);
  const swing = byId("swing"), swingText = () => { byId("swing-said").textContent = Number(swing.value) <= 0.5 ? "straight" : `${Math.round(100 * swing.value)} %`; };
  swing.addEventListener("input", swingText);
  swing.addEventListener("change", () => studio.edit({ kind: "swing", swing: Number(swing.value) }, swing));
  studio.on("song", () => { swing.value = studio.song.swing; swingText(); });
}

function mountSongChanges(studio) {
  studio.on("song", () => {
    byId("key").value = studio.song.key;
    byId("seed").placeholder = "by chance";
  });
  const transpose = () => studio.edit({ kind: "key", key: byId("key").value.trim() }, byId("transpose"));
  byId("transpose").addEventListener("click", transpose);
  byId("key").addEventListener("keydown", (event) => { if (event.key === "Enter") { transpose(); } });
  document.querySelectorAll("[data-bars]").forEach((button) => button.addEventListener("click", () => {
    const clicked = performance.now(), { number, bars } = studio.song;
    studio.workOnce(button, () => studio.inTurn(async () => {
      const body = { bars: Number(button.dataset.bars), density: null, ...conditions() };
      const song = await studio.api.stream(`/songs/${number}/continue`, body, (event) => progress(`Composing ${body.bars} bars`, event));
      studio.apply(song, clicked);
      if (studio.song.number !== number) { return; }
      studio.selection.setTracks(song.tracks.map((_, index) => index));
      studio.selection.setBars(bars, song.bars);
      studio.select();
      studio.say(`${song.bars - bars} bars more`);
    }).finally(() => progress()));
  }));
}

/** Shows how far long work is; nothing hides it. */
export function progress(what, event) {
  byId("work").hidden = !what;
  if (!what) { return; }
  const counted = event?.total ? { done: event.done, total: event.total } : null;
  const told = typeof event?.what === "string" && event.what.includes(" ") ? event.what : what;
  byId("work-text").textContent = counted ? `${told} (${counted.done} of ${counted.total})` : told;
  if (counted) { byId("work-bar").max = counted.total; byId("work-bar").value = counted.done; } else { byId("work-bar").removeAttribute("value"); }
}

function mountNewSong(studio) {
  const dialog = byId("new-song"), text = (id) => byId(id).value.trim() || null;
  byId("new-song-button").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "make") { return; }
    dialog.returnValue = "";
    studio.workOnce(byId("new-song-button"), async () => {
      const { said, right } = understood(text("new-chords") ?? "");
      if (!right) { throw new Mistake(said); }
      const body = {
        chords: text("new-chords"), key: text("new-key"), tempo_bpm: text("new-tempo") && Number(text("new-tempo")), form: text("new-form"), density: null,
        temperature: Number(byId("temperature").value), condition_strength: Number(byId("strength").value), seed: typedSeed(byId("new-seed")),
      };
      progress("Composing a song");
      const song = await studio.api.stream("/songs", body, (event) => progress("Composing a song", event)).finally(() => progress());
      await further(studio, song);
    });
  });
}

/** A further song has come: it is listed and opened. */
export async function further(studio, song) {
  studio.setSongs((await studio.api.get()).songs);
  await studio.open(song.number);
  byId("song-title").focus();
  studio.say(`${song.title} is open, ${joined(song.tracks.map((track) => track.name))}, ${song.bars} bars`);
}
