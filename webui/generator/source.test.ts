// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { renderManifest, renderTable } from './render.ts';
import { readElement, readFields, toldIn } from './source.ts';

const SOURCE = `
/** Not of the element. */
const other = 1;

/**
 * Shows a thing,
 * in two lines.
 *
 * @fires agenttier-thing - \`detail.thing\` was chosen,
 *   by a person
 * @slot - the default one
 * @slot extra - beside it
 * @csspart frame - around
 */
@customElement('agenttier-thing')
export class AgentTierThing extends AgentTierElement {
  /** Which one. */
  @property({ attribute: 'thing-id' }) thingId = '';
  @property({ type: Boolean, reflect: true }) isOpen = false;
  @property() kind: 'a' | 'b' = 'a';
  @property({ attribute: false }) data: readonly Thing[] = [];
  @state() private hidden = '';

  /** What is shown. */
  get text(): string {
    return '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
  }

  /** Goes there. */
  async go(path: string, options?: Options, isFolder = false): Promise<void> {
    if (isFolder) {
      this.tell('agenttier-thing', { path });
    }
    this.tell(
      'agenttier-secret',
    );
  }

  protected override render() {
    return html\`\`;
  }

  #inner(): void {
  }
}
`;

describe('what is read of an element', () => {
  const element = readElement('thing/thing.ts', SOURCE);

  it('is its doc comment, its properties and its methods, and nothing that is its own affair', () => {
    expect(element).toEqual({
      tag: 'agenttier-thing',
      className: 'AgentTierThing',
      path: 'thing/thing.ts',
      description: 'Shows a thing, in two lines.',
      isOurs: true,
      events: [{ name: 'agenttier-thing', description: '`detail.thing` was chosen, by a person' }],
      slots: [
        { name: '', description: 'the default one' },
        { name: 'extra', description: 'beside it' },
      ],
      parts: [{ name: 'frame', description: 'around' }],
      cssProperties: [],
      fields: [
        { name: 'thingId', attribute: 'thing-id', description: 'Which one.' },
        { name: 'isOpen', attribute: 'isopen', description: '' },
        { name: 'kind', attribute: 'kind', type: "'a' | 'b'", description: '' },
        { name: 'data', type: 'readonly Thing[]', description: '' },
        { name: 'text', type: 'string', description: 'What is shown.', readonly: true },
      ],
      methods: [
        {
          name: 'go',
          parameters: 'path: string, options?: Options, isFolder = false',
          description: 'Goes there.',
        },
      ],
    });
  });

  it('finds every event that is told, documented or not', () => {
    expect(toldIn(SOURCE)).toEqual(['agenttier-thing', 'agenttier-secret']);
  });

  it('is nothing where no element is defined', () => {
    expect(readElement('draft.ts', 'export class Draft {}')).toBeUndefined();
  });

  it('is rendered with what all share, and marks what may be left out', () => {
    if (element === undefined) throw new Error('no element');
    const shared = readFields("  @property({ attribute: 'api-base' }) apiBase = '';\n");
    const { modules } = JSON.parse(renderManifest([element], shared));
    const [{ attributes, members }] = modules[0].declarations;
    expect(attributes.map(({ name }: { name: string }) => name)).toEqual([
      'thing-id',
      'isopen',
      'kind',
      'api-base',
    ]);
    expect(members).toContainEqual({ kind: 'method', name: 'go', description: 'Goes there.' });
    const table = renderTable([element]);
    expect(table).toContain('`go(path, options?, isFolder?)`');
    expect(table).toContain('`default slot` the default one; `extra` beside it; `frame` around');
  });
});
