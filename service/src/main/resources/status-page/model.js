// The card of one model: a line of the newest figures, its versions, and its charts.

import { Chart, pathOf } from "./chart.js";
import { LEARNING, MODEL, byTask } from "./charts.js";
import { GatePanel } from "./gate.js";
import { date, element, number, percent, probability, say, span } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = 6; // Versions shown unless all are asked for.
const SPARK = { width: 96, height: 24 };

const HEADS = [
  ["answered", "requests/s"],
  ["totalP50", "p50 ms"],
  ["totalP99", "p99 ms"],
  ["inWork", "in work"],
  ["hitRate", "% in memory"],
];

const COLUMNS = ["Version", "State", "Since", "Traffic", "Labels"];

export class ModelCard {
  /** @param view that knows the store and the length of the window */
  constructor(name, view, open) {
    this.name = name;
    this.view = view;
    this.allVersions = false;
    this.root = element("details", "model");
    this.root.open = open;
    this.root.dataset.model = name;
    this.allowed = 0;
    const card = this;
    this.source = {
      get times() { return view.store.times; },
      get every() { return view.every; },
      get window() { return view.every * view.keeps; },
      values: (key) => card.values(key),
    };
    this.root.append(this.makeHead(), this.makeBody());
    this.root.addEventListener("toggle", () => this.showVersions());
  }

  values(key) {
    const figures = this.view.store.models.get(this.name) ?? {};
    return key === "allowedWait" ? this.view.store.times.map(() => this.allowed) : figures[key] ?? [];
  }

  makeHead() {
    const head = element("summary");
    const title = element("h3");
    this.badge = element("span", "badge");
    title.append(element("span", "dot"), element("span", "model-name", this.name), this.badge);
    const figures = element("span", "heads");
    this.heads = HEADS.map(([, label]) => {
      const box = element("span", "head");
      const value = element("span", "value");
      box.append(value, element("span", "label", label));
      figures.append(box);
      return value;
    });
    const spark = document.createElementNS(SVG, "svg");
    spark.setAttribute("class", "spark");
    spark.setAttribute("viewBox", `0 0 ${SPARK.width} ${SPARK.height}`);
    spark.setAttribute("aria-hidden", "true"); // The chart below has the same line, with axes.
    this.spark = document.createElementNS(SVG, "path");
    this.spark.setAttribute("class", "line c1");
    spark.append(this.spark);
    head.append(title, spark, figures);
    return head;
  }

  makeBody() {
    const body = element("div", "body");
    this.about = element("p", "about");
    const scroll = element("div", "scroll");
    const table = element("table", "versions");
    table.setAttribute("role", "table"); // Said once more, as narrow windows lay it out in another way.
    table.append(element("caption", "spoken", `Versions of model ${this.name}`));
    const head = element("tr");
    head.setAttribute("role", "row");
    COLUMNS.forEach((name) => {
      const cell = element("th", "", name);
      cell.scope = "col";
      cell.setAttribute("role", "columnheader");
      head.append(cell);
    });
    const top = element("thead");
    top.append(head);
    this.rows = element("tbody");
    table.append(top, this.rows);
    scroll.append(table);
    this.more = element("button", "more");
    this.more.type = "button";
    this.more.addEventListener("click", () => {
      this.allVersions = !this.allVersions;
      this.showVersions();
    });
    this.shadows = element("ul", "shadows");
    this.training = element("div", "training");
    this.training.hidden = true;
    body.append(this.about, scroll, this.more, this.shadows, this.training);
    for (const { group, charts } of MODEL) {
      body.append(element("h4", "", group));
      const grid = element("div", "charts");
      charts.forEach((spec) => grid.append(new Chart(spec, this.source).figure));
      body.append(grid);
    }
    return body;
  }

  /** Shows the model as it is now. */
  show(model, now) {
    this.model = model;
    this.now = now;
    this.allowed = model.allowedWaitMillis;
    const newer = model.versions.filter((version) => version.version > model.serving);
    this.root.dataset.state = model.serving === 0 ? "bad" : newer.some((version) => version.state === "failed") ? "warn" : "good";
    const loading = newer.find((version) => version.state === "loading");
    say(this.badge, (model.serving === 0 ? "serves nothing" : `version ${model.serving}`)
      + (loading ? ` \u00b7 ${loading.version} loads` : ""));
    HEADS.forEach(([key], i) => say(this.heads[i], number(this.values(key).at(-1) ?? null)));
    say(this.about, model.serving === 0 ? "" : [
      `tasks ${model.tasks.join(", ")}`,
      model.precision,
      `batches of up to ${number(model.maxRows)}`,
      `schema ${model.schemaId.slice(0, 12)}\u2026`,
    ].join(" \u00b7 "));
    this.about.title = model.schemaId ? `schema ${model.schemaId}` : "";
    this.drawSpark();
    this.showShadows();
    this.showTraining();
    if (this.root.open) {
      this.showVersions();
    }
  }

