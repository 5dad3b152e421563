/** Requests to the studio's server, each with the token that the page came with. */

import { Mistake } from "./dom.js";

const token = document.querySelector('meta[name="studio-token"]').content;

/** What went wrong, in one sentence of the server's. */
export class ServerError extends Mistake {}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { "X-Studio-Token": token, ...options.headers } });
  } catch {
    throw new ServerError("The studio's server does not answer; is it still running in its terminal?");
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new ServerError(said.error || `The server answered ${answer.status}; try again.`);
  }
  return answer;
}

function posted(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** Reads a stream of events; `onProgress` gets each `progress`, the promise is the `result`. */
async function follow(answer, onProgress) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += (value ?? "").replaceAll("\r", "");
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of done ? [...events, rest] : events) {
      const kind = /^event: ?(.*)$/m.exec(event)?.[1] ?? "message";
      const data = [...event.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join("\n");
      if (kind === "progress") { onProgress(JSON.parse(data)); }
      if (kind === "error") { throw new ServerError(JSON.parse(data).error); }
      if (kind === "result") { return JSON.parse(data); }
    }
    if (done) { throw new ServerError("The server stopped before it was done; try again."); }
  }
}

/** One session of the studio; its name stands in the address, so that a reload resumes it. */
export class Api {
  async open(name) {
    let answer;
    try {
      answer = await ask("/api/sessions", posted(name ? { session: name } : {}));
    } catch (error) {
      if (!name) { throw error; }
      answer = await ask("/api/sessions", posted({}));
    }
    this.session = (await answer.json()).session;
    return this.session;
  }

  get root() {
    return `/api/sessions/${this.session}`;
  }

  async get(path = "") {
    return (await ask(this.root + path)).json();
  }

  async post(path, body) {
    return (await ask(this.root + path, posted(body))).json();
  }

  async stream(path, body, onProgress) {
    return follow(await ask(this.root + path, posted(body)), onProgress);
  }

  async upload(file, onProgress) {
    const path = `${this.root}/files?name=${encodeURIComponent(file.name)}`;
    return follow(await ask(path, { method: "POST", body: file }), onProgress);
  }

  /** The bytes of a chunk of sound. */
  async sound(hash) {
    return (await ask(`/api/sound/${hash}.wav`)).arrayBuffer();
  }

  /** The whole address of a download, the token in it: links can't send headers. */
  fileAddress(song, name, query = {}) {
    const words = new URLSearchParams({ ...query, token });
    return new URL(`${this.root}/songs/${song}/files/${name}?${words}`, location.href).href;
  }
}
