// The card beside a changed word: what was printed, what may have stood there, and why.

import { element, percent, visible } from "./dom.js";

export class Card {
  /** `choose` is called with the number of an edit and the word chosen for it, `leave` with the
      number and the place where the card was opened when it is closed. */
  constructor(place, choose, leave) {
    this.place = place;
    this.leave = leave;
    this.pinned = null; // the word that the card was opened for, rather than pointed at
    place.addEventListener("change", ({ target }) => {
      choose(this.number, this.words[target.value]);
      // The word may stand in another line now.
      this.#beside(this.word);
    });
    place.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || event.key === "Enter") {
        event.preventDefault();
        this.close();
      } else if (event.key === "Tab") {
        this.close(); // and on from the word
      }
    });
    place.addEventListener("focusout", ({ relatedTarget }) => {
      if (this.pinned && relatedTarget && !place.contains(relatedTarget)) this.hide();
    });
  }

  /** Show the card beside a word; pinned, it takes the focus and stays until it is closed. */
  show(draft, number, word, { pinned = false } = {}) {
    const edit = draft.edits[number];
    const options = draft.options(number);
    const chosen = draft.word(number);
    this.number = number;
    this.word = word;
    this.words = options.map((option) => option.word);
    this.pinned = pinned ? word : null;
    this.place.replaceChildren(
      element("p", { class: "printed-word" }, "printed ", element("b", {}, visible(edit.spun))),
      element("fieldset", {}, element("legend", { class: "hidden" }, "What stands in the text"), options.map((option, place) => choice(option, place, edit, chosen))),
      element("p", { class: "why" }, `explained by ${visible(edit.reason)}`),
    );
    this.place.hidden = false;
    this.#beside(word);
    if (pinned) (this.place.querySelector("input:checked") ?? this.place.querySelector("input")).focus({ preventScroll: true });
  }

  /** Hide it, and give the focus back to the word that it was opened for. */
  close() {
    const { number, pinned } = this;
    this.hide();
    if (pinned) this.leave(number, pinned);
  }

  hide() {
    this.pinned = null;
    this.place.hidden = true;
  }

  #beside(word) {
    const [first] = word.getClientRects();
    const { width, height } = this.place.getBoundingClientRect();
    const gap = 6;
    const below = first.bottom + gap + height <= innerHeight || first.top < height + gap;
    const { left: least, right: most } = document.getElementById("result").getBoundingClientRect();
    const left = Math.max(least, Math.min(first.left, most - width));
    this.place.style.left = `${left + scrollX}px`;
    this.place.style.top = `${(below ? first.bottom + gap : first.top - height - gap) + scrollY}px`;
  }
}

function choice({ word, share }, place, edit, chosen) {
  const radio = element("input", { type: "radio", name: "word", value: place });
  radio.checked = word === chosen;
  return element(
    "label",
    {},
    radio,
    element("span", { class: "word", dir: "auto" }, visible(word), word === edit.spun ? element("small", {}, " as printed") : ""),
    bar(share ?? 0),
    element("span", { class: "share" }, share === null ? "" : percent(share)),
  );
}

function bar(share) {
  const filled = element("i");
  filled.style.width = `${100 * share}%`;
  return element("span", { class: "bar", "aria-hidden": "true" }, filled);
}
