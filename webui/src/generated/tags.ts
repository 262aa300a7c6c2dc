// SPDX-License-Identifier: Apache-2.0
// Made by webui/generate.ts from the elements.
import type { AgentTierActivityLog } from '../elements/activity-log/activity-log.ts';
import type { AgentTierAgentPanel } from '../elements/agent-panel/agent-panel.ts';
import type { AgentTierApiKeys } from '../elements/api-keys/api-keys.ts';
import type { AgentTierApp } from '../elements/app/app.ts';
import type { AgentTierBackups } from '../elements/backups/backups.ts';
import type { AgentTierClusterCapacity } from '../elements/cluster-capacity/cluster-capacity.ts';
import type { AgentTierClusterGlance } from '../elements/cluster-glance/cluster-glance.ts';
import type { AgentTierCommandPalette } from '../elements/command-palette/command-palette.ts';
import type { AgentTierConnection } from '../elements/connection/connection.ts';
import type { AgentTierCostEstimator } from '../elements/cost-estimator/cost-estimator.ts';
import type { AgentTierCreateSandbox } from '../elements/create-sandbox/create-sandbox.ts';
import type { AgentTierFileBrowser } from '../elements/file-browser/file-browser.ts';
import type { AgentTierFileEditor } from '../elements/file-editor/file-editor.ts';
import type { AgentTierEffectivePolicy } from '../elements/governance-editor/effective-policy.ts';
import type { AgentTierGovernanceEditor } from '../elements/governance-editor/governance-editor.ts';
import type { AgentTierHeadroom } from '../elements/headroom/headroom.ts';
import type { AgentTierLogin } from '../elements/login/login.ts';
import type { AgentTierMetrics } from '../elements/metrics/metrics.ts';
import type { AgentTierNotices } from '../elements/notices/notices.ts';
import type { AgentTierPortForwards } from '../elements/port-forwards/port-forwards.ts';
import type { AgentTierProvider } from '../elements/provider/provider.ts';
import type { AgentTierSandboxCard } from '../elements/sandbox-card/sandbox-card.ts';
import type { AgentTierSandboxLimits } from '../elements/sandbox-limits/sandbox-limits.ts';
import type { AgentTierSandboxList } from '../elements/sandbox-list/sandbox-list.ts';
import type { AgentTierSandboxSettings } from '../elements/sandbox-settings/sandbox-settings.ts';
import type { AgentTierSandboxValues } from '../elements/sandbox-values/sandbox-values.ts';
import type { AgentTierSharing } from '../elements/sharing/sharing.ts';
import type { AgentTierStatusBadge } from '../elements/status-badge/status-badge.ts';
import type { AgentTierTemplates } from '../elements/templates/templates.ts';
import type { AgentTierTerminal } from '../elements/terminal/terminal.ts';
import type { AgentTierWarmPools } from '../elements/warm-pools/warm-pools.ts';
import type { AgentTierWebhooks } from '../elements/webhooks/webhooks.ts';
import type { AgentTierYamlEditor } from '../elements/yaml-editor/yaml-editor.ts';

