/**
 * Says a reply to a screen reader when it is whole. The log itself is silent: word by word it would be noise.
 */
export class Announcer {
  #region;

  constructor(region) {
    this.#region = region;
  }

  say(name, text) {
    this.#region.textContent = `${name}: ${text.replaceAll("*", "")}`;
  }
}
