// Sort a table by a click on a heading. Without this script the pages lack nothing else.
"use strict";
function readCell(row, index) {
  const text = row.cells[index].textContent.trim();
  const clock = /^(\d+):(\d\d)$/.exec(text);
  if (clock) return 60 * Number(clock[1]) + Number(clock[2]);
  const number = Number(text.replace(/[,%+]/g, "").replace("−", "-"));
  return text === "–" ? null : text !== "" && !Number.isNaN(number) ? number : text;
}
function compareCells(one, other, down) {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  const order = typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
  return down ? -order : order;
}
function sortTable(heading) {
  const table = heading.closest("table");
  const index = heading.cellIndex;
  const was = heading.getAttribute("aria-sort");
  const down = was ? was === "ascending" : !heading.classList.contains("t");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [readCell(row, index), row]);
  rows.sort((one, other) => compareCells(one[0], other[0], down));
  table.tBodies[0].append(...rows.map((pair) => pair[1]));
}
for (const table of document.querySelectorAll("table:not(.matrix)")) {
  if (!table.tHead || table.tBodies[0].rows.length < 3) continue;
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortTable(heading));
  }
}
