// The profile: its forms are sent once however often they are pressed, and the list of log-ins keeps itself true.
import { findAll } from "../common/dom.js";
import { guardDoubleSubmit } from "../common/forms.js";
import { keepLive } from "../common/live.js";

const REFRESH_EVERY = 10_000;

findAll("form[data-guard]").forEach(guardDoubleSubmit);
keepLive(REFRESH_EVERY, { quiet: 3 * REFRESH_EVERY });
