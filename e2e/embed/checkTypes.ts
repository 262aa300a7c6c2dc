// SPDX-License-Identifier: Apache-2.0
/**
 * Types of the three pages, the template of the Vue one included: `node e2e/embed/checkTypes.ts`. vue-tsc needs a compiler of
 * TypeScript that is written in JavaScript, of which 6 is the last.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';

const require = createRequire(import.meta.url);
const vueTsc = require('vue-tsc') as { run(compiler: string): void };
process.argv.push('-p', join(import.meta.dirname, 'tsconfig.json'));
vueTsc.run(require.resolve('typescript/lib/tsc.js'));
