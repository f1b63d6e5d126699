import assert from "node:assert/strict";
import { test } from "node:test";

import { sayShare, sayTime } from "../../frontend_static/js/figures.js";

test("times are said in the unit that fits", () => {
  assert.equal(sayTime(0), "0 ms");
  assert.equal(sayTime(420), "420 ms");
  assert.equal(sayTime(1500), "1.5 s");
  assert.equal(sayTime(90_000), "1.5 min");
  assert.equal(sayTime(7.2e6), "2 h");
  assert.equal(sayTime(3.6e12), "1,000,000 h");
});

test("shares are said in percent", () => {
  assert.equal(sayShare(0), "0%");
  assert.equal(sayShare(0.01), "1%");
  assert.equal(sayShare(0.012345), "1.23%");
  assert.equal(sayShare(1), "100%");
});
