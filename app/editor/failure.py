"""The page in the editor's place while it can't be shown: why, the end of its log, and a way to try again."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Failure:
    """Why there is no editor. `starting` is no failure yet: it only takes a moment."""

    reason: str
    remedy: str | None = None
    log_tail: str = ""
    starting: bool = False

    @property
    def title(self) -> str:
        return "The editor is starting" if self.starting else "The editor can't be shown"


_STYLE = """
:root { color-scheme: light dark; --text: #3b3b3b; --back: #ffffff; --soft: #6b6b6b; --box: #f3f3f3; --line: #e5e5e5;
  --accent: #005fb8; --on-accent: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --text: #cccccc; --back: #1f1f1f; --soft: #9d9d9d; --box: #181818;
  --line: #2b2b2b; --accent: #0078d4; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; color: var(--text);
  background: var(--back); font: 13px/1.5 system-ui, sans-serif; }
main { width: min(560px, 100%); }
h1 { margin: 0 0 8px; font-size: 18px; font-weight: 600; }
p { margin: 0 0 12px; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
button { padding: 6px 14px; border: 0; border-radius: 4px; color: var(--on-accent); background: var(--accent);
  font: inherit; cursor: pointer; }
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
pre { max-height: 40vh; margin: 8px 0 0; padding: 12px; overflow: auto; border: 1px solid var(--line);
  border-radius: 4px; background: var(--box); font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
details { margin-top: 20px; }
summary { cursor: pointer; color: var(--soft); }
"""

# Asks with growing pauses whether the editor is there, so that nobody has to sit and click.
_SCRIPT = """
const note = document.getElementById("note");
const button = document.querySelector("button");
let pause = 1000, timer;
async function look() {
  note.textContent = "Looking again…";
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (answer.status < 500) { location.reload(); return; }
  } catch {}
  pause = Math.min(pause * 1.5, 15000);
  note.textContent = `Trying again in ${Math.round(pause / 1000)} s.`;
  timer = setTimeout(look, pause);
}
button.addEventListener("click", () => { clearTimeout(timer); location.reload(); });
timer = setTimeout(look, pause);
"""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_POLICY = f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'"


def page(failure: Failure) -> tuple[bytes, str]:
    """The page and its content security policy. It loads nothing."""
    remedy = f"<p>{escape(failure.remedy)}</p>" if failure.remedy else ""
    log = failure.log_tail.strip()
    opened = "" if failure.starting else " open"
    details = f"<details{opened}><summary>Log</summary><pre tabindex=0>{escape(log)}</pre></details>" if log else ""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{failure.title}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{failure.title}</h1><p role="status">{escape(failure.reason)}</p>{remedy}'
        '<p><button type="button">Retry</button></p><p class="soft" id="note"></p>'
        f"{details}</main><script>{_SCRIPT}</script></body></html>"
    )
    return html.encode(), _POLICY
