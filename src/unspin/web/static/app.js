// The page: a text goes in, its reading comes out. Each room of it has a file of its own.

import { about, example, post, Problem } from "./api.js";
import { Card } from "./card.js";
import { byId, counted, element, number } from "./dom.js";
import { Draft } from "./draft.js";
import * as evidence from "./evidence.js";
import { textOf } from "./file.js";
import { lighting, sources, taken } from "./source.js";
import { Texts } from "./texts.js";
import * as verdict from "./verdict.js";

const TYPES = { md: "markdown", json: "json", html: "html" };

const card = new Card(byId("card"), choose, leave);
let reading = null; // what is under way: an AbortController
let copied = null; // the timer of what the button says
let draft = null;
let texts = null;
let known = null;

/** What the server is; asked again when it was not to be had. */
function server() {
  known ??= about().catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

// --- from a text to its reading

/** Read what a promise gives: a text that was pasted, or one that has yet to be fetched. */
async function read(source) {
  reading?.abort();
  reading = new AbortController();
  const { signal } = reading;
  byId("message").replaceChildren();
  busy(true);
  try {
    const page = await source(signal);
    const { index, limits } = await server();
    signal.throwIfAborted();
    if (!page.trim()) throw new Problem("There is nothing to read yet: paste a text, open a file, or try an example.");
    if (page.length > limits.max_bytes) throw new Problem(`The text has ${number(page.length)} characters, and the server takes ${number(limits.max_bytes)} bytes: split it into documents and read one at a time.`);
    const text = page.isWellFormed?.() === false ? page.toWellFormed() : page;
    show(await post("v1/read", { page: text, science: byId("science").checked }, "json", signal));
    if (index) await trace(text, signal);
  } catch (error) {
    if (!signal.aborted) complain(error);
  } finally {
    if (reading?.signal === signal) busy(false);
  }
}

function busy(is) {
  byId("read").textContent = is ? "Stop" : "Read it";
  byId("start").setAttribute("aria-busy", is);
  if (is) say("Reading");
  else reading = null;
}

function stop() {
  reading?.abort();
  say("Stopped");
}

function complain(error) {
  if (!(error instanceof Problem)) console.error(error);
  const message = error instanceof Problem ? error.message : "The page itself failed. Your text is still here: please report what it was doing.";
  byId("message").replaceChildren(element("p", {}, message));
}

function show(found) {
  verdict.show(found);
  byId("taken").hidden = byId("source").hidden = true;
  byId("start").hidden = true;
  byId("again").hidden = byId("result").hidden = false;
  edit(new Draft(found));
  byId("verdict").focus({ preventScroll: true });
  scrollTo(0, 0);
  document.title = `${found.verdict} · unspin`;
  say(`${byId("verdict").textContent}. ${byId("probability").getAttribute("aria-valuetext")}.`);
}

/** Go on with a draft: of what was read, or of the source's own words. */
function edit(next) {
  card.hide();
  draft = next;
  draft.threshold = threshold();
  texts = new Texts(byId("texts"), draft);
  evidence.show(draft, texts);
  const judged = draft.edits.length > 0;
  byId("toolbar").classList.toggle("plain", !judged);
  byId("keys").hidden = !judged && !draft.reading.suspects.length;
  count();
}

async function trace(page, signal) {
  const found = await post("v1/trace", { page, sides: true, restore: true }, "json", signal);
  byId("taken").hidden = false;
  if (!found.matches.length) {
    byId("taken").textContent = "No article of the index is its source.";
    return;
  }
  byId("taken").replaceChildren(...taken(found));
  const own = draft;
  const quoted = new Draft({ ...found.reading, findings: own.reading.findings });
  const words = element("button", { type: "button", id: "own-words", "aria-pressed": "false" }, "Put the source’s own words back");
  words.addEventListener("click", () => {
    const pressed = draft !== quoted;
    words.setAttribute("aria-pressed", pressed);
    edit(pressed ? quoted : own);
  });
  const report = element("button", { type: "button", id: "source-report" }, "Download the comparison");
  report.addEventListener("click", () => attempt(async () => {
    save(await post("v1/trace", { page, format: "html" }, "blob"), "source.html");
  }));
  byId("source").replaceChildren(...sources(found, [words, report]));
  byId("source").hidden = false;
  say(byId("taken").textContent);
}

// --- what stands in the text

function choose(number, word) {
  draft.choose(number, word);
  texts.update([number]);
  count();
}

/** Go from the card back to its word; the printed one cannot have the focus. */
function leave(number, word) {
  if (word.matches("[tabindex]")) word.focus({ preventScroll: true });
  else texts.focus(number);
}

function count() {
  const { size } = draft.choices;
  byId("slider").setAttribute("aria-valuetext", `from ${byId("slider").value} % sure`);
  byId("from").textContent = `${byId("slider").value}\u00a0%`;
  byId("count").textContent = `${number(draft.made)} of ${counted(draft.edits.length, "change")}`;
  byId("undo").hidden = !size;
  byId("undo").textContent = `Forget ${counted(size, "choice")}`;
}

/** The confidence that the slider asks for; at its end none is enough. */
const threshold = () => (byId("slider").value === "100" ? Infinity : byId("slider").value / 100);

byId("slider").addEventListener("input", () => {
  const before = draft.threshold;
  draft.threshold = threshold();
  texts.update(draft.between(before, draft.threshold));
  count();
});

byId("undo").addEventListener("click", () => {
  const numbers = [...draft.choices.keys()];
  draft.choices.clear();
  texts.update(numbers);
  count();
  byId("copy").focus(); // the button is gone
});

byId("view").addEventListener("change", ({ target }) => {
  byId("texts").dataset.view = target.value;
});

// --- pointing at words, walking from word to word

const result = byId("result");
const numbered = (target) => target.closest?.("[data-edit]");

result.addEventListener("mouseover", ({ target }) => {
  if (card.pinned || !texts) return;
  const word = numbered(target);
  texts.light(word?.dataset.edit);
  if (word) card.show(draft, Number(word.dataset.edit), word);
  else card.hide();
});

result.addEventListener("focusin", ({ target }) => {
  const word = numbered(target);
  if (!word) return;
  texts.light(word.dataset.edit);
  if (!card.pinned) card.show(draft, Number(word.dataset.edit), word);
});

result.addEventListener("focusout", () => {
  if (!card.pinned) card.hide();
});

document.addEventListener("click", ({ target }) => {
  const word = numbered(target);
  if (word) card.show(draft, Number(word.dataset.edit), word, { pinned: true });
  else if (!target.closest("#card")) card.hide();
  if (!target.closest("#downloads")) byId("downloads").open = false;
});

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

result.addEventListener("keydown", (event) => {
  const word = numbered(event.target);
  if (!word) return;
  const place = Number(word.dataset.edit);
  if (event.key === "Enter" || event.key === " ") {
    card.show(draft, place, word, { pinned: true });
  } else if (event.key in STEPS && word.closest("#texts")) {
    texts.focus(place + STEPS[event.key]);
  } else {
    return;
  }
  event.preventDefault();
});

addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  card.hide();
  closeMenu();
});

