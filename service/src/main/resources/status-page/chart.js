// One small chart over time: axes, lines, and a read-out that follows the pointer on all charts at once.

import { byteUnit, clock, element, minute, number, say } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 38;
const RIGHT = 8;
const BOTTOM = 20;
const HEIGHT = 132;
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const FITS = 0.9; // Of the ends of intervals; single ones that are wide would leave no height for the rest.

export const TOP = 8;

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

/** An element of a drawing. */
export function svg(tag, className, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  if (className) {
    made.setAttribute("class", className);
  }
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

export function line(x1, y1, x2, y2, className = "") {
  return svg("line", className, { x1, y1, x2, y2 });
}

export function label(text, x, y, anchor, className = "") {
  const made = svg("text", className, { x, y, "text-anchor": anchor });
  made.textContent = text;
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

/** The area between two lines, in pieces: where one of them is missing there is none. */
function bandOf(times, lows, highs, gap, place) {
  const pieces = [];
  let before = null;
  for (let i = 0; i < times.length; i++) {
    const [low, high] = [lows[i] ?? null, highs[i] ?? null];
    if (low === null || high === null) {
      before = null;
      continue;
    }
    if (before === null || times[i] - before > gap) {
      pieces.push([]);
    }
    pieces.at(-1).push([times[i], low, high]);
    before = times[i];
  }
  const point = (time, value) => place(time, value).map((at) => at.toFixed(1)).join(" ");
  return pieces.map((piece) => {
    const over = piece.map(([time, , high]) => point(time, high));
    const under = piece.map(([time, low]) => point(time, low)).reverse();
    return `M${[...over, ...under].join("L")}Z`;
  }).join("");
}

export class Chart {
  /**
   * @param spec title; unit; bytes, where the unit is to be chosen; lines: key, name, colour, area, dashed, band (the
   *     keys of both ends of its interval); floor: how the lowest value of the axis follows from the lowest of the
   *     data; balanced: that 0 is in the middle, and what is above and below; left: room for labels; write: how values
   *     are written
   * @param source times, every, window in milliseconds, and the values of a line by its key
   */
  constructor(spec, source) {
    this.spec = spec;
    this.source = source;
    this.width = 0;
    this.height = HEIGHT;
    this.left = spec.left ?? LEFT;
    this.write = spec.write ?? number;
    this.divisor = 1;
    this.figure = element("figure", "chart");
    this.figure.dataset.chart = spec.title;
    const caption = element("figcaption");
    const title = element("span", "title", spec.title);
    this.unit = element("span", "unit", spec.unit);
    title.append(" ", this.unit);
    this.reading = element("span", "reading");
    caption.append(title, this.reading);
    this.svg = svg("svg", "", { role: "img", tabindex: "0", "aria-label": `${spec.title}, ${spec.unit}` });
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
    const when = at < 0 ? "" : ` at ${clock(this.source.times[at])}`;
    return `${this.spec.title}, ${this.unit.textContent}${when}: ${this.said(at)}`;
  }

  /** The values of a sample in words, those with an interval with its ends. */
  said(at) {
    return this.spec.lines.map((line) => {
      const of = (key) => this.write(this.source.values(key)[at] ?? null);
      const interval = line.band ? `, between ${of(line.band[0])} and ${of(line.band[1])}` : "";
      return `${line.name} ${this.write(this.values(line)[at] ?? null)}${interval}`;
    }).join(", ");
  }

  values(line) {
    const values = this.source.values(line.key);
    return this.divisor === 1 ? values : values.map((value) => (value === null ? null : value / this.divisor));
  }

  resize() {
    const width = Math.floor(this.svg.getBoundingClientRect().width);
    if (width !== this.width && width > 0) {
      this.width = width;
      this.draw();
    }
  }

  draw() {
    if (this.width === 0 || !shown.has(this)) {
      return;
    }
    const { times, window: length } = this.source;
    this.to = times.at(-1) ?? 0;
    this.from = this.to - length;
    this.scale();
    this.svg.setAttribute("height", this.height);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.grid.replaceChildren(...this.levels(), ...this.minutes());
    this.drawLines();
    this.readOut();
  }

  /** Finds the ends of the axis and the unit. */
  scale() {
    const known = (key) => this.source.values(key).filter((value) => value !== null && value !== undefined);
    const values = this.spec.lines.flatMap((line) => known(line.key));
    if (this.spec.balanced) {
      const ends = this.spec.lines.flatMap((line) => line.band.flatMap(known)).map(Math.abs).sort((a, b) => a - b);
      const most = Math.max(ends[Math.floor(FITS * (ends.length - 1))] ?? 0, ...values.map(Math.abs));
      this.high = most > 0 ? roundUp(most) : 1;
      this.low = -this.high;
      return;
    }
    let high = Math.max(0, ...values);
    let unit = this.spec.unit;
    this.divisor = 1;
    if (this.spec.bytes) {
      [this.divisor, unit] = byteUnit(high);
    }
    say(this.unit, unit);
    high /= this.divisor;
    this.low = this.spec.floor ? this.spec.floor(Math.min(...values)) : 0;
    this.high = this.spec.ceiling ?? (high > 0 ? roundUp(high) : 1);
  }

  drawLines() {
    const { times, every } = this.source;
    const place = (time, value) => [this.xOf(time), this.yOf(value)];
    this.spec.lines.forEach((line) => {
      const drawn = this.drawn(line);
      const path = pathOf(times, this.values(line), 2.5 * every, place);
      drawn.path.setAttribute("d", path);
      if (line.band) {
        const [lows, highs] = line.band.map((key) => this.source.values(key));
        drawn.area.setAttribute("d", bandOf(times, lows, highs, 2.5 * every, place));
      } else if (drawn.area) {
        drawn.area.setAttribute("d", this.areaOf(path));
      }
    });
  }

  /** The elements of a line, made when it first appears. */
  drawn(line) {
    if (!this.lines.has(line.key)) {
      if (this.lines.size === 0) {
        this.reading.replaceChildren(); // Of "none".
      }
      const made = { path: svg("path", `line c${line.colour}${line.dashed ? " dashed" : ""}`), area: null };
      if (line.area || line.band) {
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

  /** Lines across, with their values. */
  levels() {
    const marks = [];
    const middle = (this.low + this.high) / 2;
    for (const value of [this.low, middle, this.high]) {
      const y = this.yOf(value);
      const base = value === this.low || (this.spec.balanced && value === middle);
      marks.push(line(this.left, y, this.width - RIGHT, y, base ? "base" : ""));
      marks.push(label(this.write(value), this.left - 6, y + 4, "end"));
    }
    if (this.spec.balanced) {
      const { above, below } = this.spec.balanced;
      marks.push(label(above, this.left + 5, this.yOf(this.high) + 12, "start", "side"));
      marks.push(label(below, this.left + 5, this.yOf(this.low) - 5, "start", "side"));
    }
    return marks;
  }

  /** Marks below, with the time. */
  minutes() {
    const marks = [];
    const foot = this.height - BOTTOM;
    const room = (this.width - this.left - RIGHT) / ((this.to - this.from) / 60000);
    const every = room >= 44 ? 1 : room >= 22 ? 2 : 5;
    for (let time = Math.ceil(this.from / 60000) * 60000; time <= this.to; time += 60000) {
      const x = this.xOf(time);
      if (Math.round(time / 60000) % every === 0 && x > this.left + 12 && x < this.width - RIGHT - 12) {
        marks.push(line(x, foot, x, foot + 4, "base"), label(minute(time), x, this.height - 4, "middle"));
      }
    }
    return marks;
  }

  /** Writes the values at the cursor, or the newest. */
  readOut() {
    const { times } = this.source;
    const at = cursor === null ? times.length - 1 : this.indexOf(cursor);
    const marks = [];
    if (cursor !== null && at >= 0) {
      const x = this.xOf(times[at]);
      const right = x > this.width / 2;
      marks.push(line(x, TOP, x, this.height - BOTTOM));
      marks.push(label(clock(times[at]), x + (right ? -5 : 5), TOP + 9, right ? "end" : "start"));
    }
    marks.push(...this.readValues(at));
    this.rule.replaceChildren(...marks);
  }

  /** Writes the values of a sample; gives the dots that mark them, where there is a cursor. */
  readValues(at) {
    const dots = [];
    if (this.lines.size === 0) {
      say(this.reading, this.spec.lines.length === 0 ? "none" : "");
    }
    for (const line of this.spec.lines) {
      const drawn = this.drawn(line);
      const value = this.values(line)[at] ?? null;
      say(drawn.value, this.write(value));
      if (cursor !== null && value !== null) {
        drawn.dot.setAttribute("cx", this.xOf(this.source.times[at]));
        drawn.dot.setAttribute("cy", this.yOf(value));
        dots.push(drawn.dot);
      }
    }
    return dots;
  }

  xOf(time) {
    return this.left + ((time - this.from) / (this.to - this.from)) * (this.width - this.left - RIGHT);
  }

  yOf(value) {
    const share = Math.max(0, (Math.min(value, this.high) - this.low) / (this.high - this.low));
    return this.height - BOTTOM - share * (this.height - BOTTOM - TOP);
  }

  timeAt(clientX) {
    const share = (clientX - this.svg.getBoundingClientRect().left - this.left) / (this.width - this.left - RIGHT);
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
