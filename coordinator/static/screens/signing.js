// Single keys for the physician's queue. What a key does stands on the page as `data-key`; without script the page works.
(() => {
  "use strict";
  const OFF = "coordinator:keys-off";
  document.documentElement.classList.add("scripted");

  const on = document.getElementById("keys-on");
  const off = () => localStorage.getItem(OFF) === "yes";
  if (on) {
    on.checked = !off();
    on.addEventListener("change", () => localStorage.setItem(OFF, on.checked ? "no" : "yes"));
  }

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing || off()) return;
    if (at.closest("input, textarea, select, [contenteditable]")) return;
    const found = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!found) return;
    event.preventDefault();
    if (found.tagName !== "SUMMARY") {
      found.click();
      return;
    }
    const details = found.parentElement;
    details.open = !details.open;
    if (details.open) {
      details.scrollIntoView({ block: "nearest" });
      const first = details.querySelector("textarea, input:not([type=hidden]), button");
      if (first) first.focus();
    } else found.focus();
  });
  // A form that was unfolded folds again, and the reader is where they were.
  document.addEventListener("keydown", (event) => {
    const details = event.key === "Escape" && event.target.closest("details[name=act][open]");
    if (!details) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
})();
