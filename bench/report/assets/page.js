// Tables that sort and filter, their plain numbers, and the values of every query. Nothing is fetched.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const MISSING = "–";
const STEP = 50; // queries that are shown at once
const LONG = 70; // characters of a cell that is broken into lines

function element(name, attributes = {}, ...children) {
  const found = Object.assign(document.createElement(name), attributes);
  found.append(...children);
  return found;
}

// A cell as it sorts: its first number, or its text; a dash and an empty cell come last in both directions.
function key(cell) {
  const text = cell.textContent.trim();
  if (text === "" || text === MISSING) return null;
  const number = parseFloat(text.replaceAll(",", "").replaceAll("−", "-"));
  return /^[-+−]?[\d.]/.test(text) && !Number.isNaN(number) ? number : text.toLowerCase();
}

function compared(a, b) {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? -1 : 1;
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].map((row) => [key(row.cells[column]), row]);
      const present = rows.filter(([value]) => value !== null).sort(([a], [b]) => compared(a, b));
      if (descending) present.reverse();
      const absent = rows.filter(([value]) => value === null);
      table.tBodies[0].append(...[...present, ...absent].map(([, row]) => row));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}

// Columns of words are aligned to the left.
function aligned(table) {
  const rows = [...table.tBodies[0].rows];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const keys = rows.map((row) => row.cells[column] && key(row.cells[column])).filter((value) => value !== null);
    if (!keys.length || typeof keys[0] === "number") return;
    [head, ...rows.map((row) => row.cells[column])].forEach((cell) => {
      cell.classList.add("text");
      if (cell.textContent.length > LONG) cell.classList.add("long");
    });
  });
}

function prepared(table) {
  aligned(table);
  sortable(table);
  return table;
}

// Whether a text holds every word that was typed.
function matcher(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  return (text) => words.every((word) => text.toLowerCase().includes(word));
}

function filterOf(table) {
  const count = element("span", { className: "count" });
  const input = element("input", { type: "search", placeholder: "filter rows", ariaLabel: "filter rows" });
  const apply = () => {
    const [matches, rows] = [matcher(input), [...table().tBodies[0].rows]];
    rows.forEach((row) => { row.hidden = !matches(row.textContent); });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  input.addEventListener("input", apply);
  apply();
  return { parts: [input, count], apply };
}

// Fields of CSV text (RFC 4180), row by row; every row ends with a line break, as it is written.
function parsed(text) {
  const rows = [[]];
  for (const [, field, end] of text.matchAll(/("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n)/g)) {
    rows.at(-1).push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (end !== ",") rows.push([]);
  }
  return rows.slice(0, -1);
}

function tableOf(heads, rows) {
  const head = element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { textContent: text }))));
  const cells = (row) => row.map((text) => element("td", { textContent: text }));
  const body = element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row))));
  return prepared(element("table", {}, head, body));
}

function toolsOf(tools) {
  const place = tools.nextElementSibling;
  const shown = prepared(place.querySelector("table"));
  let plain = null;
  const filter = filterOf(() => place.querySelector("table"));
  tools.append(...filter.parts);
  const text = DATA.csv[tools.dataset.stem];
  if (!text) return;
  const change = element("button", { type: "button", textContent: "plain numbers" });
  change.addEventListener("click", () => {
    const [heads, ...rows] = parsed(text);
    plain ??= tableOf(heads, rows);
    const toPlain = place.firstElementChild === shown;
    place.replaceChildren(toPlain ? plain : shown);
    change.textContent = toPlain ? "as it is read" : "plain numbers";
    filter.apply();
  });
  const save = element("button", { type: "button", textContent: "CSV" });
  save.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    element("a", { href: address, download: `${tools.dataset.stem}.csv` }).click();
    URL.revokeObjectURL(address);
  });
  tools.append(change, save);
}

function selection(options, chosen, label) {
  const found = element("select", { ariaLabel: label });
  found.append(...options.map((text, number) => element("option", { value: number, textContent: text })));
  found.value = chosen;
  return found;
}

function perQuery(place) {
  const names = Object.keys(DATA.queries);
  const dataset = selection(names, 0, "data set");
  const input = element("input", { type: "search", placeholder: "filter queries", ariaLabel: "filter queries" });
  const count = element("span", { className: "count" });
  const more = element("button", { type: "button", textContent: "more" });
  const wide = element("div", { className: "wide" });
  let first, second, limit;

  const draw = () => {
    const { rows, runs, measure } = DATA.queries[names[dataset.value]];
    const matches = matcher(input);
    const a = Number(first.value) + 2, b = Number(second.value) + 2;
    const loss = (row) => (row[a] === null || row[b] === null ? null : row[b] - row[a]);
    const kept = rows.filter((row) => matches(`${row[0]} ${row[1]}`));
    kept.sort((x, y) => (loss(x) ?? Infinity) - (loss(y) ?? Infinity));
    const number = (value) => (value === null ? MISSING : value.toFixed(3).replace("-", "−"));
    const heads = ["query", "text", `difference of ${measure}`, runs[a - 2], runs[b - 2]];
    const cells = kept.slice(0, limit).map((row) => [row[0], row[1], number(loss(row)), number(row[a]), number(row[b])]);
    const table = tableOf(heads, cells);
    table.id = "per-query-values";
    [...table.tBodies[0].rows].forEach((row) => [0, 1].forEach((column) => row.cells[column].classList.add("text", "long")));
    wide.replaceChildren(table);
    count.textContent = `${cells.length} of ${kept.length} queries`;
    more.hidden = cells.length === kept.length;
  };
  const restart = () => { limit = STEP; draw(); };
  const choose = () => {
    const { runs } = DATA.queries[names[dataset.value]];
    const reference = Math.max(0, runs.findIndex((run) => run.includes("fp16 · exact")));
    const model = runs[reference].split(" · ")[0];
    const other = runs.findIndex((run, place) => place !== reference && run.startsWith(`${model} · `));
    first = selection(runs, reference, "first run");
    second = selection(runs, other < 0 ? reference : other, "second run");
    [first, second].forEach((each) => each.addEventListener("change", restart));
    tools.replaceChildren(dataset, first, second, input, count, more);
    restart();
  };
  const tools = element("div", { className: "tools" });
  place.append(tools, wide);
  dataset.addEventListener("change", choose);
  input.addEventListener("input", restart);
  more.addEventListener("click", () => { limit += 10 * STEP; draw(); });
  choose();
}

document.querySelectorAll(".tools").forEach(toolsOf);
document.querySelectorAll("#workflow table").forEach(prepared);
perQuery(document.getElementById("per-query"));
