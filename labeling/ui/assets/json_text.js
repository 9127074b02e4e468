/** Reads JSON text strictly and says where it is wrong; every browser alike, doubled keys included. */

class Stop extends Error {
  constructor(code, at, detail = "") {
    super(code);
    Object.assign(this, { code, at, detail });
  }
}

/** `{value}`, or `{error: {code, line, column, at, detail}}` with line and column from 1. */
export function readJson(text) {
  try {
    return { value: new Reader(text).whole() };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = text.slice(0, error.at).split("\n");
    const { code, at, detail } = error;
    return { error: { code, at, detail, line: before.length, column: before.at(-1).length + 1 } };
  }
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  whole() {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) throw new Stop("text_after_end", this.at);
    return value;
  }

  space() {
    while (" \t\n\r".includes(this.text[this.at]) && this.at < this.text.length) this.at++;
  }

  value(depth) {
    this.space();
    if (depth > 200) throw new Stop("too_deep", this.at);
    const sign = this.text[this.at];
    if (sign === undefined) throw new Stop("ends_early", this.at);
    if (sign === "{") return this.object(depth);
    if (sign === "[") return this.list(depth);
    if (sign === '"') return this.string();
    const word = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
    word.lastIndex = this.at;
    const found = word.exec(this.text)?.[0];
    if (!found) throw new Stop("unexpected", this.at, [...this.text.slice(this.at, this.at + 2)][0]);
    this.at += found.length;
    return JSON.parse(found);
  }

  object(depth) {
    const entries = new Map();
    this.at++;
    this.space();
    if (this.take("}")) return {};
    do {
      this.space();
      const start = this.at;
      if (this.text[this.at] !== '"') throw new Stop(this.missing("key_expected"), this.at);
      const key = this.string();
      if (entries.has(key)) throw new Stop("doubled_key", start, key);
      this.space();
      if (!this.take(":")) throw new Stop(this.missing("colon_expected"), this.at);
      entries.set(key, this.value(depth + 1));
      this.space();
    } while (this.take(","));
    if (!this.take("}")) throw new Stop(this.missing("comma_expected"), this.at);
    return Object.fromEntries(entries);
  }

  list(depth) {
    const items = [];
    this.at++;
    this.space();
    if (this.take("]")) return items;
    do {
      items.push(this.value(depth + 1));
      this.space();
    } while (this.take(","));
    if (!this.take("]")) throw new Stop(this.missing("comma_expected"), this.at);
    return items;
  }

  string() {
    const quoted = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
    quoted.lastIndex = this.at;
    const found = quoted.exec(this.text)?.[0];
    if (!found) throw new Stop("bad_string", this.at);
    this.at += found.length;
    return JSON.parse(found);
  }

  take(sign) {
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  missing(code) {
    return this.at >= this.text.length ? "ends_early" : code;
  }
}
