// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

const router = process.env['AGENTTIER_API_URL'] ?? 'http://127.0.0.1:8080';

/** The dashboard, and all elements as one script for other pages: what `vite build` makes is served by the router. */
export default defineConfig({
  server: { proxy: { '/api': router, '/ws': { target: router, ws: true } } },
  build: {
    target: 'es2023',
    // A strict Content-Security-Policy knows no data: URLs for scripts, and assets are few.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', catalogue: 'catalogue.html', elements: 'src/elements.ts' },
      output: {
        // Pages of others name the script, so its name stays; what it loads changes its name with its content.
        entryFileNames: ({ name }) => (name === 'elements' ? 'elements.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
      },
    },
  },
});
