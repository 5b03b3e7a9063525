"use strict";

// Axes: which range is shown, where the ticks lie and what they say. A logarithmic axis is drawn as a linear one over
// powers of ten, as the library labels nothing but whole powers and most charts span less than two of them.

function axisOf(spec, values, ticksWanted) {
  const place = spec.log ? Math.log10 : (value) => value;
  const usable = values.filter((value) => value !== undefined);
  const low = usable.reduce((a, b) => Math.min(a, b)); // Too many for arguments of one call.
  const high = usable.reduce((a, b) => Math.max(a, b));
  const range = spec.log ? logRange(low, high) : linearRange(low, high, usable, ticksWanted);
  const ticks = spec.log ? logTicks(range, ticksWanted) : linearTicks(range, ticksWanted, range.step);
  return {
    place,
    min: place(range.low),
    max: place(range.high),
    ticks: ticks.map((tick) => ({ at: place(tick.value), text: tick.text })),
  };
}

function niceStep(span, ticksWanted) {
  const rough = span / ticksWanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = rough / power;
  return (digit <= 1.2 ? 1 : digit <= 2.5 ? 2 : digit <= 6 ? 5 : 10) * power;
}

function linearRange(low, high, values, ticksWanted) {
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    return { low: low - room, high: high + room, step: niceStep(2 * room, Math.max(4, ticksWanted)) };
  }
  let step = niceStep(high - low, ticksWanted);
  if (values.every(Number.isInteger)) {
    step = Math.max(1, step);
  }
  // Out to the next half step, so that little room is lost and the ends are still round.
  const half = step / 2;
  return { low: Math.floor(low / half + 1e-9) * half, high: Math.ceil(high / half - 1e-9) * half, step };
}

function linearTicks(range, ticksWanted, step = niceStep(range.high - range.low, ticksWanted)) {
  const ticks = [];
  const slack = step * 1e-6;
  for (let n = Math.ceil((range.low - slack) / step); n * step <= range.high + slack; n++) {
    ticks.push({ value: n * step, text: tickText(n * step, step, Math.max(Math.abs(range.low), Math.abs(range.high))) });
  }
  return ticks;
}

function logRange(low, high) {
  const room = low === high ? 2 : (high / low) ** 0.04;
  return { low: low / room, high: high * room };
}

// The coarsest of these that gives enough ticks: powers of ten, then some of the values between, then equal steps.
function logTicks(range, ticksWanted) {
  const first = Math.floor(Math.log10(range.low));
  const last = Math.ceil(Math.log10(range.high));
  const stride = Math.ceil((last - first) / (ticksWanted + 2));
  const powersEnough = last - first > 3 ? 2 : 3;
  for (const [digits, enough] of [[[1], powersEnough], [[1, 2, 5], 3], [[1, 1.5, 2, 3, 5, 7], 4]]) {
    const ticks = [];
    for (let power = first; power <= last; power++) {
      for (const digit of digits) {
        const value = Number(`${digit}e${power}`);
        if (value >= range.low && value <= range.high && (digits.length > 1 || power % stride === 0)) {
          ticks.push({ value, text: tickText(value, Number.isInteger(digit) ? value : value / 10, value) });
        }
      }
    }
    if (ticks.length >= enough) {
      return ticks;
    }
  }
  return linearTicks(range, Math.max(4, ticksWanted)).filter((tick) => tick.value > 0);
}

// All digits that the step between two ticks asks for.
function tickText(value, step, largest) {
  if (Math.abs(value) < step * 1e-6) {
    return "0";
  }
  if (largest < 1e-3 || largest >= 1e15) {
    const digits = Math.max(0, Math.floor(Math.log10(Math.abs(value)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9));
    return value.toExponential(Math.min(digits, 12)).replace("e+", "e").replace("-", "\u2212");
  }
  const [unit, name] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([size]) => largest >= 10 * size
    || (largest >= size && step >= size / 10)) ?? [1, ""];
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)));
  return (value / unit).toFixed(decimals).replace("-", "\u2212") + name;
}

// A value in a hover label.
function valueText(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    return String(Number(value.toPrecision(6)));
  }
  return Number(value.toPrecision(7)).toLocaleString("en", { maximumFractionDigits: 10 });
}
