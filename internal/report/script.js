"use strict";
// All of this is comfort: without it the page still reads, folds and prints.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const sections = all(".opening, .section");
  const folds = all("details.collapsible");
  const nav = document.querySelector(".contents");
  const list = nav.querySelector("details");
  const wide = matchMedia("(min-width: 64rem)");
  const expand = document.getElementById("toggle-sections");
  const theme = document.getElementById("toggle-theme");

  nav.querySelector(".tools").hidden = false;

  // The contents stand open beside the plan, and closed above it.
  const fit = () => { list.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  list.addEventListener("click", (event) => {
    if (event.target.closest("a") && !wide.matches) list.open = false;
  });

  // Expand or collapse everything. The page may have an opaque origin: nothing is stored.
  const name = () => { expand.textContent = folds.every((f) => f.open) ? "Collapse all" : "Expand all"; };
  expand.addEventListener("click", () => {
    const open = !folds.every((f) => f.open);
    for (const f of folds) f.open = open;
  });
  for (const f of folds) f.addEventListener("toggle", () => { name(); spy(); });

  // Charts grow and shrink, and show the critical path alone.
  for (const chart of all(".chart")) {
    const drawings = [...chart.querySelectorAll("svg:not([aria-label='Key'])")];
    const size = new Map(drawings.map((d) => [d, [d.width.baseVal.value, d.height.baseVal.value]]));
    if (![...size.values()].every(([w, h]) => w > 0 && h > 0) || !size.size) continue;
    const bar = document.createElement("div");
    bar.className = "tools";
    const button = (text, label, act) => {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = text;
      if (label) b.setAttribute("aria-label", label);
      b.addEventListener("click", act);
      bar.append(b);
      return b;
    };
    let zoom = 0; // until a button is pressed, the style says how large
    const widest = Math.max(...[...size.values()].map(([w]) => w));
    const scale = (by) => {
      const now = zoom || Math.min(1, chart.clientWidth / widest);
      zoom = by ? Math.min(4, Math.max(0.25, now * by)) : chart.clientWidth / widest;
      chart.classList.add("zoomed");
      for (const [d, [w, h]] of size) {
        d.setAttribute("width", w * zoom);
        d.setAttribute("height", h * zoom);
      }
    };
    button("−", "Make the chart smaller", () => scale(1 / 1.25));
    button("+", "Make the chart larger", () => scale(1.25));
    button("Fit", "Fit the chart to the page", () => scale(0));
    if (chart.querySelector(".gantt-critical")) {
      const path = button("Critical path", "", () => path.setAttribute("aria-pressed", chart.classList.toggle("critical-only")));
      path.setAttribute("aria-pressed", "false");
    }
    if (chart.querySelector("details")) {
      const parts = [...chart.querySelectorAll(".chart > details")];
      const phases = button("Open all", "Open all phases", () => {
        const open = !parts.every((d) => d.open);
        for (const d of parts) d.open = open;
        phases.textContent = open ? "Close all" : "Open all";
        phases.setAttribute("aria-label", phases.textContent + " phases");
      });
    }
    chart.before(bar);
  }

  // Printing opens everything and puts it back afterwards.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open], .notes, .gantt-details .gantt-details)");
    for (const d of closed) d.open = true;
  });
  addEventListener("afterprint", () => {
    for (const d of closed) d.open = false;
    closed = [];
  });

  // A link to a section, or into one, opens it, also when it is followed twice.
  const reveal = (hash) => {
    let id = hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    const fold = target.closest("details.collapsible") || target.querySelector("details.collapsible");
    if (fold && !fold.open) {
      fold.open = true;
      requestAnimationFrame(() => target.scrollIntoView());
    }
  };
  addEventListener("hashchange", () => reveal(location.hash));
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) reveal(link.hash);
  });
  reveal(location.hash);

  // The contents follow the reader.
  const links = new Map(all(".contents > details > ol > li > a").map((a) => [a.hash.slice(1), a]));
  let current = null;
  function spy() {
    const line = innerHeight / 3;
    const past = sections.filter((s) => s.getBoundingClientRect().top <= line);
    const end = scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const here = links.get((end ? sections.at(-1) : past.at(-1) || sections[0])?.id);
    if (!here || here === current) return;
    current?.removeAttribute("aria-current");
    here.setAttribute("aria-current", "true");
    current = here;
    if (wide.matches) {
      const box = list.getBoundingClientRect(), at = here.getBoundingClientRect();
      if (at.top < box.top || at.bottom > box.bottom) list.scrollTop += at.top - box.top - box.height / 3;
    }
  }
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; spy(); });
  }, { passive: true });
  name();
  spy();

  // Light or dark: the system's choice until the reader makes one.
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { theme.textContent = dark() ? "Light" : "Dark"; theme.setAttribute("aria-label", dark() ? "Use light colours" : "Use dark colours"); };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  label();
})();
