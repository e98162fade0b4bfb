// A wall fits what it shows to its screen: tiles as large as all of them fit, else pages that turn.
// Pages are style rules, not classes on tiles: no update can undo a rule, and no node is added.
(() => {
  const TURN_MS = 12000;
  const SCALES = [2.4, 2, 1.7, 1.45, 1.2, 1];
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const LINE_SCALES = [1.5, 1.25, 1];
  const SHOWN = ':not([data-status="off"])';
  const boxes = {};
  let turn = 0;
  let written = "";

  const unit = () => parseFloat(getComputedStyle(document.body).fontSize) / 4.2;
  const whole = number => Math.max(1, Math.floor(number + 0.01));
  const room = (box, scale) => {
    const u = unit();
    const gap = Number(box.dataset.gap || 0) * u;
    const columns = box.id === "tiles" ? 1 : whole((box.clientWidth + gap) / (box.dataset.width * u * scale + gap));
    const rows = whole((box.clientHeight + gap) / (box.dataset.height * u * scale + gap));
    // What is left over makes the rows a little higher, so that a full page fills its room.
    const row = Math.min(box.dataset.height * u * scale * 1.3, (box.clientHeight + gap) / rows - gap);
    return { scale, columns, row, holds: columns * rows };
  };
  const fit = (box, number) => {
    const sizes = box.id === "agents" ? SCALES : LINE_SCALES;
    return sizes.map(scale => room(box, scale)).find(one => one.holds >= number) || room(box, 1);
  };
  const style = (box, name, value) => {
    if (box.style.getPropertyValue(name) !== String(value)) box.style.setProperty(name, value);
  };
  const say = (box, text) => {
    const sign = document.querySelector(`[data-pages-of="${box.id}"]`);
    if (sign && sign.textContent !== text) sign.textContent = text;
  };
  const rule = box => {
    const number = box.querySelectorAll(`:scope > ${SHOWN}`).length;
    const { scale, columns, row, holds } = fit(box, number);
    const pages = Math.max(1, Math.ceil(number / holds));
    const page = turn % pages;
    style(box, "--scale", scale);
    style(box, "--columns", columns);
    style(box, "--row", `${row.toFixed(1)}px`);
    say(box, pages > 1 ? `${page + 1}/${pages}` : "");
    if (pages === 1) return "";
    const first = page * holds + 1;
    return `#${box.id} > :not(:nth-child(n + ${first} of ${SHOWN}):nth-child(-n + ${first + holds - 1} of ${SHOWN})) { display: none }`;
  };
  // Fonts differ by a quarter in the width of their digits, and a display has what fonts it has.
  const digit = () => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `700 100px ${getComputedStyle(document.body).fontFamily}`;
    return (pen.measureText("0").width / 100).toFixed(3);
  };
  const arrange = () => {
    const text = Object.values(boxes).map(rule).join("\n");
    if (text !== written) sheet.replaceSync(text);
    written = text;
    for (const value of document.querySelectorAll(".hero .value")) {
      const long = String(Math.min(7, value.textContent.trim().length));
      if (value.parentNode.dataset.long !== long) value.parentNode.dataset.long = long;
    }
  };

  // A display that falls asleep shows nothing; not every browser can be asked to stay awake.
  const stayAwake = () => navigator.wakeLock?.request("screen").catch(() => {});

  document.addEventListener("pitwall:frame", arrange);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) stayAwake(); });
  addEventListener("DOMContentLoaded", () => {
    for (const id of ["tiles", "agents"]) {
      const box = document.getElementById(id);
      if (box) boxes[id] = box;
    }
    style(document.body, "--digit", digit());
    const watch = new ResizeObserver(arrange);
    for (const box of Object.values(boxes)) watch.observe(box);
    setInterval(() => { turn += 1; arrange(); }, TURN_MS);
    stayAwake();
  });
})();
