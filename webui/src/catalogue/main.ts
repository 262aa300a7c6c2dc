// SPDX-License-Identifier: Apache-2.0
import '../elements.ts';
import { drawCatalogue } from './page.ts';

drawCatalogue(document.body);
