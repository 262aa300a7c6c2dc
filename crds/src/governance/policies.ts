// SPDX-License-Identifier: Apache-2.0
import type { PolicyCheck } from './check.ts';
import { checkAgentImages } from './checks/agentImages.ts';
import { checkBounded } from './checks/bounded.ts';
import { checkCpu } from './checks/cpu.ts';
import { checkDigest } from './checks/digest.ts';
import { checkIdentity } from './checks/identity.ts';
import { checkDomains } from './checks/domains.ts';
import { checkIdleTimeout } from './checks/idleTimeout.ts';
import { checkInternet } from './checks/internet.ts';
import { checkMemory } from './checks/memory.ts';
import { checkPorts } from './checks/ports.ts';
import { checkRegistries } from './checks/registries.ts';
import { checkRuntimeClass } from './checks/runtimeClass.ts';
import { checkSecurity } from './checks/security.ts';
import { checkSidecars } from './checks/sidecars.ts';
import { checkStorage } from './checks/storage.ts';
import { checkStorageClasses } from './checks/storageClasses.ts';
import { checkTemplates } from './checks/templates.ts';
import { checkTimeout } from './checks/timeout.ts';

/** Every limit that governance knows, in the order in which violations are listed. */
export const CHECKS: readonly PolicyCheck[] = [
  // The template is one that may be used here.
  checkTemplates,
  // The image comes from a registry that was approved.
  checkRegistries,
  checkAgentImages,
  checkDigest,
  // The pod cannot take more than its share of a node.
  checkCpu,
  checkMemory,
  checkBounded,
  checkSidecars,
  // The volume is small enough and of a class that may be used.
  checkStorage,
  checkStorageClasses,
  // The sandbox ends by itself in time.
  checkTimeout,
  checkIdleTimeout,
  // The pod is isolated as the policy demands.
  checkRuntimeClass,
  checkInternet,
  checkDomains,
  checkPorts,
  checkSecurity,
  // It is nobody at a cloud who it may not be.
  checkIdentity,
];
