// Which charts there are. Colours are those of page.css: one for each thing, the same wherever it appears.

import { difference } from "./text.js";

const floor = (lowest) => (lowest >= 90 ? 90 : lowest >= 50 ? 50 : 0);

const stages = (end) => [
  { key: `run${end}`, name: "run", colour: 1 },
  { key: `queue${end}`, name: "queue", colour: 4 },
  { key: `resolve${end}`, name: "resolve", colour: 3 },
  { key: `decode${end}`, name: "decode", colour: 5 },
];

/** Colours of the lines of refused requests, by reason. */
export const REFUSALS = {
  overloaded: 2, deadline: 4, not_finite: 5, defect: 8, not_ready: 1, bad_request: 6, unreadable: 3, cancelled: 7,
};

/** Just below the lowest value: what matters here are small differences. */
const near = (lowest) => (Number.isFinite(lowest) ? Math.max(0, Math.floor(10 * lowest - 0.5) / 10) : 0);

/** Of a model that learns; those with "of" have lines by task: of what was served, dashed, and of what has been learned. */
export const LEARNING = { group: "Learning", charts: [
  { title: "Normalized entropy", unit: "of the last examples", of: "entropy", floor: near, lines: [] },
  { title: "Calibration", unit: "of the last examples", of: "calibration", floor: near, lines: [] },
  { title: "Learned and committed", unit: "a second", lines: [
    { key: "learned", name: "examples", colour: 1, area: true },
    { key: "commits", name: "commits", colour: 4 },
  ] },
  { title: "From label to answers", unit: "s", lines: [
    { key: "visibleP50", name: "p50", colour: 1, area: true },
    { key: "visibleP99", name: "p99", colour: 2 },
  ] },
  { title: "Events behind", unit: "of the log", lines: [{ key: "lag", name: "events", colour: 1, area: true }] },
] };

/** The lines of a chart by task. */
export const byTask = (of, tasks) => tasks.flatMap((task, i) => [
  { key: `${of}:served:${task}`, name: `${task} served`, colour: 1 + (i % 8), dashed: true },
  { key: `${of}:learner:${task}`, name: `${task} learned`, colour: 1 + (i % 8) },
]);

/** Of a model that learns: what the gate is by. Room on the left as for the phases below. */
export const WORSE = {
  title: "Candidate less healthy", unit: "normalized entropy, with its interval of 95 %", left: 88, write: difference, named: true,
  balanced: { above: "worse", below: "better" },
};

/** Its lines. */
export const worseByTask = (tasks) => tasks.map((task, i) => ({
  key: `worse:mean:${task}`, name: task, colour: 1 + (i % 8), band: [`worse:low:${task}`, `worse:high:${task}`],
}));

const PHASES = { open: 3, holding: 1, quarantined: 2 };

/** Lanes of what a gate does, for the phases that the service tells of, and for labels that are missing. */
export const lanes = (keys) => {
  const told = keys.filter((key) => key.startsWith("gate:")).map((key) => key.slice(5));
  const known = Object.keys(PHASES).filter((phase) => told.includes(phase));
  const others = told.filter((phase) => !(phase in PHASES));
  return [
    ...[...known, ...others].map((phase) => ({ key: `gate:${phase}`, name: phase, colour: PHASES[phase] ?? 4 })),
    { key: "frozen", name: "labels missing", colour: 6 },
  ];
};

/** Of the whole service; refusals have lines of their own, by reason. */
export const SERVICE = [
  { title: "Requests answered", unit: "a second", lines: [{ key: "answered", name: "answered", colour: 1, area: true }] },
  { title: "Requests refused", unit: "a second", named: true, refusals: true, lines: [] },
  { title: "Processors busy", unit: "of all", lines: [{ key: "cpu", name: "busy", colour: 1, area: true }] },
  { title: "Memory", unit: "MiB", bytes: true, lines: [
    { key: "resident", name: "process", colour: 6 },
    { key: "heap", name: "heap", colour: 1 },
  ] },
];

/** Of each model, by what one looks for. */
export const MODEL = [
  { group: "Traffic", charts: [
    { title: "Requests and batches", unit: "a second", lines: [
      { key: "answered", name: "answered", colour: 1, area: true },
      { key: "batches", name: "batches", colour: 4 },
    ] },
    { title: "Candidates", unit: "a second", lines: [
      { key: "candidates", name: "answered", colour: 1, area: true },
      { key: "dropped", name: "too late", colour: 2 },
    ] },
    { title: "Candidates in work", unit: "now", lines: [
      { key: "inWork", name: "in work", colour: 1, area: true },
      { key: "waiting", name: "waiting", colour: 4 },
    ] },
    { title: "Candidates a batch", unit: "mean", lines: [{ key: "batchRows", name: "candidates", colour: 1 }] },
  ] },
  { group: "Latency", charts: [
    { title: "Whole request", unit: "ms", lines: [
      { key: "totalP50", name: "p50", colour: 1, area: true },
      { key: "totalP99", name: "p99", colour: 2 },
    ] },
    { title: "Stages, p50", unit: "ms", lines: stages("P50") },
    { title: "Stages, p99", unit: "ms", lines: stages("P99") },
    { title: "Expected wait", unit: "ms", lines: [
      { key: "expectedWait", name: "wait", colour: 1, area: true },
      { key: "allowedWait", name: "allowed", colour: 6, dashed: true },
    ] },
  ] },
  { group: "Rows and values", charts: [
    { title: "Distinct rows found", unit: "a second", lines: [
      { key: "fromMemory", name: "memory", colour: 1 },
      { key: "fromStore", name: "store", colour: 2 },
      { key: "fromNowhere", name: "no row", colour: 5 },
    ] },
    { title: "Found in memory", unit: "%", floor, ceiling: 100, lines: [{ key: "hitRate", name: "in memory", colour: 1 }] },
    { title: "Rows in memory", unit: "", lines: [{ key: "resident", name: "rows", colour: 1, area: true }] },
    { title: "Odd values", unit: "a second", lines: [
      { key: "defaulted", name: "no row", colour: 5 },
      { key: "missing", name: "missing", colour: 4 },
      { key: "truncated", name: "cut off", colour: 2 },
    ] },
  ] },
];
