import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The bundle is part of the Python package, so that installing it needs no Node. Paths are relative: it also works behind a prefix.
export default defineConfig({
  plugins: [react()],
  base: "./",
  build: {
    outDir: "../src/lineal/server/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rollupOptions: { output: { entryFileNames: "assets/app-[hash].js", assetFileNames: "assets/[name]-[hash][extname]" } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8237", "/open": "http://127.0.0.1:8237" } },
  test: { environment: "jsdom", include: ["tests/**/*.test.{ts,tsx}"] },
});
