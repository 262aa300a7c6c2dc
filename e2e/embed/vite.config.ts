// SPDX-License-Identifier: Apache-2.0
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

/** Three pages of somebody else that show elements: one build, as their owners would make it. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('agenttier-') } } }),
  ],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['plain/index.html', 'react/index.html', 'vue/index.html'] },
  },
});
