/**
 * What people themselves said: without what agents add to it (reminders, the environment, quoted threads and files). A script listens to
 * people only; what was quoted to it must not choose what it does.
 */
export function saidByPeople(text: string): string {
  let rest = text;
  for (;;) {
    const next = rest.replace(/<([a-z][\w-]*)(?:\s[^<>]*)?>[\s\S]*?<\/\1(?:\s[^<>]*)?>/gi, '');
    if (next === rest) break;
    rest = next;
  }
  // Where a thread was quoted before it, the request comes behind this line.
  return rest
    .replace(/^[\s\S]*\n *The request:\n/, '')
    .replace(/^.{1,80}? says in the thread: /gm, '')
    .replace(/^# AGENTS\.md instructions[\s\S]*$/m, '')
    .replace(/```[\s\S]*?```/g, '')
    .split('\n')
    .filter((line) => !line.startsWith('>'))
    .join('\n')
    .trim();
}

/** Where the agent works, as its instructions tell. */
export function workingDirectory(text: string): string {
  const found = /<cwd>([^<]+)<\/cwd>|working directory:? *`?(\/[^\s`<]*)/i.exec(text);
  return found?.[1] ?? found?.[2] ?? '/workspace';
}

const SUMMARY =
  /\bsummari[sz]e this conversation\b|\bcreate a (?:detailed )?summary of (?:this|the) conversation\b|\bcheckpoint compaction\b/i;

/** The agent wants its conversation in short, because it becomes too long. */
export const asksForSummary = (text: string) => SUMMARY.test(text);

/** What the person asked for first in a conversation that is quoted to be summarised. */
export function firstRequest(quoted: string): string | undefined {
  const first = /<conversation>\s*user: ([\s\S]*?)(?:\n\n(?:assistant|user): |\n…\n|<\/conversation>)/.exec(quoted)?.[1];
  return first === undefined ? undefined : saidByPeople(first);
}
