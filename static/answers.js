// An answer that lacks what was asked for – a proxy's, or that of a server in trouble – takes nothing
// off the page: htmx would put nothing in its place. What is shown stays, and the page says so.
(() => {
  const tell = (ctx, lacks) => {
    const line = document.getElementById("unanswered");
    const kind = ctx.request.method === "GET" ? "read" : "sent";
    if (lacks) {
      line.dataset.kind = kind;
      if (line.textContent !== line.dataset[kind]) line.textContent = line.dataset[kind];
    } else if (kind === "sent" || line.dataset.kind === kind) line.textContent = "";  // what was read says nothing of what was sent
  };

  document.addEventListener("htmx:before:swap", event => {
    const { ctx, tasks } = event.detail;
    const main = tasks.find(task => task.type === "main");
    const lacks = ctx.select ? !main?.fragment.childElementCount : ctx.response.status >= 500;
    if (lacks) event.preventDefault();
    tell(ctx, lacks);
  });
  // What became of a form stands on top of the page, and the form may be far below.
  document.addEventListener("htmx:after:swap", event => {
    if (event.detail.ctx?.request.method === "GET") return;
    document.querySelector("main :is(.problem, .done)")?.scrollIntoView({ block: "center" });
  });
  // No answer at all.
  document.addEventListener("htmx:error", event => { if (event.detail.ctx) tell(event.detail.ctx, true); });
})();
