"use strict";

// Charts: each figure's data becomes a drawing, a legend and the names of the axes.

// Drawn alike by the library and, in a box of 10 by 10, by the legend.
const SYMBOLS = [
  "M0 5a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
  "M0.5 0.5h9v9h-9z",
  "M5 0l5 9.5h-10z",
  "M5 -1l5.5 6l-5.5 6l-5.5 -6z",
  "M5 10l-5 -9.5h10z",
  "M3.5 0h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
];
const DASHES = [[7, 5], [2, 3], [12, 4, 2, 4]];
const COLOURS = 8;
const BAND_FROM = 12; // Points of a line; error bars of more would hide it.

const hasLine = (mark) => mark !== "points";
const hasSymbols = (mark) => mark === "points" || mark === "line_and_points";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// How each series looks: references are grey and dashed, the others differ in colour and in symbol.
function looksOf(series) {
  let references = 0;
  let others = 0;
  return series.map(({ mark }) => {
    if (mark === "dashed_line") {
      return { colour: "reference", dash: DASHES[references++ % DASHES.length], symbol: SYMBOLS[0] };
    }
    const n = others++;
    const round = Math.floor(n / COLOURS);
    return { colour: `series-${(n % COLOURS) + 1}`, dash: null, symbol: SYMBOLS[(n + round) % SYMBOLS.length] };
  });
}

function textWidth(text) {
  textWidth.context ??= document.createElement("canvas").getContext("2d");
  textWidth.context.font = `12px ${fontFamily()}`;
  return textWidth.context.measureText(text).width;
}

function fontFamily() {
  return getComputedStyle(document.documentElement).fontFamily;
}

// Grid lines and tick labels; labels that would touch the one before are left out.
function gridSeries(x, y) {
  return {
    type: "custom",
    name: "",
    silent: true,
    clip: false,
    z: 0,
    data: [[x.min, y.min]],
    renderItem: (params, api) => {
      const area = params.coordSys;
      const [right, bottom] = [area.x + area.width, area.y + area.height];
      const line = (x1, y1, x2, y2, stroke) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth: 1 } });
      const label = (text, at, top, align, baseline) => ({
        type: "text",
        style: { text, x: at, y: top, align, verticalAlign: baseline, fill: colour("quiet"), font: `12px ${fontFamily()}` },
      });
      const children = [];
      for (const tick of y.ticks) {
        const at = api.coord([x.min, tick.at])[1];
        children.push(line(area.x, at, right, at, colour("rule")));
        children.push(label(tick.text, area.x - 10, at, "right", "middle"));
      }
      let free = -Infinity;
      for (const tick of x.ticks) {
        const at = api.coord([tick.at, y.min])[0];
        const half = textWidth(tick.text) / 2;
        children.push(line(at, bottom, at, bottom + 5, colour("quiet")));
        if (at - half >= free) {
          children.push(label(tick.text, at, bottom + 10, "center", "top"));
          free = at + half + 12;
        }
      }
      children.push(line(area.x, bottom, right, bottom, colour("quiet")));
      return { type: "group", children };
    },
  };
}

function pointSeries(series, look, id, x, y) {
  const symbols = hasSymbols(series.mark);
  const stroke = colour(look.colour);
  return {
    type: hasLine(series.mark) ? "line" : "scatter",
    name: id,
    z: series.mark === "dashed_line" ? 3 : 4,
    symbol: `path://${look.symbol}`,
    symbolSize: 9,
    showAllSymbol: true,
    data: series.points.map((point) => ({ value: [x.place(point.x), y.place(point.y)], point })),
    lineStyle: { color: stroke, width: look.dash ? 1.5 : 2, type: look.dash ?? "solid" },
    // A line's own points show where the pointer meets them.
    itemStyle: { color: stroke, borderColor: colour("paper"), borderWidth: 1, opacity: symbols ? 1 : 0 },
    emphasis: { scale: 1.3, itemStyle: { opacity: 1 }, lineStyle: { width: look.dash ? 1.5 : 2 } },
  };
}

// Intervals: error bars, or a band around a long line.
function intervalSeries(series, look, id, x, y) {
  const points = series.points.filter((point) => point.low !== undefined || point.high !== undefined);
  if (points.length === 0) {
    return [];
  }
  const stroke = colour(look.colour);
  const band = hasLine(series.mark) && points.length >= BAND_FROM;
  const low = (point) => y.place(point.low ?? point.y);
  const high = (point) => y.place(point.high ?? point.y);
  const outline = (api) => [
    ...points.map((point) => api.coord([x.place(point.x), high(point)])),
    ...points.toReversed().map((point) => api.coord([x.place(point.x), low(point)])),
  ];
  const bar = (api, point) => {
    const [at, top] = api.coord([x.place(point.x), high(point)]);
    const foot = api.coord([x.place(point.x), low(point)])[1];
    const path = [`M${at} ${top}V${foot}`];
    if (point.high !== undefined) {
      path.push(`M${at - 5} ${top}h10`);
    }
    if (point.low !== undefined) {
      path.push(`M${at - 5} ${foot}h10`);
    }
    const ends = path.map((pathData) => ({ type: "path", shape: { pathData }, style: { stroke, fill: null, lineWidth: 1.5 } }));
    return { type: "group", children: ends };
  };
  return [{
    type: "custom",
    name: id,
    silent: true,
    clip: true,
    z: band ? 1 : 2,
    data: (band ? points.slice(0, 1) : points).map((point) => [x.place(point.x), y.place(point.y)]),
    renderItem: (params, api) => band
      ? { type: "polygon", shape: { points: outline(api) }, style: { fill: stroke, opacity: 0.16 } }
      : bar(api, points[params.dataIndex]),
  }];
}

