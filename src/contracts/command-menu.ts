import type { Conversation } from './platform.ts';

/** What platforms are told about the commands, for menus, typed options and completions. Made from the registry of commands. */
export interface MenuCommand {
  /** As typed: `sh`, `project add`. At most two words. */
  name: string;
  /** The part of the help that it stands in: platforms with little room in one menu have one for each. */
  part: 'work' | 'look' | 'setup' | 'people' | 'deckhand';
  /** One line, at most 100 characters. */
  summary: string;
  /** What stands behind the name, in order. */
  positional: readonly MenuArgument[];
  /** `key=value` words. */
  options: readonly MenuArgument[];
  /** Makes sense in a direct message with the bot. */
  direct: boolean;
}

export interface MenuArgument {
  /** Lower-case letters, digits and `_`; the key of an option. */
  name: string;
  about: string;
  required: boolean;
  /** The words it can be, when there are few. */
  values: readonly string[];
  /** Of several words: the rest of the line. */
  rest: boolean;
}

/** A way to go on with what is typed. `value` replaces the whole text of the command. */
export interface MenuCompletion {
  value: string;
  hint: string;
}

/** What `text` may become, for this person in this conversation. Answers within a second; best first, at most 25. */
export type CompleteText = (input: { text: string; conversation: Conversation; user: string }) => Promise<MenuCompletion[]>;

export interface CommandMenu {
  commands: readonly MenuCommand[];
  complete: CompleteText;
}
