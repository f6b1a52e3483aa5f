/**
 * What keeps an analysis from being the whole truth about a command line. One escape is enough to ask a person.
 *
 * - `text`: completes "not run without asking, because …" on the card.
 * - `risk`: short words for the card's risk line; null where the text says it all.
 * - `hides`: a command may run that is not among the analysed ones, so that a deny pattern cannot be checked.
 */
export interface EscapeMeaning {
  text: string;
  risk: string | null;
  hides: boolean;
}

export const escapeMeanings = {
  unparsable: { text: 'it cannot be read as a shell command', risk: 'unreadable syntax', hides: true },
  hidden: { text: 'it contains hidden characters', risk: 'hidden characters', hides: true },
  continued_line: { text: 'a line is continued with a backslash', risk: null, hides: false },
  substitution: { text: 'it uses the output of a command as text', risk: 'runs code from a substitution', hides: false },
  write: { text: 'it writes to a file', risk: 'writes files', hides: false },
  redirection: { text: 'it uses an unusual redirection', risk: 'unusual redirection', hides: false },
  inline_text: { text: 'it feeds inline text to a command', risk: null, hides: false },
  environment: { text: 'it sets variables for a command', risk: 'sets variables', hides: true },
  state: { text: 'it changes what later commands mean', risk: 'changes the shell', hides: true },
  unknown_command: { text: 'the command itself comes from a variable or a pattern', risk: 'command not visible', hides: true },
  inline_script: { text: 'it runs a script given as text', risk: 'runs an inline script', hides: true },
  wrapped: { text: 'it hides the command behind another one', risk: 'command not visible', hides: true },
  expansion: { text: 'it computes text while running', risk: null, hides: true },
  quoting: { text: 'its quoting means different things in different shells', risk: null, hides: true },
  function: { text: 'it defines a function', risk: null, hides: true },
  control: { text: 'it contains a loop or a condition', risk: null, hides: false },
  dialect: { text: 'it means different things in different shells', risk: null, hides: true },
  background: { text: 'it leaves a command running in the background', risk: 'background process', hides: false },
} as const satisfies Record<string, EscapeMeaning>;

export type Escape = keyof typeof escapeMeanings;
