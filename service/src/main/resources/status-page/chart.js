// One small chart over time: axes, lines, and a read-out that follows the pointer on all charts at once.

import { byteUnit, clock, element, minute, number, say } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 38;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
const HEIGHT = 132;
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

const shown = new Set(); // Charts on screen.
const byFigure = new WeakMap();
let cursor = null; // The time that all charts show, or null for the newest.

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const chart = byFigure.get(entry.target);
    if (entry.isIntersecting) {
      shown.add(chart);
      chart.draw();
    } else {
      shown.delete(chart);
    }
  }
}, { rootMargin: "200px" });

const sized = new ResizeObserver((entries) => entries.forEach((entry) => byFigure.get(entry.target).resize()));

/** Draws what is on screen once more. */
export function drawAll() {
  shown.forEach((chart) => chart.draw());
}

function pointAt(time) {
  cursor = time;
  shown.forEach((chart) => chart.readOut());
}

function svg(tag, className, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  if (className) {
    made.setAttribute("class", className);
  }
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

/** The lowest round number that is not below {@code value}. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * STEPS.find((step) => step * power >= value * (1 - 1e-9));
}

/**
 * A path through the points of a line that are known. A line ends where points are missing, and a point between two
 * that are missing is a dot.
 *
 * @param gap milliseconds between two points beyond which the line ends
 */
export function pathOf(times, values, gap, place) {
  const parts = [];
  let before = null;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === null || values[i] === undefined) {
      before = null;
      continue;
    }
    const [x, y] = place(times[i], values[i]);
    const joined = before !== null && times[i] - before <= gap;
    parts.push(joined ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h0`);
    before = times[i];
  }
  return parts.join("");
}

export class Chart {
  /**
   * @param spec title; unit; bytes, where the unit is to be chosen; lines: key, name, colour, area, dashed; floor: how
   *     the lowest value of the axis follows from the lowest of the data
   * @param source times, every, window in milliseconds, and the values of a line by its key
   */
  constructor(spec, source) {
    this.spec = spec;
    this.source = source;
    this.width = 0;
    this.divisor = 1;
    this.figure = element("figure", "chart");
    this.figure.dataset.chart = spec.title;
    const caption = element("figcaption");
    const title = element("span", "title", spec.title);
    this.unit = element("span", "unit", spec.unit);
    title.append(" ", this.unit);
    this.reading = element("span", "reading");
    caption.append(title, this.reading);
    this.svg = svg("svg", "", { role: "img", tabindex: "0", "aria-label": `${spec.title}, ${spec.unit}`, height: HEIGHT });
    this.grid = svg("g", "grid");
    this.areas = svg("g", "areas");
    this.paths = svg("g", "lines");
    this.rule = svg("g", "cursor");
    this.svg.append(this.grid, this.areas, this.paths, this.rule);
    this.figure.append(caption, this.svg);
    this.lines = new Map();
    byFigure.set(this.figure, this);
    seen.observe(this.figure);
    sized.observe(this.figure);
    this.listen();
  }

  listen() {
    this.svg.addEventListener("pointermove", (event) => pointAt(this.timeAt(event.clientX)));
    this.svg.addEventListener("pointerleave", () => pointAt(null));
    this.svg.addEventListener("blur", () => pointAt(null));
    this.svg.addEventListener("focus", () => this.svg.setAttribute("aria-label", this.described()));
    this.svg.addEventListener("keydown", (event) => {
      const times = this.source.times;
      const at = cursor === null ? times.length - 1 : this.indexOf(cursor);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 30, PageDown: at + 30, Home: 0, End: times.length - 1 }[event.key];
      if (event.key === "Escape") {
        pointAt(null);
      } else if (to !== undefined && times.length > 0) {
        event.preventDefault();
        pointAt(times[Math.max(0, Math.min(times.length - 1, to))]);
        say(document.getElementById("spoken"), this.described());
      }
    });
  }

  /** What the chart says at the cursor, or now, for those who hear it. */
  described() {
    const at = cursor === null ? this.source.times.length - 1 : this.indexOf(cursor);
    const values = this.spec.lines.map((line) => `${line.name} ${number(this.values(line)[at] ?? null)}`);
    const when = at < 0 ? "" : ` at ${clock(this.source.times[at])}`;
    return `${this.spec.title}, ${this.unit.textContent}${when}: ${values.join(", ")}`;
  }

  values(line) {
    const values = this.source.values(line.key);
    return this.divisor === 1 ? values : values.map((value) => (value === null ? null : value / this.divisor));
  }

  resize() {
    const width = Math.floor(this.svg.getBoundingClientRect().width);
    if (width !== this.width && width > 0) {
      this.width = width;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      this.draw();
    }
  }

  draw() {
    if (this.width === 0 || !shown.has(this)) {
      return;
    }
    const { times, every, window: length } = this.source;
    this.to = times.at(-1) ?? 0;
    this.from = this.to - length;
    let [low, high] = [Infinity, 0];
    for (const line of this.spec.lines) {
      for (const value of this.source.values(line.key)) {
        if (value !== null && value !== undefined) {
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
    let unit = this.spec.unit;
    this.divisor = 1;
    if (this.spec.bytes) {
      [this.divisor, unit] = byteUnit(high);
    }
    say(this.unit, unit);
    high /= this.divisor;
    this.low = this.spec.floor ? this.spec.floor(low) : 0;
    this.high = this.spec.ceiling ?? (high > 0 ? roundUp(high) : 1);
    this.drawGrid();
    const place = (time, value) => [this.xOf(time), this.yOf(value)];
    this.spec.lines.forEach((line) => {
      const drawn = this.drawn(line);
      const path = pathOf(times, this.values(line), 2.5 * every, place);
      drawn.path.setAttribute("d", path);
      if (drawn.area) {
        drawn.area.setAttribute("d", this.areaOf(path));
      }
    });
    this.readOut();
  }

  /** The elements of a line, made when it first appears. */
  drawn(line) {
    if (!this.lines.has(line.key)) {
      if (this.lines.size === 0) {
        this.reading.replaceChildren(); // Of "none".
      }
      const made = { path: svg("path", `line c${line.colour}${line.dashed ? " dashed" : ""}`), area: null };
      if (line.area) {
        made.area = svg("path", `area c${line.colour}`);
        this.areas.append(made.area);
      }
      this.paths.append(made.path);
      made.item = element("span", "item");
      if (this.spec.lines.length > 1 || this.spec.named) {
        made.item.append(element("span", `swatch c${line.colour}${line.dashed ? " dashed" : ""}`), element("span", "name", line.name));
      }
      made.value = element("span", "value");
      made.item.append(made.value);
      this.reading.append(made.item);
      made.dot = svg("circle", `c${line.colour}`, { r: 3 });
      this.lines.set(line.key, made);
    }
    return this.lines.get(line.key);
  }

  /** Each piece of a line down to the axis. */
  areaOf(path) {
    const foot = this.yOf(this.low).toFixed(1);
    return path.split("M").slice(1).map((piece) => {
      const points = piece.replace("h0", "").split("L");
      const first = points[0].split(" ")[0];
      const last = points.at(-1).split(" ")[0];
      return `M${first} ${foot}L${points.join("L")}L${last} ${foot}Z`;
    }).join("");
  }

  drawGrid() {
    const marks = [];
    const line = (x1, y1, x2, y2, className) => marks.push(svg("line", className, { x1, y1, x2, y2 }));
    const label = (text, x, y, anchor) => {
      const made = svg("text", "", { x, y, "text-anchor": anchor });
      made.textContent = text;
      marks.push(made);
    };
    for (const value of [this.low, (this.low + this.high) / 2, this.high]) {
      const y = this.yOf(value);
      line(LEFT, y, this.width - RIGHT, y, value === this.low ? "base" : "");
      label(number(value), LEFT - 6, y + 4, "end");
    }
    const room = (this.width - LEFT - RIGHT) / ((this.to - this.from) / 60000);
    const every = room >= 44 ? 1 : room >= 22 ? 2 : 5;
    for (let time = Math.ceil(this.from / 60000) * 60000; time <= this.to; time += 60000) {
      const x = this.xOf(time);
      if (Math.round(time / 60000) % every === 0 && x > LEFT + 12 && x < this.width - RIGHT - 12) {
        line(x, this.yOf(this.low), x, this.yOf(this.low) + 4, "base");
        label(minute(time), x, HEIGHT - 4, "middle");
      }
    }
    // Only where something differs: most seconds move the time only.
    this.grid.replaceChildren(...marks);
  }

  /** Writes the values at the cursor, or the newest. */
  readOut() {
    const { times } = this.source;
    const at = cursor === null ? times.length - 1 : this.indexOf(cursor);
    const marks = [];
    if (cursor !== null && at >= 0) {
      const x = this.xOf(times[at]);
      marks.push(svg("line", "", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
      const right = x > this.width / 2;
      const time = svg("text", "", { x: x + (right ? -5 : 5), y: TOP + 9, "text-anchor": right ? "end" : "start" });
      time.textContent = clock(times[at]);
      marks.push(time);
    }
    if (this.lines.size === 0) {
      say(this.reading, this.spec.lines.length === 0 ? "none" : "");
    }
    for (const line of this.spec.lines) {
      const drawn = this.drawn(line);
      const value = this.values(line)[at] ?? null;
      say(drawn.value, number(value));
      if (cursor !== null && value !== null) {
        drawn.dot.setAttribute("cx", this.xOf(times[at]));
        drawn.dot.setAttribute("cy", this.yOf(value));
        marks.push(drawn.dot);
      }
    }
    this.rule.replaceChildren(...marks);
  }

  xOf(time) {
    return LEFT + ((time - this.from) / (this.to - this.from)) * (this.width - LEFT - RIGHT);
  }

  yOf(value) {
    return HEIGHT - BOTTOM - (Math.max(0, value - this.low) / (this.high - this.low)) * (HEIGHT - BOTTOM - TOP);
  }

  timeAt(clientX) {
    const share = (clientX - this.svg.getBoundingClientRect().left - LEFT) / (this.width - LEFT - RIGHT);
    return this.from + Math.max(0, Math.min(1, share)) * (this.to - this.from);
  }

  /** The place of the sample nearest to a time; -1 where there are none. */
  indexOf(time) {
    const { times } = this.source;
    let best = -1;
    for (let i = 0; i < times.length; i++) {
      if (best < 0 || Math.abs(times[i] - time) < Math.abs(times[best] - time)) {
        best = i;
      }
    }
    return best;
  }
}
