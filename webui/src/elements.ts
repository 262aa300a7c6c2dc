// SPDX-License-Identifier: Apache-2.0
/** Every element, for pages that embed them: one script. */
import './elements/activity-log/activity-log.ts';
import './elements/agent-panel/agent-panel.ts';
import './elements/api-keys/api-keys.ts';
import './elements/app/app.ts';
import './elements/backups/backups.ts';
import './elements/cluster-capacity/cluster-capacity.ts';
import './elements/cluster-glance/cluster-glance.ts';
import './elements/command-palette/command-palette.ts';
import './elements/cost-estimator/cost-estimator.ts';
import './elements/create-sandbox/create-sandbox.ts';
import './elements/login/login.ts';
import './elements/metrics/metrics.ts';
import './elements/notices/notices.ts';
import './elements/provider/provider.ts';
import './elements/sandbox-card/sandbox-card.ts';
import './elements/sandbox-list/sandbox-list.ts';
import './elements/sandbox-settings/sandbox-settings.ts';
import './elements/sharing/sharing.ts';
import './elements/status-badge/status-badge.ts';
import './elements/templates/templates.ts';
import './elements/terminal/terminal.ts';
import './elements/yaml-editor/yaml-editor.ts';
