import { drawPlots } from "./plots.js";

drawPlots(document);
