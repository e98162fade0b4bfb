// The slider over a day: which second is wanted, what is shown, and steps by keys and buttons.
// One question at a time; while it is under way only the newest wish is kept.
(() => {
  const find = id => document.getElementById(id);
  const WAIT_MS = 120;
  const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -60, PageUp: 60 };
  let wanted = null;
  let timer = null;
  let busy = false;
  let playing = null;

  const shown = () => find("then").dataset;
  const began = () => Number(shown().began);
  const clamp = at => Math.min(Math.max(at, began()), Number(shown().newest));

  // Ages are counted from the moment that is shown: the page's clock stands still at it.
  const settle = () => {
    const { at, text, words, day, newest } = shown();
    pitwall.running = true;
    pitwall.forget();
    pitwall.learn(Number(at));
    pitwall.tick();
    pitwall.running = false;
    find("moment").textContent = words;
    find("day").value = day;
    if (document.activeElement !== find("time")) find("time").value = text.slice(11);
    find("slider").max = Math.floor((newest - began()) / 1000);
    if (wanted === null) find("slider").value = Math.floor((at - began()) / 1000);
    find("slider").setAttribute("aria-valuetext", text.slice(11));
    history.replaceState(null, "", `/rewind?at=${text}`);
    document.dispatchEvent(new Event("pitwall:frame"));
  };

  const fetchWanted = async () => {
    if (busy || wanted === null) return;
    const at = wanted;
    busy = true;
    find("state").textContent = find("state").dataset.loading;
    let failed = true;
    try {
      const answer = await fetch(`/rewind/board?at=${at}&order=${pitwall.order || "extension"}`, { headers: { "HX-Request": "true" } });
      if (answer.headers.has("HX-Redirect")) { location.assign(answer.headers.get("HX-Redirect")); return; }
      if (answer.ok) {
        pitwall.apply(await answer.text());
        failed = false;
      }
    } catch { /* said below */ }
    busy = false;
    find("state").textContent = failed ? find("state").dataset.failed : "";
    if (failed) { stop(); wanted = null; return; }
    if (wanted === at) wanted = null;
    settle();
    if (wanted !== null) fetchWanted();
  };
  const want = (at, soon = WAIT_MS) => {
    wanted = clamp(at);
    const seconds = Math.floor((wanted - began()) / 1000);
    if (Number(find("slider").value) !== seconds) find("slider").value = seconds;
    find("moment").textContent = pitwall.clockTime(wanted);
    clearTimeout(timer);
    timer = setTimeout(fetchWanted, soon);
  };
  const here = () => wanted ?? Number(shown().at);
  const step = seconds => want(here() + seconds * 1000);

  // ---- playing
  const stop = () => {
    clearInterval(playing);
    playing = null;
    find("play").setAttribute("aria-pressed", "false");
    find("play").lastElementChild.textContent = find("play").dataset.play;
  };
  const play = () => {
    if (playing) return stop();
    playing = setInterval(() => {
      if (busy) return;
      const next = here() + Number(find("speed").value) * 1000;
      if (next > Number(shown().newest)) stop(); else want(next, 0);
    }, 1000);
    find("play").setAttribute("aria-pressed", "true");
    find("play").lastElementChild.textContent = find("play").dataset.stop;
  };

  pitwall.connect = () => want(here(), 0);
  document.addEventListener("keydown", event => {
    const seconds = STEPS[event.key];
    const slider = event.target === find("slider");
    if (!seconds || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!slider && event.target.closest?.("input, select, textarea, button, summary, [tabindex='0']")) return;
    if (!slider && !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    step(event.shiftKey && Math.abs(seconds) === 1 ? seconds * 10 : seconds);
  });
  document.addEventListener("click", event => {
    const button = event.target.closest?.("[data-step]");
    if (button) step(Number(button.dataset.step));
    if (event.target.closest?.("#play")) play();
  });
  addEventListener("DOMContentLoaded", () => {
    find("slider").addEventListener("input", event => { stop(); want(began() + Number(event.target.value) * 1000); });
    settle();
  });
})();
