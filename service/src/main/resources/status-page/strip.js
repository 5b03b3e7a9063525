// A chart of what is so at each time, with a lane for each thing that can be.

import { Chart, TOP, label, line, svg } from "./chart.js";

const LANE = 20;
const BAR = 12;
const FOOT = 22;
const RIGHT = 8;

export class Strip extends Chart {
  scale() {
    this.height = TOP + LANE * Math.max(1, this.spec.lines.length) + FOOT;
  }

  middleOf(lane) {
    return TOP + LANE * (lane + 0.5);
  }

  levels() {
    return this.spec.lines.flatMap((lane, i) => {
      const y = this.middleOf(i);
      return [line(this.left, y, this.width - RIGHT, y), label(lane.name, this.left - 6, y + 4, "end")];
    });
  }

  drawLines() {
    const { times, every } = this.source;
    const lanes = this.spec.lines.map((lane, i) => {
      const values = this.source.values(lane.key);
      const top = this.middleOf(i) - BAR / 2;
      const parts = [];
      for (let from = 0; from < times.length; from++) {
        let to = from;
        while (to < times.length && values[to] > 0 && (to === from || times[to] - times[to - 1] <= 2.5 * every)) {
          to++;
        }
        if (to > from) {
          // Each sample stands for the time until the next.
          const left = this.xOf(Math.max(this.from, times[from] - every));
          parts.push(`M${left.toFixed(1)} ${top}H${this.xOf(times[to - 1]).toFixed(1)}v${BAR}H${left.toFixed(1)}Z`);
          from = to - 1;
        }
      }
      const path = svg("path", `lane c${lane.colour}`, { d: parts.join("") });
      path.dataset.lane = lane.name;
      return path;
    });
    this.paths.replaceChildren(...lanes);
  }

  said(at) {
    return this.spec.lines.filter((lane) => this.source.values(lane.key)[at] > 0).map((lane) => lane.name).join(", ") || "unknown";
  }

  readValues(at) {
    this.reading.textContent = this.said(at);
    return [];
  }
}