function tip(chart, series, point) {
  const box = document.createElement("div");
  box.className = "tip";
  const add = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text;
    box.append(element);
  };
  add("strong", point.label ? `${series.name}: ${point.label}` : series.name);
  for (const [name, value] of [[chart.x.label, point.x], [chart.y.label, point.y], ["from", point.low], ["to", point.high]]) {
    if (value !== undefined) {
      add("span", name);
      add("span", valueText(value));
    }
  }
  return box;
}

function optionsOf(chart, looks, hidden, width, height) {
  const all = chart.series.flatMap((series) => series.points);
  const x = axisOf(chart.x, all.map((point) => point.x), Math.max(2, Math.min(8, Math.floor(width / 90))));
  const y = axisOf(chart.y, all.flatMap((point) => [point.y, point.low, point.high]), Math.max(3, Math.floor(height / 62)));
  const left = Math.max(0, ...y.ticks.map((tick) => textWidth(tick.text))) + 14;
  const right = Math.max(12, textWidth(x.ticks.at(-1)?.text ?? "") / 2 + 4);
  return {
    animation: false,
    textStyle: { fontFamily: fontFamily() },
    grid: { left, right, top: 12, bottom: 32 },
    xAxis: { type: "value", show: false, min: x.min, max: x.max },
    yAxis: { type: "value", show: false, min: y.min, max: y.max },
    legend: { show: false, selected: Object.fromEntries(hidden.map((off, n) => [`s${n}`, !off])) },
    tooltip: {
      trigger: "item",
      confine: true,
      transitionDuration: 0,
      backgroundColor: colour("paper"),
      borderColor: colour("rule"),
      textStyle: { color: colour("ink") },
      formatter: (hit) => tip(chart, chart.series[Number(hit.seriesName.slice(1))], hit.data.point),
    },
    series: [
      gridSeries(x, y),
      ...chart.series.flatMap((series, n) => [
        ...intervalSeries(series, looks[n], `s${n}`, x, y),
        pointSeries(series, looks[n], `s${n}`, x, y),
      ]),
    ],
  };
}

function swatch(series, look) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 30 14");
  svg.setAttribute("aria-hidden", "true");
  const add = (attributes) => {
    const path = document.createElementNS(space, "path");
    Object.entries(attributes).forEach(([name, value]) => path.setAttribute(name, value));
    svg.append(path);
  };
  if (hasLine(series.mark)) {
    add({ d: "M0 7h30", stroke: `var(--${look.colour})`, "stroke-width": 2, "stroke-dasharray": look.dash ?? "none" });
  }
  if (hasSymbols(series.mark)) {
    add({ d: look.symbol, transform: "translate(10 2)", fill: `var(--${look.colour})` });
  }
  return svg;
}

function legendOf(chart, looks, hidden, redraw) {
  const legend = document.createElement("div");
  legend.className = "legend";
  chart.series.forEach((series, n) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(swatch(series, looks[n]), series.name);
    button.addEventListener("click", () => {
      hidden[n] = !hidden[n];
      button.setAttribute("aria-pressed", String(!hidden[n]));
      redraw();
    });
    legend.append(button);
  });
  return legend;
}

function axisName(text, side) {
  const name = document.createElement("div");
  name.className = `axis ${side}`;
  name.textContent = text;
  name.setAttribute("aria-hidden", "true"); // The figure's own label says it.
  return name;
}

function draw(figure) {
  const chart = JSON.parse(figure.querySelector("script").textContent);
  if (chart.series.every((series) => series.points.length === 0)) {
    return null;
  }
  const plot = figure.querySelector(".plot");
  const looks = looksOf(chart.series);
  const hidden = chart.series.map(() => false);
  plot.append(document.createElement("div")); // No longer empty, so it has a size.
  const drawing = echarts.init(plot, null, { renderer: "canvas", devicePixelRatio: Math.max(2, devicePixelRatio) });
  const redraw = () => {
    drawing.resize();
    drawing.setOption(optionsOf(chart, looks, hidden, plot.clientWidth, plot.clientHeight), true);
  };
  plot.before(legendOf(chart, looks, hidden, redraw), axisName(chart.y.label, "y"));
  plot.after(axisName(chart.x.label, "x"));
  new ResizeObserver(redraw).observe(plot);
  redraw();
  return redraw;
}

const redraws = [...document.querySelectorAll("figure.chart")].map(draw).filter((redraw) => redraw);
const redrawAll = () => redraws.forEach((redraw) => redraw());

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    document.documentElement.classList.toggle("printing", printing);
    redrawAll();
  });
}
