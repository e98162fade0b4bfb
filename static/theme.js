// The theme chosen on this device: automatic, dark or light. Runs before the first paint.
(() => {
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; } };
  const keep = theme => { try { localStorage.setItem("theme", theme); } catch { /* a private window */ } };
  const next = { auto: "dark", dark: "light", light: "auto" };

  const show = theme => {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (!button) return;
    button.title = button.dataset[theme];
    button.lastElementChild.textContent = button.dataset[theme];
  };

  show(kept());
  addEventListener("DOMContentLoaded", () => {
    show(kept());
    document.getElementById("theme")?.addEventListener("click", () => { keep(next[kept()]); show(kept()); });
  });
})();
