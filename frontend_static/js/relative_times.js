const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const REFRESH_MS = 60_000;

/** "3 minutes ago" in every `<time data-relative>`, kept true while the page is open. */
export class RelativeTimes {
  #format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });
  #timer = null;

  start() {
    this.#show();
    this.#timer = setInterval(() => this.#show(), REFRESH_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  #show() {
    for (const time of document.querySelectorAll("time[data-relative]")) time.textContent = this.#say(time.dateTime);
  }

  #say(iso) {
    const seconds = (Date.now() - Date.parse(iso)) / 1000;
    const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", Infinity];
    return this.#format.format(-Math.floor(seconds / size), unit);
  }
}
