// SPDX-License-Identifier: Apache-2.0
import type { Operation } from '../api/contract.ts';

/** What is kept of an operation. */
export interface Act {
  readonly type: string;
  /** Kind of what it is done to; absent = the sandbox of the path. */
  readonly resource?: string;
  readonly note: string;
  /** Admission does not see it: it goes into the log, too. */
  readonly unseen?: true;
}

const ofTemplates = (type: string, note: string): Act => ({ type, note, resource: 'ClusterSandboxTemplate' });
const ofCluster = (type: string, note: string): Act => ({ type, note, resource: 'ClusterGovernancePolicy' });
const ofNamespace = (type: string, note: string): Act => ({ type, note, resource: 'GovernancePolicy' });
const ofPools = (type: string, note: string): Act => ({ type, note, resource: 'WarmPool' });
const ofFiles = (type: string, note: string): Act => ({ type, note, unseen: true });

/** How a batch is kept: each member by itself. */
export const BATCH_ACTS = {
  created: { type: 'SandboxCreated', note: 'The sandbox was created' },
  stop: { type: 'SandboxStopped', note: 'The sandbox was told to stop' },
  resume: { type: 'SandboxResumed', note: 'The sandbox was told to start again' },
  delete: { type: 'SandboxDeleted', note: 'The sandbox was deleted' },
} as const satisfies Readonly<Record<string, Act>>;

/**
 * Operations of which the whole is an act. Most are writes of objects, which admission logs with whoever made them; what
 * needs more words, or an Event, is audited where it is done.
 */
export const ACTS: Partial<Record<Operation, Act>> = {
  createSandbox: BATCH_ACTS.created,
  stopSandbox: BATCH_ACTS.stop,
  resumeSandbox: BATCH_ACTS.resume,
  deleteSandbox: BATCH_ACTS.delete,
  updateSandbox: { type: 'SandboxChanged', note: 'The sandbox was changed' },
  listFiles: ofFiles('FilesListed', 'A folder was listed'),
  readFile: ofFiles('FileRead', 'A file was read'),
  writeFile: ofFiles('FileWritten', 'A file was written'),
  continueFile: ofFiles('FileWritten', 'A part of a file was written'),
  changeFiles: ofFiles('FilesChanged', 'Files were made, moved or changed'),
  deleteFile: ofFiles('FileDeleted', 'A file was deleted'),
  downloadArchive: ofFiles('ArchiveRead', 'Files were read as an archive'),
  uploadArchive: ofFiles('ArchiveWritten', 'Files were written from an archive'),
  createTemplate: ofTemplates('TemplateCreated', 'A template was created'),
  replaceTemplate: ofTemplates('TemplateChanged', 'A template was changed'),
  deleteTemplate: ofTemplates('TemplateDeleted', 'A template was deleted'),
  replaceClusterPolicy: ofCluster('PolicyChanged', 'The policy of the cluster was changed'),
  deleteClusterPolicy: ofCluster('PolicyDeleted', 'The policy of the cluster was deleted'),
  replacePolicy: ofNamespace('PolicyChanged', "A namespace's policy was changed"),
  deletePolicy: ofNamespace('PolicyDeleted', "A namespace's policy was deleted"),
  configureWarmPools: ofPools('WarmPoolsChanged', 'The warm pools were set'),
  createWarmPool: ofPools('WarmPoolsChanged', 'A warm pool was created'),
  replaceWarmPool: ofPools('WarmPoolsChanged', 'A warm pool was changed'),
  deleteWarmPool: ofPools('WarmPoolsChanged', 'A warm pool was deleted'),
  setHeadroom: { type: 'HeadroomChanged', resource: 'Deployment', note: 'The headroom was changed' },
};
