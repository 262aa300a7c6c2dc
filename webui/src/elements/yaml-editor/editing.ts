// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { EditingController } from '../../controllers/editing.ts';
import './yaml-editor.ts';
import type { TextKey } from '../../text/text.ts';
import { refusal } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';

export interface EditingView {
  readonly label: TextKey;
  /** What to do when somebody else has stored something meanwhile. */
  readonly conflict: TextKey;
  readonly theme: string;
  readonly readonly?: boolean;
}

/** The text that is edited, with all that there is to say about it. */
export const editingView = <T>(say: Say, editing: EditingController<T>, view: EditingView) => html`
  ${editing.current === undefined ? nothing : html`<p class="note warn" role="alert">${say(view.conflict)}</p>`}
  ${refusal(editing.problem)}
  ${editing.warnings.map((warning) => html`<p class="note warn" role="status">${warning}</p>`)}
  ${editing.saved ? html`<p class="note" role="status">${say('template.saved')}</p>` : nothing}
  <agenttier-yaml-editor
    .value=${editing.text}
    .theirs=${editing.theirs}
    .problems=${editing.marks}
    ?readonly=${view.readonly ?? false}
    label=${say(view.label)}
    theme=${view.theme}
    @agenttier-yaml-change=${(event: CustomEvent<{ text: string }>) => editing.type(event.detail.text)}
  ></agenttier-yaml-editor>
`;
