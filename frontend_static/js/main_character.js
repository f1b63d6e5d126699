import { CharacterPage } from "./character_page.js";
import { VisitorApi } from "./visitor_api.js";

new CharacterPage(new VisitorApi()).start();
