// SPDX-License-Identifier: Apache-2.0

/** Something that an element documents with a tag: an event, a slot, a part, a custom property. */
export interface Tagged {
  readonly name: string;
  readonly description: string;
}

export interface Field {
  readonly name: string;
  /** Absent where only scripts can set it. */
  readonly attribute?: string;
  readonly type?: string;
  readonly description: string;
  /** Nobody can set it. */
  readonly readonly?: true;
}

export interface Method {
  readonly name: string;
  readonly parameters: string;
  readonly description: string;
}

export interface ElementSource {
  readonly tag: string;
  readonly className: string;
  /** Below `src/elements`. */
  readonly path: string;
  readonly description: string;
  /** Takes what all elements share. */
  readonly isOurs: boolean;
  readonly events: readonly Tagged[];
  readonly slots: readonly Tagged[];
  readonly parts: readonly Tagged[];
  readonly cssProperties: readonly Tagged[];
  readonly fields: readonly Field[];
  readonly methods: readonly Method[];
}

const DOC = String.raw`(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?`;
const ELEMENT = new RegExp(
  `${DOC}@customElement\\('([^']+)'\\)\\s*export (?:abstract )?class (\\w+) extends (\\w+)`,
);
// Members stand two blanks in, as the formatter puts them: what is deeper is inside of one.
const FIELD = new RegExp(
  String.raw`^  ${DOC}@property\((\{[^}]*\})?\)\s*(?:override )?(\w+)\??(?:: ((?:=>|[^=;])+?))?(?: =(?!>)\s*[^;]+)?;`,
  'gm',
);
const GETTER = new RegExp(String.raw`^  ${DOC}get (\w+)\(\)(?:: ([^\n]+?))? \{$`, 'gm');
const METHOD = new RegExp(
  String.raw`^  ${DOC}(?:override )?(?:async )?(\w+)\(([^)]*)\)(?:: [^\n]+)? \{$`,
  'gm',
);

/** What the browser and Lit call, not pages. */
const LIFECYCLE = new Set(['constructor', 'connectedCallback', 'disconnectedCallback', 'if', 'for', 'while']);

/** What a file of an element says of it; undefined when it defines none. */
export function readElement(path: string, text: string): ElementSource | undefined {
  const found = ELEMENT.exec(text);
  if (found === null) return undefined;
  const [, doc = '', tag = '', className = '', base] = found;
  const { description, tags } = readDoc(doc);
  const body = text.slice(found.index + found[0].length);
  const tagged = (kind: string) =>
    tags.filter((one) => one.kind === kind).map(({ value }) => taggedOf(value));
  return {
    tag,
    className,
    path,
    description,
    isOurs: base === 'AgentTierElement',
    events: tagged('fires'),
    slots: tagged('slot'),
    parts: tagged('csspart'),
    cssProperties: tagged('cssprop'),
    fields: readFields(body),
    methods: [...body.matchAll(METHOD)].map(methodOf).filter(({ name }) => !LIFECYCLE.has(name)),
  };
}

/** The properties of a class. */
export const readFields = (body: string): readonly Field[] => [
  ...[...body.matchAll(FIELD)].map(fieldOf),
  ...[...body.matchAll(GETTER)].map(getterOf),
];

function fieldOf([, doc = '', options = '', name = '', type]: RegExpMatchArray): Field {
  const explicit = /attribute: (?:'([^']+)'|(false))/.exec(options);
  const attribute = explicit?.[2] === 'false' ? undefined : (explicit?.[1] ?? name.toLowerCase());
  return {
    name,
    ...(attribute === undefined ? {} : { attribute }),
    ...(type === undefined ? {} : { type: type.replaceAll(/\s+/g, ' ') }),
    description: readDoc(doc).description,
  };
}

const getterOf = ([, doc = '', name = '', type]: RegExpMatchArray): Field => ({
  name,
  ...(type === undefined ? {} : { type }),
  description: readDoc(doc).description,
  readonly: true,
});

const methodOf = ([, doc = '', name = '', parameters = '']: RegExpMatchArray): Method => ({
  name,
  parameters: parameters.replaceAll(/\s+/g, ' ').trim(),
  description: readDoc(doc).description,
});

/** A comment without its stars: the text before the first tag, and the tags with their lines. */
function readDoc(comment: string): { description: string; tags: { kind: string; value: string }[] } {
  const text = comment.replaceAll(/^\s*\*? ?/gm, '').trim();
  const [description = '', ...rest] = text.split(/^@/m);
  const tags = rest.map((one) => {
    const [, kind = '', value = ''] = /^(\w+)\s*([\s\S]*)$/.exec(one) ?? [];
    return { kind, value: oneLine(value) };
  });
  return { description: oneLine(description), tags };
}

/** `name - words`; a slot without a name is the default one. */
function taggedOf(value: string): Tagged {
  const [, name = '', description = ''] = /^([\w-]*?)\s*(?:(?:^| )- (.*))?$/.exec(value) ?? [];
  return { name, description };
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** Events that a file tells of; those of the base are documented there. */
export const toldIn = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/this\.tell\(\s*'([^']+)'/g)].map(([, name = '']) => name)),
];
