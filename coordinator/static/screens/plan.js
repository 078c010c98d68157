// Shows how far a search is while it runs, and the result when it is over. Without script the page has a link for that.
(() => {
  "use strict";
  const watch = document.getElementById("watch");
  if (!watch || !window.EventSource) return;
  const stream = new EventSource(watch.dataset.from);
  stream.addEventListener("progress", (event) => {
    const said = JSON.parse(event.data);
    if ("seconds" in said) watch.querySelector("progress").value = said.seconds;
    for (const one of watch.querySelectorAll("[data-show]")) {
      if (one.dataset.show in said) one.textContent = said[one.dataset.show];
    }
  });
  stream.addEventListener("over", () => { stream.close(); location.reload(); });
})();
