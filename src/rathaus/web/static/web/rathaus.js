// What makes pages shorter, never what makes them work: every page does its task without this file.
"use strict";

(() => {
  // --- errors: focus goes to the summary, so that it is read out first ---
  document.querySelector("[data-focus]")?.focus();

  // --- a drawing wider than the page begins at the current step ---
  document.querySelectorAll("[data-show]").forEach((frame) => {
    const shown = frame.querySelector(frame.dataset.show)?.getBoundingClientRect();
    if (!shown) return;
    const left = shown.left - frame.getBoundingClientRect().left;
    frame.scrollLeft = left + shown.width / 2 - frame.clientWidth / 2;
  });

  // --- growing tables: the sum follows the typing; amounts that are not clear are left out and named ---
  const cents = (text) => {
    const bare = text.replace(/[\s\u00a0€]/g, "");
    const found = /^(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?$/.exec(bare);
    if (!found) return null;
    return BigInt(found[1].replaceAll(".", "")) * 100n + BigInt((found[2] ?? "").padEnd(2, "0"));
  };

  const inGerman = (amount) => {
    const digits = String(amount).padStart(3, "0");
    return digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ".") + "," + digits.slice(-2);
  };

  const addUp = (table) => {
    let total = 0n;
    const leftOut = [];
    table.querySelectorAll(`[data-column="${CSS.escape(table.dataset.sum)}"] [data-amount]`).forEach((input, index) => {
      if (!input.value.trim()) return;
      const amount = cents(input.value);
      if (amount === null) leftOut.push(index + 1);
      else total += amount;
    });
    const output = table.querySelector("[data-total]");
    if (!output) return;
    output.firstChild.nodeValue = inGerman(total);
    const names = leftOut.length > 1 ? `${leftOut.slice(0, -1).join(", ")} und ${leftOut.at(-1)}` : leftOut.join("");
    table.querySelector("[data-left-out]").textContent = names && `ohne ${table.dataset.noun} ${names}`;
  };

  document.addEventListener("input", (event) => {
    const table = event.target.closest?.("[data-sum]");
    if (table) addUp(table);
  });

  // --- menus close with Escape or a click elsewhere ---
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.rh-menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.rh-menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // --- lists of the desk: select all, count what is selected ---
  const boxes = (list) => [...list.querySelectorAll("[data-select]")];

  const showSelection = (list) => {
    const chosen = boxes(list).filter((box) => box.checked);
    boxes(list).forEach((box) => box.closest("tr")?.classList.toggle("is-selected", box.checked));
    const all = list.querySelector("[data-select-all]");
    if (all) {
      all.checked = chosen.length > 0 && chosen.length === boxes(list).length;
      all.indeterminate = chosen.length > 0 && !all.checked;
    }
    const count = document.querySelector("[data-selected-count]");
    if (count) count.textContent = `${chosen.length} ausgewählt`;
  };

  document.addEventListener("change", (event) => {
    const list = event.target.closest?.("[data-list]");
    if (!list) return;
    if (event.target.matches("[data-select-all]")) {
      boxes(list).forEach((box) => { box.checked = event.target.checked; });
    }
    showSelection(list);
  });

  // --- keys of the desk: J K Enter X A / ?, to be switched off (WCAG 2.1.4) ---
  const help = document.querySelector("[data-keys-help]");
  const keysAreOn = () => localStorage.getItem("rathaus.tasten") !== "aus";
  const keysSwitch = help?.querySelector("[data-keys-switch]");

  const showSwitch = () => {
    keysSwitch.textContent = keysAreOn() ? "Tasten abschalten" : "Tasten einschalten";
  };

  const rows = () => [...document.querySelectorAll("[data-list] tbody tr")];
  const current = () => document.querySelector("[data-list] tr.is-cursor");

  const go = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    current()?.classList.remove("is-cursor");
    next.classList.add("is-cursor");
    next.querySelector("a")?.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const actions = {
    j: () => go(1),
    k: () => go(-1),
    Enter: () => current()?.querySelector("a")?.click(),
    x: () => current()?.querySelector("[data-select]")?.click(),
    a: () => current()?.querySelector("[data-take]")?.click(),
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => help?.scrollIntoView({ block: "nearest" }),
  };

  const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (!help || !keysAreOn() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    // Enter on a link or button is the browser's own affair.
    if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  if (help) {
    help.hidden = false;
    showSwitch();
    keysSwitch.addEventListener("click", () => {
      localStorage.setItem("rathaus.tasten", keysAreOn() ? "aus" : "an");
      showSwitch();
    });
  }
  document.querySelectorAll("[data-list]").forEach(showSelection);
})();
