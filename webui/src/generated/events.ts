// SPDX-License-Identifier: Apache-2.0
// Made by webui/generate.ts from the elements.
import type { EventDetails } from '../details.ts';

declare global {
  interface HTMLElementEventMap {
    'agenttier-api-key': CustomEvent<EventDetails['agenttier-api-key']>;
    'agenttier-api-keys-changed': CustomEvent<EventDetails['agenttier-api-keys-changed']>;
    'agenttier-auth-required': CustomEvent<EventDetails['agenttier-auth-required']>;
    'agenttier-backup-created': CustomEvent<EventDetails['agenttier-backup-created']>;
    'agenttier-backup-restored': CustomEvent<EventDetails['agenttier-backup-restored']>;
    'agenttier-bulk-result': CustomEvent<EventDetails['agenttier-bulk-result']>;
    'agenttier-cluster-status': CustomEvent<EventDetails['agenttier-cluster-status']>;
    'agenttier-command': CustomEvent<EventDetails['agenttier-command']>;
    'agenttier-connection': CustomEvent<EventDetails['agenttier-connection']>;
    'agenttier-error': CustomEvent<EventDetails['agenttier-error']>;
    'agenttier-file-close': CustomEvent<EventDetails['agenttier-file-close']>;
    'agenttier-file-conflict': CustomEvent<EventDetails['agenttier-file-conflict']>;
    'agenttier-file-open': CustomEvent<EventDetails['agenttier-file-open']>;
    'agenttier-file-saved': CustomEvent<EventDetails['agenttier-file-saved']>;
    'agenttier-headroom-changed': CustomEvent<EventDetails['agenttier-headroom-changed']>;
    'agenttier-invoke-exit': CustomEvent<EventDetails['agenttier-invoke-exit']>;
    'agenttier-invoke-start': CustomEvent<EventDetails['agenttier-invoke-start']>;
    'agenttier-navigate': CustomEvent<EventDetails['agenttier-navigate']>;
    'agenttier-path-changed': CustomEvent<EventDetails['agenttier-path-changed']>;
    'agenttier-policy-deleted': CustomEvent<EventDetails['agenttier-policy-deleted']>;
    'agenttier-policy-saved': CustomEvent<EventDetails['agenttier-policy-saved']>;
    'agenttier-policy-violation': CustomEvent<EventDetails['agenttier-policy-violation']>;
    'agenttier-port-changed': CustomEvent<EventDetails['agenttier-port-changed']>;
    'agenttier-sandbox-action': CustomEvent<EventDetails['agenttier-sandbox-action']>;
    'agenttier-sandbox-changed': CustomEvent<EventDetails['agenttier-sandbox-changed']>;
    'agenttier-sandbox-created': CustomEvent<EventDetails['agenttier-sandbox-created']>;
    'agenttier-sandbox-open': CustomEvent<EventDetails['agenttier-sandbox-open']>;
    'agenttier-section': CustomEvent<EventDetails['agenttier-section']>;
    'agenttier-share-changed': CustomEvent<EventDetails['agenttier-share-changed']>;
    'agenttier-sign-in': CustomEvent<EventDetails['agenttier-sign-in']>;
    'agenttier-template-saved': CustomEvent<EventDetails['agenttier-template-saved']>;
    'agenttier-template-select': CustomEvent<EventDetails['agenttier-template-select']>;
    'agenttier-terminal-exit': CustomEvent<EventDetails['agenttier-terminal-exit']>;
    'agenttier-terminal-presence': CustomEvent<EventDetails['agenttier-terminal-presence']>;
    'agenttier-terminal-state': CustomEvent<EventDetails['agenttier-terminal-state']>;
    'agenttier-terminal-title': CustomEvent<EventDetails['agenttier-terminal-title']>;
    'agenttier-uploaded': CustomEvent<EventDetails['agenttier-uploaded']>;
    'agenttier-warm-pools-changed': CustomEvent<EventDetails['agenttier-warm-pools-changed']>;
    'agenttier-webhooks-changed': CustomEvent<EventDetails['agenttier-webhooks-changed']>;
    'agenttier-yaml-change': CustomEvent<EventDetails['agenttier-yaml-change']>;
  }
}

export {};
