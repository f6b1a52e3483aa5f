const lines = (mark: string, text: string) =>
  text
    .split('\n')
    .map((line) => `${mark}${line}\n`)
    .join('');

/** A change in the words of `apply_patch`. */
export function editPatch(change: { path: string; old: string; new: string }): string {
  return `*** Begin Patch\n*** Update File: ${change.path}\n@@\n${lines('-', change.old)}${lines('+', change.new)}*** End Patch\n`;
}

/** A new file in the words of `apply_patch`. */
export function addPatch(path: string, content: string): string {
  return `*** Begin Patch\n*** Add File: ${path}\n${lines('+', content.replace(/\n$/, ''))}*** End Patch\n`;
}
