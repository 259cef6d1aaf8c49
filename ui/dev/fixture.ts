import type { Server } from "node:http";
import type { Plugin } from "vite";
import { Backend } from "./backend.ts";

/** `npm run dev` without a backend: the fixture answers in its place. Sign in with any code. */
export function fixture(): Plugin {
  return {
    name: "fixture",
    apply: "serve",
    configureServer(server) {
      if (!server.httpServer || process.env.VITEST) return;
      const backend = new Backend();
      backend.attach(server.httpServer as Server);
      server.middlewares.use((request, response, next) => {
        void backend.handle(request, response).then((handled) => {
          if (!handled) next();
        });
      });
    },
  };
}
