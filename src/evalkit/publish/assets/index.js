"use strict";

const PAGE = 100;
const table = document.getElementById("places");
const body = table.tBodies[0];
const form = document.getElementById("filters");
const count = document.getElementById("count");
const more = document.getElementById("more");
const box = { q: form.querySelector("#q"), province: form.querySelector("#province"), level: form.querySelector("#level") };
const headers = [...table.tHead.rows[0].cells];
const column = Object.fromEntries(headers.map((header, i) => [header.dataset.sort, i]));
const collator = new Intl.Collator("vi", { numeric: true });

const fold = (text) =>
  text.toLowerCase().normalize("NFD").replace(/\p{Mn}/gu, "").replaceAll("đ", "d").trim().replace(/\s+/g, " ");
const value = (row, key) => {
  const cell = row.cells[column[key]];
  return cell ? (cell.dataset.value ?? cell.textContent) : "";
};

// A long list waits in a template, so that a reader without script meets the districts instead.
const waiting = document.getElementById("rows");
if (waiting) {
  waiting.replaceWith(waiting.content);
  table.parentElement.hidden = false;
  document.querySelector(".unready").hidden = true;
}
const places = [...body.rows].map((row, order) => ({
  row,
  order,
  find: row.dataset.find,
  name: row.dataset.find.split(" | ")[0],
  code: row.dataset.find.split(" | ")[1],
  also: row.dataset.also ?? "",
  province: value(row, "province"),
  level: value(row, "level"),
}));

let sort = { key: "name", down: false };
let chosen = false; // the reader chose an order; else the best match comes first
let shown = PAGE;
let found = places;

// 0 the name or code itself, 1 its start, 2 within it, 3 a name before or after a merger, 4 district, province
function rank(place, query, tokens) {
  if (place.name === query || place.code === query) return 0;
  if (place.name.startsWith(query)) return 1;
  if (place.name.includes(query)) return 2;
  if (place.also.includes(query)) return 3;
  return tokens.every((token) => place.find.includes(token) || place.also.includes(token)) ? 4 : -1;
}

// Where each place stands by a column, found once; equal values stand together, and by name as the rows come.
const standings = { name: places.map((place) => place.order) };
function standing(key) {
  if (!standings[key]) {
    const values = places.map((place) => value(place.row, key));
    const sorted = values.map((_, order) => order).sort((a, b) => collator.compare(values[a], values[b]));
    const at = (standings[key] = []);
    sorted.forEach((order, i) => {
      at[order] = i && collator.compare(values[sorted[i - 1]], values[order]) === 0 ? at[sorted[i - 1]] : i;
    });
  }
  return standings[key];
}

function select() {
  const query = fold(box.q.value);
  const tokens = query.split(" ");
  const [province, level] = [box.province?.value, box.level?.value];
  found = [];
  for (const place of places) {
    if (province && place.province !== province) continue;
    if (level && place.level !== level) continue;
    place.rank = query ? rank(place, query, tokens) : 0;
    if (place.rank < 0) continue;
    place.byKin = query !== "" && place.also.includes(query);
    found.push(place);
  }
  if (chosen || !query) {
    const sign = sort.down ? -1 : 1;
    const at = standing(sort.key);
    found.sort((a, b) => sign * (at[a.order] - at[b.order]) || a.order - b.order);
  } else {
    found.sort((a, b) => a.rank - b.rank || a.order - b.order);
  }
}

function drawn(place) {
  place.row.classList.toggle("by-kin", place.byKin);
  return place.row;
}

function draw() {
  body.replaceChildren(...found.slice(0, shown).map(drawn));
  count.textContent = found.length
    ? count.dataset.words.replace("{shown}", found.length).replace("{total}", places.length)
    : count.dataset.none;
  more.hidden = found.length <= shown;
  for (const header of headers) {
    if (header.dataset.sort === sort.key && (chosen || !box.q.value)) header.ariaSort = sort.down ? "descending" : "ascending";
    else header.removeAttribute("aria-sort");
  }
}

function update() {
  shown = PAGE;
  select();
  draw();
  const state = new URLSearchParams(Object.entries(box).filter(([, field]) => field?.value).map(([key, field]) => [key, field.value]));
  history.replaceState(null, "", `#${state}`);
}

function restore() {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const [key, field] of Object.entries(box)) if (field && state.has(key)) field.value = state.get(key);
}

for (const header of headers) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => {
    const key = header.dataset.sort;
    sort = { key, down: sort.key === key && (chosen || !box.q.value) && !sort.down };
    chosen = true;
    update();
  });
}
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", (event) => {
  if (event.target === box.q) chosen = false;
  update();
});
more.addEventListener("click", () => {
  const first = shown;
  shown += 2 * PAGE;
  draw();
  body.rows[first]?.querySelector("a")?.focus();
});
addEventListener("beforeprint", () => body.replaceChildren(...found.map(drawn)));
addEventListener("afterprint", draw);

restore();
form.hidden = false;
select();
draw();
table.classList.add("ready");
