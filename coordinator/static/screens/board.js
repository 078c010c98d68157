// Dragging on the board. A drop changes nothing yet: it opens the visit with the new place filled in, where what it
// would do is shown, and one button does it. Whatever is done here can be done on that page by keyboard as well.
(() => {
  "use strict";
  const times = document.querySelector(".times");
  let held = null;

  document.addEventListener("dragstart", (event) => {
    const block = event.target.closest?.("[data-visit][draggable=true]");
    if (!block) return;
    const grabbed = block.matches(".block") ? event.clientX - block.getBoundingClientRect().left : 0;
    held = { visit: block.dataset.visit, minutes: Number(block.dataset.minutes), grabbed };
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", block.dataset.visit);
  });

  const columnAt = (track, x) => {
    const box = track.getBoundingClientRect();
    const column = Math.round(((x - held.grabbed - box.left) / box.width) * 168);
    return Math.max(0, Math.min(167, column));
  };

  const clear = () => {
    for (const one of document.querySelectorAll(".ghost")) one.remove();
    for (const one of document.querySelectorAll(".track.over")) one.classList.remove("over");
  };

  if (times) {
    const opens = Number(times.dataset.opens), step = Number(times.dataset.step);
    const clock = (column) => {
      const minute = opens + column * step;
      return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
    };
    times.addEventListener("dragover", (event) => {
      const track = event.target.closest(".track[data-clinician]");
      if (!track || !held) return;
      event.preventDefault();
      const column = columnAt(track, event.clientX);
      let ghost = track.querySelector(".ghost");
      if (!ghost) {
        clear();
        track.classList.add("over");
        ghost = document.createElement("span");
        track.append(ghost);
      }
      ghost.className = `ghost at-${column} for-${Math.max(1, Math.round(held.minutes / step))}`;
      ghost.textContent = clock(column);
    });
    times.addEventListener("drop", (event) => {
      const track = event.target.closest(".track[data-clinician]");
      if (!track || !held) return;
      event.preventDefault();
      const place = new URLSearchParams({
        clinician: track.dataset.clinician, day: times.dataset.day, time: clock(columnAt(track, event.clientX)),
      });
      clear();
      location.assign(`/board/visits/${held.visit}?${place}`);
    });
  }
  document.addEventListener("dragend", () => { clear(); held = null; });

  // Keys, where nobody is typing: A somebody is away, T today, J and K the next and the visit before.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
    const blocks = [...document.querySelectorAll(".block, .cards a:first-of-type, .person-list ol a")];
    const here = blocks.indexOf(document.activeElement);
    if (event.key === "j") blocks[Math.min(here + 1, blocks.length - 1)]?.focus();
    else if (event.key === "k") blocks[Math.max(here - 1, 0)]?.focus();
    else if (event.key === "a") document.querySelector("[accesskey=a]")?.click();
    else return;
    event.preventDefault();
  });
})();
