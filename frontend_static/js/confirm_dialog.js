import { element } from "./dom.js";
import { gettext } from "./i18n.js";

let count = 0;

/** Asks before something is lost. Resolves to whether it was confirmed; Escape and the backdrop mean no. */
export function confirmDialog({ title, text, action }) {
  count += 1;
  const [titleId, textId] = [`confirm-title-${count}`, `confirm-text-${count}`];
  const dialog = element("dialog", { class: "confirm", role: "alertdialog", "aria-labelledby": titleId, "aria-describedby": textId });
  const form = element(
    "form",
    { method: "dialog", class: "confirm__form" },
    element("h2", { class: "confirm__title", id: titleId }, title),
    element("p", { class: "confirm__text", id: textId }, text),
    element("button", { class: "button button--quiet", value: "no" }, gettext("Cancel")),
    element("button", { class: "button button--danger", value: "yes" }, action),
  );
  dialog.append(form);
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
