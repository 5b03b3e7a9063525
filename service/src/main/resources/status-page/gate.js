// Whether what a model has learned may serve: how its gate stands, the figures it is by, and both over time.

import { Chart, svg } from "./chart.js";
import { WORSE, lanes, worseByTask } from "./charts.js";
import { Strip } from "./strip.js";
import { date, difference, element, entropy, number, percent, say, span } from "./text.js";

// What words mean, as in the protocol. Words that are not here are shown as they are.
const MEANS = {
  direct: "each commit serves at once, and is taken back where it is worse",
  gated: "what was learned serves once it has shown to be no worse",
  canary: "what was learned answers a share of the requests, and more as it does well",
  shadow: "what was learned never serves: it is only compared",
  open: "what comes is learned, and serves with each commit",
  holding: "what comes is learned, and serves once it is promoted",
  quarantined: "what comes is not learned: the labels are not such as the healthy state expects",
};

// How words look where that is not the word itself.
const UNSURE = { open: "unsure" };

const FACTS = ["Mode", "Phase", "Verdict", "Labels", "Healthy states", "Failures"];
const HEADS = ["", "Normalized entropy", "Interval of 95 %", "Cali\u00adbration", "AUC"];
const MODELS = ["served", "candidate", "healthy"];
const WHISKER = { width: 112, height: 16, edge: 4 };

export class GatePanel {
  constructor(source) {
    this.source = source;
    this.root = element("section", "gate");
    this.facts = new Map();
    const facts = element("dl", "gate-facts");
    FACTS.forEach((name) => {
      const said = element("dd");
      said.append(element("span", "dot"), element("span", "fact"), element("span", "means"));
      facts.append(element("dt", "", name), said);
      this.facts.set(name, said);
    });
    const both = element("div", "gate-both");
    this.figures = element("div", "gate-figures");
    const scroll = element("div", "scroll");
    scroll.append(this.makeTable());
    this.since = element("p", "quiet");
    this.figures.append(scroll, this.since);
    this.charts = element("div", "gate-charts");
    both.append(this.figures, this.charts);
    this.root.append(element("h4", "", "Gate: whether what was learned may serve"), facts, both);
    this.worse = { ...WORSE, lines: [] };
    this.strip = { title: "What the gate does", unit: "with what comes", left: WORSE.left, lines: [] };
    this.charts.append(new Chart(this.worse, source).figure, new Strip(this.strip, source).figure);
  }

  makeTable() {
    this.table = element("table", "figures");
    this.table.append(element("caption", "spoken", "How three models did on the same examples since the last promotion, by task"));
    const head = element("thead");
    const row = element("tr");
    HEADS.forEach((name) => {
      const cell = element(name === "" ? "td" : "th", "", name);
      if (name !== "") {
        cell.scope = "col";
      }
      row.append(cell);
    });
    head.append(row);
    this.table.append(head);
    return this.table;
  }

  /** Shows it as it is now; hides what only a gate that has decided once can tell. */
  show(training, tasks, keys, now) {
    const { gate } = training;
    this.root.hidden = gate === null;
    if (gate === null) {
      return;
    }
    this.root.dataset.phase = gate.phase;
    const share = gate.share > 0 ? `${gate.mode}, ${percent(gate.share)}` : gate.mode;
    this.fact("Mode", "", share, MEANS[gate.mode]);
    this.fact("Phase", gate.phase, gate.phase, MEANS[gate.phase]);
    this.fact("Verdict", UNSURE[gate.verdict] ?? gate.verdict, gate.verdict, gate.reason);
    this.fact("Labels", training.frozen ? "frozen" : "", training.frozen ? "frozen" : "coming",
      training.frozen ? "labels are missing, so that no window closes" : "");
    this.fact("Healthy states", "", String(gate.healthy),
      gate.newest === 0 ? "" : `the newest ${span(now - gate.newest)} ago`);
    this.facts.get("Healthy states").title = gate.newest === 0 ? "" : date(gate.newest);
    this.fact("Failures", gate.failures > 0 ? "bad" : "", gate.failures === 0 ? "none" : `${gate.failures}\u00d7`,
      gate.failures === 0 ? "" : "in a row");
    this.worse.lines = worseByTask(tasks);
    this.strip.lines = lanes(keys);
    this.showFigures(gate.tasks);
  }

