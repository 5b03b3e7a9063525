// Asks the service each second for what is new, keeps the last minutes, and shows them.

import { View } from "./view.js";

const PATIENCE = 5000;
const RETRY = 2000;

const empty = () => ({ started: null, last: -1, times: [], figures: {}, refused: {}, models: new Map() });

let store = empty();
let heard = null; // When the service last answered.
let timer = null;
let asking = false;
const view = new View();

/** Adds values behind those there are; where a list is new, it begins with gaps. */
function append(lists, values, before, after, keeps) {
  for (const key of new Set([...Object.keys(lists), ...Object.keys(values)])) {
    const list = (lists[key] ??= Array(before).fill(null));
    list.push(...(values[key] ?? Array(after).fill(null)));
    list.splice(0, Math.max(0, list.length - keeps));
  }
}

function take(report) {
  const before = store.times.length;
  const added = report.times.length;
  store.started = report.started;
  store.last = report.last;
  store.times.push(...report.times);
  store.times.splice(0, Math.max(0, store.times.length - report.keeps));
  append(store.figures, report.process.figures, before, added, report.keeps);
  append(store.refused, report.refused, before, added, report.keeps);
  for (const model of report.models) {
    const figures = store.models.get(model.name) ?? {};
    append(figures, model.figures, before, added, report.keeps);
    store.models.set(model.name, figures);
  }
}

async function ask() {
  const response = await fetch(`status?after=${store.last}`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) {
    throw new Error(`status ${response.status}`);
  }
  return response.json();
}

/** One question and its answer; resolves to the milliseconds until the next. */
async function look() {
  try {
    let report = await ask();
    if (store.started !== null && (report.started !== store.started || report.last < store.last)) {
      store = empty(); // It is another process, which counts from 0.
      report = await ask();
    }
    take(report);
    heard = Date.now();
    view.show(report, store);
    return report.everyMillis;
  } catch {
    view.lost(heard);
    return RETRY;
  }
}

async function run() {
  clearTimeout(timer);
  if (asking || document.hidden) {
    return;
  }
  asking = true;
  const pause = await look();
  asking = false;
  timer = setTimeout(run, pause);
}

document.addEventListener("visibilitychange", run);
run();
