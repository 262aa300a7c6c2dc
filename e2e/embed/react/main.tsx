// SPDX-License-Identifier: Apache-2.0
import { createRoot } from 'react-dom/client';
import { Page } from './Page.tsx';

const place = document.getElementById('page');
if (place === null) throw new Error('the page has no place for React');
createRoot(place).render(<Page />);
