/** Files in and out: dropping one, downloads that can be dragged out, and keeping the song in the album. */

import { Mistake, byId, element } from "./dom.js";
import { further, progress } from "./making.js";

const MIDI = "audio/midi";
const LARGEST_UPLOAD = 32 * 1024 * 1024;

export function mountFiles(studio) {
  mountDrop(studio);
  mountDownloads(studio);
  mountKeep(studio);
  const title = byId("title");
  studio.on("song", () => { title.value = studio.song.title; });
  title.addEventListener("change", () => studio.work(title, () => studio.inTurn(async () => {
    const number = studio.song.number;
    studio.apply(await studio.api.post(`/songs/${number}/title`, { title: title.value.trim() }), performance.now());
  })));
}

function mountDrop(studio) {
  async function add(file) {
    await studio.work(byId("open-file"), async () => {
      if (file.size > LARGEST_UPLOAD) { throw new Mistake(`${file.name} is larger than 32 MB; give a shorter piece of it.`); }
      progress(`Reading ${file.name}`);
      const song = await studio.api.upload(file, (event) => progress(`Reading ${file.name}`, event)).finally(() => progress());
      await further(studio, song);
    });
  }
  let depth = 0;
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; byId("drop").hidden = false; } });
  addEventListener("dragleave", (event) => { if (hasFiles(event) && --depth <= 0) { depth = 0; byId("drop").hidden = true; } });
  addEventListener("dragover", (event) => { if (hasFiles(event)) { event.preventDefault(); } });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) { return; }
    event.preventDefault();
    depth = 0;
    byId("drop").hidden = true;
    for (const file of [...event.dataTransfer.files]) { await add(file); }
  });
  byId("open-file").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", async () => {
    const [file] = byId("file").files;
    byId("file").value = "";
    if (file) { await add(file); }
  });
}

/** A name for a file that every system takes. */
function plain(text) {
  return text.normalize("NFKD").replace(/[^\w\- ]+/g, "").trim().replace(/\s+/g, "-").toLowerCase() || "song";
}

function mountDownloads(studio) {
  const show = () => {
    const { song, selection } = studio, names = studio.names(), stem = plain(song.title);
    const bars = { first: selection.first, end: selection.end, tracks: names.join(",") };
    const place = `bars ${selection.first + 1}–${selection.end}`;
    const files = [
      ["MIDI of the song", "song.mid", {}, MIDI, `${stem}.mid`],
      ["MIDI of the selection", "selection.mid", bars, MIDI, `${stem}-${selection.first + 1}-${selection.end}.mid`],
      ...names.map((name) => [`MIDI of ${name}`, "track.mid", { track: name }, MIDI, `${stem}-${plain(name)}.mid`]),
      ["Sound of the song", "song.wav", {}, "audio/wav", `${stem}.wav`],
      ["Stems", "stems.zip", {}, "application/zip", `${stem}-stems.zip`],
      [`Loops of ${place}`, "loops.zip", bars, "application/zip", `${stem}-loops.zip`],
      ["DAWproject", "song.dawproject", {}, "application/zip", `${stem}.dawproject`],
      ["Reaper project", "song.rpp.zip", {}, "application/zip", `${stem}-reaper.zip`],
      ["Sheet music (MusicXML)", "song.musicxml", {}, "application/vnd.recordare.musicxml+xml", `${stem}.musicxml`],
    ];
    byId("downloads").replaceChildren(...files.map(([text, name, query, kind, saved]) => {
      const address = studio.api.fileAddress(song.number, name, query);
      const link = element("a", { href: address, download: saved, draggable: "true", text, dragstart: (event) => {
        event.dataTransfer.effectAllowed = "copy";
        event.dataTransfer.setData("DownloadURL", `${kind}:${saved}:${address}`);
        event.dataTransfer.setData("text/uri-list", address);
      } });
      link.dataset.file = name;
      return element("li", {}, link);
    }));
  };
  studio.on("selection", () => {
    clearTimeout(show.soon);
    show.soon = setTimeout(show, 60);
  });
}

function mountKeep(studio) {
  const button = byId("keep");
  button.addEventListener("click", () => studio.workOnce(button, async () => {
    const { number, title } = studio.song;
    progress(`Keeping ${title}`);
    const result = await studio.api.stream(`/songs/${number}/keep`, {}, (event) => progress(`Keeping ${title}`, event)).finally(() => progress());
    if (result.songs) { studio.setSongs(result.songs); }
    const link = element("a", { id: "album-link", href: result.album, target: "_blank", rel: "noopener", text: "Open the album" });
    byId("album-link")?.remove();
    button.before(link);
    studio.tell("song");
    studio.say(`${title} is kept in the album`);
  }));
}
