// SPDX-License-Identifier: Apache-2.0
import { createApp } from 'vue';
import Page from './Page.vue';

createApp(Page).mount('#page');
