// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { EditingController } from '../../controllers/editing.ts';
import type { SpecKind } from './schemas.ts';
import './yaml-editor.ts';
import type { AgentTierYamlEditor } from './yaml-editor.ts';
import type { TextKey } from '../../text/text.ts';
import { refusal } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';

export interface EditingView {
  readonly label: TextKey;
  readonly kind: SpecKind;
  /** What to do when somebody else has stored something meanwhile. */
  readonly conflict: TextKey;
  readonly theme: string;
  readonly readonly?: boolean;
}

/** The text that is edited, with all that there is to say about it. */
export const editingView = <T>(say: Say, editing: EditingController<T>, view: EditingView) => html`
  ${editing.current === undefined ? nothing : html`<p class="note warn" role="alert">${say(view.conflict)}</p>`}
  ${editing.comparing ? html`<p class="muted">${say('editor.compareHint')}</p>` : nothing}
  ${refusal(editing.problem)}
  ${editing.warnings.map((warning) => html`<p class="note warn" role="status">${warning}</p>`)}
  ${editing.saved ? html`<p class="note" role="status">${say('template.saved')}</p>` : nothing}
  <agenttier-yaml-editor
    .value=${editing.text}
    .theirs=${editing.theirs}
    .problems=${editing.marks}
    kind=${view.kind}
    ?readonly=${view.readonly ?? false}
    label=${say(view.label)}
    theme=${view.theme}
    @agenttier-yaml-change=${(event: CustomEvent<{ text: string }>) => editing.type(event.detail.text)}
  ></agenttier-yaml-editor>
`;

/** What can be done with the text itself, beside saving it. */
export const editingTools = <T>(
  say: Say,
  editing: EditingController<T>,
  editor: () => AgentTierYamlEditor | undefined,
) => html`
  ${
    editing.base === undefined || editing.current !== undefined
      ? nothing
      : html`<button
          ?disabled=${!editing.changed && !editing.comparing}
          aria-pressed=${editing.comparing}
          @click=${() => editing.compare(!editing.comparing)}
        >
          ${say('editor.compare')}
        </button>`
  }
  <button @click=${() => void editor()?.format()}>${say('editor.format')}</button>
`;
