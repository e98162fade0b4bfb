// What the viewer chose: filters, order, bubbles with formulas, menus. All of it stays in the browser.
// Filters are style rules, not classes on cards: no update can undo a rule, and none costs anything.
(() => {
  const find = id => document.getElementById(id);
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const chosen = { statuses: new Set(), queue: "", text: "" };
  const quoted = text => `"${CSS.escape(text)}"`;

  // ---- order: kept on this device, sent with the connection, so the server sorts once for all
  const kept = () => { try { return localStorage.getItem("order"); } catch { return null; } };
  pitwall.order = kept() === "name" ? "name" : "extension";
  const reorder = order => {
    pitwall.order = order;
    try { localStorage.setItem("order", order); } catch { /* a private window */ }
    pitwall.connect();
  };

  // ---- filters
  const folded = text => text.toLowerCase().replaceAll("đ", "d").normalize("NFKD").replace(/\p{M}/gu, "").trim();
  const conditions = () => {
    const all = [];
    if (chosen.statuses.size) all.push(`:is(${[...chosen.statuses].map(one => `[data-status=${quoted(one)}]`).join()})`);
    if (chosen.queue) all.push(`[data-queues~=${quoted(chosen.queue)}]`);
    for (const word of folded(chosen.text).split(/\s+/).filter(Boolean)) all.push(`[data-find*=${quoted(word)}]`);
    return all;
  };
  const visible = all => document.querySelectorAll(`#agents > .card${all.join("")}`).length;
  // At a moment that nobody knows Rewind has no floor; where there is one again its fields are new.
  const fields = all => {
    if (!find("none")) return;
    const filtered = all.length > 0;
    if (find("order").value !== pitwall.order) find("order").value = pitwall.order;
    if (find("search").value !== chosen.text) find("search").value = chosen.text;
    if (find("clear").hidden === filtered) find("clear").hidden = !filtered;
    find("none").hidden = !filtered || visible(all) > 0;
  };
  const apply = () => {
    const all = conditions();
    pitwall.needEveryCard(all.length > 0);
    sheet.replaceSync(all.length ? `#agents > .card:not(${all.join("")}) { display: none }` : "");
    press();
    fields(all);
  };
  // Written only where it differs: each write makes the browser look at its styles again.
  const say = (button, pressed) => {
    if (button.getAttribute("aria-pressed") !== String(pressed)) button.setAttribute("aria-pressed", pressed);
  };
  // What looks different on a large floor; an attribute, because to count in CSS costs with each update.
  const size = () => {
    const grid = find("agents");
    if (!grid) return;
    const cards = grid.childElementCount;
    const text = cards > 120 ? "large" : cards > 30 ? "medium" : "small";
    if (grid.dataset.size !== text) grid.dataset.size = text;
  };
  const press = () => {
    for (const button of document.querySelectorAll(".filters .state")) say(button, chosen.statuses.has(button.dataset.filterStatus));
    for (const button of find("tiles")?.querySelectorAll("[data-filter-queue]") ?? []) say(button, chosen.queue === button.dataset.filterQueue);
  };
  const clear = () => {
    chosen.statuses.clear();
    chosen.queue = chosen.text = "";
    apply();
  };
  const clicked = event => {
    const status = event.target.closest?.("[data-filter-status]")?.dataset.filterStatus;
    const queue = event.target.closest?.("[data-filter-queue]")?.dataset.filterQueue;
    if (status) chosen.statuses.delete(status) || chosen.statuses.add(status);
    if (queue) chosen.queue = chosen.queue === queue ? "" : queue;
    if (status || queue) apply();
    if (event.target.closest?.("#clear")) clear();
  };

  // ---- bubbles: one for the page, outside everything that is swapped, so that none is cut off
  const told = () => document.querySelector("[aria-describedby=tip]");
  let pinned = null;
  // The bubble is the last thing on the page, which may be touched before all of it has come.
  const hide = () => {
    pinned = null;
    if (!find("tip")) return;
    find("tip").hidden = true;
    told()?.removeAttribute("aria-describedby");
  };
  const tell = target => {
    const tip = find("tip");
    if (!tip) return;
    hide();
    tip.textContent = target.dataset.tip;
    tip.toggleAttribute("data-proof", target.matches(".prove"));
    tip.hidden = false;
    place(tip, target);
    target.setAttribute("aria-describedby", "tip");
  };
  const place = (tip, target) => {
    const box = target.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left), innerWidth - tip.offsetWidth - 8);
    const below = box.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.transform = `translate(${left}px, ${below ? box.bottom + 6 : box.top - 6 - tip.offsetHeight}px)`;
  };
  // What is proved may change while it is read; a figure that is gone proves nothing.
  const retell = () => {
    if (find("tip")?.hidden !== false) return;
    const target = told();
    if (!target?.dataset.tip) hide();
    else if (find("tip").textContent !== target.dataset.tip) find("tip").textContent = target.dataset.tip;
  };
  const pin = event => {
    const figure = event.target.closest?.(".prove");
    if (!figure || figure === pinned) { hide(); return; }
    tell(figure);
    pinned = figure;
  };
  const tipOf = event => event.target.closest?.("[data-tip]");
  document.addEventListener("pointerover", event => { const target = tipOf(event); if (pinned) return; if (target) tell(target); else hide(); });
  document.addEventListener("focusin", event => { const target = tipOf(event); if (target && target.matches(":focus-visible")) tell(target); else if (!pinned) hide(); });
  document.addEventListener("click", pin);
  document.addEventListener("focusout", hide);
  addEventListener("scroll", hide, true);

  // ---- menus close as menus do
  const closeMenus = except => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  };
  document.addEventListener("click", event => { closeMenus(event.target.closest?.("details.menu")); clicked(event); });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.menu[open]");
      if (open) { open.querySelector("summary").focus(); closeMenus(); } else hide();
    }
    if (event.key === "/" && !event.target.closest?.("input, textarea, select")) { event.preventDefault(); find("search")?.focus(); }
  });

  const title = document.title;
  document.addEventListener("pitwall:frame", () => {
    const waiting = find("totals")?.dataset.waiting;
    const text = waiting && waiting !== "0" ? `(${waiting}) ${title}` : title;
    if (document.title !== text) document.title = text;
    size();
    press();
    fields(conditions());
    retell();
  });
  document.addEventListener("change", event => { if (event.target.id === "order") reorder(event.target.value); });
  document.addEventListener("input", event => { if (event.target.id === "search") { chosen.text = event.target.value; apply(); } });
  addEventListener("DOMContentLoaded", () => fields(conditions()));
})();
