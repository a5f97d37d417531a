// Talks to the server that showed the page, and to nobody else.

import { byId } from "./dom.js";

/** What went wrong, in words for the person at the page. */
export class Problem extends Error {}

let token = null;

/** What the server is: its limits, and whether it has an index. */
export async function about() {
  return (await answered(() => fetch("v1/model", { headers: headers() }))).json();
}

/** The server's answer to a request; `signal` can give it up. */
export async function post(path, body, signal) {
  const options = () => ({
    method: "POST",
    headers: { ...headers(), "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  return answered(() => fetch(path, options()));
}

async function answered(request) {
  let response;
  try {
    response = await request();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The server does not answer. Your text is still here: start unspin serve again, then read it once more.");
  }
  if (response.ok) return response;
  if (response.status === 401) {
    await unlock();
    return answered(request);
  }
  throw new Problem(await told(response));
}

async function told(response) {
  const { detail, title } = await response.json().catch(() => ({}));
  const sentence = detail ?? title ?? `the server answered with status ${response.status}`;
  return `${sentence[0].toUpperCase()}${sentence.slice(1)}.`;
}

/** Ask for the token, which is kept in memory only. */
function unlock() {
  const dialog = byId("locked");
  return new Promise((resolve, reject) => {
    const closed = () => {
      token = byId("token").value;
      byId("token").value = "";
      token ? resolve() : reject(new Problem("Without its token the server reads nothing."));
    };
    dialog.addEventListener("close", closed, { once: true });
    dialog.showModal();
  });
}

const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});
