import { secretFormPrefix } from '../contracts/agent-account.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { decodePress } from '../contracts/press.ts';
import { secretPatterns } from '../runtime/redact-patterns.ts';
import { openLogin, sealLogin } from '../runtime/repository-login.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import type { Database } from '../store/database.ts';
import { isAskedForSecret } from '../store/guided-forms.ts';
import { forgottenSecret, wasSecret } from '../store/inbox.ts';
import { typedContext } from '../store/sealed-places.ts';
import { withoutCertainKeys } from './certain-keys.ts';

/**
 * The door for what people type that must not be stored as it is. It stands between the platforms and the inbox: an event is a row
 * before it is understood, and a key in it would stay readable there.
 *
 * - What was asked for as a secret (a form, or the answer to a question of one) is sealed: only whoever asked can open it.
 * - What looks like a key in a command about accounts is taken out, and the command says so.
 * - A login in the address of a repository is sealed where it stands, for whoever typed it.
 * - What is a key for certain is taken out wherever it was typed, and `keys` of the event says what it was.
 */
export interface SecretDoor {
  /** The events as they may be stored. The same events give events that mean the same. */
  guard(events: readonly InboundEvent[]): Promise<InboundEvent[]>;
}

/** Stands where a key was taken out of a command. */
export const takenOut = '[key-taken-out]';

const sealedText = /^sealed:(v1\.[A-Za-z0-9_.-]+)$/;

export function createSecretDoor({ database, secretBox }: { database: Database; secretBox: SecretBox }): SecretDoor {
  const seal = (text: string, event: Pick<InboundEvent, 'conversation' | 'actor'>) =>
    `sealed:${secretBox.seal(text, contextOf(event))}`;

  async function guarded({ keys: _, ...event }: InboundEvent): Promise<InboundEvent> {
    const found = new Set<string>();
    const guarded = await withCleanTexts(event, (text) => {
      const { text: left, found: keys } = withoutCertainKeys(text);
      for (const key of keys) found.add(key);
      return left;
    });
    return found.size === 0 ? guarded : { ...guarded, keys: [...found] };
  }

  async function withCleanTexts(event: InboundEvent, cut: (text: string) => string): Promise<InboundEvent> {
    const clean = (text: string) => cut(withSealedLogins(withoutKeys(text), (login) => secretBox.seal(login, contextOf(event))));
    switch (event.type) {
      case 'form': {
        const each = isSecretForm(event.token) ? (text: string) => seal(text.trim(), event) : cut;
        const values = Object.entries(event.values).map(([id, given]) => [id, given.map(each)]);
        return { ...event, values: Object.fromEntries(values) };
      }
      case 'message': {
        const { platform, tenant, channel, kind } = event.conversation;
        const at = { platform, tenant, channel, account: event.actor.user };
        // Nobody is asked for a secret where others read along.
        if (kind !== 'direct' || isWord(event.text) || !(await isAskedForSecret(database.db, at)))
          return { ...event, text: clean(event.text), ...(event.title === undefined ? {} : { title: cut(event.title) }) };
        return { ...event, text: seal(event.text.trim(), event) };
      }
      case 'command': {
        const { typed } = event;
        return { ...event, text: clean(event.text), ...(typed === undefined ? {} : { typed: clean(typed) }) };
      }
      case 'message_edited': {
        const isSecret = event.conversation.kind === 'direct' && (await wasSecret(database.db, event));
        return { ...event, text: isSecret ? forgottenSecret : clean(event.text) };
      }
      case 'shortcut':
        return { ...event, text: clean(event.text) };
      default:
        return event;
    }
  }

  return { guard: (events) => Promise.all(events.map(guarded)) };
}

/** Opens what the door has sealed for this person; undefined: it was not sealed, or for somebody else. */
export function openTyped(
  text: string,
  by: Pick<InboundEvent, 'conversation' | 'actor'>,
  secretBox: Pick<SecretBox, 'open'>,
): string | undefined {
  const sealed = sealedText.exec(text)?.[1];
  if (sealed === undefined) return undefined;
  try {
    return secretBox.open(sealed, contextOf(by));
  } catch {
    return undefined;
  }
}

/** The address of a repository that somebody typed, with the login they typed; undefined: it was sealed for somebody else. */
export function openTypedLogin(
  address: string,
  by: Pick<InboundEvent, 'conversation' | 'actor'>,
  secretBox: Pick<SecretBox, 'open'>,
): string | undefined {
  try {
    return openLogin(address, (sealed) => secretBox.open(sealed, contextOf(by)));
  } catch {
    return undefined;
  }
}

const addsProject = /\bproject\s+add\b/i;

/** A command that adds a project, with every login in an address sealed. Any other text as it is. */
export function withSealedLogins(text: string, seal: (login: string) => string): string {
  if (!addsProject.test(text)) return text;
  return text.replace(/https?:\/\/[^\s"'<>|]+/gi, (address) => sealLogin(address, seal));
}

/** Whether a text is a sealed one. */
export function isSealed(text: string): boolean {
  return sealedText.test(text);
}

function contextOf({ conversation: { platform, tenant }, actor }: Pick<InboundEvent, 'conversation' | 'actor'>): string {
  return typedContext(`${platform}:${tenant}:${actor.user}`);
}

/** Whether a form, by its token, asks for a secret. */
export function isSecretForm(text: string): boolean {
  const token = decodePress(text);
  return token?.kind === 'command' && token.text.startsWith(secretFormPrefix);
}

/** What ends or leaves out a question is no answer to it. */
function isWord(text: string): boolean {
  return /^(?:skip|cancel|keep)$/i.test(text.trim());
}

const aboutAccounts = /^\W{0,10}(?:deckhand\s+)?accounts?\b/i;
/** `key=…` and the like, with or without quotes. */
const keyOption =
  /\b(?:api[-_]?)?(?:key|token|secret|password|auth|credentials?)\s*=\s*(?!(?:none|key|bearer)(?:\s|$))("[^"]*"|'[^']*'|\S+)/gi;
const command = /^\W{0,10}(?:deckhand\s+)?account\s+(?:add|key|set|show|remove|list|login)\b/i;
/** Options whose values are no secrets, however long. */
const openOption = /^(?:url|models|image|binary|auth)[+-]?=/;
/** A long word of letters and digits. */
const longWord = /^(?=.*\d)(?=.*[A-Za-z]).{24,}$/;

/** A command about accounts without what looks like a key in it. Any other text as it is. Pure. */
export function withoutKeys(text: string): string {
  if (!aboutAccounts.test(text)) return text;
  let clean = text.replace(keyOption, takenOut);
  for (const { pattern } of secretPatterns) clean = clean.replace(pattern, takenOut);
  if (!command.test(text)) return clean;
  return clean.replace(/\S+/g, (word) => (!openOption.test(word) && longWord.test(word) && !isName(word) ? takenOut : word));
}

/**
 * Names of models are long, too: words with dashes, `claude-sonnet-4-5-20250929`. Part by part: a pattern for all of it would try every way to
 * part a long word, which anybody can write.
 */
function isName(word: string): boolean {
  const [first = '', ...more] = word.split(/[-.]/);
  const isPart = (part: string) => /^(?:[a-z]{1,12}|[a-z]?\d+[a-z]?)$/.test(part);
  return more.length > 0 && !/^[a-z]$/.test(first) && [first, ...more].every(isPart);
}
