// A passkey in place of the password on the sheet: the browser proves who signs, and the sheet is sent as it stands.
(() => {
  "use strict";
  const button = document.getElementById("passkey-go");
  const known = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON && navigator.credentials;
  if (!button || !known) return;
  button.hidden = false;

  const options = () =>
    fetch("/api/v1/step-ups/passkey-options", { method: "POST", headers: { Accept: "application/json" } }).then((answer) =>
      answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status))),
    );

  button.addEventListener("click", async () => {
    const form = button.form;
    const failed = document.getElementById("passkey-failed");
    failed.hidden = true;
    try {
      const told = await options();
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(told.public_key);
      const passkey = await navigator.credentials.get({ publicKey });
      form.elements.passkey.value = JSON.stringify(passkey.toJSON());
    } catch {
      failed.hidden = false;
      return;
    }
    for (const field of form.querySelectorAll("fieldset [required]")) field.required = false;
    form.requestSubmit(form.querySelector("[type=submit]"));
  });
})();
