// What a reader makes of a reading: which words are replaced, and by what.

/** A text that is cut at offsets in code points, which are what the server counts in. */
class CodePoints {
  constructor(text) {
    this.text = text;
    this.places = /[\ud800-\udfff]/.test(text) ? places(text) : null;
  }

  slice(start, end) {
    return this.places
      ? this.text.slice(this.places[start], this.places[end])
      : this.text.slice(start, end);
  }

  get length() {
    return this.places ? this.places.length - 1 : this.text.length;
  }
}

function places(text) {
  const found = [];
  for (let place = 0; place < text.length; place += text.codePointAt(place) > 0xffff ? 2 : 1) {
    found.push(place);
  }
  found.push(text.length);
  return Uint32Array.from(found);
}

const codePoints = (text) => text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);

const LONG = 900; // characters of a paragraph from which it goes on in a new row, at a sentence's end
const LONGEST = 4000; // characters of a row without such an end

export class Draft {
  constructor(reading) {
    this.reading = reading;
    this.source = new CodePoints(reading.source_text);
    this.threshold = 0.5;
    this.choices = new Map(); // from the number of an edit to the word chosen for it
  }

  get edits() {
    return this.reading.edits;
  }

  /** The words that may stand in an edit's place, with their probabilities; null if unknown. */
  options(number) {
    const { original, confidence, alternatives, spun } = this.edits[number];
    const options = [[original, confidence], ...alternatives].map(([word, share]) => ({ word, share }));
    if (!options.some(({ word }) => word === spun)) options.push({ word: spun, share: null });
    return options;
  }

  /** The word that stands in an edit's place now. */
  word(number) {
    const edit = this.edits[number];
    const kept = edit.confidence >= this.threshold ? edit.original : edit.spun;
    return this.choices.get(number) ?? kept;
  }

  /** How an edit is marked: "sure", "likely", "open", "chosen", or "kept" where it is not made. */
  mark(number) {
    const edit = this.edits[number];
    if (this.choices.has(number)) return "chosen";
    if (edit.confidence < this.threshold) return "kept";
    return edit.confidence >= 0.95 ? "sure" : edit.confidence >= 0.8 ? "likely" : "open";
  }

  /** Let a word stand in an edit's place, whatever the threshold. */
  choose(number, word) {
    this.choices.set(number, word);
  }

  /** Numbers of the edits that are made or not according to which of two thresholds holds. */
  between(one, other) {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    const found = [];
    this.edits.forEach(({ confidence }, number) => {
      if (confidence >= low && confidence < high) found.push(number);
    });
    return found;
  }

  get made() {
    return this.edits.reduce((sum, edit, number) => sum + (this.word(number) !== edit.spun), 0);
  }

  /** The text with the words that stand in it now. */
  text() {
    const parts = [];
    let cursor = 0;
    this.edits.forEach((edit, number) => {
      parts.push(this.source.slice(cursor, edit.start), this.word(number));
      cursor = edit.end;
    });
    parts.push(this.source.slice(cursor, this.source.length));
    return parts.join("");
  }

  /** The reading with its edits as they stand now, in the form of the server's. */
  toReading() {
    const edits = [];
    const suspects = [...this.reading.suspects];
    this.edits.forEach((edit, number) => {
      const word = this.word(number);
      if (word !== edit.spun) edits.push(this.choices.has(number) ? this.#chosen(number, word) : edit);
      else if (!this.choices.has(number)) suspects.push(suspect(edit));
    });
    suspects.sort((one, other) => one.start - other.start);
    // What follows from the rest is for the server to say.
    const { unspin, text, quotations, ...rest } = this.reading;
    return { ...rest, edits, suspects };
  }

  /** The text in rows: where each starts, and its pieces. A "broken" row goes on in the next. */
  rows() {
    const rows = [];
    let [row, length] = [[], 0];
    const end = (kind) => {
      if (row.some(({ text }) => text === undefined || text.trim())) {
        rows.push({ kind, start: row[0].start, pieces: row });
      }
      [row, length] = [[], 0];
    };
    for (const piece of this.pieces(0, this.source.length)) {
      if (piece.furniture !== undefined) {
        end("text");
        row.push(piece);
        end("furniture");
      } else if (piece.text === undefined) {
        row.push(piece);
      } else {
        let { start } = piece;
        piece.text.split(/(\r\n|\r|\n)/).forEach((line, number) => {
          if (number % 2) end("text");
          else {
            for (const stretch of stretches(line, length)) {
              if (stretch.breaks) end("broken");
              row.push({ text: stretch.text, start });
              length = stretch.length;
            }
          }
          start += codePoints(line);
        });
      }
    }
    end("text");
    return rows;
  }

  /** The text between two offsets, cut into {text}, {edit}, {suspect} and {furniture}, each with
      its start; of the last three with its number in the reading. */
  *pieces(start, end) {
    let cursor = start;
    for (const judged of this.#judged()) {
      if (judged.start < cursor || judged.end > end) continue;
      if (judged.start > cursor) yield this.#plain(cursor, judged.start);
      yield judged;
      cursor = judged.end;
    }
    if (cursor < end) yield this.#plain(cursor, end);
  }

  #plain(start, end) {
    return { text: this.source.slice(start, end), start };
  }

  #judged() {
    const { edits, suspects, furniture } = this.reading;
    this.judged ??= [
      ...edits.map(({ start, end }, edit) => ({ start, end, edit })),
      ...furniture.map(({ start, end }, furniture) => ({ start, end, furniture })),
      ...suspects.map(({ start, end }, suspect) => ({ start, end, suspect })),
    ].sort((one, other) => one.start - other.start);
    return this.judged;
  }

  #chosen(number, word) {
    const edit = this.edits[number];
    const options = this.options(number).filter((option) => option.share !== null);
    const [taken, others] = [[], []];
    for (const option of options) (option.word === word ? taken : others).push(option);
    return {
      ...edit,
      original: word,
      confidence: taken[0].share,
      alternatives: others.map((option) => [option.word, option.share]),
      reason: `${edit.reason}; chosen by a reader`,
    };
  }
}

/** What is said of a word whose edit is not made for want of confidence. */
function suspect({ start, end, spun, confidence, alternatives }) {
  const others = alternatives.filter(([word]) => word !== spun);
  const substituted = others.reduce((sum, [, share]) => sum + share, confidence);
  return { start, end, spun, confidence: Math.min(substituted, 1) };
}

/** A line cut where a row that already has some length becomes too long to be laid out at once. */
function* stretches(line, length) {
  let rest = line;
  let breaks = false;
  while (length + rest.length > LONG) {
    const from = Math.max(LONG - length, 0);
    const end = /[.!?]["”’)\]]*\s/.exec(rest.slice(from, from + LONGEST));
    const most = Math.max(LONGEST - length, 2);
    const cut = end ? from + end.index + end[0].length : whole(rest, most);
    if (cut >= rest.length) break;
    yield { text: rest.slice(0, cut), breaks, length: length + cut };
    [rest, breaks, length] = [rest.slice(cut), true, 0];
  }
  yield { text: rest, breaks, length: length + rest.length };
}

/** A place to cut that is not in the middle of a character. */
function whole(text, place) {
  return /[\udc00-\udfff]/.test(text.charAt(place)) ? place - 1 : place;
}
