/** What every page needs. A page of its own has its own main_*.js beside this one. */

import { applyAccents } from "./accents.js";
import { RelativeTimes } from "./relative_times.js";
import { Theme } from "./theme.js";

applyAccents();
new Theme().start();
new RelativeTimes().start();
