// Runs before Gradio: theme, language of the document, calls that survive a restart, notices.
(() => {
  const root = document.documentElement;
  const cookie = (name) => (document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`)) || [])[1];
  const words = JSON.parse(root.dataset.words || "{}");

  // Gradio's own few words follow the browser's language; the page has one.
  for (const [name, value] of [["language", root.lang], ["languages", [root.lang]]])
    Object.defineProperty(navigator, name, { get: () => value, configurable: true });

  // Gradio asks the system for its theme; a person's choice answers instead.
  const ask = window.matchMedia.bind(window);
  const chosen = () => cookie("planwright_theme");
  const isDark = () => (chosen() ? chosen() === "dark" : ask("(prefers-color-scheme: dark)").matches);
  window.matchMedia = (query) => {
    const real = ask(query);
    if (!chosen() || !/prefers-color-scheme/.test(query)) return real;
    const matches = /dark/.test(query) === isDark();
    return { matches, media: query, onchange: null, addListener() {}, removeListener() {},
      addEventListener() {}, removeEventListener() {}, dispatchEvent: () => false };
  };
  const paint = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    if (document.body) document.body.classList.toggle("dark", isDark());
  };
  paint();
  ask("(prefers-color-scheme: dark)").addEventListener("change", () => chosen() || paint());

  // The clock of Gradio's first loading sign asks for a frame after a frame for as long as the page
  // lives, though the sign is long gone: a page at rest would be painted 60 times a second.
  const frame = window.requestAnimationFrame.bind(window);
  const isClock = (callback) => /performance\.now\(\)[^]{0,80}\/1e3/.test(callback);
  const isSeen = () => document.querySelector("[data-testid=status-tracker]:not(.hide)");
  window.requestAnimationFrame = (callback) => (isClock(callback) && !isSeen() ? 0 : frame(callback));

  const post = (path, fields) =>
    send(path, { method: "POST", body: new URLSearchParams(fields), keepalive: true });
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };
  const chooseTheme = () => {
    keep("planwright_theme", isDark() ? "light" : "dark");
    paint();
    if (root.dataset.signedIn) post("/preferences", { theme: isDark() ? "dark" : "light" });
  };

  // A restart of the server becomes a pause: events are sent again until it answers. A lost session
  // leads to the sign-in page and back.
  const send = window.fetch.bind(window);
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const toSignIn = () => {
    const here = location.pathname + location.search;
    location.assign("/login?next=" + encodeURIComponent(here));
  };
  window.fetch = async (input, options) => {
    const url = typeof input === "string" ? input : input.url || String(input);
    const isEvent = url.includes("/gradio_api/run/");
    const until = Date.now() + 15000;
    for (;;) {
      const isLate = Date.now() > until;
      try {
        const answer = await send(input, options);
        if (answer.status === 401) toSignIn();
        if (!isEvent || isLate || ![502, 503, 504].includes(answer.status)) return answer;
      } catch (error) {
        if (!isEvent || isLate || error.name === "AbortError") throw error;
      }
      await pause(250);
    }
  };

  // Times in texts of the server come as ⟨2026-08-24T09:16:00+00:00⟩ and are told by the reader's clock, with `!` to the second.
  const local = (text) =>
    String(text).replace(/⟨(\d{4}-[\dTZ:.+-]+)(!?)⟩/g, (whole, instant, exact) => {
      const at = new Date(instant);
      if (Number.isNaN(at.getTime())) return whole;
      const today = new Date();
      const day = at.toDateString() === today.toDateString() ? {} : { month: "short", day: "numeric" };
      const year = at.getFullYear() === today.getFullYear() ? {} : { year: "numeric" };
      return at.toLocaleString(root.lang === "en" ? "en-GB" : root.lang, { ...year, ...day, hour: "2-digit", minute: "2-digit", ...(exact && { second: "2-digit" }), hourCycle: "h23" });
    });

  // Notices: at most four, errors stay until closed.
  const notify = (kind, text) => {
    let corner = document.getElementById("pw-notices");
    if (!corner) {
      corner = document.createElement("div");
      corner.id = "pw-notices";
      document.body.append(corner);
    }
    const stays = kind === "error" || kind === "refused";
    const card = document.createElement("div");
    card.className = `pw-notice-card pw-${kind}`;
    card.setAttribute("role", stays ? "alert" : "status");
    const body = document.createElement("span");
    body.textContent = local(text);
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", words.close || "Close");
    close.onclick = () => card.remove();
    card.append(body, close);
    for (const old of [...corner.children])
      if (old.firstChild.textContent === body.textContent || corner.children.length > 3) old.remove();
    corner.append(card);
    if (!stays) setTimeout(() => card.remove(), 4500);
  };

  // The header's counts; pages ask for them again after an act, and it asks itself once a minute.
  const put = (id, text, isShown) => {
    const place = document.getElementById(id);
    if (!place) return;
    place.hidden = !isShown;
    const target = place.querySelector("[data-text]") || place;
    target.textContent = text;
  };
  const refreshHeader = async () => {
    if (!root.dataset.signedIn) return;
    const answer = await send("/me").catch(() => null);
    if (!answer || !answer.ok) return;
    const me = await answer.json();
    put("pw-returned", me.returned_text, me.returned > 0);
    put("pw-comments", me.comments_text, me.comments > 0);
    put("pw-today", me.today_text, true);
    const bar = document.getElementById("pw-today-bar");
    if (bar) bar.style.width = `${me.today_percent}%`;
  };

  window.planwright = { notify, local, refreshHeader, chooseTheme, language: root.lang, words };
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    const button = document.getElementById("pw-theme");
    if (button) button.addEventListener("click", chooseTheme);
    for (const select of document.querySelectorAll("select[data-submits]"))
      select.addEventListener("change", () => select.form.submit());
    document.addEventListener("click", (event) => {
      for (const menu of document.querySelectorAll("details.pw-menu[open]"))
        if (!menu.contains(event.target)) menu.open = false;
    });
    setInterval(() => document.visibilityState === "visible" && refreshHeader(), 60000);
  });
})();
