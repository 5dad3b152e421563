/** Words: lines under the notes that they are sung on, candidates for each, and the person's own. */

import { Mistake, byId, element } from "./dom.js";

const LEADING = ["Lead", "Melody", "Vocal", "Voice", "Soprano"];
const SPREAD_BAR_PIXELS = 150; // from this width of a bar on, words stand at their steps
const AUTHORS = { model: "by the machine", person: "yours", edited: "yours, from the machine's" };

export function mountWords(studio, score) {
  const row = byId("words-row"), lane = byId("lines");
  let open = null, draw = 0, number = null;

  function place() {
    const { song } = studio;
    if (!song) { return; }
    row.hidden = !song.lines.length;
    const lead = Math.max(song.tracks.findIndex((track) => LEADING.includes(track.name)), 0);
    score.rows[lead]?.row.after(row);
    const spread = score.barWidth >= SPREAD_BAR_PIXELS;
    lane.classList.toggle("spread", spread);
    lane.replaceChildren(...song.lines.map((line) => lineButton(line, spread)));
  }

  function lineButton(line, spread) {
    const label = line.text ? `${line.text}, ${facts(line).replaceAll(" · ", ", ")}` : `No words yet, ${line.asked_syllables} syllables asked for`;
    const button = element("button", {
      type: "button", class: "line", "aria-label": label, title: line.text, "aria-pressed": String(line.index === open), click: () => choose(line.index),
    });
    button.dataset.author = line.author;
    button.style.left = `${line.first_step * score.scale}px`;
    button.style.width = `${Math.max((line.last_step - line.first_step) * score.scale - 2, 8)}px`;
    if (!spread) { button.append(element("span", { text: line.text })); return button; }
    for (const word of line.words) {
      const text = element("span", { class: "word", text: word.text });
      text.style.left = `${(word.step - line.first_step) * score.scale}px`;
      button.append(text);
    }
    return button;
  }

  function lineOf(index) {
    return studio.song.lines.find((line) => line.index === index);
  }

  async function choose(index) {
    open = index;
    draw = 0;
    place();
    show();
    byId("words-panel").scrollIntoView({ block: "nearest" });
    await candidates();
  }

  function show() {
    const line = open === null ? null : lineOf(open);
    byId("words-panel").hidden = !line;
    if (!line) { open = null; return; }
    byId("words-title").textContent = line.text ? `“${line.text}”` : "A line without words yet";
    byId("line-facts").textContent = facts(line);
  }

  /** Who wrote a line, its rhyme and its length. */
  function facts(line) {
    const asked = `the notes ask for ${line.asked_syllables}`, rhyme = `rhyme ${line.rhyme || "none"}`;
    if (!line.text) { return `${rhyme} · ${asked}`; }
    const fits = line.asked_syllables === line.syllables ? "" : `, ${asked}`;
    return `${AUTHORS[line.author] ?? line.author} · ${rhyme} · ${line.syllables} syllables${fits}`;
  }

  async function candidates() {
    const index = open, list = byId("candidates"), { number } = studio.song;
    list.replaceChildren(element("li", { class: "quiet small", text: "Seven lines are being written." }));
    await studio.work(byId("more-candidates"), async () => {
      const answer = await studio.api.get(`/songs/${number}/words/${index}/candidates?draw=${draw}`);
      if (open !== index || studio.song.number !== number) { return; }
      if (!answer.candidates.length) { throw new Mistake("No line came that fits; type your own."); }
      list.replaceChildren(...answer.candidates.map((one) => element("li", {}, element("button", {
        type: "button", "aria-label": `${one.text}, ${one.syllables} syllables`, click: (event) => take(one.text, "model", event.currentTarget),
      }, element("span", { text: one.text }), element("small", { text: String(one.syllables) })))));
      studio.say(`${answer.candidates.length} candidates`);
    });
    if (open === index) { list.querySelector("li.quiet")?.remove(); }
  }

  async function take(text, author, control) {
    const { number } = studio.song;
    const taken = await studio.work(control, () => studio.inTurn(async () => {
      studio.apply(await studio.api.post(`/songs/${number}/words`, { line: open, text, author }), performance.now());
      return true;
    }));
    if (taken) { studio.say(`The line is now: ${text}`); byId("line-text").value = ""; }
  }

  function takeTyped() {
    const text = byId("line-text").value.trim(), near = byId("candidates").querySelectorAll("span");
    if (!text) { studio.fail(new Mistake("Type the line first.")); return; }
    const from = [...near].map((one) => one.textContent).concat(lineOf(open).text);
    take(text, from.some((one) => sharesWords(one, text)) ? "edited" : "person", byId("line-take"));
  }

  byId("line-take").addEventListener("click", takeTyped);
  byId("line-text").addEventListener("keydown", (event) => { if (event.key === "Enter") { takeTyped(); } });
  byId("more-candidates").addEventListener("click", () => { draw += 1; candidates(); });
  byId("words-close").addEventListener("click", () => {
    open = null;
    place();
    show();
    byId("cursor").focus({ preventScroll: true });
  });
  studio.on("layout", place);
  studio.on("song", () => {
    if (studio.song.number !== number || (open !== null && !lineOf(open))) { open = null; }
    number = studio.song.number;
    show();
  });
}

/** Whether most words of a line come from another: then it is edited, not the person's own. */
function sharesWords(one, other) {
  const words = (text) => new Set(text.toLowerCase().match(/[\p{L}']+/gu) ?? []);
  const [a, b] = [words(one), words(other)];
  return [...b].filter((word) => a.has(word)).length > b.size / 2;
}
