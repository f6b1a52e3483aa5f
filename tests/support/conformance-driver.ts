import type { Platform } from '../../src/contracts/platform.ts';

export const personNames = ['ada', 'ben', 'gus'] as const;
export type PersonName = (typeof personNames)[number];

/** A channel with the bot and all people in it, or the direct conversation of one person with the bot. */
export interface Place {
  id: string;
  direct: boolean;
}

/** A message as people see it. */
export interface Shown {
  place: Place;
  id: string;
  /** The same for all messages of one thread, the one that starts it included. */
  thread: string;
  /** Of the bot, not of a person. */
  own: boolean;
  /** Everything readable: files and labels too. */
  text: string;
  buttons: string[];
  files: string[];
}

/** Where a person wrote something. */
export type Said = Pick<Shown, 'place' | 'id' | 'thread'>;

/** A file of a person. A photo is sent as a picture, where the platform tells pictures from other files. */
export interface Upload {
  name: string;
  content: Buffer;
  photo?: true;
}

/** One running program, as far as drivers need it. */
export interface RunningProgram {
  /** Kills it as `kill -9` does and starts it again. `whileDown` comes between. */
  restart(whileDown?: () => void): Promise<void>;
  /** How often this message is stored as an act of somebody. */
  stored(platform: Platform, said: Said): Promise<number>;
}

/**
 * One platform, as people use it. The real program talks to its emulator over the platform's own wire; everything here happens on the
 * side of the people. Acts resolve when the platform has taken them, not when something came of them.
 */
export interface ConformanceDriver {
  platform: Platform;
  /** Variables that point the program at the emulator. */
  variables: Readonly<Record<string, string>>;
  tenant: { tenant: string; name: string; botUser: string };
  userOf(person: PersonName): string;
  /** What people do before the bot may write to them. */
  begin(): void;
  newPlace(name: string): Place;
  directPlace(person: PersonName): Place;

  /** Writes something that does not name the bot. */
  say(person: PersonName, place: Place, text: string): Said;
  /** Names the bot; in a direct conversation just writes. */
  mention(person: PersonName, place: Place, text: string): Said;
  /** The same with files. Several go as one message, as far as the platform has that. */
  attach(person: PersonName, place: Place, text: string, files: readonly Upload[]): Said;
  /** As the platform's command: `sh npm test`. */
  command(person: PersonName, place: Place, line: string): Promise<void>;
  /** "Hand to Deckhand" on a message. */
  handOver(person: PersonName, message: Said): Promise<void>;
  /** Writes in the thread of this message, without naming the bot. */
  reply(person: PersonName, to: Shown, text: string): Said;
  /** Answers the very message with what the platform has for that. Discord leaves the answer beside the message, also where a thread hangs on it. */
  answer(person: PersonName, to: Shown, text: string): Said;
  /** The new words name the bot, as those of a mention do. */
  edit(person: PersonName, message: Said, text: string): void;
  delete(person: PersonName, message: Said): void;
  press(person: PersonName, message: Shown, label: string): Promise<void>;
  /** A press that was under way when the bot changed the message: on the message as it was shown. */
  pressLate(person: PersonName, message: Shown, label: string): Promise<void>;
  /** Chooses in the select with this placeholder. */
  choose(person: PersonName, message: Shown, placeholder: string, option: string): Promise<void>;
  /** Whether the form with this title is open. Questions of a guided form may still be about to come. */
  isAsked(person: PersonName, title: string): boolean;
  /** Fills in the form with this title that is, or is about to be, asked of the person. Values by label. */
  fill(person: PersonName, place: Place, title: string, values: Readonly<Record<string, string>>): Promise<void>;

  /** Calls `listener` at everything that changes on the platform. */
  onChange(listener: () => void): void;
  /** Everything in a place, its threads included, oldest first. */
  messages(place: Place): Shown[];
  /** What only this person was shown: answers to acts, and direct messages of the bot. */
  toldTo(person: PersonName): Shown[];
  /** Receipts of the bot on a message. */
  receipts(message: Said): ('received' | 'read' | 'refused')[];
  contentOf(message: Shown, file: string): Buffer;

  /** Does something that the platform brings to the program at least twice; resolves when it has. */
  redelivered(act: () => Said, program: RunningProgram): Promise<Said>;
  /** Cuts the connection over which acts come. */
  cut(): void;
  /** Refuses the next calls that send, edit or upload, and tells the program to wait for a second. */
  throttle(calls: number): void;
  /** Calls beyond the platform's published limits so far, as text. */
  overLimit(): string[];
  /** Mistakes of the emulator itself. */
  errors(): readonly unknown[];
  close(): Promise<void>;
}

/** What the emulator itself had shown when this was read. */
export function nativeOf<Seen>(seenAs: WeakMap<Shown, Seen>, message: Shown): Seen {
  const found = seenAs.get(message);
  if (found === undefined) throw new Error('this was not read from the platform');
  return found;
}
