// The server's clock as this page knows it, and every counter that ticks by it.
// A display's own clock may be wrong by hours, so it is never asked what time it is.
// Where sight.js is not there, everything is in sight.
window.pitwall = { running: false, inSight: () => [document], sift: text => text, needEveryCard: () => {} };
(() => {
  const KEPT = 60;
  let samples = [];
  let offset = null;

  // The fastest delivery is the closest to the truth; old samples go, so a sleep heals.
  const learn = serverNow => {
    samples.push(serverNow - performance.now());
    if (samples.length > KEPT) samples.shift();
    offset = Math.max(...samples);
  };
  const forget = () => { samples = []; };
  const serverNow = () => (offset === null ? null : performance.now() + offset);

  const two = number => String(number).padStart(2, "0");
  const span = (seconds, form) => {
    const minutes = Math.floor(seconds / 60);
    const rest = two(seconds % 60);
    if (form === "short" && minutes >= 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}`;
    return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
  };

  let format = null;
  const clockTime = at => {
    if (!format) {
      const form = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
      const timeZone = document.body.dataset.zone || undefined;
      try { format = new Intl.DateTimeFormat("en-GB", { ...form, timeZone }); }
      catch { format = new Intl.DateTimeFormat("en-GB", form); }
    }
    return format.format(at);
  };

  const write = (element, text) => {
    const node = element.firstChild;
    if (!node) element.textContent = text;
    else if (node.nodeValue !== text) node.nodeValue = text;
  };

  // The card or row around a counter looks older in steps; its data-steps says at which seconds.
  const age = (element, seconds) => {
    const host = element.closest("[data-steps]");
    if (!host || !host.dataset.steps) { if (host) delete host.dataset.age; return; }
    const step = String(host.dataset.steps.split(" ").filter(limit => seconds >= Number(limit)).length);
    if (host.dataset.age !== step) host.dataset.age = step;
  };

  const within = (roots, selector) => roots.flatMap(root => [
    ...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector),
  ]);
  // What a frame brings while the board is not live counts up to `at`, the frame's own time, and
  // stands still there: left alone it would show the hour it began, which reads like a long wait.
  // `roots` are the elements that changed; without them all that can be seen is told: what is far is
  // told when it comes near.
  const tick = (at, roots = pitwall.inSight()) => {
    const now = at ?? serverNow();
    if (now === null || !(pitwall.running || at) || document.hidden) return;
    for (const element of within(roots, "time[data-since]")) {
      const seconds = Math.max(0, Math.floor((now - element.dataset.since) / 1000));
      write(element, span(seconds, element.dataset.form));
      if (element.className !== "late") age(element, seconds);
    }
    // A pause that was to end by now: nobody reports that, only time tells.
    for (const element of within(roots, "[data-until], [data-over]")) {
      const late = Boolean(element.dataset.until) && now >= element.dataset.until;
      if (element.hasAttribute("data-over") !== late) element.toggleAttribute("data-over", late);
    }
    // An update takes away what something is old by; how old it looked is ours to take away.
    for (const element of within(roots, "[data-age]:not([data-steps])")) delete element.dataset.age;
    const clock = document.getElementById("now");
    if (clock) write(clock, clockTime(now));
  };

  Object.assign(pitwall, { learn, forget, serverNow, clockTime, tick });
})();
