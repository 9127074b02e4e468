/** How long the item is still ours, kept alive while somebody works; and how long they have worked. */

const BEAT_MS = 60_000;
const AWAKE_MS = 5 * 60_000;
const IDLE_MS = 30_000;

export class Lease {
  /** `renew()` resolves to the new end in milliseconds of our clock, or null; `show(left_ms)` each second. */
  constructor({ renew, show }) {
    Object.assign(this, { renew, show });
    this.until = null;
    this.active_ms = 0;
    this.lastAct = Date.now();
    this.lastBeat = Date.now();
    for (const name of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(name, () => (this.lastAct = Date.now()), { passive: true, capture: true });
    }
    setInterval(() => this.#tick(), 1000);
  }

  /** Begin an item: `lease_until` and `now` by the server's clock, seconds already worked. */
  open({ lease_until, now }, seconds = 0) {
    this.offset = Date.now() - Date.parse(now);
    this.until = Date.parse(lease_until) + this.offset;
    this.active_ms = seconds * 1000;
    this.lastBeat = this.lastAct = Date.now();
    this.show(this.until - Date.now());
  }

  close() {
    this.until = null;
  }

  /** Seconds of work on this item; time without a key or a movement does not count. */
  get seconds() {
    return Math.round(this.active_ms / 1000);
  }

  async #tick() {
    if (this.until === null) return;
    const now = Date.now();
    if (!document.hidden && now - this.lastAct < IDLE_MS) this.active_ms += 1000;
    this.show(this.until - now);
    const isAwake = now - this.lastAct < AWAKE_MS;
    if (!isAwake || now - this.lastBeat < BEAT_MS) return;
    this.lastBeat = now;
    const until = await this.renew().catch(() => null);
    if (until !== null && this.until !== null) this.until = Date.parse(until) + this.offset;
  }
}

/** Minutes and seconds, `14:02`; never below zero. */
export function clock(left_ms) {
  const seconds = Math.max(0, Math.ceil(left_ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
