// SPDX-License-Identifier: Apache-2.0

/** What a reason means to the person whose sandbox it is. */
export interface ReasonText {
  /** Completes "Sandbox x is Creating: ..."; no full stop. */
  readonly is: string;
  /** What happens next by itself, or what can be done. Whole sentences. */
  readonly next?: string;
  /** The message of the status only repeats `is`. */
  readonly plain?: true;
}

const RETRIED = 'The operator tries again by itself.';
const LOST_NEXT = 'It is started again by itself, with the same files.';
const APPLY = 'Apply the Sandbox again through admission.';
const STOPPED_NEXT = 'Its files are kept; resume it to use it again.';

/** Every reason that the operator writes, and those of Kubernetes that it hands on. */
export const REASONS: Readonly<Record<string, ReasonText>> = {
  // In use, or on the way there.
  Ready: { is: 'it can be used', plain: true },
  Pending: {
    is: "AgentTier's operator has not looked at it yet",
    next: 'That takes a moment; if it lasts, the operator is not running.',
    plain: true,
  },
  Starting: { is: 'its pod is being started', next: 'Nothing is wrong so far.' },
  Resuming: { is: 'it is being resumed', next: 'Nothing is wrong so far.', plain: true },
  WaitingForPod: {
    is: 'its previous pod is still ending, and two pods must not write to one volume',
    next: 'It starts as soon as that pod is gone.',
    plain: true,
  },
  Stopping: { is: 'its pod is being ended', next: 'Its files are kept.' },
  Deleting: {
    is: 'it is being removed: first its pod, then its volume with all files',
    plain: true,
  },
  Unschedulable: {
    is: 'no node has room for its pod',
    next: 'It starts by itself once a node can take it; asking for less in spec.resources.requests helps too.',
  },
  SchedulerError: { is: 'the scheduler of the cluster failed to place its pod', next: RETRIED },
  SchedulingGated: { is: 'something else in the cluster holds its pod back from being scheduled' },
  RuntimeUnhealthy: {
    is: 'the runtime in its pod does not answer',
    next: 'A program that takes all of its CPU or memory can cause that.',
    plain: true,
  },
  TemplateChanged: {
    is: 'its template has changed since it was made',
    next: 'The change takes effect when it is resumed.',
  },

  // Images.
  ErrImagePull: {
    is: 'its image could not be fetched',
    next: 'The node tries again; check the name in spec.image and whether it needs spec.image.pullSecret.',
  },
  ImagePullBackOff: {
    is: 'its image could not be fetched, and the node waits before it tries again',
    next: 'Check the name in spec.image and whether it needs spec.image.pullSecret.',
  },
  PullSecretMissing: {
    is: 'the Secret to fetch its image with does not exist',
    next: 'Create that Secret in the namespace of the sandbox, or correct spec.image.pullSecret.',
  },
  InvalidImageName: { is: 'its image has a name that no registry could have', next: 'Correct spec.image.' },
  ErrImageNeverPull: {
    is: 'its image is not on the node and spec.image.pullPolicy forbids to fetch it',
    next: 'Change spec.image.pullPolicy.',
  },

  // The kubelet could not make the containers.
  CreateContainerConfigError: {
    is: 'its container refers to something that does not exist, such as a Secret',
    next: 'It is waited for during two minutes.',
  },
  CreateContainerError: {
    is: 'the node could not create its container',
    next: 'The node tries again for two minutes.',
  },
  RunContainerError: {
    is: 'the node could not run its container',
    next: 'The node tries again for two minutes.',
  },
  CreatePodSandboxError: {
    is: 'the node could not set up its pod',
    next: 'The node tries again for two minutes; the runtime class or the network of the node may be the cause.',
  },
  InitFailed: {
    is: 'its container could not be started, or a script or file that prepares it failed',
    next: 'Correct what is named here, then resume it; kubectl logs shows what a script said (container agenttier-init-scripts).',
  },

  // Writes of the operator that the API server refused.
  Rejected: { is: 'the cluster refuses an object that it needs as invalid', next: 'Correct the spec.' },
  Forbidden: {
    is: 'the cluster refuses an object that it needs: a quota, a Pod Security level or another admission rule',
    next: RETRIED,
  },
  Conflict: {
    is: 'an object of the name that it needs belongs to somebody else',
    next: 'Remove or rename that object.',
  },
  WaitingForRemoval: { is: 'an earlier object of the same name is still being removed', next: RETRIED },
  ApiUnavailable: { is: 'the API server of the cluster does not take writes at the moment', next: RETRIED },
  Refused: { is: 'the cluster refuses an object that it needs', next: RETRIED },

  // The volume.
  Provisioning: {
    is: 'its volume is not there yet',
    next: 'Check the storage class if that lasts.',
  },
  Lost: { is: 'its volume is gone' },
  VolumeLost: {
    is: 'its volume and the files on it were removed by somebody else',
    next: 'Resuming it starts it with an empty volume.',
  },
  VolumeConflict: {
    is: 'a volume of its name belongs to something else',
    next: 'Remove or rename that volume claim.',
  },
  ClassMissing: {
    is: 'the storage class of its volume does not exist',
    next: 'Once there is one, the volume is made by itself.',
  },
  SnapshotNotReady: {
    is: 'the snapshot that its volume is made from is not ready',
    next: 'Once it is, the sandbox starts by itself.',
  },
  SnapshotMissing: { is: 'the snapshot that its volume is to be made from is gone' },
  SnapshotFailed: { is: 'a snapshot of its volume could not be made', next: RETRIED },
  SnapshotsUnavailable: {
    is: 'the cluster cannot take snapshots of volumes',
    next: 'An administrator has to install the CSI snapshot controller.',
  },
  SourceMissing: { is: 'the sandbox that it is to be a copy of is gone' },
  ExpandPending: { is: 'its volume is being made larger', next: 'It can be used meanwhile.' },
  ExpandRefused: { is: 'its volume cannot be made larger' },

  // The network.
  ServiceUnresolved: {
    is: 'a Service in its network rules cannot be opened',
    next: 'Make the Service, or have its owner share it, as the message says.',
  },
  GatewayMissing: {
    is: 'the domains that it lists are reached through a gateway that is not installed',
    next: 'Have an administrator install the gateway, or take network.allowedDomains out.',
  },
  DomainsNotEnforced: {
    is: 'nothing is there that could hold it to the domains that it lists',
    next: 'Have an administrator look at egress.enforcement of the chart, or take network.allowedDomains out.',
  },
  Applying: { is: 'its network rules are being put in place', next: 'Nothing is wrong so far.' },

  // The spec.
  TemplateNotFound: { is: 'its template does not exist', next: 'Create the template or name another one.' },
  CycleDetected: { is: 'its templates inherit from each other in a circle', next: 'Correct the templates.' },
  DepthExceeded: { is: 'its chain of templates is too long', next: 'Shorten the chain.' },
  Forged: { is: 'its spec.resolved was not written by admission', next: APPLY },
  ResolvedForged: { is: 'its spec.resolved was not written by admission', next: APPLY },
  Unresolved: { is: 'admission has not worked out its spec', next: APPLY },
  InvalidSpec: { is: 'its spec cannot be carried out', next: 'Correct the spec; it is then tried again.' },

  // A change of CPU and memory while it is up.
  Resizing: { is: 'its CPU and memory are being changed', next: 'Nothing is wrong so far.' },
  Deferred: {
    is: 'its node has no room for the new CPU and memory now',
    next: 'It gets them when there is, or at the next start.',
  },
  Infeasible: {
    is: 'its node can never give it the new CPU and memory',
    next: 'Stop and resume it to move it.',
  },
  NextStart: { is: 'its new CPU and memory take effect at the next start', next: 'Stop and resume it.' },

  // Losses.
  RestartBackoff: { is: 'its pod was lost and a new one is made after a pause', next: LOST_NEXT },
  PodGone: { is: 'its pod was removed by somebody else', next: LOST_NEXT },
  PodDeleted: { is: 'its pod is being deleted by somebody else', next: LOST_NEXT },
  PodFailed: { is: 'its pod failed without saying why', next: LOST_NEXT },
  OOMKilled: { is: 'it used more memory than its limit', next: 'Raise spec.resources.limits.memory.' },
  Evicted: { is: 'the node ran short of something and evicted its pod', next: LOST_NEXT },
  NodeLost: { is: 'its node was lost', next: LOST_NEXT },
  ContainerStatusUnknown: { is: 'the node lost track of its container', next: LOST_NEXT },
  UnexpectedAdmissionError: { is: 'the node refused its pod', next: LOST_NEXT },
  DisruptionTarget: { is: 'its pod was moved away from its node on purpose', next: LOST_NEXT },
  PreemptionByScheduler: { is: 'its pod made room for a more important one', next: LOST_NEXT },
  EvictionByEvictionAPI: { is: 'its node is being emptied for maintenance', next: LOST_NEXT },
  DeletionByTaintManager: { is: 'its node turned unfit and its pod was removed', next: LOST_NEXT },
  DeletionByPodGC: { is: 'its node is gone', next: LOST_NEXT },
  TerminationByKubelet: { is: 'its node is shutting down', next: LOST_NEXT },

  // Given up.
  PodConflict: {
    is: 'a pod of its name belongs to something else',
    next: 'Remove or rename that pod, then resume it.',
  },
  StartDeadlineExceeded: {
    is: 'it did not get ready in time and was given up',
    next: 'Once the cause is gone, resume it.',
  },
  RestartLimitExceeded: {
    is: 'its pod was lost too often and it was given up',
    next: 'Once the cause is gone, resume it; its files are kept.',
  },
  ApplicationError: {
    is: 'its main program ended with an error',
    next: 'Its files are kept; resume it to start the program again.',
  },
  WarmPoolMiss: { is: 'no prepared pod was free', next: 'Allow a cold start, or enlarge the pool.' },

  // Tools of the harness.
  Verifying: { is: 'its tools are being verified', next: 'Wait a moment.' },
  ToolsMissing: {
    is: 'a tool that its harness wants is missing or has another version',
    next: 'Correct harness.tools or the image, then stop and resume it.',
  },

  // Stopped.
  UserRequested: { is: 'somebody asked for that', next: STOPPED_NEXT, plain: true },
  IdleTimeout: { is: 'it was not used for its idle timeout', next: STOPPED_NEXT, plain: true },
  MaxRuntime: { is: 'it ran for its whole timeout', next: STOPPED_NEXT, plain: true },
  Completed: { is: 'its main program came to its end', next: STOPPED_NEXT, plain: true },
};

/** Reasons of conditions that are in order: they need no words. */
export const QUIET_REASONS: ReadonlySet<string> = new Set([
  'Ready',
  'Merged',
  'Bound',
  'InUse',
  'Applied',
  'Compliant',
  'Verified',
]);
