/** Words that people write behind an opening fence to name its language. Alone on the first line they are no command. */
const fenceLanguages = new Set(['sh', 'bash', 'shell', 'zsh', 'console', 'text']);

/**
 * Takes the code marks of chat off a text that is wrapped in them as a whole: a fence of three backticks (with the name of a shell
 * behind it, if any) or one pair of backticks. Anything else comes back as it is: backticks inside mean something to a shell.
 */
export function unwrapCode(text: string): string {
  const trimmed = text.trim();
  const fenced = /^```([\s\S]*?)```$/.exec(trimmed)?.[1];
  if (fenced !== undefined && fenced.trim() !== '') {
    const [first, ...rest] = fenced.split('\n');
    const isLanguage = first !== undefined && rest.length > 0 && fenceLanguages.has(first.trim());
    return (isLanguage ? rest.join('\n') : fenced).trim();
  }
  const inline = /^`([^`]+)`$/.exec(trimmed)?.[1];
  return inline === undefined ? trimmed : inline.trim();
}
