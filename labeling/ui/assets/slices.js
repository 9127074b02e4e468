/** Long work in slices, between which the page stays alive. */

const SLICE_MS = 8;

/** Run a generator to its end; resolves with what it returns, or with null as soon as `isOver()`. */
export async function inSlices(work, isOver) {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve));
    if (isOver()) return null;
  }
}

/** Run something when the page has nothing better to do, `within` this many milliseconds. */
export function atRest(run, within) {
  if ("requestIdleCallback" in window) requestIdleCallback(run, { timeout: within });
  else setTimeout(run, within / 4);
}
