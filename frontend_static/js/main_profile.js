import { ProfilePage } from "./profile_page.js";
import { VisitorApi } from "./visitor_api.js";

new ProfilePage(new VisitorApi()).start();