  fact(name, tone, word, means = "") {
    const said = this.facts.get(name);
    said.dataset.tone = tone;
    say(said.querySelector(".fact"), word);
    say(said.querySelector(".means"), means);
  }

  showFigures(all) {
    this.table.hidden = all.length === 0;
    say(this.since, all.length === 0 ? "No example was scored since the last promotion."
      : "Since the last promotion, on the same examples, each scored before anybody learned from it.");
    while (this.table.tBodies.length > all.length) {
      this.table.lastElementChild.remove();
    }
    all.forEach((figures, i) => {
      if (!this.table.tBodies[i]) {
        this.table.append(ofTask());
      }
      showTask(this.table.tBodies[i], figures);
    });
  }
}

/** A task's rows: its name, the three models, and what they differ by. */
function ofTask() {
  const body = element("tbody");
  const title = element("tr", "task");
  const name = element("th");
  name.scope = "rowgroup";
  name.colSpan = HEADS.length;
  name.append(element("span", "name"), " ", element("span", "count"));
  title.append(name);
  body.append(title);
  MODELS.forEach((model) => {
    const row = element("tr");
    const head = element("th", "", model);
    head.scope = "row";
    const { width, height } = WHISKER;
    const drawing = svg("svg", "whisker", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
    drawing.append(svg("line"), svg("circle", "", { r: 3.5, cy: height / 2 }));
    const interval = element("td", "interval");
    interval.append(drawing, element("span", "ends"));
    row.dataset.model = model;
    row.append(head, element("td", "entropy"), interval, element("td"), element("td"));
    body.append(row);
  });
  const last = element("tr", "worse");
  const head = element("th", "", "candidate less healthy");
  head.scope = "row";
  const verdict = element("td", "finding");
  verdict.colSpan = 2;
  last.append(head, element("td", "entropy"), element("td", "ends"), verdict);
  body.append(last);
  return body;
}

function showTask(body, figures) {
  const [title, ...rows] = body.rows;
  say(title.querySelector(".name"), figures.task);
  say(title.querySelector(".count"), `${number(figures.examples)} examples, ${number(figures.positives)} positive`);
  const known = MODELS.map((model) => figures[model]).filter((of) => of !== null && of.low !== null && of.high !== null);
  const low = Math.min(...known.map((of) => of.low));
  const high = Math.max(...known.map((of) => of.high));
  MODELS.forEach((model, i) => showModel(rows[i], figures[model], low, high));
  const [, value, ends, finding] = rows.at(-1).cells;
  say(value, difference(figures.worse));
  say(ends, `${difference(figures.worseLow)} to ${difference(figures.worseHigh)}`);
  const found = figures.worseLow === null || figures.worseHigh === null ? "unknown"
    : figures.worseLow > 0 ? "worse" : figures.worseHigh < 0 ? "better" : "no clear difference";
  finding.dataset.found = found;
  say(finding, found);
}

function showModel(row, of, low, high) {
  const [, value, interval, calibration, auc] = row.cells;
  say(value, entropy(of?.entropy ?? null));
  say(interval.querySelector(".ends"), `${entropy(of?.low ?? null)} to ${entropy(of?.high ?? null)}`);
  say(calibration, entropy(of?.calibration ?? null));
  say(auc, entropy(of?.auc ?? null));
  const drawing = interval.querySelector(".whisker");
  const drawn = of !== null && of.low !== null && of.high !== null && high > low;
  drawing.classList.toggle("none", !drawn);
  if (drawn) {
    const { width, height, edge } = WHISKER;
    const place = (at) => edge + ((at - low) / (high - low)) * (width - 2 * edge);
    const [range, dot] = drawing.children;
    Object.entries({ x1: place(of.low), x2: place(of.high), y1: height / 2, y2: height / 2 })
      .forEach(([name, to]) => range.setAttribute(name, to));
    dot.setAttribute("cx", place(of.entropy));
  }
}
