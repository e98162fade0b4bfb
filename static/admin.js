// Administrators' pages: a filter over a list, a copy button, and forms that empty when they did it.
(() => {
  const fold = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/g, "d").replace(/Đ/g, "D").toLowerCase();

  const filter = input => {
    const words = fold(input.value).split(/\s+/).filter(Boolean);
    for (const row of document.querySelectorAll(input.dataset.filter)) {
      const text = fold(row.dataset.find || row.textContent);
      row.hidden = !words.every(word => text.includes(word));
    }
  };

  const fresh = () => {
    document.querySelectorAll("[data-filter]").forEach(input => input.value && filter(input));
    // The clipboard is there on https and on this machine only.
    document.querySelectorAll("[data-copy]").forEach(button => { button.hidden = !navigator.clipboard; });
  };

  document.addEventListener("input", event => {
    if (event.target.matches("[data-filter]")) filter(event.target);
  });

  document.addEventListener("click", async event => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });

  // A morph keeps what was typed, which is right everywhere but in a form whose work is done: once,
  // for what is said stays there while other parts of the page are swapped.
  document.addEventListener("htmx:after:swap", () => {
    const done = document.querySelector("#said [data-done]");
    if (done) {
      document.querySelector(`form[data-clear="${done.dataset.done}"]`)?.reset();
      delete done.dataset.done;
    }
    fresh();
  });

  document.querySelector(".subnav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  fresh();
})();
