/** Elements in one expression. Text stays text: nothing here parses HTML. */

const SVG = "http://www.w3.org/2000/svg";

/** `element("p", { class: "note", hidden: true }, "text", child)`; false and null leave an attribute out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(made, key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function setAttribute(target, key, value) {
  if (value === false || value === null || value === undefined) target.removeAttribute(key);
  else target.setAttribute(key, value === true ? "" : value);
}

/** A drawing of `chat/_icons.html`; says nothing by itself, so its button needs a label. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

export function iconButton(name, label, className = "icon-button") {
  return element("button", { type: "button", class: className, "aria-label": label, title: label }, icon(name));
}
