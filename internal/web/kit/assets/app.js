// The moving parts of every page. Pages work without it; it makes them live.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("has-js");

  // morph makes an element's children those of some HTML, and touches only what differs: so focus, open
  // folds, scroll positions and selections stay. Children with an id or data-key keep their element.
  const keyOf = (n) => n.nodeType === 1 ? n.id || n.dataset.key || "" : "";
  const morph = (into, html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    children(into, t.content);
  };
  const children = (old, now) => {
    const keyed = new Map(), stays = new Set([...now.childNodes].map(keyOf));
    for (const n of [...old.childNodes]) if (keyOf(n)) stays.has(keyOf(n)) ? keyed.set(keyOf(n), n) : n.remove();
    let at = old.firstChild;
    for (const n of [...now.childNodes]) {
      const key = keyOf(n);
      let same = key ? keyed.get(key) : at && !keyOf(at) ? at : null;
      if (same && (same.nodeType !== n.nodeType || same.nodeName !== n.nodeName)) same = null;
      if (!same) { old.insertBefore(n, at); continue; }
      if (same !== at) old.insertBefore(same, at); else at = at.nextSibling;
      keyed.delete(key);
      node(same, n);
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  };
  const node = (old, now) => {
    if (old.nodeType !== 1) { if (old.data !== now.data) old.data = now.data; return; }
    const mine = (name) => name === "open" && old.nodeName === "DETAILS" || name === "aria-busy" || name === "data-sent";
    for (const a of [...old.attributes]) if (!now.hasAttribute(a.name) && !mine(a.name)) old.removeAttribute(a.name);
    for (const a of now.attributes) if (old.getAttribute(a.name) !== a.value && !mine(a.name)) old.setAttribute(a.name, a.value);
    if (old.matches("input, textarea, select") && old === document.activeElement) return;
    children(old, now);
  };

  // say tells a screen reader something, politely at most every ten seconds, failures at once.
  let said = 0, waiting = 0;
  const say = (text, how) => {
    const at = document.querySelector(`[data-say="${how}"]`);
    if (!at || !text) return;
    clearTimeout(waiting);
    const wait = how === "assertive" ? 0 : Math.max(0, said + 10000 - Date.now());
    waiting = setTimeout(() => { said = Date.now(); at.textContent = text; }, wait);
  };

  const show = (parts) => {
    for (const [name, html] of Object.entries(parts)) {
      const at = document.querySelector(`[data-part="${name}"]`);
      if (at) { morph(at, html); zoned(at); }
    }
    const news = document.querySelector("[data-news]");
    if (news && news.dataset.news !== show.last) {
      if (show.last !== undefined) say(news.dataset.news, news.dataset.how || "polite");
      show.last = news.dataset.news;
    }
  };

  // A live page: a stream of parts; where streams do not come through, it asks every two seconds. A hidden
  // page lets go of its stream, because a browser has few connections per site.
  const live = document.querySelector("[data-live]");
  if (live) {
    const { live: stream, poll } = live.dataset;
    let source = null, heard = 0, polling = 0, over = false;
    const asks = async () => {
      if (over || document.hidden) return;
      let pause = 2000;
      try {
        const answer = await fetch(poll, { headers: { Accept: "application/json" } });
        if (answer.redirected || !answer.ok) throw new Error();
        show(await answer.json());
      } catch { pause = 5000; }
      if (polling) polling = setTimeout(asks, pause);
    };
    const ask = (yes) => {
      if (yes && poll && !polling) { polling = -1; asks(); }
      if (!yes && polling) { clearTimeout(polling); polling = 0; }
    };
    const connect = () => {
      if (over || source || document.hidden) return;
      heard = Date.now();
      source = new EventSource(stream);
      const hear = (e) => {
        heard = Date.now();
        ask(false);
        if (e.type === "parts") show(JSON.parse(e.data));
        if (e.type === "end") { over = true; source.close(); source = null; }
      };
      for (const type of ["parts", "beat", "end"]) source.addEventListener(type, hear);
      source.addEventListener("error", () => {
        if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
        source = null;
        ask(true);
        setTimeout(connect, 5000);
      });
    };
    setInterval(() => { if (!over && !document.hidden && Date.now() - heard > 6000) ask(true); }, 1000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) return connect();
      if (source) source.close();
      source = null;
      ask(false);
    });
    addEventListener("pagehide", () => { if (source) source.close(); source = null; });
    addEventListener("pageshow", connect);
    connect();
  }

  // A form that shows what comes of it while it is filled in.
  for (const form of document.querySelectorAll("form[data-preview]")) {
    let timer = 0, turn = 0;
    const look = async () => {
      const mine = ++turn;
      try {
        const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
        if (answer.ok && !answer.redirected && mine === turn) show(await answer.json());
      } catch { /* the worker's state is shown by the next answer */ }
      if (form.querySelector("[data-again]")) { clearTimeout(timer); timer = setTimeout(look, 5000); }
    };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 250); });
    look();
  }

  // A search field narrows the list it names; tags do the same.
  for (const field of document.querySelectorAll("[data-filter]")) {
    const items = [...document.querySelectorAll(field.dataset.filter)], none = document.querySelector("[data-none]");
    let tag = "";
    const narrow = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const i of items) {
        const text = (i.textContent + " " + i.dataset.tags).toLowerCase();
        i.hidden = !words.every((w) => text.includes(w)) || tag !== "" && !i.dataset.tags.split(" ").includes(tag);
        if (!i.hidden) left++;
      }
      if (none) none.hidden = left > 0;
    };
    field.addEventListener("input", narrow);
    field.form?.addEventListener("submit", (e) => e.preventDefault());
    for (const b of document.querySelectorAll("[data-tag]")) b.addEventListener("click", (e) => {
      e.preventDefault();
      tag = tag === b.dataset.tag ? "" : b.dataset.tag;
      for (const other of document.querySelectorAll("[data-tag]")) other.setAttribute("aria-pressed", String(other.dataset.tag === tag && tag !== ""));
      narrow();
    });
  }

  const toggleTheme = (form) => {
    const dark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = dark ? "light" : "dark";
    fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: root.dataset.theme }), redirect: "manual" }).catch(() => {});
  };

  document.addEventListener("click", async (e) => {
    const t = e.target.closest("[data-dismiss], [data-fill], [data-copy], [data-dialog], [data-close]");
    if (!t) return;
    if ("dismiss" in t.dataset) t.closest(".notice").remove();
    if ("close" in t.dataset) { e.preventDefault(); t.closest("dialog").close(); }
    if ("dialog" in t.dataset) { e.preventDefault(); const d = document.getElementById(t.dataset.dialog); d.showModal(); d.querySelector("[data-close]").focus(); } // a key that is still down must not answer
    if ("copy" in t.dataset) {
      try { await navigator.clipboard.writeText(t.dataset.copy); say("Copied", "polite"); t.textContent = "Copied"; } catch { t.textContent = "Could not copy"; }
    }
    if ("fill" in t.dataset) { // as if it were typed: undo brings the old text back
      e.preventDefault();
      const field = document.getElementById(t.dataset.fill), text = t.parentElement.querySelector("[data-text]").textContent;
      field.focus();
      field.select();
      if (!document.execCommand("insertText", false, text)) {
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      field.setSelectionRange(0, 0);
      field.scrollTop = 0;
    }
  });

  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (form.matches("[data-theme-form]")) { e.preventDefault(); toggleTheme(form); return; }
    if (e.defaultPrevented || form.method === "dialog") return;
    if (form.dataset.sent) { e.preventDefault(); return; } // a second click
    form.dataset.sent = "yes";
    e.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => { // also when the back button brings the page back
    for (const f of document.querySelectorAll("form[data-sent]")) delete f.dataset.sent;
    for (const b of document.querySelectorAll("[aria-busy]")) b.removeAttribute("aria-busy");
  });

  // A page that waits for something looks whether it is there, less often each time.
  const wait = document.querySelector("[data-wait]");
  if (wait) {
    let pause = 2000;
    const look = async () => {
      try { if ((await fetch(wait.dataset.wait)).ok) { location.reload(); return; } } catch { /* not yet */ }
      pause = Math.min(15000, pause * 1.5);
      setTimeout(look, pause);
    };
    setTimeout(look, pause);
  }

  // The open tab is in sight, also where there are more than fit.
  for (const t of document.querySelectorAll(".tabs [aria-current]")) {
    const bar = t.parentElement;
    bar.scrollLeft = t.offsetLeft - bar.offsetLeft - (bar.clientWidth - t.offsetWidth) / 2;
  }

  // Moments are shown in the reader's zone.
  const zoned = (root) => {
    for (const t of root.querySelectorAll("time[data-zone]")) {
      const at = new Date(t.dateTime);
      if (!isNaN(at)) t.textContent = at.toLocaleString([], { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
    }
  };
  zoned(document);

  // The progress of a plan in another site's frame: it asks every five seconds, less often when nobody looks or nothing answers.
  const far = document.querySelector("[data-progress]");
  if (far) {
    const at = (name) => far.querySelector(`[data-progress-${name}]`), began = Date.now();
    let errors = 0, timer = 0, over = false;
    const ask = async () => {
      clearTimeout(timer);
      try {
        const answer = await fetch(far.dataset.progress, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error();
        const p = await answer.json();
        errors = 0;
        far.querySelector("progress").value = p.progress_percentage;
        at("percent").textContent = Math.round(p.progress_percentage) + " %";
        at("message").textContent = p.progress_message;
        at("note").textContent = "Keep this page open: the plan appears here when it is ready.";
        if (p.status === "completed") { location.replace(far.dataset.report); return; }
        if (p.status === "failed" || p.status === "stopped") {
          over = true;
          at("title").textContent = p.status === "failed" ? "Your plan could not be made" : "Your plan was stopped";
          at("note").textContent = "Nothing more happens here. Go back to the page you came from to begin anew.";
          const why = p.error_message || "No reason is known.";
          at("reason").textContent = why.charAt(0).toUpperCase() + why.slice(1) + (/[.!?)…]$/.test(why) ? "" : ".");
          at("live").hidden = true;
          at("problem").hidden = p.status === "stopped";
          return;
        }
      } catch {
        errors++;
        at("note").textContent = "The connection is lost; trying again.";
      }
      clearTimeout(timer); // of another look meanwhile
      timer = setTimeout(ask, errors ? Math.min(60000, 5000 * errors) : document.hidden ? 60000 : 5000);
    };
    setInterval(() => {
      if (over || document.hidden) return;
      const s = Math.floor((Date.now() - began) / 1000);
      at("clock").textContent = Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
    }, 1000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden && !over) ask(); });
    ask();
  }

  // A session that nobody uses ends. Before that a notice offers to stay; when it has ended, it says so, and what was typed stays: after
  // a sign-in in another window the forms of this page get the new session's token.
  const session = document.querySelector("[data-session]");
  if (session) {
    const WARN = 300, form = session.querySelector("form"), again = session.querySelector("a");
    let timer = 0, ends = Date.now() + 1000 * Number(session.dataset.session);
    const tell = (title, text, stay, enter) => {
      const changed = session.hidden || again.hidden === enter;
      session.querySelector("[data-session-title]").textContent = title;
      session.querySelector("[data-session-text]").textContent = text;
      form.hidden = !stay;
      again.hidden = !enter;
      again.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
      session.hidden = false;
      if (changed) say(title + " " + text, "assertive");
    };
    const take = (s) => {
      clearTimeout(timer);
      ends = Date.now() + 1000 * s.seconds;
      for (const f of document.querySelectorAll("[name=csrf_token]")) if (s.token) f.value = s.token;
      if (s.seconds > WARN) session.hidden = true;
      else if (s.seconds <= 0) tell("You are signed out.", "What you typed here is kept: sign in again in another window, then come back.", false, true);
      else {
        const at = new Date(ends).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
        tell(`You will be signed out at ${at}.`, s.fixed ? "Sessions do not last longer: save what you are doing, and sign in again." : "Nothing has been done here for a while.", !s.fixed, false);
      }
      const left = s.seconds > WARN ? s.seconds - WARN : s.seconds > 0 ? s.seconds + 1 : 0;
      if (left) timer = setTimeout(look, Math.min(left, 86400) * 1000);
    };
    const look = async (e, method = "GET") => {
      clearTimeout(timer);
      try {
        const answer = await fetch(session.dataset.sessionUrl, { method, headers: { Accept: "application/json" }, body: method === "POST" ? new URLSearchParams(new FormData(form)) : undefined });
        if (!answer.ok || answer.redirected) throw new Error();
        take(await answer.json());
      } catch { timer = setTimeout(look, 30000); }
    };
    form.addEventListener("submit", (e) => { e.preventDefault(); e.stopPropagation(); look(e, "POST"); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() > ends - WARN * 1000) look(); });
    addEventListener("focus", () => { if (Date.now() > ends) look(); });
    timer = setTimeout(look, Math.min(Math.max(0, ends - Date.now() - WARN * 1000), 86400000));
  }

  // A box that ticks all boxes of a table.
  for (const all of document.querySelectorAll("[data-all]")) all.addEventListener("change", () => {
    for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
  });

  // Where the log ends is what matters.
  for (const box of document.querySelectorAll("[data-bottom]")) box.scrollTop = box.scrollHeight;
})();
