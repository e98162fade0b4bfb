// Why a card is what it is: its events, fetched when somebody asks, in a dialog no update can touch.
(() => {
  const find = id => document.getElementById(id);
  let asked = null;
  const show = async button => {
    const dialog = find("story");
    asked = button.closest("article");
    find("story-events").textContent = dialog.dataset.loading;
    dialog.showModal();
    if (document.body.dataset.link !== "live") { find("story-events").textContent = dialog.dataset.stale; return; }
    await htmx.ajax("GET", `/agents/${encodeURIComponent(button.dataset.story)}/events`, { source: dialog, target: "#story-events", swap: "innerHTML" });
  };
  document.addEventListener("click", event => {
    const button = event.target.closest?.("[data-story]");
    if (button) show(button);
    if (event.target === find("story")) find("story").close();
  });
  addEventListener("DOMContentLoaded", () => {
    // The menu has closed meanwhile; who came by keyboard goes on from the card.
    find("story")?.addEventListener("close", () => asked?.querySelector("summary")?.focus());
  });
})();
