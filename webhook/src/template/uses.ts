// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { templatesOfSandbox } from '@agenttier/crds/template/users';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { Store } from '@agenttier/machinery/reflector/store';

/** All that is kept of a Sandbox to know which templates are in use: there may be ten thousand of them. */
export interface TemplateUse extends KubeObject {
  readonly templates: readonly string[];
}

const BY_TEMPLATE = 'template';

/** Which sandboxes were made from which template. */
export class TemplateUses {
  readonly store: Store<KubeObject> = new Store<KubeObject>({
    [BY_TEMPLATE]: (object) => [...(object as TemplateUse).templates],
  });
  /** False while not all sandboxes have been read; set by who feeds the store. */
  synced: () => boolean = () => false;
  /** Sandboxes by the thousand name the same few templates: one text for all of them. */
  readonly #texts = new Map<string, string>();

  /** For the reflector of Sandboxes. One that is on its way out needs no template any more. */
  readonly slim = (object: KubeObject): TemplateUse => {
    const { name, namespace, uid, resourceVersion, deletionTimestamp } = object.metadata;
    const leaves = deletionTimestamp !== undefined;
    const templates = leaves ? [] : templatesOfSandbox(object as Sandbox).map((key) => this.#text(key));
    const identity = {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    return { metadata: identity, templates };
  };

  /** `namespace/name` of the sandboxes of a template, by its key. */
  of(template: string): string[] {
    return this.store
      .byIndex(BY_TEMPLATE, template)
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
  }

  #text(key: string): string {
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    this.#texts.set(key, key);
    return key;
  }
}
