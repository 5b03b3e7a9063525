// The page's elements and what they say.

import { Chart, drawAll } from "./chart.js";
import { REFUSALS, SERVICE } from "./charts.js";
import { ModelCard } from "./model.js";
import { bytes, clock, element, number, say, span } from "./text.js";

const STATES = { ready: "Ready", degraded: "Degraded", not_ready: "Not ready" };
const FEW = 3; // Models whose cards are open from the start; on a phone that is one.
const NARROW = matchMedia("(max-width: 38rem)");
const MOST_REASONS = 6;
const MANY = 8; // Models beyond which there is a filter.

const sum = (values) => values.reduce((all, value) => all + (value ?? 0), 0);
const total = (models, i) => sum([...models.values()].map((figures) => figures.answered[i]));

export class View {
  constructor() {
    this.find = (id) => document.getElementById(id);
    this.cards = new Map();
    this.facts = new Map();
    this.store = null;
    this.lostSince = null;
    this.every = 1000;
    this.keeps = 300;
    this.search = this.find("filter").querySelector("input");
    this.search.addEventListener("input", () => this.filter());
    const view = this;
    const source = {
      get times() { return view.store.times; },
      get every() { return view.every; },
      get window() { return view.every * view.keeps; },
      values: (key) => view.serviceValues(key),
    };
    this.serviceCharts = SERVICE.map((spec) => new Chart(spec, source));
  }

  serviceValues(key) {
    if (key === "answered") {
      return this.answered;
    }
    return (key.startsWith("refused:") ? this.store.refused[key.slice(8)] : this.store.figures[key]) ?? [];
  }

  /** Shows an answer and all that is remembered. */
  show(report, store) {
    const first = this.store === null;
    this.store = store;
    this.every = report.everyMillis;
    this.keeps = report.keeps;
    this.answered = store.times.map((_, i) => total(store.models, i));
    this.lostSince = null;
    document.body.dataset.state = report.readiness.state;
    say(this.find("state"), STATES[report.readiness.state] ?? report.readiness.state);
    document.title = `${STATES[report.readiness.state] ?? ""} \u2013 Wukong serving`;
    say(this.find("clock"), `as of ${clock(report.now)}`);
    const serving = report.models.filter((model) => model.serving > 0).length;
    say(this.find("summary"), `${serving} of ${report.models.length} ${report.models.length === 1 ? "model serves" : "models serve"}`
      + ` \u00b7 ${number(this.answered.at(-1) ?? null)} requests a second`);
    this.showReasons(report.readiness.reasons);
    this.showFacts(report);
    this.showRefusals(store);
    this.showModels(report);
    if (first) {
      this.find("service").append(...this.serviceCharts.map((chart) => chart.figure));
    }
    drawAll();
  }

  /** Says that there is no answer; what was known stays, but grey. */
  lost(heard) {
    document.body.dataset.state = "lost";
    say(this.find("state"), heard === null ? "No answer" : `No answer since ${clock(heard)}`);
    document.title = "No answer \u2013 Wukong serving";
    say(this.find("summary"), heard === null ? "The service does not answer; this page keeps asking."
      : "What is shown is from before. This page keeps asking.");
  }

  showReasons(all) {
    const more = all.length - MOST_REASONS;
    const reasons = more > 1 ? [...all.slice(0, MOST_REASONS), `and ${more} more of this kind; the models below have them`] : all;
    const list = this.find("reasons");
    list.hidden = reasons.length === 0;
    while (list.children.length > reasons.length) {
      list.lastElementChild.remove();
    }
    reasons.forEach((reason, i) => {
      if (!list.children[i]) {
        list.append(element("li"));
      }
      say(list.children[i], reason);
    });
  }

  showFacts(report) {
    const { figures, processors, heapMax, devices } = report.process;
    const last = (key) => this.store.figures[key]?.at(-1) ?? null;
    const resident = last("resident");
    this.fact("Up for", span(report.now - report.started));
    this.fact("Processors busy", `${number(last("cpu"))} of ${processors}`);
    this.fact("Memory", resident === null ? "unknown" : bytes(resident));
    this.fact("Heap", `${bytes(last("heap") ?? 0)} of ${bytes(heapMax)}`);
    this.fact("Threads", number(last("threads")));
    this.fact("Models run on", devices.join(", "));
    const busy = this.serviceCharts.find((chart) => chart.spec.title === "Processors busy");
    busy.spec.unit = `of ${processors}`;
  }

  fact(name, value) {
    if (!this.facts.has(name)) {
      const box = element("div");
      const said = element("dd");
      box.append(element("dt", "", name), said);
      this.find("facts").append(box);
      this.facts.set(name, said);
    }
    say(this.facts.get(name), value);
  }

  /** A line for each reason that there was. */
  showRefusals(store) {
    const spec = this.serviceCharts.find((chart) => chart.spec.refusals).spec;
    Object.keys(store.refused).forEach((reason) => {
      if (!spec.lines.some((line) => line.name === reason)) {
        spec.lines.push({ key: `refused:${reason}`, name: reason, colour: REFUSALS[reason] ?? 7 });
      }
    });
  }

  showModels(report) {
    const open = report.models.length <= (NARROW.matches ? 1 : FEW);
    const names = new Set(report.models.map((model) => model.name));
    for (const [name, card] of this.cards) {
      if (!names.has(name)) {
        card.root.remove();
        this.cards.delete(name);
      }
    }
    report.models.forEach((model, place) => {
      if (!this.cards.has(model.name)) {
        const card = new ModelCard(model.name, this, open);
        this.cards.set(model.name, card);
        const list = this.find("models");
        list.insertBefore(card.root, list.children[place] ?? null);
      }
      this.cards.get(model.name).show(model, report.now);
    });
    this.find("filter").hidden = report.models.length <= MANY;
    const none = this.find("none");
    none.hidden = report.models.length > 0;
    say(none, "No model yet. Bundles that appear below the service's bundle root are shown here.");
    this.filter();
  }

  filter() {
    const wanted = this.find("filter").hidden ? "" : this.search.value.trim().toLowerCase();
    this.cards.forEach((card, name) => {
      card.root.hidden = !name.toLowerCase().includes(wanted);
    });
  }
}
