// A day's charts. What is not known is a gap in the line and hatched, never filled in.
(() => {
  const data = JSON.parse(document.getElementById("chart-data")?.textContent || "null");
  if (!data || !data.x.length) return;
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const when = seconds => uPlot.tzDate(new Date(seconds * 1000), data.zone);
  const two = number => String(number).padStart(2, "0");
  const clock = seconds => { const at = when(seconds); return `${two(at.getHours())}:${two(at.getMinutes())}`; };
  const QUARTER = 900;
  const HEIGHT = { "chart-volume": 260, "chart-level": 200, "chart-waits": 200 };
  const plots = new Map();

  const hatch = () => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour("edge");
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(-2, 10); pen.lineTo(10, -2); pen.moveTo(-2, 2); pen.lineTo(2, -2); pen.moveTo(6, 10); pen.lineTo(10, 6);
    pen.stroke();
    return tile;
  };
  const gaps = plot => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = ctx.createPattern(hatch(), "repeat");
    for (const [from, to] of data.gaps) {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.restore();
  };
  const limit = value => plot => {
    const y = plot.valToPos(value, "y", true);
    const { ctx, bbox } = plot;
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.save();
    ctx.strokeStyle = colour("soft");
    ctx.setLineDash([2, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };

  const axis = () => ({ stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font: "12px system-ui, sans-serif" });
  const axes = () => [{ ...axis(), values: (plot, splits) => splits.map(clock), space: 56 }, { ...axis(), size: 46 }];
  const time = box => ({ label: box.dataset.time, value: (plot, x) => (x === null ? "–" : clock(x)) });
  const said = (list, unit = "") => (plot, value, series, index) => (index === null || index === undefined || list[index] === null || list[index] === undefined ? "–" : `${(Math.round(list[index] * 10) / 10).toLocaleString(document.documentElement.lang)}${unit}`);
  const bars = uPlot.paths.bars({ size: [0.86, 60, 1], align: 1, gap: 0 });
  const line = (label, list, tone, unit, more = {}) => ({ label, stroke: colour(tone), width: 2, spanGaps: false, points: { show: true, size: 5 }, value: said(list, unit), ...more });
  const before = (label, list, unit) => line(label, list, "faint", unit, { dash: [4, 4], width: 1.5, points: { show: false } });
  const add = (...lists) => lists[0].map((first, n) => (first === null ? null : lists.reduce((sum, list) => sum + (list[n] || 0), 0)));

  const options = (box, series, scale, draw = []) => ({
    width: box.clientWidth,
    height: HEIGHT[box.id],
    tzDate: when,
    series: [time(box), ...series],
    axes: axes(),
    scales: { x: { range: [data.x[0], data.x[data.x.length - 1] + QUARTER] }, y: scale },
    cursor: { points: { size: 7 }, drag: { x: false, y: false }, sync: { key: "day" } },
    hooks: { drawClear: [gaps], draw },
  });

  const volume = box => {
    const { answered, otherwise, abandoned } = data.day;
    const top = add(answered, otherwise, abandoned);
    const middle = add(answered, otherwise);
    const bar = (label, tone, list) => ({ label, fill: colour(tone), stroke: colour("panel"), width: 1, paths: bars, points: { show: false }, value: said(list) });
    // The tallest first: each next bar covers the lower part of it.
    const series = [bar(box.dataset.abandoned, "alarm", abandoned), bar(box.dataset.otherwise, "faint", otherwise), bar(box.dataset.answered, "talk", answered)];
    const lists = [data.x, top, middle, answered];
    if (data.before.offered) {
      series.push(before(box.dataset.before, data.before.offered, ""));
      lists.push(data.before.offered);
    }
    return new uPlot(options(box, series, { range: (plot, low, high) => [0, Math.max(4, high * 1.08)] }), lists, box);
  };
  const level = box => {
    const series = [line(box.dataset.level, data.day.level, "on", " %")];
    const lists = [data.x, data.day.level];
    if (data.before.level) { series.push(before(box.dataset.before, data.before.level, " %")); lists.push(data.before.level); }
    return new uPlot(options(box, series, { range: [0, 102] }), lists, box);
  };
  const waits = box => {
    const series = [line(box.dataset.longest, data.day.longest, "pause", " s"), line(box.dataset.asa, data.day.asa, "talk", " s")];
    const lists = [data.x, data.day.longest, data.day.asa];
    if (data.before.asa) { series.push(before(box.dataset.before, data.before.asa, " s")); lists.push(data.before.asa); }
    return new uPlot(options(box, series, { range: (plot, low, high) => [0, Math.max(10, (high || 0) * 1.08)] }, data.t ? [limit(data.t)] : []), lists, box);
  };

  const kinds = { "chart-volume": volume, "chart-level": level, "chart-waits": waits };
  const draw = () => {
    for (const [id, kind] of Object.entries(kinds)) {
      const box = document.getElementById(id);
      plots.get(id)?.destroy();
      plots.set(id, kind(box));
    }
  };
  let width = 0;
  let due = null;
  new ResizeObserver(() => {
    const now = document.getElementById("chart-volume").clientWidth;
    if (now === width) return;
    width = now;
    clearTimeout(due);
    due = setTimeout(draw, plots.size ? 120 : 0);
  }).observe(document.getElementById("chart-volume"));
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", draw);
})();
