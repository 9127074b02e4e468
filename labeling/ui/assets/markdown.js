/** A small, safe Markdown: headings, lists, quotes, code, bold, emphasis. No links, images, HTML. */

import { h } from "./dom.js";

const INLINE = /\*\*(?<bold>[^*]+)\*\*|`(?<code>[^`]+)`|\*(?<em>[^*\s][^*]*)\*/gu;

/** Nodes for a Markdown text. */
export function showMarkdown(text) {
  const blocks = [];
  let list = null;
  let fence = null;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("```")) {
      if (fence) blocks.push(h("pre", {}, fence.join("\n")));
      fence = fence ? null : [];
      continue;
    }
    if (fence) {
      fence.push(line);
      continue;
    }
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (item) {
      const tag = item[1] ? "ol" : "ul";
      if (list?.localName !== tag) blocks.push((list = h(tag)));
      list.append(h("li", {}, inline(item[2])));
      continue;
    }
    list = null;
    if (line.trim()) blocks.push(block(line));
  }
  if (fence) blocks.push(h("pre", {}, fence.join("\n")));
  return blocks;
}

function block(line) {
  const heading = /^(#{1,4})\s+(.*)$/.exec(line);
  if (heading) return h(`h${Math.min(heading[1].length + 2, 6)}`, {}, inline(heading[2]));
  if (line.startsWith(">")) return h("blockquote", {}, inline(line.replace(/^>\s?/, "")));
  return h("p", {}, inline(line));
}

function inline(text) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(text.slice(at, found.index));
    const { bold, code, em } = found.groups;
    nodes.push(bold ? h("strong", {}, bold) : code ? h("code", {}, code) : h("em", {}, em));
    at = found.index + found[0].length;
  }
  nodes.push(text.slice(at));
  return nodes;
}
