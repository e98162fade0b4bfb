// What a supervisor does: one click, one request. A card never changes by it; the socket brings that.
// Each request starts from a toast of its own, so no update of the board can lose the answer.
(() => {
  const STAYS_MS = { done: 6000, asked: 9000, refused: 15000, unknown: 25000, failed: 25000 };
  const MOST_TOASTS = 5;
  const find = id => document.getElementById(id);
  const said = (name, words = {}) => filled(find("sayings").dataset[name] || "", words);
  const filled = (text, words) => text.replace(/\{(\w+)\}/g, (all, word) => words[word] ?? all);

  // ---- toasts
  const toast = (kind, text, bold = "") => {
    const box = document.createElement("div");
    const line = document.createElement("p");
    box.className = "toast";
    box.dataset.kind = kind;
    if (bold) line.append(Object.assign(document.createElement("b"), { textContent: bold }), " ");
    line.append(text);
    box.append(line, Object.assign(document.createElement("button"), { type: "button", className: "close", textContent: "×", ariaLabel: find("sayings").dataset.close }));
    find("toasts").append(box);
    return box;
  };
  const keep = box => {
    const stays = STAYS_MS[box.dataset.kind];
    if (stays) setTimeout(() => box.remove(), stays);
    const old = [...find("toasts").children].filter(one => one.dataset.kind !== "asking");
    for (const one of old.slice(0, Math.max(0, old.length - MOST_TOASTS))) one.remove();
  };

  // ---- asking: the button says so until the answer is there
  const ask = async (button, path, values, label) => {
    if (button?.getAttribute("aria-busy") === "true") return;
    if (document.body.dataset.link !== "live") { toast("refused", said("stale")); return; }
    const asking = toast("asking", label, said("asked"));
    let answered = false;
    // A proxy answers as well, and whoever turns a request away does: neither says what became of it.
    asking.addEventListener("htmx:after:request", event => {
      const { text, hx } = event.detail.ctx;
      answered = text.includes('class="toast"') || Boolean(hx.redirect);
    });
    button?.setAttribute("aria-busy", "true");
    try {
      await htmx.ajax("POST", `/actions/${path}`, { source: asking, target: asking, swap: "none", values });
    } finally {
      button?.removeAttribute("aria-busy");
      asking.remove();
      if (!answered) toast("unknown", said("lost"));
    }
  };

  // ---- whom it is about
  const about = button => {
    const card = button.closest(".card");
    return card && {
      card,
      extension: card.querySelector(".extension").textContent,
      name: card.querySelector("h3").textContent,
      call: card.dataset.call || "",
    };
  };
  const listens = card => Boolean(document.body.dataset.me && card.querySelector(`[data-listener="${document.body.dataset.me}"]`));

  // ---- dialogs: outside of all that is swapped, so that no update closes one
  const choose = (id, title, show = () => {}) => new Promise(resolve => {
    const dialog = find(id);
    const form = dialog.querySelector("form");
    const reason = form.elements.reason.value;
    form.reset();
    form.elements.reason.value = reason;
    dialog.querySelector("h2").textContent = title;
    show(dialog, form);
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      const chosen = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
      resolve(dialog.returnValue === "yes" ? chosen : null);
    }, { once: true });
    dialog.showModal();
    if (!dialog.querySelector("fieldset").disabled && !reason) form.elements.reason.focus();
    else form.querySelector(".primary").focus();
  });

  const spy = async (button, mode) => {
    const agent = about(button);
    const { dataset } = find("spy");
    const again = listens(agent.card);
    const title = filled(dataset[mode], agent);
    const values = { extension: agent.extension, call: agent.call, mode };
    if (again && (mode === "listen" || mode === "whisper")) return ask(button, "spy", values, title);
    const chosen = await choose("spy", title, (dialog, form) => {
      dialog.querySelector(".what").textContent = filled(dataset[`${mode}What`], agent);
      const fields = form.querySelector("fieldset");
      fields.disabled = fields.hidden = again;
    });
    return chosen && ask(button, "spy", { ...values, ...chosen }, title);
  };
  const pause = async (button, when) => {
    const agent = about(button);
    const title = filled(find("pause").dataset[when === "after" ? "later" : "one"], agent);
    const chosen = await choose("pause", title);
    return chosen && ask(button, "pause", { extension: agent.extension, when, ...chosen }, title);
  };
  const plain = (button, path) => {
    const agent = about(button);
    const name = path.replace(/-(\w)/g, (all, letter) => letter.toUpperCase());
    return ask(button, path, { extension: agent.extension }, said(name, agent));
  };

  const deeds = {
    listen: button => spy(button, "listen"),
    whisper: button => spy(button, "whisper"),
    barge: button => spy(button, "barge"),
    customer: button => spy(button, "customer"),
    pause: button => pause(button, "now"),
    later: button => pause(button, "after"),
    resume: button => plain(button, "resume"),
    call: button => plain(button, "call"),
    "end-listening": button => plain(button, "end-listening"),
    "call-back": button => ask(button, "call-back", { call: button.dataset.call }, said("callBack")),
  };

  // ---- the menu of a card: its list is made when it opens, and told anew with each frame
  const tell = menu => {
    const card = menu.closest(".card");
    const paused = Boolean(card.querySelector(".acts [data-act=resume]"));
    for (const button of menu.querySelectorAll(".deeds [data-act]")) {
      const act = button.dataset.act;
      if (act === "pause") button.hidden = paused;
      if (act === "resume") button.hidden = !paused;
      if (act === "later") button.hidden = paused || !["talk", "ring"].includes(card.dataset.status);
      if (button.dataset.nocall === undefined) continue;
      const no = button.dataset.no || ("never" in card.dataset ? button.dataset.never : card.dataset.call ? "" : button.dataset.nocall);
      button.toggleAttribute("aria-disabled", Boolean(no));
      if (no) { button.setAttribute("aria-disabled", "true"); button.dataset.tip = no; } else delete button.dataset.tip;
    }
  };
  document.addEventListener("toggle", event => {
    const menu = event.target;
    if (!menu.matches?.("details.menu")) return;
    const choices = menu.querySelector(".choices");
    if (!choices) return;
    choices.replaceChildren(...(menu.open ? [find("deeds").content.cloneNode(true)] : []));
    if (menu.open) tell(menu);
  }, true);

  // ---- several at once
  const picked = new Set();
  const selecting = () => document.body.classList.contains("selecting");
  const extensionOf = box => box.closest(".card").querySelector(".extension").textContent;
  const boxes = () => [...document.querySelectorAll("#agents .pick")];
  const mark = () => {
    const known = new Set();
    for (const box of boxes()) {
      const extension = extensionOf(box);
      known.add(extension);
      box.checked = picked.has(extension);
      box.closest(".card").toggleAttribute("data-picked", box.checked);
    }
    for (const extension of picked) if (!known.has(extension)) picked.delete(extension);
    find("selected").value = picked.size;
  };
  const select = on => {
    document.body.classList.toggle("selecting", on);
    find("select").setAttribute("aria-pressed", on);
    find("several").hidden = !on;
    picked.clear();
    mark();
  };
  const several = {
    all: () => { for (const box of boxes()) if (box.offsetParent) picked.add(extensionOf(box)); mark(); },
    pause: async button => {
      const title = filled(find("pause").dataset.many, { number: picked.size });
      const chosen = await choose("pause", title);
      if (chosen) await ask(button, "pause-several", { extension: [...picked].join(), ...chosen }, title);
    },
    resume: button => ask(button, "resume-several", { extension: [...picked].join() }, said("resumeSeveral", { number: picked.size })),
    end: () => select(false),
  };

  document.addEventListener("change", event => {
    if (!event.target.matches?.(".pick")) return;
    if (event.target.checked) picked.add(extensionOf(event.target)); else picked.delete(extensionOf(event.target));
    event.target.closest(".card").toggleAttribute("data-picked", event.target.checked);
    find("selected").value = picked.size;
  });
  document.addEventListener("click", event => {
    const on = selector => event.target.closest?.(selector);
    const button = on("[data-act]");
    if (on(".toast .close")) on(".toast").remove();
    if (on(".ask .cancel")) on(".ask").close();
    if (on("#select")) select(!selecting());
    const many = on("[data-several]")?.dataset.several;
    if (many && ["pause", "resume"].includes(many) && !picked.size) toast("refused", said("none"));
    else if (many) several[many](on("[data-several]"));
    if (!button) return;
    if (button.getAttribute("aria-disabled") === "true") toast("refused", button.dataset.tip);
    else deeds[button.dataset.act](button);
  });
  document.addEventListener("pitwall:frame", () => {
    if (pitwall.menu()) tell(pitwall.menu());
    if (selecting()) mark();
  });
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(changes => {
      for (const change of changes) for (const box of change.addedNodes) if (box.classList?.contains("toast")) keep(box);
    }).observe(find("toasts"), { childList: true });
    // A rule and not a class: no update of a card can undo it.
    if (!document.body.dataset.me) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`[data-listener="${CSS.escape(document.body.dataset.me)}"] .mine { display: inline-block !important }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  });
})();
