// The page of one order: keeps itself true, and lets the order be changed while it is open.
import { keepLive } from "../common/live.js";
import { takeOverChanges } from "./change_order.js";

const REFRESH_EVERY = 2000;
const REFRESH_WHEN_LIVE = 15_000;

keepLive(REFRESH_EVERY, { quiet: REFRESH_WHEN_LIVE });
takeOverChanges();
