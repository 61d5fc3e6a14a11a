"use strict";

document.documentElement.classList.add("js");

// The language switch keeps the section, or the search, that the reader is in.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".languages a");
  if (link) link.hash = location.hash;
});

// On paper every table is open; long ones and the answers are printed where the reader has opened them.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open], .folded)")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});
