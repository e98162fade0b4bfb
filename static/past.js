// The address follows the filters, so that it can be kept, sent and reloaded.
(() => {
  const follow = event => {
    const form = event.target.closest?.("form[data-address]");
    if (!form) return;
    const chosen = [...new FormData(form)].filter(([, value]) => value);
    history.replaceState(null, "", `${form.getAttribute("action")}?${new URLSearchParams(chosen)}`);
  };
  document.addEventListener("change", follow);
  document.addEventListener("submit", follow);
})();
