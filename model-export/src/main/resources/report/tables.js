"use strict";

// Tables: a click on a heading sorts by its column.

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const compare = heading.classList.contains("number") ? byNumber : byText;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(a.cells[column].textContent, b.cells[column].textContent, up ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  });
}

function byText(a, b, sign) {
  return sign * a.localeCompare(b, undefined, { numeric: true });
}

// Cells without a number come last, whichever the direction.
function byNumber(a, b, sign) {
  const [x, y] = [a, b].map((text) => Number.parseFloat(text.replace(/[,\s]/g, "").replace("\u2212", "-")));
  if (Number.isNaN(x) || Number.isNaN(y)) {
    return Number.isNaN(x) - Number.isNaN(y);
  }
  return sign * (x - y);
}

document.querySelectorAll("table").forEach(sortable);
