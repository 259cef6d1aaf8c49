import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { fixture } from "./dev/fixture.ts";
import { preload } from "./dev/preload.ts";
import { precompress } from "./dev/precompress.ts";

export default defineConfig({
  plugins: [react(), tailwindcss(), fixture(), preload("/src/start.tsx"), precompress()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: "../app/server/static",
    emptyOutDir: true,
    target: "es2022",
    // The page's policy forbids inline scripts and data: scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: { host: "127.0.0.1" },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node" },
});
