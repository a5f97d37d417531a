// Building blocks of the page. Whatever comes from a text becomes a text node, never markup.

export const byId = (id) => document.getElementById(id);

/** An element with its attributes; children are elements or strings, empty ones are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== "" && child != null));
  return made;
}

/** A share as a percentage that never rounds to certainty, like the command's. */
export function percent(share, digits = 0) {
  const least = 10 ** -digits;
  const [sign, shown] =
    100 * share > 100 - least ? ["> ", 100 - least] : 100 * share < least ? ["< ", least] : ["", 100 * share];
  return `${sign}${shown.toFixed(digits)}\u00a0%`;
}

export const number = (count) => count.toLocaleString("en");

export const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Control characters made visible. */
export function visible(text) {
  return text
    .replace(/[\0-\x08\x0b-\x1f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(/\x7f/g, "␡")
    .replace(/[\x80-\x9f]/g, "\ufffd");
}
