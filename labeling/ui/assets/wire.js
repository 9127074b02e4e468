/**
 * Asks the server one question at a time. Gradio carries the event with its message; the answer
 * comes back as the component's value, known by its serial number. Both travel as JSON text:
 * Gradio takes an object with a `path` for a file.
 */

const PATIENCE_MS = 20_000;

export class WireError extends Error {}

export class Wire {
  constructor({ trigger, watch, props }) {
    this.trigger = trigger;
    this.props = props;
    this.waiting = null;
    this.line = Promise.resolve();
    this.serial = Date.now();
    watch("value", () => this.#receive(JSON.parse(this.props.value)));
  }

  /** Send `message` as the event `ask_name`; resolves with the answer, rejects when none comes. */
  ask(name, message = {}) {
    const turn = this.line.then(() => this.#send(name, message));
    this.line = turn.catch(() => undefined);
    return turn;
  }

  #send(name, message) {
    const serial = ++this.serial;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting = null;
        reject(new WireError(name));
      }, PATIENCE_MS);
      this.waiting = { serial, resolve, timer };
      this.trigger(`ask_${name}`, { serial, text: JSON.stringify(message) });
    });
  }

  #receive(answer) {
    if (!this.waiting || answer?.serial !== this.waiting.serial) return;
    const { resolve, timer } = this.waiting;
    clearTimeout(timer);
    this.waiting = null;
    resolve(answer);
  }
}