  /** A line for each label whose version scores copies, of all the time that the server keeps. */
  showShadows() {
    const { shadows } = this.model;
    const minutes = span(this.source.window);
    while (this.shadows.children.length > shadows.length) {
      this.shadows.lastElementChild.remove();
    }
    shadows.forEach((shadow, i) => {
      if (!this.shadows.children[i]) {
        this.shadows.append(element("li"));
      }
      say(this.shadows.children[i], shadow.version === 0
        ? `Shadow \u201c${shadow.label}\u201d points to no loaded version: it scores nothing`
        : [
          `Shadow \u201c${shadow.label}\u201d, last ${minutes}: ${number(shadow.scored)} copies scored`,
          `${number(shadow.dropped)} dropped`,
          `${number(shadow.refused)} refused`,
          `${number(shadow.failed)} failed`,
          `mean probability ${probability(shadow.answered)} answered, ${probability(shadow.shadow)} by version ${shadow.version}`,
          `mean difference ${probability(shadow.difference)}`,
        ].join(" \u00b7 "));
    });
  }

  /** How training stands, and its charts, made when it is first heard of. */
  showTraining() {
    const { training, tasks } = this.model;
    this.training.hidden = training === null;
    if (training === null) {
      return;
    }
    if (!this.training.firstChild) {
      const line = element("p", "stands");
      line.append(element("span", "dot"), element("span", "state"), element("span", "facts-line"));
      this.charts = element("div", "charts");
      this.gate = new GatePanel(this.source);
      this.training.append(element("h4", "", LEARNING.group), line, element("p", "message"), this.charts, this.gate.root);
    }
    if (tasks.length > 0 && this.charts.dataset.tasks !== JSON.stringify(tasks)) {
      this.charts.dataset.tasks = JSON.stringify(tasks);
      this.charts.replaceChildren(...LEARNING.charts.map((spec) =>
        new Chart(spec.of ? { ...spec, lines: byTask(spec.of, tasks) } : spec, this.source).figure));
    }
    this.training.dataset.phase = training.phase;
    say(this.training.querySelector(".state"), training.phase);
    say(this.training.querySelector(".facts-line"), [
      training.bundle === 0 ? "no version" : `version ${training.bundle}.${training.epoch}.${training.dense}.${training.rows}`,
      `${number(training.examples)} examples since the bundle`,
      `${number(training.lag)} events behind`,
    ].join(" \u00b7 "));
    const message = this.training.querySelector(".message");
    message.hidden = training.reason === "";
    say(message, training.reason);
    this.gate.show(training, tasks, Object.keys(this.view.store.models.get(this.name) ?? {}), this.now);
  }

  drawSpark() {
    const { times, every, window: length } = this.source;
    const values = this.values("answered");
    const high = Math.max(1e-9, ...values.map((value) => value ?? 0));
    const to = times.at(-1) ?? 0;
    this.spark.setAttribute("d", pathOf(times, values, 2.5 * every, (time, value) => [
      SPARK.width * (1 - (to - time) / length),
      SPARK.height - 2 - (value / high) * (SPARK.height - 4),
    ]));
  }

  showVersions() {
    const all = this.model.versions;
    const shown = this.allVersions ? all : all.filter((version, i) => i < SHOWN || version.version === this.model.serving);
    this.more.hidden = all.length <= SHOWN;
    say(this.more, this.allVersions ? "Show fewer versions" : `Show all ${all.length} versions`);
    while (this.rows.children.length > shown.length) {
      this.rows.lastElementChild.remove();
    }
    shown.forEach((version, i) => {
      if (!this.rows.children[i]) {
        this.rows.append(versionRow());
      }
      this.showVersion(this.rows.children[i], version);
    });
  }

  showVersion(row, version) {
    const [number_, state, since, traffic, labels] = row.children;
    row.dataset.state = version.state;
    say(number_, String(version.version));
    say(state.querySelector(".state"), version.state);
    const message = state.querySelector(".message");
    message.hidden = version.message === "";
    say(message, version.message);
    say(since, `${span(this.now - version.since)} ago`);
    since.title = date(version.since);
    const bar = traffic.querySelector(".share");
    bar.hidden = version.share === 0;
    bar.style.setProperty("--share", version.share);
    say(traffic.querySelector(".value"), version.share === 0 ? "\u2013" : percent(version.share));
    const copied = this.model.shadows.filter((shadow) => shadow.version === version.version);
    say(traffic.querySelector(".copied"), copied.length === 0 ? "" : `copies of ${copied.map((shadow) => percent(shadow.copied)).join(", ")}`);
    say(labels, version.labels.join(", "));
    const unused = version.share === 0 && copied.length === 0 && version.labels.length === 0;
    traffic.classList.toggle("unused", unused);
    labels.classList.toggle("unused", unused);
  }
}

function versionRow() {
  const row = element("tr");
  const version = element("th", "number");
  version.scope = "row";
  const state = element("td", "states");
  const word = element("span", "word");
  word.append(element("span", "dot"), element("span", "state"));
  state.append(word, element("span", "message"));
  const traffic = element("td", "traffic");
  traffic.append(element("span", "value"), element("span", "share"), element("span", "copied"));
  row.append(version, state, element("td", "since"), traffic, element("td", "labels"));
  row.setAttribute("role", "row");
  [...row.children].forEach((cell, i) => cell.setAttribute("role", i === 0 ? "rowheader" : "cell"));
  return row;
}
