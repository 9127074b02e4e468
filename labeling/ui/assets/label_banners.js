/** What stands above the editor of the label page: a return, a flag, two versions, a lost lease. */

import { banner, timeOf } from "./desk.js";
import { fill, h } from "./dom.js";
import { showComparison } from "./plan_compare.js";
import { reasonList } from "./reasons.js";

export class LabelBanners {
  constructor(root, { say, language }) {
    Object.assign(this, { root, say, language });
  }

  clear() {
    fill(this.root);
  }

  /** A plain message; `isClosable` ones can be put away. */
  tell(tone, text, { isClosable = false } = {}) {
    this.root.append(banner(tone, text, [], isClosable ? this.say("dialogue.close") : null));
  }

  /** Why a reviewer sent it back; `goPath` and `goSpan` lead to the places. */
  returned(note, draft, { goPath, goSpan }) {
    const { say } = this;
    const head = say("label.returned_by", { who: note.reviewer, time: timeOf(note.at, this.language) });
    this.root.append(banner("warn", [h("b", {}, head), reasonList(note.reasons, { plan: draft, say, goPath, goSpan })]));
  }

  /** The flag of an item, with a way to take it back. */
  flag(reason, takeBack) {
    this.root.querySelector("#unflag")?.closest(".banner").remove();
    if (!reason) return;
    const text = [h("b", {}, this.say("label.flagged")), " ", reason];
    this.root.append(banner("", text, takeBack ? [[this.say("label.unflag"), takeBack, "unflag"]] : []));
  }

  /** Two versions exist: both are shown, and `settle(content)` hears which is to go on. */
  conflict(theirs, mine, { hues, settle }) {
    const { say } = this;
    this.root.querySelector("#conflict-compare")?.closest(".banner").remove();
    const names = { before: say("label.version_saved"), after: say("label.version_mine") };
    const differences = h("div", { class: "conflict-differences", hidden: true }, showComparison(theirs.content, mine.content, { say, names, hues }));
    const choose = (content) => (node) => {
      node.remove();
      settle(content);
    };
    const name = theirs.is_newer ? "label.conflict" : "label.two_versions";
    const text = say(name, { time: theirs.at ? timeOf(theirs.at, this.language) : "" });
    const told = banner("bad", text, [
      [say("label.keep_mine"), choose(mine.content), "conflict-mine"],
      [say("label.take_saved"), choose(theirs.content), "conflict-theirs"],
      [say("label.compare"), () => (differences.hidden = !differences.hidden), "conflict-compare"],
    ]);
    told.append(differences);
    this.root.prepend(told);
  }

  /** Somebody else has the query now. */
  lost(sentence, next) {
    const { say } = this;
    this.root.prepend(banner("bad", window.planwright.local(sentence), [[say("label.next_item"), next, "next-item"]]));
  }
}
