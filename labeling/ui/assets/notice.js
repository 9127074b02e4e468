// The page's one notice: text nodes only, shown in a corner that no layout moves.
function show(notice) {
  if (!notice || !notice.text) return;
  window.planwright.notify(notice.kind, notice.text);
}
watch("value", () => show(props.value));
show(props.value);
