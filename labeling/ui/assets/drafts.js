/**
 * Keeps what is typed: in the browser at each key, on the server about a second after the last one.
 * The copy in the browser names the server's draft number that it was made from, so that after a
 * crash it is known which of the two is newer.
 */

const PAUSE_MS = 900;
const STORE = "planwright.draft.";
const KEPT_MS = 14 * 24 * 3600 * 1000;

export class Drafts {
  /** `send({number, content, seconds})` saves; `told({kind, …})` hears saving, saved, waiting, conflict. */
  constructor({ send, told }) {
    Object.assign(this, { send, told });
    this.timer = null;
    this.saving = null;
    forgetOld();
    addEventListener("pagehide", () => this.#saveNow());
    document.addEventListener("visibilitychange", () => document.hidden && this.#saveNow());
  }

  /** Begin with an item. Returns `{content, raw, from}`: from is "server", "browser" or "both". */
  open(item) {
    this.id = item.annotation_id;
    this.number = item.draft_number;
    this.sent = JSON.stringify(item.draft);
    const copy = read(this.id);
    this.state = { content: item.draft, raw: null };
    if (!copy || (copy.raw === null && JSON.stringify(copy.content) === this.sent)) return { ...this.state, from: "server", seconds: copy?.seconds ?? 0 };
    const isNewer = copy.number === item.draft_number;
    if (isNewer) this.state = { content: copy.content, raw: copy.raw };
    return { content: copy.content, raw: copy.raw, from: isNewer ? "browser" : "both", at: copy.at, seconds: copy.seconds ?? 0 };
  }

  /** A person changed something. */
  edited(state, seconds) {
    this.state = state;
    this.seconds = seconds;
    this.#keep();
    this.told({ kind: "saving" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), PAUSE_MS);
  }

  /** Whether the server does not yet have what is on the desk. */
  get isBehind() {
    return JSON.stringify(this.state?.content) !== this.sent;
  }

  /** Save now if there is something to save; resolves true when the server has it all. */
  async save() {
    clearTimeout(this.timer);
    if (this.saving) await this.saving;
    if (!this.id || !this.isBehind) return true;
    this.saving = this.#saveOnce().finally(() => (this.saving = null));
    return this.saving;
  }

  /** Nothing more is saved for this item; `isDone` also forgets the copy in the browser. */
  close({ isDone }) {
    clearTimeout(this.timer);
    if (isDone && this.id) localStorage.removeItem(STORE + this.id);
    this.id = null;
  }

  /** Go on from another draft number, after a conflict was settled. */
  continueFrom(number, content) {
    this.number = number;
    this.sent = JSON.stringify(content);
  }

  async #saveOnce() {
    const { id, number, state, seconds } = this;
    const text = JSON.stringify(state.content);
    try {
      const answer = await this.send({ annotation_id: id, number, content: state.content, seconds: seconds ?? 0 });
      if (id !== this.id) return true;
      if (answer.conflict && JSON.stringify(answer.conflict.content) !== text) {
        this.told({ kind: "conflict", ...answer.conflict });
        return false;
      }
      if (answer.lost) this.told({ kind: "lost", sentence: answer.lost });
      if (!answer.saved && !answer.conflict) {
        this.told({ kind: "failed", notice: answer.notice });
        return false;
      }
      this.continueFrom(answer.saved?.number ?? answer.conflict.number, state.content);
      this.#keep();
      this.told({ kind: "saved", at: Date.now() });
      return true;
    } catch {
      // The copy in the browser holds it; try again until the server is back.
      this.told({ kind: "waiting" });
      this.timer = setTimeout(() => this.save(), 3000);
      return false;
    }
  }

  #saveNow() {
    if (this.id && this.isBehind) this.save();
  }

  #keep() {
    const copy = { ...this.state, number: this.number, at: Date.now(), seconds: this.seconds ?? 0 };
    try {
      localStorage.setItem(STORE + this.id, JSON.stringify(copy));
    } catch {
      forgetOld(0);
    }
  }
}

function read(id) {
  try {
    const copy = JSON.parse(localStorage.getItem(STORE + id));
    return copy && typeof copy === "object" && "content" in copy ? { raw: null, ...copy } : null;
  } catch {
    return null;
  }
}

function forgetOld(kept_ms = KEPT_MS) {
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(STORE)) continue;
    const copy = read(key.slice(STORE.length));
    if (!copy || Date.now() - copy.at > kept_ms) localStorage.removeItem(key);
  }
}
