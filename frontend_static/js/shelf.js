/** JSON values under a prefix of the browser's storage; as long as the page where it is full or forbidden. */

export class Shelf {
  #storage;
  #prefix;
  /** What could not be written to storage. */
  #kept = new Map();

  constructor(storage, prefix) {
    this.#storage = storage;
    this.#prefix = `soksak.${prefix}.`;
  }

  get(name) {
    return this.#kept.get(name) ?? parse(this.#storage?.getItem(this.#prefix + name));
  }

  set(name, value) {
    try {
      this.#storage.setItem(this.#prefix + name, JSON.stringify(value));
      this.#kept.delete(name);
    } catch {
      // No storage, none left, or none allowed: not a reason to refuse what the user does now.
      this.#kept.set(name, value);
    }
  }

  remove(name) {
    this.#kept.delete(name);
    this.#storage?.removeItem(this.#prefix + name);
  }

  /** Names in use, of every tab that shares the storage. */
  names() {
    const names = new Set(this.#kept.keys());
    for (let i = 0; i < (this.#storage?.length ?? 0); i += 1) {
      const key = this.#storage.key(i);
      if (key.startsWith(this.#prefix)) names.add(key.slice(this.#prefix.length));
    }
    return [...names];
  }
}

function parse(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** localStorage, or null where even asking for it is forbidden. */
export function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
