// What every screen does beyond showing: keep typed words over the end of a session or a change of language.
// Nothing here is needed to read, sign, start or finish; without script the pages work as they are.
(() => {
  "use strict";
  const DRAFT = "coordinator:draft";
  const user = document.body.dataset.user || "";

  const fieldsOf = (form) =>
    [...form.elements]
      .filter((one) => one.name && !one.name.startsWith("_") && one.name !== "csrf_token" && one.type !== "password" && one.type !== "file")
      .map((one) => [one.name, one.value, one.type === "checkbox" || one.type === "radio" ? one.checked : null]);

  const keep = (form, pending) => {
    const forms = [...document.querySelectorAll("main form")];
    const draft = { user, path: location.pathname + location.search, pending, forms: forms.map(fieldsOf) };
    sessionStorage.setItem(DRAFT, JSON.stringify(draft));
    return form;
  };

  const restore = () => {
    const text = sessionStorage.getItem(DRAFT);
    if (!text) return;
    const draft = JSON.parse(text);
    if ("ended" in document.body.dataset) {
      // The session was over when the form was sent: what it held waits for whoever sent it.
      draft.pending = false;
      sessionStorage.setItem(DRAFT, JSON.stringify(draft));
      return;
    }
    if (!user && draft.user) return; // still signing in
    if (draft.pending || draft.user !== user || draft.path !== location.pathname + location.search) {
      sessionStorage.removeItem(DRAFT); // it arrived, or it is not this person's
      return;
    }
    sessionStorage.removeItem(DRAFT);
    [...document.querySelectorAll("main form")].forEach((form, number) => {
      for (const [name, value, checked] of draft.forms[number] || []) {
        const found = [...form.elements].filter((one) => one.name === name && (checked === null || one.value === value));
        for (const one of found) {
          if (checked === null) one.value = value;
          else one.checked = checked;
        }
      }
    });
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".language")) keep(form, false);
    else if (form.method === "post" && form.closest("main") && user) keep(form, true);
  });

  // A form that is sent once shows that it is on its way, and cannot be sent again by a second tap.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && event.target.method === "post") setTimeout(() => button.setAttribute("aria-busy", "true"), 0);
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("[aria-busy=true]")) button.removeAttribute("aria-busy");
  });

  restore();
})();
