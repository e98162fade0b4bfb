// Alarms on this device: seen by a click, heard, and told by the desktop. The choices stay here.
// A browser plays nothing before the page was touched once, so the button shows that it waits for it.
(() => {
  const find = id => document.getElementById(id);
  const read = name => { try { return localStorage.getItem(name); } catch { return null; } };
  const write = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a private window */ } };

  // ---- sound: three short tones, made here, so that no file is fetched
  let audio = null;
  const wanted = () => read("alarm-sound") === "on";
  const ready = () => audio?.state === "running";
  const wake = async () => {
    if (!wanted()) return;
    audio ??= new AudioContext();
    if (!ready()) await audio.resume().catch(() => {});
    show();
  };
  const beep = () => {
    if (!wanted() || !ready()) return;
    for (const [index, tone] of [740, 988, 740].entries()) {
      const from = audio.currentTime + index * .24;
      const source = new OscillatorNode(audio, { type: "triangle", frequency: tone });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(.3, from + .02);
      volume.gain.linearRampToValueAtTime(0, from + .2);
      source.connect(volume).connect(audio.destination);
      source.start(from);
      source.stop(from + .21);
    }
    document.dispatchEvent(new Event("pitwall:beep"));
  };

  // ---- desktop notices
  const notices = () => read("alarm-notices") === "on" && window.Notification?.permission === "granted";
  const tell = alarm => {
    const notice = new Notification("Pitwall", { body: alarm.dataset.say, tag: alarm.id, renotify: true });
    notice.onclick = () => { window.focus(); notice.close(); };
  };

  // ---- the two buttons
  const show = () => {
    const sound = find("alarm-sound"), notice = find("alarm-notices");
    if (!sound) return;
    sound.setAttribute("aria-pressed", wanted());
    sound.toggleAttribute("data-waits", wanted() && !ready());
    sound.dataset.tip = wanted() ? (ready() ? sound.dataset.on : sound.dataset.waiting) : sound.dataset.off;
    notice.hidden = !window.Notification;
    notice.setAttribute("aria-pressed", notices());
    notice.dataset.tip = window.Notification?.permission === "denied" ? notice.dataset.denied : notices() ? notice.dataset.on : notice.dataset.off;
  };
  const toggleSound = async () => {
    write("alarm-sound", wanted() ? "off" : "on");
    await wake();
    beep();
    show();
  };
  const toggleNotices = async () => {
    const on = !notices() && await Notification.requestPermission() === "granted";
    write("alarm-notices", on ? "on" : "off");
    show();
  };

  // ---- what is new: an alarm speaks at a time of the server's, which only grows
  const since = name => Number(read(name)) || 0;
  const news = (name, alarms, act) => {
    const fresh = alarms.filter(alarm => Number(alarm.dataset.spoken) > since(name));
    if (!fresh.length) return;
    write(name, Math.max(...fresh.map(alarm => Number(alarm.dataset.spoken))));
    act(fresh);
  };
  const look = () => {
    const loud = [...document.querySelectorAll("#alarms [data-spoken]:not([data-quiet])")];
    readOut(loud);
    news("alarm-heard", loud.filter(alarm => alarm.dataset.level === "2"), beep);
    news("alarm-told", loud, fresh => { if (notices()) fresh.slice(0, 4).forEach(tell); });
  };

  // ---- read out: not the strip itself, whose counters would never let a screen reader rest
  const aloud = Object.assign(document.createElement("p"), { className: "unseen" });
  aloud.setAttribute("role", "status");
  let readUntil = null;
  const readOut = loud => {
    const newest = Math.max(0, ...loud.map(alarm => Number(alarm.dataset.spoken)));
    if (readUntil !== null && newest > readUntil) aloud.textContent = loud.filter(alarm => Number(alarm.dataset.spoken) > readUntil).map(alarm => alarm.dataset.say).join(". ");
    readUntil = Math.max(newest, readUntil ?? 0);
  };

  // ---- seen: one click, one request; the strip changes when the server says so
  const complain = text => {
    const box = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
    box.dataset.kind = "refused";
    find("toasts").append(box);
    setTimeout(() => box.remove(), 15000);
  };
  const acknowledge = async button => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const body = new URLSearchParams({ do: "acknowledge", alarm: button.dataset.acknowledge });
    try {
      const answer = await fetch("/alarms", { method: "POST", body, headers: { Accept: "application/json", "HX-Request": "true" } });
      if (!answer.ok) complain((await answer.json()).message);
    } catch { complain(find("watch").dataset.lost); }
    button.removeAttribute("aria-busy");
  };

  document.addEventListener("click", event => {
    const button = event.target.closest?.("button");
    if (button?.dataset.acknowledge) acknowledge(button);
    if (button?.id === "alarm-sound") toggleSound();
    if (button?.id === "alarm-notices") toggleNotices();
  });
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, wake, true);
  document.addEventListener("pitwall:frame", look);
  addEventListener("DOMContentLoaded", () => { find("watch").append(aloud); show(); if (wanted()) wake(); });
})();
