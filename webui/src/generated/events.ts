// SPDX-License-Identifier: Apache-2.0
// Made by webui/generate.ts from the elements.

declare global {
  interface HTMLElementEventMap {
    'agenttier-api-key': CustomEvent;
    'agenttier-api-keys-changed': CustomEvent;
    'agenttier-auth-required': CustomEvent;
    'agenttier-backup-created': CustomEvent;
    'agenttier-backup-restored': CustomEvent;
    'agenttier-bulk-result': CustomEvent;
    'agenttier-cluster-status': CustomEvent;
    'agenttier-command': CustomEvent;
    'agenttier-connection': CustomEvent;
    'agenttier-error': CustomEvent;
    'agenttier-file-close': CustomEvent;
    'agenttier-file-conflict': CustomEvent;
    'agenttier-file-open': CustomEvent;
    'agenttier-file-saved': CustomEvent;
    'agenttier-headroom-changed': CustomEvent;
    'agenttier-invoke-exit': CustomEvent;
    'agenttier-invoke-start': CustomEvent;
    'agenttier-navigate': CustomEvent;
    'agenttier-path-changed': CustomEvent;
    'agenttier-policy-deleted': CustomEvent;
    'agenttier-policy-saved': CustomEvent;
    'agenttier-policy-violation': CustomEvent;
    'agenttier-port-changed': CustomEvent;
    'agenttier-sandbox-action': CustomEvent;
    'agenttier-sandbox-changed': CustomEvent;
    'agenttier-sandbox-created': CustomEvent;
    'agenttier-sandbox-open': CustomEvent;
    'agenttier-section': CustomEvent;
    'agenttier-share-changed': CustomEvent;
    'agenttier-sign-in': CustomEvent;
    'agenttier-template-saved': CustomEvent;
    'agenttier-template-select': CustomEvent;
    'agenttier-terminal-exit': CustomEvent;
    'agenttier-terminal-presence': CustomEvent;
    'agenttier-terminal-state': CustomEvent;
    'agenttier-terminal-title': CustomEvent;
    'agenttier-uploaded': CustomEvent;
    'agenttier-warm-pools-changed': CustomEvent;
    'agenttier-webhooks-changed': CustomEvent;
    'agenttier-yaml-change': CustomEvent;
  }
}

export {};
