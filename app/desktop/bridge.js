// What the chat page may ask of the window: `window.pywebview.api.<name>(…)`, a promise each.
// Runs before the page's own scripts, in its main frame only. In place of pywebview's script, which comes when the page
// is drawn already and needs eval, so that it fails under the page's Content-Security-Policy.
(function () {
  if (window !== window.top || window.pywebview) return;
  const names = $names, platform = "$platform", waiting = new Map(), early = [];
  let last = 0;
  let post = (...call) => early.push(call);
  function ready(port) {
    post = port;
    for (const call of early.splice(0)) post(...call);
    window.dispatchEvent(new CustomEvent("pywebviewready"));
  }
  const api = {};
  for (const name of names) {
    api[name] = (...values) => new Promise((resolve, reject) => {
      const id = String(++last);
      waiting.set(id, { resolve, reject });
      post(name, JSON.stringify(values), id);
    });
  }
  function _settle(id, ok, value) {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (asked) ok ? asked.resolve(value) : asked.reject(new Error(value));
  }
  // A notice the page does not take (preventDefault) is shown here, so that it is never lost.
  function _notice(text) {
    const event = new CustomEvent("twinseat:notice", { detail: { text }, cancelable: true });
    if (!window.dispatchEvent(event)) return;
    const line = document.createElement("div");
    line.setAttribute("role", "status");
    line.textContent = text;
    line.style.cssText = "position:fixed;left:12px;right:12px;bottom:12px;z-index:2147483647;padding:8px 12px;" +
      "border-radius:6px;font:13px/1.5 system-ui,sans-serif;background:#0078d4;color:#fff;pointer-events:none";
    document.body.appendChild(line);
    setTimeout(() => line.remove(), 6000);
  }
  window.pywebview = Object.freeze({ platform, api: Object.freeze(api), _settle, _notice });
  if (platform === "qt") {
    (function connect() {
      if (typeof qt === "undefined") return setTimeout(connect, 5);
      new QWebChannel(qt.webChannelTransport, ({ objects }) => {
        ready((name, values, id) => objects.window.call(name, values, id));
      });
    })();
  } else if (platform === "winforms") {
    ready((name, values, id) => window.chrome.webview.postMessage([name, values, id]));
  } else {
    const port = window.webkit.messageHandlers.jsBridge;
    ready((name, values, id) => port.postMessage(JSON.stringify({ funcName: name, params: JSON.parse(values), id })));
  }
})();
