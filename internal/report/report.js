"use strict";
(() => {
	const root = document.documentElement;
	const sections = [...document.querySelectorAll("main .section")];
	const boxes = [...document.querySelectorAll("main details")];
	const toc = document.querySelector(".toc details");
	const tools = document.querySelector(".tools");
	const wide = matchMedia("(min-width: 64rem)");
	const dark = matchMedia("(prefers-color-scheme: dark)");
	const setAll = open => boxes.forEach(b => { b.open = open; });

	// Contents: always there beside the text, folded above it.
	const fold = () => { toc.open = wide.matches; };
	wide.addEventListener("change", fold);
	fold();
	toc.addEventListener("click", e => {
		if (!wide.matches && e.target.closest("a")) toc.open = false;
	});
	document.addEventListener("keydown", e => {
		if (e.key === "Escape" && !wide.matches && toc.open) {
			toc.open = false;
			toc.querySelector("summary").focus();
		}
	});

	// A link into a closed section opens it.
	const reveal = () => {
		let id = location.hash.slice(1);
		try { id = decodeURIComponent(id); } catch { /* not encoded: take it as it is */ }
		const target = id && document.getElementById(id);
		if (!target) return;
		const own = target.querySelector(":scope > details");
		if (own) own.open = true;
		for (let d = target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
		target.scrollIntoView();
	};
	addEventListener("hashchange", reveal);
	toc.addEventListener("click", e => {
		const a = e.target.closest("a");
		if (a && a.hash === location.hash) reveal(); // the same link again changes no hash
	});
	reveal();

	// Where am I: mark the section at the top of the window.
	const links = new Map([...toc.querySelectorAll("a")].map(a => [decodeURIComponent(a.hash.slice(1)), a]));
	const marks = [...links.keys()].map(id => document.getElementById(id)).filter(Boolean);
	let current;
	const spy = () => {
		let at;
		for (const m of marks) {
			if (m.checkVisibility && !m.checkVisibility()) continue;
			if (m.getBoundingClientRect().top > 120) break;
			at = m;
		}
		const a = at && links.get(at.id);
		if (a === current) return;
		toc.querySelectorAll("[aria-current], .current").forEach(x => {
			x.removeAttribute("aria-current");
			x.classList.remove("current");
		});
		current = a;
		if (!a) return;
		a.setAttribute("aria-current", "location");
		const top = links.get(at.closest(".section").id);
		top.parentElement.classList.add("current");
		if (wide.matches) {
			const box = toc.getBoundingClientRect(), r = a.getBoundingClientRect();
			if (r.top < box.top || r.bottom > box.bottom) toc.scrollTop += r.top - box.top - box.height / 3;
		}
	};
	let due = false;
	const later = () => {
		if (due) return;
		due = true;
		requestAnimationFrame(() => { due = false; spy(); });
	};
	addEventListener("scroll", later, { passive: true });
	addEventListener("resize", later);
	boxes.forEach(b => b.addEventListener("toggle", later));
	spy();

	// Buttons.
	const theme = tools.querySelector("[data-do=theme]");
	const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
	const label = () => theme.setAttribute("aria-pressed", isDark());
	dark.addEventListener("change", label);
	label();
	tools.hidden = false;
	tools.addEventListener("click", e => {
		switch (e.target.dataset.do) {
		case "expand": setAll(true); break;
		case "collapse": setAll(false); break;
		case "theme": root.dataset.theme = isDark() ? "light" : "dark"; label(); break;
		}
	});

	// On paper everything is open.
	let closed = [];
	addEventListener("beforeprint", () => {
		closed = [...document.querySelectorAll("details:not([open])")];
		closed.forEach(d => { d.open = true; });
	});
	addEventListener("afterprint", () => closed.forEach(d => { d.open = false; }));
})();
