/** Undo and redo over whole states; typing in one field within a breath is one step back. */

const BREATH_MS = 900;
const MOST_STATES = 400;

export class Undo {
  constructor(state) {
    this.start(state);
  }

  /** Begin anew with this state; nothing can be undone before it. */
  start(state) {
    this.past = [];
    this.future = [];
    this.now = state;
    this.group = null;
    this.at = 0;
  }

  /** Remember a new state; states of one `group` (a field's path) in quick succession are joined. */
  push(state, group = null) {
    const time = Date.now();
    const isJoined = group !== null && group === this.group && time - this.at < BREATH_MS;
    if (!isJoined) this.past.push(this.now);
    if (this.past.length > MOST_STATES) this.past.shift();
    this.now = state;
    this.future = [];
    this.group = group;
    this.at = time;
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  undo() {
    if (!this.canUndo) return null;
    this.future.push(this.now);
    this.now = this.past.pop();
    this.group = null;
    return this.now;
  }

  redo() {
    if (!this.canRedo) return null;
    this.past.push(this.now);
    this.now = this.future.pop();
    this.group = null;
    return this.now;
  }
}