function closeMenu() {
  const menu = byId("downloads");
  if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  menu.open = false;
}

// --- taking it away

byId("copy").addEventListener("click", () => attempt(async () => {
  const text = draft.text();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelected(text); // without TLS other addresses than the loopback have no clipboard
  }
  byId("copy").textContent = "Copied";
  say("The text is copied");
  clearTimeout(copied);
  copied = setTimeout(() => { byId("copy").textContent = "Copy text"; }, 1500);
}));

function copySelected(text) {
  const place = element("textarea", { class: "hidden" });
  place.value = text;
  document.body.append(place);
  place.select();
  document.execCommand("copy");
  place.remove();
}

byId("downloads").addEventListener("click", ({ target }) => {
  const type = target.dataset.download;
  if (!type) return;
  closeMenu();
  attempt(async () => {
    if (type === "txt") return save(new Blob([draft.text()], { type: "text/plain" }), "restored.txt");
    const report = { reading: draft.toReading(), format: TYPES[type] };
    return save(await post("v1/report", report, "blob"), `unspin.${type}`);
  });
});

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${name} is downloaded`);
}

async function attempt(work) {
  byId("message").replaceChildren();
  try {
    await work();
  } catch (error) {
    complain(error);
  }
}

// --- what goes in

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (reading) stop();
  else read(async () => byId("page").value);
});

byId("page").addEventListener("input", measure);
byId("page").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("ask").requestSubmit();
});

function measure() {
  const { length } = byId("page").value;
  byId("length").textContent = length ? counted(length, "character") : "";
}

byId("file").addEventListener("change", ({ target }) => {
  open(target.files[0]);
  target.value = "";
});

addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.toggle("dropping", !byId("start").hidden);
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  open(event.dataTransfer.files[0]);
});

function open(file) {
  if (!file) return;
  read(async (signal) => {
    const text = await textOf(file, (await server()).limits.max_bytes);
    signal.throwIfAborted();
    return fill(text);
  });
}

/** Put a text into the box; returns it. */
function fill(text) {
  byId("page").value = text;
  measure();
  return text;
}

for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    byId("science").checked = "science" in button.dataset;
    read(async (signal) => fill(await example(button.dataset.example, signal)));
  });
}

byId("again").addEventListener("click", () => {
  if (reading) stop();
  card.hide();
  byId("message").replaceChildren();
  byId("result").hidden = byId("again").hidden = true;
  byId("start").hidden = false;
  document.title = "unspin";
  byId("page").focus();
  byId("page").select();
});

// --- the bookmarklet, and what it sends

function bookmarklet() {
  const code = `open(${JSON.stringify(`${location.origin}${location.pathname}#text=`)}+encodeURIComponent(getSelection()||""))`;
  byId("bookmarklet").href = `javascript:void ${encodeURIComponent(code)}`;
  byId("bookmarklet").addEventListener("click", (event) => {
    event.preventDefault();
    say("Drag the link to your bookmarks bar");
  });
}

function sent() {
  if (!location.hash.startsWith("#text=")) return;
  const [, selected] = location.hash.split("=");
  // What was selected elsewhere does not stay in the address or the history.
  history.replaceState(null, "", location.pathname);
  read(async () => fill(decodeURIComponent(selected)));
}

function say(line) {
  byId("status").textContent = line;
}

if (matchMedia("(max-width: 44rem)").matches) document.querySelector("[value=stacked]").click();
attempt(server);
bookmarklet();
lighting(byId("source"));
addEventListener("hashchange", sent);
sent();
