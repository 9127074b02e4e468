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
