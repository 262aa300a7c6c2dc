// SPDX-License-Identifier: Apache-2.0
import './elements/app/app.ts';
