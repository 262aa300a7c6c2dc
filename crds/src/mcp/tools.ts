// SPDX-License-Identifier: Apache-2.0
import type { Tool } from './tool.ts';
import { ACCOUNT_TOOLS } from './tools/account.ts';
import { ADMINISTRATION_TOOLS, WEBHOOK_TOOLS } from './tools/administration.ts';
import { AGENT_TOOLS } from './tools/agent.ts';
import { BACKUP_TOOLS } from './tools/backups.ts';
import { FILE_TOOLS } from './tools/files.ts';
import { GOVERNANCE_TOOLS } from './tools/governance.ts';
import { PORT_TOOLS } from './tools/ports.ts';
import { SANDBOX_TOOLS, UPDATE_TOOLS } from './tools/sandboxes.ts';
import { SHARING_TOOLS } from './tools/sharing.ts';

/** Every tool of the MCP server, over HTTP and over stdio alike. Each is one call of the REST contract. */
export const TOOLS: readonly Tool[] = [
  ...SANDBOX_TOOLS,
  ...FILE_TOOLS,
  ...AGENT_TOOLS,
  ...PORT_TOOLS,
  ...UPDATE_TOOLS,
  ...BACKUP_TOOLS,
  ...SHARING_TOOLS,
  ...ACCOUNT_TOOLS,
  ...GOVERNANCE_TOOLS,
  ...ADMINISTRATION_TOOLS,
  ...WEBHOOK_TOOLS,
];

/** What a client is told about the server as a whole. */
export const INSTRUCTIONS =
  'AgentTier runs isolated, governed sandboxes on Kubernetes. Create one with sandbox_create, wait until sandbox_status says Running, work in it with sandbox_run_command, file_read and file_write, and sandbox_stop or sandbox_terminate it when done.';
