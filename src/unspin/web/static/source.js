// The articles that a text was taken from, each beside it, passage by passage.

import { counted, element, number, percent, visible } from "./dom.js";

export const headline = (match) => (match.title?.trim() ? `“${visible(match.title.trim())}”` : visible(match.id));

/** Where the text was taken from, in a sentence with a link to the evidence. */
export function taken({ matches, coverage }) {
  const [best] = matches;
  const from = matches.length > 1 ? `${matches.length} articles, first of them ${headline(best)}` : headline(best);
  const share = `${percent(coverage)} of its words, ${percent(best.probability, 1)} probability`;
  return ["Taken from ", element("a", { href: "#source" }, from), ` — ${share}`];
}

/** What the section of sources shows; `buttons` go to its head. */
export function sources({ matches }, buttons) {
  return [
    element("div", { class: "head" }, element("h2", {}, matches.length > 1 ? "Sources" : "Source"), element("div", { class: "actions" }, buttons)),
    ...matches.map((match, at) => article(match, at)),
  ];
}

function article(match, at) {
  const altered = match.substitutions.filter((swap) => swap.is_protected).length;
  return element(
    "article",
    { "aria-label": headline(match) },
    element("h3", {}, headline(match)),
    element("p", { class: "facts" }, facts(match).flatMap((fact, number) => (number ? [" · ", fact] : [fact]))),
    element(
      "p",
      { class: "legend" },
      element("span", {}, element("b", { class: "was" }, "substituted"), " for ", element("b", { class: "edit sure" }, "the source’s word")),
      altered ? element("span", {}, element("b", { class: "altered" }, "altered"), " name, number or the like: never put back") : "",
      element("span", {}, element("b", { class: "alone" }, "on one side only")),
    ),
    element(
      "div",
      { class: "sides" },
      element("div", { class: "row heads", "aria-hidden": "true" }, element("p", {}, "This text"), element("p", {}, "Source")),
      ...rows(match, at),
    ),
  );
}

function facts(match) {
  const copies = match.copies.length ? [`the same stands in ${counted(match.copies.length, "other article")}: ${match.copies.slice(0, 12).map(visible).join(", ")}`] : [];
  return [
    ...(match.title?.trim() ? [visible(match.id)] : []),
    ...(match.date ? [visible(match.date)] : []),
    ...(match.url ? [address(match.url)] : []),
    `${percent(match.probability, 1)} probability`,
    `${percent(match.coverage)} of the text in ${counted(match.passages.length, "passage")}`,
    ...copies,
  ];
}

/** The article's address, which can be followed if it is one of the web. */
function address(url) {
  const shown = visible(url);
  return /^https?:\/\//.test(url) ? element("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, shown) : shown;
}

function* rows(match, at) {
  let passage = null;
  for (const row of match.sides) {
    if (row.passage !== null && row.passage !== passage) {
      passage = row.passage;
      const { source_start, source_end } = match.passages[passage];
      const place = `characters ${number(source_start)} to ${number(source_end)} of the article`;
      yield element("div", { class: "row passage" }, element("p", {}, `Passage ${passage + 1}`), element("p", {}, place));
    }
    const why = row.passage !== null ? "" : row.elsewhere === null ? "not in this article" : `from article ${row.elsewhere + 1}`;
    yield element(
      "div",
      { class: why ? "row unaligned" : "row" },
      element("p", { class: "printed", dir: "auto" }, row.page.map((piece) => marked(piece, match, at, "page"))),
      element("p", { class: why ? "why" : "restored", dir: "auto" }, why || row.source.map((piece) => marked(piece, match, at, "source"))),
    );
  }
}

function marked({ text, kind, number }, match, at, side) {
  if (kind === "same") return visible(text);
  if (number === null) return element("span", { class: "alone" }, visible(text));
  const swap = match.substitutions[number];
  const mark = swap.is_protected ? "altered" : side === "page" ? "was" : "edit sure";
  const other = side === "page" ? `in the source: ${swap.original}` : `in this text: ${swap.spun}`;
  const why = swap.is_protected ? "no word that spinners change" : swap.reason || "no known spinner swaps the two";
  return element("span", { class: mark, "data-swap": `${at}-${number}`, title: visible(`${other} (${why})`) }, visible(text));
}

/** Light up a substitution on both sides while the pointer is on one of them. */
export function lighting(section) {
  section.addEventListener("mouseover", ({ target }) => {
    const name = target.closest("[data-swap]")?.dataset.swap;
    for (const place of section.querySelectorAll(".lit")) place.classList.remove("lit");
    if (name) for (const place of section.querySelectorAll(`[data-swap="${name}"]`)) place.classList.add("lit");
  });
}
