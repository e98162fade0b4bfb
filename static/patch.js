// Puts a frame into the page: what changed within an element is changed in it, the rest stays.
// htmx can do the same, at three times the cost: it searches, clones and announces each element, and
// a board brings hundreds a second. Nothing in a frame is for htmx, so nothing is lost by it.
(() => {
  // What the page itself has set: an update neither knows nor undoes it.
  const OURS = new Set(["open", "aria-busy", "aria-pressed", "aria-describedby", "data-age", "data-over", "data-long", "data-open", "data-picked", "hx-swap-oob"]);
  const sheet = document.createElement("template");

  const attributes = (old, fresh) => {
    let kept = 0;
    for (const { name, value } of fresh.attributes) {
      if (OURS.has(name)) { kept += old.hasAttribute(name) ? 1 : 0; continue; }
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
      kept += 1;
    }
    if (old.attributes.length === kept) return;
    for (const name of old.getAttributeNames()) if (!OURS.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  };

  // Templates write the same parts in the same order, so a part is known by its name and first class.
  const kind = node => {
    if (node.nodeType !== 1) return node.nodeType;
    const { className } = node;
    const space = className.indexOf(" ");
    return `${node.localName} ${node.id || node.getAttribute("data-act") || (space < 0 ? className : className.slice(0, space))}`;
  };
  const place = (parent, node, before) => {
    if (node.isConnected && parent.moveBefore) parent.moveBefore(node, before); else parent.insertBefore(node, before);
  };
  const later = (node, wanted) => {
    for (let one = node; one; one = one.nextSibling) if (kind(one) === wanted) return one;
    return null;
  };
  // The one that matches, put at `old`; what stands before it goes, unless it comes later. The space
  // between two rows is like any other: were it kept, all rows after one that left would be moved.
  const fetched = (parent, old, fresh) => {
    const wanted = kind(fresh);
    const found = fresh.id ? document.getElementById(fresh.id) : later(old, wanted);
    if (!found || found.parentNode !== parent || kind(found) !== wanted) return null;
    while (old !== found && (old.nodeType !== 1 || !later(fresh, kind(old)))) {
      const gone = old;
      old = old.nextSibling;
      gone.remove();
      if (!old) break;
    }
    if (old !== found) place(parent, found, old);
    return found;
  };
  const children = (parent, from) => {
    let old = parent.firstChild;
    let fresh = from.firstChild;
    while (fresh) {
      const next = fresh.nextSibling;
      const same = old && kind(old) === kind(fresh) ? old : old && fetched(parent, old, fresh);
      if (same) {
        // Most parts are as they were, and the browser compares them ten times as fast as we do.
        if (!same.isEqualNode(fresh)) patch(same, fresh);
        old = same.nextSibling;
      } else parent.insertBefore(fresh, old);
      fresh = next;
    }
    while (old) {
      const gone = old;
      old = old.nextSibling;
      gone.remove();
    }
  };
  const patch = (old, fresh) => {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    attributes(old, fresh);
    if (!fresh.hasAttribute("hx-morph-skip-children")) children(old, fresh);
  };

  // Returns the elements that the frame was about. One that is not on the page is left out: the
  // marker's counts tell.
  const apply = text => {
    sheet.innerHTML = text;
    const touched = [];
    for (const fresh of [...sheet.content.children]) {
      const list = fresh.getAttribute("hx-target");
      const old = list ? document.querySelector(list) : document.getElementById(fresh.id);
      if (!old) continue;
      if (list) children(old, fresh); else patch(old, fresh);
      touched.push(old);
    }
    sheet.innerHTML = "";
    return touched;
  };

  pitwall.apply = apply;
})();
