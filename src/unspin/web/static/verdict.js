// The verdict at a glance: in words, as a bar, in figures.

import { byId, counted, element, number, percent } from "./dom.js";

const TITLES = { spun: "This text is ", clean: "This text is ", unsure: "Spun or clean? " };
const WORDS = [
  [0.999, "as good as certain"],
  [0.975, "very likely"],
  [0.5, "more likely than not"],
  [0.1, "unlikely"],
  [0.001, "very unlikely"],
  [0, "next to impossible"],
];
const ENDS = 7; // log-odds at both ends of the bar
const MOST = 6.7; // and of what is shown: a little beyond 99.8 %

export function show(reading) {
  const { verdict, probability, words } = reading;
  byId("verdict").replaceChildren(TITLES[verdict], element("b", {}, verdict));
  byId("verdict").dataset.verdict = verdict;
  const shown = figures(reading);
  const count = shown.length ? "" : ` ${counted(words, "word")} read.`;
  byId("reason").textContent = sentence(reading.reason) + count;
  scale(probability, words > 0);
  byId("figures").hidden = !shown.length;
  byId("figures").replaceChildren(...shown.map(figure));
}

function scale(probability, known) {
  const scale = byId("probability");
  scale.hidden = !known;
  const inWords = WORDS.find(([least]) => probability >= least)[1];
  scale.setAttribute("aria-valuenow", probability);
  scale.setAttribute("aria-valuetext", `${percent(probability, 1)}, ${inWords}`);
  scale.querySelector("strong").textContent = percent(probability, 1);
  scale.querySelector("span").textContent = inWords;
  scale.querySelector("i").style.left = `${place(probability)}%`;
}

/** Where a probability stands on the bar, in percent of its width: by its log-odds. */
function place(probability) {
  const odds = Math.log(probability / (1 - probability));
  return 50 + (50 * Math.max(-MOST, Math.min(MOST, odds))) / ENDS;
}

function figures({ verdict, rate, words, edits, suspects, family, quotations, findings }) {
  const altered = quotations.filter((quotation) => quotation.altered).length;
  const shown = [];
  if (verdict !== "clean") {
    shown.push(["Words replaced", percent(rate), `of ${number(words)} words`]);
    shown.push(["Changes put back", number(edits.length), `${number(suspects.length)} more suspected`]);
  }
  if (family) shown.push(["Spinner", family.name, shares(family.weights)]);
  if (verdict === "spun" && quotations.length) {
    shown.push(["Quotations altered", number(altered), `of ${number(quotations.length)}`]);
  }
  if (findings.length) shown.push(["Tortured phrases", number(findings.length), "to look into"]);
  return shown;
}

function shares(weights) {
  const sorted = Object.entries(weights).sort(([, one], [, other]) => other - one);
  return sorted.slice(0, 3).filter(([, share]) => share >= 0.005).map(([name, share]) => `${name} ${percent(share)}`).join(", ");
}

const figure = ([name, value, note]) =>
  element("div", {}, element("dt", {}, name), element("dd", {}, value, note && element("small", {}, note)));

const sentence = (line) => (line ? `${line[0].toUpperCase()}${line.slice(1)}.` : "");
