/** Lengths on the wire are Unicode code points; a JavaScript string counts UTF-16 units. */

const HIGH_SURROGATES = /[\ud800-\udbff](?=[\udc00-\udfff])/g;

/** Code points of `text`. */
export function codePoints(text) {
  const pairs = text.match(HIGH_SURROGATES);
  return pairs === null ? text.length : text.length - pairs.length;
}

/** The first `length` code points of `text`. */
export function cut(text, length) {
  let units = 0;
  for (let left = length; left > 0 && units < text.length; left -= 1) {
    units += text.codePointAt(units) > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}
