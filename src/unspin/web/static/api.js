// Talks to the server that showed the page, and to nobody else.

import { byId } from "./dom.js";

/** What went wrong, in words for the person at the page. */
export class Problem extends Error {}

const LOST = "The server does not answer. Your text is still here: start unspin serve again, then try once more.";
let token = null;
let unlocking = null;

/** What the server is: its limits, and whether it has an index. */
export const about = () => fetched("v1/model", {}, "json");

/** One of the files that come with the page. */
export const example = (name, signal) => fetched(`examples/${name}.txt`, { signal }, "text");

/** The server's answer to a request, as "json" or "blob"; `signal` can give it up. */
export function post(path, body, form, signal) {
  const headers = { "Content-Type": "application/json" };
  return fetched(path, { method: "POST", headers, body: JSON.stringify(body), signal }, form);
}

async function fetched(path, options, form) {
  const sent = token;
  let response;
  try {
    const headers = { ...options.headers, ...(sent ? { Authorization: `Bearer ${sent}` } : {}) };
    response = await fetch(path, { ...options, headers });
    if (response.ok) return await response[form]();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(LOST);
  }
  if (response.status !== 401) throw new Problem(await told(response));
  // Another request may have asked for the token meanwhile.
  if (sent === token) await unlock();
  return fetched(path, options, form);
}

async function told(response) {
  const { detail, title } = await response.json().catch(() => ({}));
  const sentence = detail ?? title ?? `the server answered with status ${response.status}`;
  return `${sentence[0].toUpperCase()}${sentence.slice(1)}.`;
}

/** Ask for the token, which is kept in memory only; whoever asks meanwhile waits for the same. */
function unlock() {
  unlocking ??= asked().finally(() => {
    unlocking = null;
  });
  return unlocking;
}

function asked() {
  const [dialog, field] = [byId("locked"), byId("token")];
  byId("wrong").hidden = token === null;
  dialog.returnValue = "";
  return new Promise((resolve, reject) => {
    const closed = () => {
      const typed = field.value.trim();
      field.value = "";
      if (dialog.returnValue !== "unlock") {
        token = null;
        reject(new Problem("Without its token the server reads nothing."));
      } else {
        // Nothing else can be sent; what is no token is not one of the server's.
        token = /^[\x21-\x7e]+$/.test(typed) ? typed : "-";
        resolve();
      }
    };
    dialog.addEventListener("close", closed, { once: true });
    dialog.showModal();
  });
}
