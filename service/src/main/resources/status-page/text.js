// How numbers, times and spans are written.

const pad = (number) => String(number).padStart(2, "0");

/** Three digits, with k, M or G where there are more. */
export function number(value) {
  if (value === null || value === undefined) {
    return "\u2013";
  }
  const size = Math.abs(value);
  if (size === 0) {
    return "0";
  }
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    // 999.6 would be written as 1000.
    if (size >= 0.9995 * unit && (unit > 1e3 || size >= 9999.5)) {
      return digits(value / unit) + name;
    }
  }
  return size < 0.001 ? "<0.001" : digits(value);
}

function digits(value) {
  const size = Math.abs(value);
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.0995 ? 2 : 3;
  const text = value.toFixed(decimals);
  return decimals > 0 ? text.replace(/\.?0+$/, "") : text;
}

/** Hours, minutes and seconds of this machine's time zone. */
export function clock(millis) {
  const time = new Date(millis);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** Hours and minutes. */
export function minute(millis) {
  const time = new Date(millis);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}`;
}

/** Date and time, for what may be days ago. */
export function date(millis) {
  const time = new Date(millis);
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${clock(millis)}`;
}

/** A span of time in its largest unit, or the two largest. */
export function span(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** A share of 1 in percent. */
export function percent(share) {
  return `${number(Math.round(1000 * share) / 10)} %`;
}

/** A probability to three digits, however small: rare events differ in their first digits. */
export function probability(value) {
  return value === null ? "\u2013" : String(Number(value.toPrecision(3)));
}

/** To four decimals: models differ in the third or fourth. */
export function entropy(value) {
  return value === null ? "\u2013" : value.toFixed(4);
}

/** A difference of such to five decimals, with its sign. */
export function difference(value) {
  if (value === null) {
    return "\u2013";
  }
  return value === 0 ? "0" : (value > 0 ? "+" : "\u2212") + Math.abs(value).toFixed(5);
}

/** Bytes in the unit that fits them: what to divide by, and its name. */
export function byteUnit(bytes) {
  return bytes >= 2 ** 31 ? [2 ** 30, "GiB"] : [2 ** 20, "MiB"];
}

export function bytes(value) {
  const [unit, name] = byteUnit(value);
  return `${number(value / unit)} ${name}`;
}

/** An element with a class and a text. All text goes this way, so that none of it can be markup. */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) {
    made.className = className;
  }
  if (text) {
    made.textContent = text;
  }
  return made;
}

/** Changes an element's text only where it differs, so that nothing flickers and selections stay. */
export function say(target, text) {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}
