// The bridge: dials Twinseat's backend and does what the chat pane asks of the editor.
//
// One instance runs per editor window. It only uses the extension API and never leaves the workspace's folder.
// Messages are JSON. The backend asks {id, op, ...} and gets {id, ok: true, result} or {id, ok: false, code, message};
// on its own the extension says {event: "hello" | "focus" | "ask" | "trusted", ...}.

"use strict";

const path = require("node:path");
const vscode = require("vscode");

const PROTOCOL = "twinseat.bridge.v1";
// Names that start with VSCODE_ are not passed on to the integrated terminal.
const URL_NAME = "VSCODE_TWINSEAT_BRIDGE_URL";
const TOKEN_NAME = "VSCODE_TWINSEAT_BRIDGE_TOKEN";

const FIRST_DELAY = 250; // ms until the first reconnection, doubled up to the longest
const LONGEST_DELAY = 8000;
const HIGHLIGHT = 1800; // ms a followed edit stays marked
const NOTICED = 1500; // ms in which VS Code shows a changed setting
const HANDS_ON = 4000; // ms after the user's last key or click in which the view is not taken away
const KEPT_TEXTS = 100; // sides of diffs that are kept to be shown again
const LONGEST_SELECTION = 200_000; // characters that are passed on

class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The file that `name` means, relative to the folder or absolute inside it; anything else is refused. */
function inside(name) {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!folder) throw new Refused("no-folder", "This editor window has no folder open.");
  const target = path.resolve(folder.fsPath, name);
  const relative = path.relative(folder.fsPath, target);
  if (relative === ".." || relative.startsWith(".." + path.sep) || path.isAbsolute(relative)) {
    throw new Refused("path-outside", `${name} is outside the workspace's folder.`);
  }
  return vscode.Uri.file(target);
}

async function kindOf(uri) {
  try {
    return (await vscode.workspace.fs.stat(uri)).type;
  } catch {
    return null;
  }
}

function rangeOf(line, endLine) {
  const first = Math.max(0, (line ?? 1) - 1);
  const last = Math.max(first, (endLine ?? line ?? 1) - 1);
  return new vscode.Range(first, 0, last, Number.MAX_SAFE_INTEGER);
}

/** Do `change` and wait until `event` tells of it, or long enough. */
async function changeAndSee(event, change) {
  let subscription;
  const seen = new Promise((resolve) => (subscription = event(resolve)));
  const late = new Promise((resolve) => setTimeout(resolve, NOTICED));
  try {
    await change();
    await Promise.race([seen, late]);
  } finally {
    subscription.dispose();
  }
}

/** The texts of diffs that are in no file, kept by their address. */
class Texts {
  constructor() {
    this.texts = new Map();
  }

  keep(uri, text) {
    this.texts.set(uri.toString(), text);
    if (this.texts.size > KEPT_TEXTS) this.texts.delete(this.texts.keys().next().value);
    return uri;
  }

  provideTextDocumentContent(uri) {
    return this.texts.get(uri.toString()) ?? "";
  }
}

