// What the menu of a card says: made when it opens and told anew with each frame, not sent a
// thousand times for menus that nobody opens. The words are in the page's one template.
(() => {
  const names = card => card.dataset.queues.split(" ").filter(Boolean).map(id => {
    const tile = document.getElementById(id);
    return tile?.querySelector("h3").textContent || id.replace(/^q-/, "");
  });
  const why = (card, words) => {
    if ("doubt" in card.dataset) return words.doubt;
    if (card.dataset.look === "other") return words.other;
    return card.dataset.calls ? words.calls.replace("{number}", card.dataset.calls) : words.phone;
  };
  const write = (box, text) => { if (box.textContent !== text) box.textContent = text; };
  const tell = menu => {
    const card = menu.closest(".card");
    const fact = name => menu.querySelector(`[data-fact=${name}]`);
    write(fact("since"), pitwall.clockTime(Number(card.querySelector(".status time").dataset.since)));
    write(fact("why"), why(card, fact("why").parentNode.dataset));
    write(fact("team"), card.dataset.team || "");
    fact("team").hidden = fact("team").previousElementSibling.hidden = !card.dataset.team;
    write(fact("queues"), names(card).join(", ") || "–");
    write(fact("today"), card.querySelector(".day").getAttribute("aria-label"));
    const extension = card.querySelector(".extension").textContent;
    fact("today").href = `/agents/${encodeURIComponent(extension)}`;
    menu.querySelector(".why").dataset.story = extension;
  };

  let open = null;
  // Before what others put into the menu: they find its parts there.
  document.addEventListener("toggle", event => {
    const menu = event.target;
    if (menu.matches?.("details.menu")) menu.closest(".card").toggleAttribute("data-open", menu.open);
    const rest = menu.matches?.("details.menu") && menu.querySelector(".rest");
    if (!rest) return;
    rest.replaceChildren(...(menu.open ? [document.getElementById("facts").content.cloneNode(true)] : []));
    if (menu.open) tell(open = menu);
    else if (open === menu) open = null;
  }, true);
  pitwall.menu = () => (open?.isConnected ? open : null);
  document.addEventListener("pitwall:frame", () => { if (pitwall.menu()) tell(open); });
})();
