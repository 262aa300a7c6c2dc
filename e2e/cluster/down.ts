// SPDX-License-Identifier: Apache-2.0
import { elevate, widenPath } from './host/account.ts';
import { teardown } from './node/teardown.ts';

process.env['PATH'] = widenPath(process.env['PATH'] ?? '');
elevate(process.env);
await teardown();
