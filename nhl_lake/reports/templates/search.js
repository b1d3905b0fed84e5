// Search of a site by name: players, teams, games of the last days. Without this script the pages lack nothing else.
"use strict";
(() => {
  const top = new URL(".", document.currentScript.src);
  const nav = document.querySelector("header.site nav");
  if (!nav) return;
  const MOST = 12;
  const LETTERS = { "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i" };
  const simplify = (text) =>
    text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[øłđðþæœßı]/g, (letter) => LETTERS[letter])
      .replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const make = (name, attributes, text) => {
    const node = document.createElement(name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const box = make("div", { class: "search", role: "search" });
  const input = make("input", {
    id: "search", type: "search", role: "combobox", placeholder: "Player, team, game", autocomplete: "off",
    spellcheck: "false", "aria-label": "Search by name", "aria-autocomplete": "list", "aria-controls": "found",
    "aria-expanded": "false",
  });
  const list = make("div", { id: "found", role: "listbox", "aria-label": "Pages found", hidden: "" });
  const count = make("span", { class: "visually-hidden", role: "status" });
  box.append(input, list, count);
  nav.append(box);

  let names = null;
  let chosen = -1;
  function loadNames() {
    if (names) return;
    names = [];
    const script = make("script", { src: new URL("names.js", top).href });
    script.addEventListener("load", () => {
      for (const [folder, rows] of Object.entries(window.siteNames))
        for (const [number, label] of rows) names.push({ path: folder + "/" + number + ".html", label, text: " " + simplify(label) });
      show();
    });
    document.head.append(script);
  }
  // every word must begin a word of the name; names that begin with the first word come first
  function findNames(query) {
    const words = simplify(query).split(" ").filter(Boolean);
    if (!words.length) return [];
    const fits = names.filter((one) => words.every((word) => one.text.includes(" " + word)));
    const rank = (one) => (one.text.startsWith(" " + words[0]) ? 0 : 1);
    return fits.sort((one, other) => rank(one) - rank(other));
  }
  function show() {
    const fits = findNames(input.value);
    const shown = fits.slice(0, MOST);
    list.replaceChildren(...shown.map((one, index) => {
      const option = make("a", {
        id: "found" + index, role: "option", "aria-selected": "false", tabindex: "-1", href: new URL(one.path, top).href,
      });
      option.append(make("bdi", {}, one.label));
      return option;
    }));
    const open = shown.length > 0;
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    const more = fits.length > MOST ? ", the first " + MOST + " are shown" : "";
    count.textContent = input.value.trim() ? fits.length + (fits.length === 1 ? " page" : " pages") + more : "";
    choose(-1);
  }
  function choose(index) {
    chosen = index;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", "found" + index);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  }
  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    choose(-1);
  }
  input.addEventListener("focus", loadNames);
  input.addEventListener("input", () => { loadNames(); show(); });
  input.addEventListener("keydown", (event) => {
    const size = list.hidden ? 0 : list.children.length;
    if (event.key === "Escape") close();
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && size) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(chosen < 0 && step < 0 ? size - 1 : (chosen + step + size) % size);
    } else if (event.key === "Enter" && size) {
      event.preventDefault();
      list.children[Math.max(chosen, 0)].click();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
    }
  });
  document.addEventListener("click", (event) => { if (!box.contains(event.target)) close(); });
})();
