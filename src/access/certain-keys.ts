import { crc32 } from 'node:zlib';
import { isAccessToken } from './access-token.ts';

/**
 * Keys that can be told from any other text for certain: by a checksum in them, or by how they begin and their exact length. People are told
 * of these, and their messages are deleted, so nothing is here that only looks like a key: what output is looked through for
 * (runtime/redact-patterns.ts) is far wider. Every pattern takes time linear in the text.
 */
interface CertainKey {
  /** As people read it: "a GitHub token". */
  name: string;
  /** What to do with it: "Revoke it at GitHub …". */
  revoke: string;
  /** Where not all of it is the key, the group `key` is, at its end. */
  pattern: RegExp;
  /** Whether what has the form is one. Without it: it is, unless it was obviously made up. */
  is?: (key: string) => boolean;
}

/** A key of this form that no letter, digit or dash stands beside. */
function exactly(form: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9_-])(?:${form})(?![A-Za-z0-9_-])`, 'g');
}

/** 30 letters and digits, and their CRC-32 in six digits of base 62: GitHub and npm. */
const withChecksum = '[0-9A-Za-z]{36}';

const certainKeys: readonly CertainKey[] = [
  {
    name: 'a private key',
    revoke: 'Make a new pair of keys, and take the old public key out wherever it lets somebody in.',
    pattern:
      /-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----(?:(?!-----)[A-Za-z0-9+/=\s\\:,.-]){100,16384}-----END (?:[A-Z]{2,10} )?PRIVATE KEY-----/g,
    is: () => true,
  },
  {
    name: 'an Anthropic key',
    revoke: 'Disable it at console.anthropic.com, under API keys.',
    pattern: exactly('sk-ant-(?:api|admin|oat|ort)[0-9]{2}-[A-Za-z0-9_-]{93}AA'),
  },
  {
    name: 'an OpenAI key',
    revoke: 'Revoke it at platform.openai.com, under API keys.',
    // Its middle says "OpenAI" in base64.
    pattern: exactly(
      'sk-(?:proj|svcacct|admin)-(?:[A-Za-z0-9_-]{74}T3BlbkFJ[A-Za-z0-9_-]{74}|[A-Za-z0-9_-]{58}T3BlbkFJ[A-Za-z0-9_-]{58})|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}',
    ),
  },
  {
    name: 'an OpenRouter key',
    revoke: 'Delete it at openrouter.ai, under Keys.',
    pattern: exactly('sk-or-v1-[0-9a-f]{64}'),
  },
  {
    name: 'a GitHub token',
    revoke: 'Revoke it at GitHub: Settings, Developer settings.',
    pattern: exactly(`gh[pousr]_${withChecksum}`),
    is: (key) => hasChecksum(key.slice(4)),
  },
  {
    name: 'a GitHub token',
    revoke: 'Revoke it at GitHub: Settings, Developer settings.',
    pattern: exactly('github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}'),
  },
  {
    name: 'a GitLab token',
    revoke: 'Revoke it at GitLab, under Access tokens.',
    pattern: exactly(
      'gl(?:pat|dt|rt|ft|soat)-[A-Za-z0-9_-]{20}|gl(?:pat|dt|rt|ft|soat)-[A-Za-z0-9_-]{27,300}(?:\\.[0-9a-z]{2})?\\.[0-9a-z]{9}',
    ),
  },
  {
    name: 'a Slack token',
    revoke: 'Revoke it at api.slack.com/apps, under OAuth or Basic Information.',
    pattern: exactly(
      'xoxb-[0-9]{10,13}-[0-9]{10,13}-[A-Za-z0-9]{24}|xoxp(?:-[0-9]{10,13}){3}-[0-9a-f]{32}|xapp-[0-9]-A[A-Z0-9]{8,12}-[0-9]{10,13}-[0-9a-f]{64}',
    ),
  },
  {
    name: 'an address of a Slack webhook',
    revoke: 'Remove it at api.slack.com/apps, under Incoming Webhooks.',
    pattern: /https:\/\/hooks\.slack\.com\/services\/T[A-Z0-9]{8,12}\/B[A-Z0-9]{8,12}\/(?<key>[A-Za-z0-9]{24})(?![A-Za-z0-9_-])/g,
  },
  {
    name: 'a token of a Telegram bot',
    revoke: 'Send /revoke to @BotFather.',
    pattern: exactly('[0-9]{8,10}:AA[A-Za-z0-9_-]{33}'),
  },
  {
    name: 'a token of a Discord bot',
    revoke: 'Reset it at discord.com/developers, under Bot.',
    pattern: exactly('[MNO][A-Za-z0-9_-]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,38}'),
    // It begins with the number of the bot, in base64.
    is: (key) => /^[0-9]{17,20}$/.test(Buffer.from(key.split('.')[0] ?? '', 'base64url').toString('latin1')) && !isMadeUp(key),
  },
  {
    name: 'a secret key of AWS',
    revoke: 'Deactivate it at AWS, in IAM.',
    pattern:
      /(?:aws_?secret_?(?:access_?)?key["']?\s{0,8}[:=]\s{0,8}["']?|(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}["']?[\s,:;/|]{1,8}["']?)(?<key>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    // Neither a hash nor a path.
    is: (key) => /[A-Z]/.test(key) && /[a-z]/.test(key) && /[0-9]/.test(key) && !isMadeUp(key),
  },
  {
    name: 'a Google key',
    revoke: 'Delete it at console.cloud.google.com, under Credentials.',
    pattern: exactly('AIza[0-9A-Za-z_-]{35}'),
  },
  {
    name: 'an npm token',
    revoke: 'Delete it at npmjs.com, under Access Tokens.',
    pattern: exactly(`npm_${withChecksum}`),
    is: (key) => hasChecksum(key.slice(4)),
  },
  {
    name: 'a Stripe key',
    revoke: 'Roll it at dashboard.stripe.com, under API keys.',
    pattern: exactly('[rs]k_live_(?:[0-9A-Za-z]{24}|[0-9A-Za-z]{99})'),
  },
  {
    name: 'a Hugging Face token',
    revoke: 'Invalidate it at huggingface.co, under Access Tokens.',
    pattern: exactly('hf_[A-Za-z]{34}'),
  },
  {
    name: 'an access token of Deckhand',
    revoke: '`token revoke` ends it.',
    pattern: exactly('dh[ps]_[0-9A-Za-z]{49}'),
    is: isAccessToken,
  },
];

/** A text without the keys in it. `found`: what they are, each once; empty where there was none, and then the text is as it was. */
export function withoutCertainKeys(text: string): { text: string; found: string[] } {
  const found = new Set<string>();
  let clean = text;
  for (const { name, pattern, is = (key: string) => !isMadeUp(key) } of certainKeys) {
    clean = clean.replace(pattern, (whole: string, ...rest: unknown[]) => {
      const key = keyIn(rest.at(-1)) ?? whole;
      if (!is(key)) return whole;
      found.add(name);
      return `${whole.slice(0, whole.length - key.length)}[redacted ${name.replace(/^an? /, '')}]`;
    });
  }
  return { text: clean, found: [...found] };
}

/** The group `key` of a match, where its pattern has one. */
function keyIn(groups: unknown): string | undefined {
  return typeof groups === 'object' && groups !== null && 'key' in groups && typeof groups.key === 'string'
    ? groups.key
    : undefined;
}

/** What ends each of these keys, in the words of `found`. */
export function revokeText(found: readonly string[]): string {
  const ways = certainKeys.filter(({ name }) => found.includes(name)).map(({ revoke }) => revoke);
  return [...new Set(ways)].join(' ');
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function hasChecksum(key: string): boolean {
  const sum = [...key.slice(30)].reduce((value, digit) => value * 62 + base62.indexOf(digit), 0);
  return sum === crc32(key.slice(0, 30));
}

/** Fewer different characters are no key of this length, and no key counts up. */
const leastDifferent = 8;
const longestRun = 6;

/** What stands in documentation and tests: `…EXAMPLE`, `xxxxxxxx`, `abcdefgh`. */
function isMadeUp(key: string): boolean {
  if (/example|placeholder|redacted/i.test(key)) return true;
  // Before it there may be numbers, which count up by chance.
  const end = key.slice(-24);
  if (new Set(end).size < leastDifferent) return true;
  let run = 1;
  for (let at = 1; at < end.length; at += 1) {
    const step = end.charCodeAt(at) - end.charCodeAt(at - 1);
    run = step === 1 ? run + 1 : 1;
    if (run >= longestRun) return true;
  }
  return false;
}
