// SPDX-License-Identifier: Apache-2.0

/** The names of a folder as places that the keyboard can be at. */
export class NameFocus {
  readonly #root: () => ParentNode;

  constructor(root: () => ParentNode) {
    this.#root = root;
  }

  /** Of the row that holds something; -1 = it is no row of a name. */
  indexOf(row: Element | null): number {
    return this.#names.findIndex((button) => button.closest('tr') === row);
  }

  indexOfName(name: string): number {
    return this.#names.findIndex((button) => button.closest('tr')?.dataset['name'] === name);
  }

  /** The nearest there is. */
  at(index: number): void {
    const names = this.#names;
    names[Math.max(0, Math.min(index, names.length - 1))]?.focus();
  }

  last(): void {
    this.#names.at(-1)?.focus();
  }

  onName(name: string): void {
    this.#names[this.indexOfName(name)]?.focus();
  }

  get #names(): readonly HTMLButtonElement[] {
    return [...this.#root().querySelectorAll<HTMLButtonElement>('button.name')];
  }
}
