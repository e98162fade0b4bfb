// What can be seen comes first: of a thousand cards sixty are in sight, and each frame puts those
// right. Of the others the newest text is kept. It is put in before they come into sight, a share of
// it with each frame, and the rest when no frame comes, so that a search of the browser and a screen
// reader are told the truth too. Nothing is drawn for it alone: to draw costs more than to patch.
(() => {
  // So far around the window a card counts as in sight: who scrolls must not see it change.
  const AROUND = 300;
  const QUIET_MS = 1000;
  const LEAST_MS = 5;
  const SHARE = .12;
  // Of that no more than this: the frame beside it is waited for, and when all is quiet nothing is.
  const WITH_FRAME_MS = 10;
  const ALONE_MS = 120;
  const AT_ONCE = 12;
  const START = '<article hx-swap-oob="outerMorph" id="';
  const END = "</article>";
  const kept = new Map();
  let near = new Set();
  let everyCardMatters = false;
  let timer = 0;
  let before = 0;

  const isFar = card => Boolean(card) && !everyCardMatters && !near.has(card);
  const put = ids => {
    const texts = ids.map(id => kept.get(id) ?? "");
    for (const id of ids) kept.delete(id);
    pitwall.age(pitwall.apply(texts.join("")));
  };
  const putAll = () => { if (kept.size) put([...kept.keys()]); };

  // ---- which are in sight: they stand in order from top to bottom, so the first is found by halving
  const first = (cards, isIt) => {
    let from = 0;
    let to = cards.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isIt(cards[middle].getBoundingClientRect())) to = middle; else from = middle + 1;
    }
    return from;
  };
  const look = () => {
    const cards = [...document.getElementById("agents").children];
    const from = first(cards, box => box.bottom > -AROUND);
    const to = first(cards, box => box.top > innerHeight + AROUND);
    const came = cards.slice(from, to).filter(card => !near.has(card));
    near = new Set(cards.slice(from, to));
    if (!came.length || everyCardMatters) return;
    put(came.map(card => card.id).filter(id => kept.has(id)));
    pitwall.age(came);
  };

  // The cards that are, and all that stands around their list.
  const inSight = () => {
    if (everyCardMatters) return [document];
    const found = [...near];
    for (let one = document.getElementById("agents"); one !== document.body; one = one.parentElement) {
      found.push(...[...one.parentElement.children].filter(other => other !== one));
    }
    return found;
  };

  // ---- the oldest first, for a share of the time that has passed; all of it when all is quiet
  const putSome = most => {
    const now = performance.now();
    const until = now + Math.min(most, Math.max(LEAST_MS, SHARE * (now - before)));
    before = now;
    while (kept.size && performance.now() < until) put([...kept.keys()].slice(0, AT_ONCE));
    putLater();
  };
  const putLater = () => {
    clearTimeout(timer);
    if (kept.size) timer = setTimeout(putSome, QUIET_MS, ALONE_MS);
  };

  // Returns what of a frame is to be put in now.
  const sift = text => {
    // A list that is sent whole has all its cards, and none is newer.
    if (text.includes('hx-target="#agents"')) kept.clear();
    if (everyCardMatters) return text;
    look();
    let now = "";
    let from = 0;
    for (let at = text.indexOf(START); at >= 0; at = text.indexOf(START, from)) {
      const idAt = at + START.length;
      const id = text.slice(idAt, text.indexOf('"', idAt));
      const end = text.indexOf(END, idAt) + END.length;
      const canWait = id.startsWith("a-") && isFar(document.getElementById(id));
      if (canWait) kept.set(id, text.slice(at, end));
      now += text.slice(from, canWait ? at : end);
      from = end;
    }
    putLater();
    return now + text.slice(from);
  };

  // Filters are style rules about what cards say: as long as one is set, all of them say it.
  const needEveryCard = needed => {
    everyCardMatters = needed;
    if (needed) putAll();
  };
  document.addEventListener("pitwall:frame", () => putSome(WITH_FRAME_MS));
  addEventListener("beforeprint", putAll);
  addEventListener("keydown", event => {
    if (event.key === "F3" || ((event.ctrlKey || event.metaKey) && event.key === "f")) putAll();
  });
  addEventListener("scroll", look, { capture: true, passive: true });
  addEventListener("resize", look);
  Object.assign(pitwall, { sift, inSight, needEveryCard });
})();
