/** Short words for the elements of a page. */

export const byId = (id) => document.getElementById(id);

/** What a person did that can't be done, said in one sentence. */
export class Mistake extends Error {}

/** An element with attributes, properties (functions and `text`) and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") { made.textContent = value; }
    else if (typeof value === "function") { made.addEventListener(name, value); }
    else if (value !== false && value !== null) { made.setAttribute(name, value === true ? "" : value); }
  }
  made.append(...children);
  return made;
}

/** `3:07` */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
