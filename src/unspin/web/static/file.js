// A file that was opened or dropped, as text.

import { Problem } from "./api.js";
import { number } from "./dom.js";

/** The text of a file of at most so many bytes, HTML as it stands. */
export async function textOf(file, most) {
  if (file.size > most) {
    const size = `${number(Math.ceil(file.size / 1e5) / 10)} MB`;
    throw new Problem(`${file.name} has ${size}, and the server takes ${number(most / 1e6)} MB: split it into documents and read one at a time.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer().catch(() => {
    throw new Problem(`${file.name} cannot be read: it may have been moved or changed. Open it again.`);
  }));
  const marked = [[0xff, 0xfe, "utf-16le"], [0xfe, 0xff, "utf-16be"]].find(([one, two]) => bytes[0] === one && bytes[1] === two);
  if (marked) return new TextDecoder(marked[2]).decode(bytes);
  if (bytes.includes(0)) {
    throw new Problem(`${file.name} is neither text nor HTML. Of a PDF or a Word file, copy the text and paste it.`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder(declared(bytes)).decode(bytes);
  }
}

/** The encoding that a page declares, if it is one that exists; what it is most often, if not. */
function declared(bytes) {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
  const [, name] = /charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(head) ?? [];
  try {
    return new TextDecoder(name ?? "windows-1252").encoding;
  } catch {
    return "windows-1252";
  }
}
