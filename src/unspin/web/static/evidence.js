// What stands below the text: who is quoted, spun passages, tortured phrases.

import { byId, counted, element, percent, visible } from "./dom.js";

/** Show the sections that have something to show. */
export function show(draft, texts) {
  const { quotations, findings } = draft.reading;
  section("quotations", entries(quotations, draft, texts));
  section("parts", spunParts(draft.reading).map((part) => element("li", {}, place(opening(draft, part), part, texts), element("small", {}, percent(part.probability, 1)))));
  section("findings", findings.map((finding) => phrase(finding, texts)));
}

function section(id, entries) {
  byId(id).hidden = !entries.length;
  byId(id).querySelector(".entries").replaceChildren(...entries);
}

/** The quotations with their speakers, altered ones first, the others folded away. */
function entries(quotations, draft, texts) {
  const cut = (altered) =>
    quotations
      .filter((quotation) => quotation.altered === altered)
      .map(({ start, end, speaker }) =>
        element(
          "figure",
          {},
          element("figcaption", {}, speaker ? visible(speaker) : "speaker not named"),
          element("blockquote", { dir: "auto" }, "“", texts.inline(start, end), "”"),
        ),
      );
  const [altered, others] = [cut(true), cut(false)];
  if (!others.length) return altered;
  const title = altered.length ? `${counted(others.length, "quotation")} more, left as printed` : `${counted(others.length, "quotation")}, as printed`;
  return [...altered, element("details", {}, element("summary", {}, title), others)];
}

/** Spun passages of a text that is not spun as a whole. */
const spunParts = ({ verdict, parts }) => (verdict === "spun" ? [] : parts.filter((part) => part.verdict === "spun"));

function opening(draft, { start, end }) {
  const line = visible(draft.source.slice(start, Math.min(end, start + 120))).replace(/\s+/g, " ").trim();
  return end > start + 120 ? `${line} …` : line;
}

function phrase(finding, texts) {
  const printed = place(visible(finding.printed), finding, texts);
  return element(
    "li",
    {},
    element("span", { dir: "auto" }, printed, " for ", element("b", {}, visible(finding.expected)), "?"),
    element("small", {}, `${percent(finding.probability)} — ${visible(finding.reason)}`),
  );
}

/** Words that bring the place in view where they stand in the text. */
function place(words, { start }, texts) {
  const button = element("button", { type: "button", class: "link", dir: "auto" }, words);
  button.addEventListener("click", () => texts.reveal(start));
  return button;
}
