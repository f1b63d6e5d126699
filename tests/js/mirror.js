/** A reader's screen that knows nothing but Change[]: it must always show what the store has. */

import assert from "node:assert/strict";

export class Mirror {
  rows = [];

  constructor(store) {
    this.store = store;
  }

  apply(changes) {
    for (const change of changes) this[change.kind]?.(change);
    assert.deepEqual(this.rows, this.store.messages.map(row));
  }

  reset() {
    this.rows = this.store.messages.map(row);
  }

  inserted({ id, index }) {
    this.rows.splice(index, 0, row(this.store.find(id)));
  }

  removed({ id }) {
    this.rows.splice(this.at(id), 1);
  }

  renamed({ id, was }) {
    this.rows[this.at(was)].id = id;
  }

  appended({ id, text }) {
    this.rows[this.at(id)].text += text;
  }

  replaced({ id }) {
    this.rows[this.at(id)] = row(this.store.find(id));
  }

  status({ id }) {
    this.rows[this.at(id)].status = this.store.find(id).status;
  }

  at(id) {
    const index = this.rows.findIndex((one) => one.id === id);
    assert.notEqual(index, -1, `no row ${id}`);
    return index;
  }
}

function row({ id, text, status }) {
  return { id, text, status };
}
