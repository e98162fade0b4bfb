// The link to the server: is it alive, is what is shown fresh, and what to do when not.
// Neither the socket's own state nor its pings prove that the board is live: only a fresh tick does.
(() => {
  const QUIET_MS = 10400;      // two ticks of 5 s missed, and a little for the way
  const BEHIND_MS = 3000;
  const KICK_AFTER_MS = 12000;
  const SPREAD_MS = 1000;        // of the first return; each one that brings nothing doubles it
  const MOST_SPREAD_MS = 64000;
  const UNWANTED = 3;            // returns that whoever was sent away is taken to have tried
  const SLEPT_MS = 10000;
  const BARREN_MS = 600000;
  const HELD_MS = 1500;
  const UNPAINTED_MS = 500;
  const SECOND_MS = 950;         // timers are not exact
  const SOON_MS = 650;
  const SWIFT_MS = 60;
  const AHEAD = 8;
  const CUT = "<\x1e";        // what follows only helps to read compressed frames: app/web/stream.py
  const SPEAKS_EVERY = 6;
  const SPEAKS_AFTER_MS = 3900;  // the server hangs up after 20 s
  const page = { tick: 0, heard: performance.now(), tries: 0, coming: null, opened: false, lost: false, held: null, out: false, closed: true, lag: 0, fixed: -Infinity, shown: null, unsaid: 0, speaksAfter: 1, spoke: 0, came: 0, told: 0 };
  const find = id => document.getElementById(id);
  const now = () => performance.now();

  // ---- what the viewer is told
  const say = (state, text) => {
    document.body.dataset.link = state;
    pitwall.running = state === "live" || state === "slow";
    const pill = find("link");
    const word = pill.dataset[state];
    if (pill.lastElementChild.textContent !== word) pill.lastElementChild.textContent = word;
    if (find("banner").textContent !== text) find("banner").textContent = text;
  };
  const banner = (name, at = page.tick) => {
    const since = at ? pitwall.clockTime(at) : "";
    const text = find("banner").dataset[page.tick || name === "out" ? name : "never"];
    return text.replace("{time}", since).replace("{seconds}", Math.round(page.lag / 1000));
  };
  const judge = () => {
    if (page.out) return say("out", banner("out"));
    if (page.closed) return say(page.tick ? "stale" : "connecting", page.tick || now() > 3000 ? banner("stale") : "");
    if (page.unsaved) return say("stale", banner("unsaved", page.unsaved));
    const age = page.tick ? pitwall.serverNow() - page.tick : now() - page.heard;
    if (age > QUIET_MS) return say("stale", banner(now() - page.heard > QUIET_MS ? "stale" : "quiet"));
    if (!page.tick) return say("connecting", "");
    return page.lag > BEHIND_MS ? say("slow", banner("slow")) : say("live", "");
  };

  // ---- connecting again, whatever state the old socket is in (a half-open one never tells)
  const address = () => {
    const { live } = find("feed").dataset;
    return `${live}${live.includes("?") ? "&" : "?"}order=${pitwall.order || "extension"}`;
  };
  const connect = () => {
    clearTimeout(page.coming);
    page.coming = null;
    page.heard = now();
    page.closed = true;
    page.opened = page.lost = false;
    pitwall.forget();
    find("feed").setAttribute("hx-ws:connect", address());
    htmx.process(find("feed"), true);
  };
  const silent = () => now() - page.heard > KICK_AFTER_MS;
  // Spread, so that the boards of a server that is back do not come all at once. htmx would grow the
  // spread, too, but begin anew at every open: a server that accepts and hangs up has no rest then.
  const comeBack = () => {
    clearTimeout(page.coming);
    page.coming = setTimeout(() => {
      page.coming = null;
      // What had been silent may have spoken meanwhile.
      if (!page.out && (page.lost || silent())) connect();
    }, Math.random() * Math.min(MOST_SPREAD_MS, SPREAD_MS * 2 ** page.tries));
    page.tries += 1;
  };
  // Whatever the socket says of itself.
  const renew = () => { page.lost = true; comeBack(); };
  // What is shown is no longer this viewer's to see: a moment to read why, then the sign-in page.
  const leave = () => { judge(); setTimeout(() => location.reload(), 3000); };
  const alive = async () => {
    try {
      const answer = await fetch(find("feed").dataset.alive || "/alive", { cache: "no-store" });
      page.out = answer.status === 401;
      if (page.out) leave();
      return answer.ok;
    } catch { return false; }
  };
  // An unattended display must never end on the browser's error page.
  const reload = async () => { if (await alive()) location.reload(); else setTimeout(reload, 5000 + Math.random() * 5000); };

  document.addEventListener("htmx:ws:after:connection", () => { page.heard = now(); page.opened = true; });
  document.addEventListener("htmx:ws:close", event => {
    const { code, reason } = event.detail;
    if (reason === "removed") return;
    page.closed = true;
    judge();
    if (code === 4205) return reload();                                  // made for other rights, or another wall
    // A refused handshake looks like a broken line; a line that breaks later says nothing of sessions.
    if ((code === 1006 && !page.opened) || code === 1008 || code === 4401) alive();
    if (code === 4401) return;
    if (code === 1008 || code === 1013 || code >= 3000) page.tries = Math.max(page.tries, UNWANTED);
    renew();
  });

  // What has changed shows its age; while the board is not live, the one it had by the last frame.
  pitwall.age = changed => pitwall.tick(pitwall.running ? undefined : Number(find("beat").dataset.now), changed);
  // All counters, once a second: with a frame where one comes, and on a slow page a little early, with
  // the last that comes in time. To draw the page once more costs more than to write them.
  const tellAll = least => {
    if (now() - page.told < least) return;
    page.told = now();
    pitwall.tick();
  };

  // ---- frames: none is applied while a button is held down, so that no click is lost
  const release = () => { page.held?.done(); page.held = null; };
  addEventListener("pointerdown", event => {
    if (!event.target.closest?.("button, summary, a, select, label")) return;
    release();
    let done;
    const until = new Promise(resolve => { done = resolve; });
    page.held = { until, done };
    setTimeout(done, HELD_MS);
  }, true);
  for (const kind of ["pointerup", "pointercancel", "blur"]) addEventListener(kind, () => setTimeout(release), true);
  document.addEventListener("htmx:ws:before:message:incoming", event => {
    page.heard = page.came = now();
    page.waited = Boolean(page.held);
    const { message } = event.detail;
    const put = () => {
      page.touched = pitwall.apply(pitwall.sift(message.data.split(CUT, 1)[0]));
      message.data = "{}";                                               // nothing is left for htmx to swap
    };
    if (page.held) event.detail.waitUntil(page.held.until.then(put)); else put();
  });
  // The server sends as many frames ahead as it was asked for. A page that paints as they come asks
  // for several and speaks seldom; one that is slow asks for the next when it has painted the last.
  const answer = () => {
    const { socket, version, swift } = page.shown;
    page.unsaid = 0;
    page.spoke = now();
    page.speaksAfter = swift ? SPEAKS_EVERY : 1;
    if (socket.readyState === 1) socket.send(swift ? `${version} ${AHEAD}` : version);
  };
  const acknowledge = (socket, version) => {
    const { came } = page;
    let done = false;
    const painted = () => {
      if (done) return;
      done = true;
      if (page.shown?.socket !== socket) { page.unsaid = 0; page.speaksAfter = 1; }
      page.shown = { socket, version, swift: now() - came < SWIFT_MS && page.lag < BEHIND_MS };
      page.unsaid += 1;
      // Whoever asked for one frame gets no other before it speaks.
      if (!page.shown.swift || document.hidden || page.unsaid >= page.speaksAfter) answer();
    };
    // A page that nobody sees is not painted.
    if (document.hidden) return painted();
    requestAnimationFrame(() => setTimeout(painted));
    setTimeout(painted, UNPAINTED_MS);
  };

  const complete = marker => (marker.counts || "").split(" ").filter(Boolean).every(entry => {
    const [id, number] = entry.split(":");
    return find(id)?.childElementCount === Number(number);
  });
  document.addEventListener("htmx:ws:after:message:incoming", event => {
    const marker = find("beat").dataset;
    const socket = event.detail.connection.socket;
    page.heard = now();
    if (!(Number(marker.tick) && Number(marker.now))) return renew();    // not what the server sent
    page.closed = socket.readyState > 1;                                 // it may have ended while a button was held
    if (!page.closed) page.tries = 0;
    page.tick = Number(marker.tick);
    page.unsaved = Number(marker.unsaved || 0);
    pitwall.learn(Number(marker.now));
    page.lag = page.waited ? 0 : pitwall.serverNow() - Number(marker.now);
    acknowledge(socket, marker.version);
    judge();
    pitwall.age(page.touched);
    tellAll(page.shown?.swift === false ? SOON_MS : SECOND_MS);
    document.dispatchEvent(new Event("pitwall:frame"));
    if (marker.build !== document.body.dataset.build && !page.leaving) { page.leaving = true; setTimeout(reload, Math.random() * 20000); }
    if (!complete(marker) && now() - page.fixed > 5000) { page.fixed = now(); renew(); }
  });

  // ---- once a second: counters, staleness, waking up from sleep
  let before = Date.now();
  const second = () => {
    const slept = Date.now() - before > SLEPT_MS;
    before = Date.now();
    if (slept) page.closed = true;
    judge();
    tellAll(SECOND_MS);
    if (page.unsaid && now() - page.spoke > SPEAKS_AFTER_MS) answer();
    if (page.out) return;
    if (slept) { page.tries = 0; renew(); } else if (silent() && !page.coming) comeBack();
  };

  document.addEventListener("htmx:config:request", event => { if (document.body.dataset.link !== "live") event.preventDefault(); });
  addEventListener("DOMContentLoaded", () => { connect(); setInterval(second, 1000); });
  const night = new Date();
  night.setHours(28, Math.random() * 60, 0, 0);
  setTimeout(reload, night - Date.now());
  // Nothing for ten minutes, and yet the server answers: the page itself may be what does not get on.
  // Connecting again comes first: it costs a server that was away far less.
  const barren = () => !page.out && !page.leaving && now() - page.came > BARREN_MS;
  setInterval(async () => {
    if (!barren() || !await alive()) return;
    setTimeout(() => { if (barren()) { page.leaving = true; reload(); } }, 30000 + Math.random() * 30000);
  }, 60000);
  pitwall.connect = connect;
})();
