/**
 * Serves the built page with the fixture behind it, under the same Content-Security-Policy as the real backend, for
 * the browser tests and for screenshots: `node ui/dev/serve.ts [folder]`. Prints its address and runs until it is ended.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { Backend } from "./backend.ts";

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, "../../app/server/static"));
const kinds: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src http: about:; base-uri 'none'; form-action 'none'";

const backend = new Backend();
const server = createServer((request, response) => {
  void (async () => {
    if (await backend.handle(request, response)) return;
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = path === "/" ? "/index.html" : path;
    try {
      const content = await readFile(join(folder, file + (file.endsWith(".svg") ? "" : ".br")));
      response.writeHead(200, {
        "Content-Type": kinds[extname(file)] ?? "application/octet-stream",
        "Content-Security-Policy": policy,
        ...(file.endsWith(".svg") ? {} : { "Content-Encoding": "br" }),
      });
      response.end(content);
    } catch {
      try {
        const content = await readFile(join(folder, file));
        response.writeHead(200, {
          "Content-Type": kinds[extname(file)] ?? "application/octet-stream",
          "Content-Security-Policy": policy,
        });
        response.end(content);
      } catch {
        response.writeHead(404).end();
      }
    }
  })();
});
backend.attach(server);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address && typeof address === "object") console.log(`http://127.0.0.1:${address.port}`);
});
