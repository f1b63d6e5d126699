/** The page's language, from Django's catalogue. Without one (node) every text is itself. */

/** "%(name)s" in `text` gives way to `values.name`. */
function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (mark, name) => (name in values ? String(values[name]) : mark));
}

export function gettext(text, values = {}) {
  return fill(globalThis.gettext?.(text) ?? text, values);
}

export function ngettext(singular, plural, count, values = {}) {
  const text = globalThis.ngettext?.(singular, plural, count) ?? (count === 1 ? singular : plural);
  return fill(text, { count, ...values });
}
