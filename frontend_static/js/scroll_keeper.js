/** Closer to the end than this counts as at the end. */
const END_PX = 56;
/** A rubber band at the end moves less than this from it. */
const SLACK_PX = 4;

/**
 * Follows new text only when the reader was at the end; otherwise the line being read stays where it is,
 * whatever is put above or below it. Delegate: scrolledTo(isAtEnd).
 */
export class ScrollKeeper {
  #pane;
  #list;
  #delegate;
  #isFollowing = true;
  #last = { top: 0, height: 0 };
  #sizes = new ResizeObserver(() => this.#follow());
  #onScroll = () => this.#scrolled();

  constructor(pane, list, delegate) {
    this.#pane = pane;
    this.#list = list;
    this.#delegate = delegate;
  }

  start() {
    this.#pane.addEventListener("scroll", this.#onScroll, { passive: true });
    // The keyboard, the growing composer and late layout all change sizes without a render of ours.
    this.#sizes.observe(this.#pane);
    this.#sizes.observe(this.#list);
  }

  stop() {
    this.#pane.removeEventListener("scroll", this.#onScroll);
    this.#sizes.disconnect();
  }

  get isFollowing() {
    return this.#isFollowing;
  }

  /** Renders inside `render`. Where the reader is, is asked before. */
  around(render) {
    const anchor = this.#isFollowing ? null : this.#firstInView();
    const before = anchor?.getBoundingClientRect().top;
    render();
    if (this.#isFollowing) this.#follow();
    else if (anchor?.isConnected) this.#pane.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  /** To be read from its beginning, as a story is. */
  toStart() {
    this.#isFollowing = false;
    this.#pane.scrollTop = 0;
    this.#scrolled();
    this.#delegate.scrolledTo(this.#isFollowing);
  }

  toEnd() {
    this.#isFollowing = true;
    this.#follow();
    this.#delegate.scrolledTo(true);
  }

  #follow() {
    if (this.#isFollowing) this.#pane.scrollTop = this.#pane.scrollHeight;
  }

  /** Moving up at all is leaving the end, or a slow finger would be pulled back with every word. */
  #scrolled() {
    const { scrollTop: top, scrollHeight: height, clientHeight } = this.#pane;
    const distance = height - top - clientHeight;
    const isLeaving = top < this.#last.top && height >= this.#last.height && distance > SLACK_PX;
    this.#last = { top, height };
    const isAtEnd = !isLeaving && distance < END_PX;
    if (isAtEnd === this.#isFollowing) return;
    this.#isFollowing = isAtEnd;
    this.#delegate.scrolledTo(isAtEnd);
  }

  /** The topmost message of which something can be seen, found by halving: rooms are long. */
  #firstInView() {
    const top = this.#pane.getBoundingClientRect().top;
    const rows = this.#list.children;
    let [low, high] = [0, rows.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    return rows[low];
  }
}
