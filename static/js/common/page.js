// What every page does.
import { takeOverActions } from "./actions.js";
import { keepDisplay } from "./display.js";
import { startBadge } from "./market_badge.js";
import { keepTimesTrue } from "./times.js";

keepTimesTrue();
startBadge();
takeOverActions();
keepDisplay();