/** What the backend can ask for. */
class Editor {
  constructor(memory) {
    this.memory = memory;
    this.texts = new Texts();
    this.shown = 0;
    this.lastTouch = 0;
    this.theming = Promise.resolve();
    this.mark = vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor("diffEditor.insertedLineBackground"),
      overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.addedForeground"),
    });
  }

  async open({ path: name, line, endLine, follow }) {
    const uri = inside(name);
    const kind = await kindOf(uri);
    if (kind === null) throw new Refused("not-found", `${name} does not exist.`);
    if (kind & vscode.FileType.Directory) {
      await vscode.commands.executeCommand("revealInExplorer", uri);
      return { shown: true };
    }
    if (follow) return this.follow(uri, line, endLine);
    const selection = line ? rangeOf(line, endLine ?? line) : undefined;
    // The command, unlike showTextDocument, also opens pictures and other files that are no text.
    const caret = selection && !endLine ? new vscode.Range(selection.start, selection.start) : selection;
    await vscode.commands.executeCommand("vscode.open", uri, { preview: false, selection: caret });
    return { shown: true };
  }

  async follow(uri, line, endLine) {
    if (Date.now() - this.lastTouch < HANDS_ON) return { shown: false };
    if (!line) {
      await vscode.commands.executeCommand("vscode.open", uri, { preview: true, preserveFocus: true });
      return { shown: true };
    }
    const editor = await vscode.window.showTextDocument(uri, { preview: true, preserveFocus: true });
    const range = editor.document.validateRange(rangeOf(line, endLine));
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    editor.setDecorations(this.mark, [range]);
    clearTimeout(this.unmark);
    this.unmark = setTimeout(() => {
      for (const visible of vscode.window.visibleTextEditors) visible.setDecorations(this.mark, []);
    }, HIGHLIGHT);
    return { shown: true };
  }

  async diff({ path: name, before, after, title }) {
    const file = inside(name);
    const query = String(++this.shown);
    const left = this.texts.keep(file.with({ scheme: "twinseat-before", query }), before);
    let right = file;
    if (typeof after === "string") {
      right = this.texts.keep(file.with({ scheme: "twinseat-after", query }), after);
    } else if ((await kindOf(file)) === null) {
      right = this.texts.keep(file.with({ scheme: "twinseat-after", query }), ""); // the file was deleted
    }
    const label = title ?? `${path.basename(file.fsPath)} (before ↔ now)`;
    await vscode.commands.executeCommand("vscode.diff", left, right, label, { preview: true });
    return { shown: true };
  }

  /** Dark or light as the chat pane is, one change after the other. */
  theme({ kind }) {
    this.theming = this.theming.then(() => this.changeTheme(kind), () => this.changeTheme(kind));
    return this.theming;
  }

  /** A theme the user chose comes back when its kind does. With "system" VS Code follows the browser by itself. */
  async changeTheme(kind) {
    const setting = (section, name, value) =>
      changeAndSee(vscode.window.onDidChangeActiveColorTheme, () =>
        vscode.workspace.getConfiguration(section).update(name, value, vscode.ConfigurationTarget.Global),
      );
    const followsSystem = vscode.workspace.getConfiguration("window").get("autoDetectColorScheme");
    if (followsSystem !== (kind === "system")) await setting("window", "autoDetectColorScheme", kind === "system");
    const isDark = [vscode.ColorThemeKind.Dark, vscode.ColorThemeKind.HighContrast].includes(
      vscode.window.activeColorTheme.kind,
    );
    if (kind === "system" || isDark === (kind === "dark")) return { changed: followsSystem !== (kind === "system") };
    const current = vscode.workspace.getConfiguration("workbench").get("colorTheme");
    await this.memory.update(isDark ? "theme.dark" : "theme.light", current);
    const chosen = this.memory.get(`theme.${kind}`) ?? (kind === "dark" ? "Dark Modern" : "Light Modern");
    await setting("workbench", "colorTheme", chosen);
    return { changed: true };
  }

  ping() {
    return { version: vscode.version };
  }

  /** What the user means: the selection, or the line that the caret is in. */
  selection() {
    const editor = vscode.window.activeTextEditor;
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    if (!editor || !folder || editor.document.uri.scheme !== "file") return null;
    const { start, end, isEmpty } = editor.selection;
    const range = isEmpty ? editor.document.lineAt(start.line).range : editor.selection;
    const relative = path.relative(folder, editor.document.uri.fsPath);
    if (relative.startsWith("..") || path.isAbsolute(relative)) return null;
    return {
      path: relative.split(path.sep).join("/"),
      from: start.line + 1,
      to: end.line + 1,
      text: editor.document.getText(range).slice(0, LONGEST_SELECTION),
    };
  }
}

const OPERATIONS = new Set(["open", "diff", "theme", "ping"]);

/** The connection to the backend, made again for as long as the window lives. */
class Link {
  constructor(editor, url, token) {
    this.editor = editor;
    this.url = url;
    this.token = token;
    this.delay = FIRST_DELAY;
    this.closed = false;
  }

  connect() {
    if (this.closed) return;
    const socket = new WebSocket(this.url, [PROTOCOL, `token.${this.token}`]);
    this.socket = socket;
    socket.onopen = () => {
      this.delay = FIRST_DELAY;
      this.say({
        event: "hello",
        folder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? null,
        focused: vscode.window.state.focused,
        trusted: vscode.workspace.isTrusted,
      });
    };
    socket.onmessage = (message) => this.answer(message.data);
    socket.onerror = () => {}; // onclose follows and does what is needed
    socket.onclose = () => {
      if (this.closed) return;
      this.timer = setTimeout(() => this.connect(), this.delay * (0.75 + Math.random() / 2));
      this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
    };
  }

  say(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  async answer(text) {
    let request;
    try {
      request = JSON.parse(text);
    } catch {
      return;
    }
    const { id, op } = request ?? {};
    if (!id) return;
    try {
      if (!OPERATIONS.has(op)) throw new Refused("unknown-operation", `The editor's extension does not know "${op}".`);
      this.say({ id, ok: true, result: await this.editor[op](request) });
    } catch (error) {
      this.say({ id, ok: false, code: error?.code ?? "failed", message: error?.message ?? String(error) });
    }
  }

  dispose() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}

exports.activate = (context) => {
  const url = process.env[URL_NAME];
  if (!url) return;
  const editor = new Editor(context.globalState);
  const link = new Link(editor, url, process.env[TOKEN_NAME] ?? "");
  const byUser = [vscode.TextEditorSelectionChangeKind.Keyboard, vscode.TextEditorSelectionChangeKind.Mouse];
  context.subscriptions.push(
    link,
    editor.mark,
    vscode.workspace.registerTextDocumentContentProvider("twinseat-before", editor.texts),
    vscode.workspace.registerTextDocumentContentProvider("twinseat-after", editor.texts),
    vscode.commands.registerCommand("twinseat.ask", () => {
      const selection = editor.selection();
      if (!selection) {
        vscode.window.showInformationMessage("Put the cursor into a file of this workspace first.");
      } else if (!link.say({ event: "ask", ...selection })) {
        vscode.window.showWarningMessage("The chat can't be reached right now. Try again when it is back.");
      }
    }),
    vscode.window.onDidChangeTextEditorSelection((change) => {
      if (byUser.includes(change.kind)) editor.lastTouch = Date.now();
    }),
    vscode.window.onDidChangeWindowState((state) => {
      if (state.focused) link.say({ event: "focus" });
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => link.say({ event: "trusted" })),
  );
  link.connect();
};
