// SPDX-License-Identifier: Apache-2.0

/** A file that was brought to the page, and the folders that it lay in. */
export interface Brought {
  readonly folders: readonly string[];
  readonly file: File;
}

/** All files of a drop, those in folders too. Must be called while the event is handled: later the browser has forgotten it. */
export function filesIn(transfer: DataTransfer): Promise<readonly Brought[]> {
  const entries = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => item.webkitGetAsEntry());
  const known = entries.filter((entry) => entry !== null);
  if (known.length === 0) return Promise.resolve(chosenFiles(transfer.files));
  return Promise.all(known.map((entry) => within(entry, []))).then((found) => found.flat());
}

export const chosenFiles = (files: Iterable<File>): readonly Brought[] =>
  Array.from(files, (file) => ({ folders: [], file }));

async function within(entry: FileSystemEntry, folders: readonly string[]): Promise<readonly Brought[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ folders, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  // It gives some at a time, and none when there are no more.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    found.push(...some);
  }
  const below = [...folders, entry.name];
  return (await Promise.all(found.map((one) => within(one, below)))).flat();
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
