// The text as printed and as restored, row by row, with every judged word marked.

import { counted, element, percent, visible } from "./dom.js";

const MARKS = ["sure", "likely", "open", "chosen", "kept"];

export class Texts {
  /** Draws into `place`; `draft` says what stands where. */
  constructor(place, draft) {
    this.place = place;
    this.draft = draft;
    this.marked = draft.edits.map(() => []); // the elements of each edit, on either side
    const rows = draft.rows();
    place.replaceChildren(
      element("div", { class: "row heads", "aria-hidden": "true" }, element("p", {}, "As printed"), element("p", {}, "Restored")),
      ...this.#drawn(rows),
    );
    this.reach(0);
  }

  /** The pieces of a stretch as elements, for quotations; each changed word behind what was printed. */
  inline(start, end) {
    return [...this.draft.pieces(start, end)].map((piece) =>
      piece.edit === undefined
        ? this.#piece(piece, "restored")
        : element("span", {}, this.#printed(piece.edit), " ", this.#restored(piece.edit)),
    );
  }

  /** Show what stands in the place of some edits now. */
  update(numbers) {
    for (const number of numbers) {
      for (const place of this.marked[number]) this.#mark(place, number);
    }
  }

  /** Make a changed word the one that the Tab key comes to. */
  reach(number) {
    this.place.querySelector('.edit[tabindex="0"]')?.setAttribute("tabindex", "-1");
    this.#word(number)?.setAttribute("tabindex", "0");
  }

  /** Give the focus to a changed word of the restored text. */
  focus(number) {
    const word = this.#word(number);
    if (!word) return;
    this.reach(number);
    word.focus();
    word.scrollIntoView({ block: "nearest" });
  }

  /** Bring the row in view that holds an offset of the text. */
  reveal(offset) {
    let [found] = this.place.querySelectorAll("[data-start]");
    for (const row of this.place.querySelectorAll("[data-start]")) {
      if (Number(row.dataset.start) <= offset) found = row;
    }
    found?.scrollIntoView({ block: "center" });
    found?.animate?.({ background: ["var(--doubt-wash)", "transparent"] }, 1500);
  }

  /** Light up an edit on both sides; none without a number. */
  light(number) {
    for (const place of this.lit ?? []) place.classList.remove("lit");
    this.lit = this.marked[number] ?? [];
    for (const place of this.lit) place.classList.add("lit");
  }

  #word(number) {
    return this.marked[number]?.find((place) => place.matches("#texts .edit"));
  }

  *#drawn(rows) {
    for (let i = 0; i < rows.length; i++) {
      if (rows[i].kind === "furniture") {
        const lines = [];
        while (rows[i]?.kind === "furniture") lines.push(rows[i++].pieces[0].furniture);
        i--;
        yield this.#folded(lines);
      } else {
        yield this.#row(rows[i]);
      }
    }
  }

  #row({ kind, start, pieces }) {
    return element(
      "div",
      { class: kind === "broken" ? "row broken" : "row", "data-start": start },
      ["printed", "restored"].map((side) =>
        element("p", { class: side, dir: "auto" }, pieces.map((piece) => this.#piece(piece, side))),
      ),
    );
  }

  #folded(numbers) {
    const lines = numbers.map((number) => {
      const { text, reason } = this.draft.reading.furniture[number];
      return element("li", { dir: "auto" }, visible(text), " ", element("small", {}, reason));
    });
    return element(
      "details",
      { class: "furniture" },
      element("summary", {}, `${counted(lines.length, "line")} of furniture, not read`),
      element("ul", {}, lines),
    );
  }

  #piece(piece, side) {
    if (piece.text !== undefined) return visible(piece.text);
    if (piece.edit !== undefined) {
      return side === "printed" ? this.#printed(piece.edit) : this.#restored(piece.edit);
    }
    if (piece.suspect !== undefined) {
      const { spun, confidence } = this.draft.reading.suspects[piece.suspect];
      const title = `${percent(confidence)} substituted, but for which word is not sure`;
      return element("span", { class: "suspect", title }, visible(spun));
    }
    return visible(this.draft.reading.furniture[piece.furniture].text);
  }

  #printed(number) {
    const place = element("span", { class: "was", "data-edit": number }, visible(this.draft.edits[number].spun));
    return this.#marked(place, number);
  }

  #restored(number) {
    const place = element("span", { role: "button", tabindex: "-1", "aria-haspopup": "dialog", "data-edit": number });
    return this.#marked(place, number);
  }

  #marked(place, number) {
    this.marked[number].push(place);
    this.#mark(place, number);
    return place;
  }

  #mark(place, number) {
    const mark = this.draft.mark(number);
    const { spun } = this.draft.edits[number];
    const word = this.draft.word(number);
    if (place.classList.contains("was")) {
      place.classList.toggle("kept", word === spun);
      return;
    }
    place.classList.remove(...MARKS);
    place.classList.add("edit", mark);
    place.textContent = visible(word);
    place.setAttribute("aria-label", word === spun ? `${visible(word)}, left as printed` : `${visible(word)}, printed ${visible(spun)}`);
  }
}
