import { redactText } from '../runtime/redact-patterns.ts';

const titleLength = 80;
const slugLength = 40;

/**
 * The first line of a command with something on it, on one line, as the name of its task. The branch is named after it, so what looks
 * like a secret stays out.
 */
export function taskTitle(command: string): string {
  const clean = redactText(command, []);
  const line = clean.split(/[\n\r]/).find((text) => text.trim() !== '') ?? clean;
  const text = line.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...text];
  return characters.length <= titleLength ? text : `${characters.slice(0, titleLength - 1).join('')}…`;
}

/** `deckhand/142-npm-test`: lower-case letters, digits and single dashes only, so it is a safe git ref and a safe path. */
export function taskBranch(number: number, title: string): string {
  const slug = title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, slugLength)
    .replace(/^-+|-+$/g, '');
  return `deckhand/${number}-${slug === '' ? 'task' : slug}`;
}
