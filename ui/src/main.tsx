import { signIn } from "@/api/client";
import { takeCode } from "@/api/session";
import { applyLastTheme } from "@/app/lastTheme";
import "./styles.css";

// Small on purpose: the theme is set and the sign-in is under way while the browser still reads the page's own code.
applyLastTheme();
const code = takeCode();
const entered = code ? signIn(code) : Promise.resolve();
// Its failure is shown by what comes next.
entered.catch(() => undefined);
const { start } = await import("./start");
await start(entered);