export interface Tags {
  'agenttier-activity-log': {
    element: AgentTierActivityLog;
    properties: 'sandboxId' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-agent-panel': {
    element: AgentTierAgentPanel;
    properties: 'sandboxId' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-invoke-start' | 'agenttier-invoke-exit' | 'agenttier-error';
  };
  'agenttier-api-keys': {
    element: AgentTierApiKeys;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-api-keys-changed' | 'agenttier-error';
  };
  'agenttier-app': {
    element: AgentTierApp;
    properties: 'basePath' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'base-path': 'basePath'; 'api-base': 'apiBase'; };
    events: 'agenttier-navigate' | 'agenttier-error';
  };
  'agenttier-backups': {
    element: AgentTierBackups;
    properties: 'sandboxId' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-backup-created' | 'agenttier-backup-restored' | 'agenttier-error';
  };
  'agenttier-cluster-capacity': {
    element: AgentTierClusterCapacity;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-cluster-glance': {
    element: AgentTierClusterGlance;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-cluster-status' | 'agenttier-error';
  };
  'agenttier-command-palette': {
    element: AgentTierCommandPalette;
    properties: 'commands' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-command' | 'agenttier-sandbox-open' | 'agenttier-error';
  };
  'agenttier-connection': {
    element: AgentTierConnection;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-connection' | 'agenttier-error';
  };
  'agenttier-cost-estimator': {
    element: AgentTierCostEstimator;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-create-sandbox': {
    element: AgentTierCreateSandbox;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-sandbox-created' | 'agenttier-policy-violation' | 'agenttier-error';
  };
  'agenttier-file-browser': {
    element: AgentTierFileBrowser;
    properties: 'sandboxId' | 'path' | 'readonly' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-file-open' | 'agenttier-path-changed' | 'agenttier-uploaded' | 'agenttier-error';
  };
  'agenttier-file-editor': {
    element: AgentTierFileEditor;
    properties: 'sandboxId' | 'path' | 'readonly' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-file-saved' | 'agenttier-file-conflict' | 'agenttier-file-close' | 'agenttier-error';
  };
  'agenttier-effective-policy': {
    element: AgentTierEffectivePolicy;
    properties: 'view' | 'delegated' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-governance-editor': {
    element: AgentTierGovernanceEditor;
    properties: 'readonly' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-policy-saved' | 'agenttier-policy-deleted' | 'agenttier-error';
  };
  'agenttier-headroom': {
    element: AgentTierHeadroom;
    properties: 'readonly' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-headroom-changed' | 'agenttier-error';
  };
  'agenttier-login': {
    element: AgentTierLogin;
    properties: 'config' | 'error' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-sign-in' | 'agenttier-api-key' | 'agenttier-error';
  };
  'agenttier-metrics': {
    element: AgentTierMetrics;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-notices': {
    element: AgentTierNotices;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-port-forwards': {
    element: AgentTierPortForwards;
    properties: 'sandboxId' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-port-changed' | 'agenttier-error';
  };
  'agenttier-provider': {
    element: AgentTierProvider;
    properties: 'apiBase' | 'getToken' | 'getCredential';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-auth-required';
  };
  'agenttier-sandbox-card': {
    element: AgentTierSandboxCard;
    properties: 'sandbox' | 'shared' | 'alone' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-sandbox-action' | 'agenttier-sandbox-changed' | 'agenttier-sandbox-open' | 'agenttier-error';
  };
  'agenttier-sandbox-limits': {
    element: AgentTierSandboxLimits;
    properties: 'sandbox' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-sandbox-changed' | 'agenttier-error';
  };
  'agenttier-sandbox-list': {
    element: AgentTierSandboxList;
    properties: 'filter' | 'status' | 'view' | 'sort' | 'order' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-sandbox-open' | 'agenttier-bulk-result' | 'agenttier-error';
  };
  'agenttier-sandbox-settings': {
    element: AgentTierSandboxSettings;
    properties: 'sandboxId' | 'section' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-section' | 'agenttier-sandbox-open' | 'agenttier-error';
  };
  'agenttier-sandbox-values': {
    element: AgentTierSandboxValues;
    properties: 'sandboxId' | 'only' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-sharing': {
    element: AgentTierSharing;
    properties: 'sandboxId' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'api-base': 'apiBase'; };
    events: 'agenttier-share-changed' | 'agenttier-error';
  };
  'agenttier-status-badge': {
    element: AgentTierStatusBadge;
    properties: 'phase' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-error';
  };
  'agenttier-templates': {
    element: AgentTierTemplates;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-template-select' | 'agenttier-template-saved' | 'agenttier-error';
  };
  'agenttier-terminal': {
    element: AgentTierTerminal;
    properties: 'sandboxId' | 'session' | 'readonly' | 'fontSize' | 'scrollback' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'sandbox-id': 'sandboxId'; 'font-size': 'fontSize'; 'api-base': 'apiBase'; };
    events: 'agenttier-terminal-state' | 'agenttier-terminal-exit' | 'agenttier-terminal-title' | 'agenttier-terminal-presence' | 'agenttier-error';
  };
  'agenttier-warm-pools': {
    element: AgentTierWarmPools;
    properties: 'readonly' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-warm-pools-changed' | 'agenttier-error';
  };
  'agenttier-webhooks': {
    element: AgentTierWebhooks;
    properties: 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-webhooks-changed' | 'agenttier-error';
  };
  'agenttier-yaml-editor': {
    element: AgentTierYamlEditor;
    properties: 'value' | 'theirs' | 'problems' | 'kind' | 'label' | 'readonly' | 'apiBase' | 'namespace' | 'theme' | 'getToken' | 'server';
    attributes: { 'api-base': 'apiBase'; };
    events: 'agenttier-yaml-change' | 'agenttier-error';
  };
}
