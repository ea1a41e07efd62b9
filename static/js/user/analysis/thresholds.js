// The six sliders: which figures they flag, and what that makes of a ticker. Pure, apart from readThresholds.
import { find, findAll, setText } from "../../common/dom.js";

const HIGH = 0.6;
const MEDIUM = 0.3;

// The sliders as [{ key, value, scale, above, word }].
export function readThresholds(form) {
  return findAll("[data-threshold]", form).map((input) => ({
    key: input.dataset.threshold,
    value: Number(input.value),
    scale: Number(input.dataset.scale),
    above: input.dataset.above === "1",
    word: input.dataset.word,
    label: input.dataset.label,
  }));
}

// Whether a figure is on the wrong side; null where there is no figure.
export function isFlagged(threshold, figure) {
  if (figure === null || figure === undefined) return null;
  const limit = threshold.value * threshold.scale;
  return threshold.above ? figure > limit : figure < limit;
}

// { level: "high" | "medium" | "low" | "none", flagged: labels, known: count }. Without any figure there is no level.
export function judge(thresholds, metrics) {
  const judged = thresholds.map((threshold) => [threshold, isFlagged(threshold, metrics?.[threshold.key])]);
  const known = judged.filter(([, flagged]) => flagged !== null);
  const flagged = known.filter(([, wrong]) => wrong).map(([threshold]) => threshold.label);
  const share = known.length ? flagged.length / known.length : 0;
  const level = !known.length ? "none" : share >= HIGH ? "high" : share >= MEDIUM ? "medium" : "low";
  return { level, flagged, known: known.length };
}

export const LEVELS = {
  high: ["High risk", "tag tag-bad"],
  medium: ["Medium risk", "tag tag-waiting"],
  low: ["Low risk", "tag tag-good"],
  none: ["Not rated", "tag"],
};

// Writes each slider's number beside it. The width of the filled part is a CSS variable.
export function showValues(form) {
  for (const input of findAll("[data-threshold]", form)) {
    setText(find(`[data-value-of="${input.dataset.threshold}"]`, form), input.value.replace("-", "−"));
  }
}
