/**
 * What a secret looks like. Shared by the logger and by the redaction of run output.
 *
 * No pattern but `private key` matches across a line break, so output may be redacted line by line as long as the lines of a
 * private key are kept together. Every pattern takes time linear in the text.
 */
export interface SecretPattern {
  name: string;
  pattern: RegExp;
  /** What replaces a match; `$1` keeps the first group. */
  replacement: string;
}

function token(name: string, pattern: RegExp): SecretPattern {
  return { name, pattern, replacement: `[redacted ${name}]` };
}

export const secretPatterns: readonly SecretPattern[] = [
  // One that is cut off before its end counts too. `\\` and `n` stand in for line breaks inside JSON.
  token(
    'private key',
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[A-Za-z0-9+/=\s\\:,.-]){0,16384}(?:-----END [A-Z ]{0,60}-----)?/g,
  ),
  {
    name: 'password in a URL',
    pattern: /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s/@:"'<>]{0,256}:)[^\s/@"'<>]{1,512}(?=@)/gi,
    replacement: '$1[redacted]',
  },
  // Keeps the scheme: `Authorization: Bearer [redacted]` tells what was sent.
  {
    name: 'authorization header',
    pattern: /\b((?:Bearer|Basic)[ \t]{1,8})(?!\[redacted)[A-Za-z0-9._~+/-]{12,}={0,2}/gi,
    replacement: '$1[redacted]',
  },
  token('access token', /\bdh(?:[ps]_[0-9A-Za-z]{49}|l_[0-9a-f]{64})\b/g),
  token('slack webhook', /https:\/\/hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9/_-]{8,256}/g),
  token('slack token', /\b(?:xoxe\.)?(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}/g),
  token('github token', /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,})/g),
  token('gitlab token', /\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[A-Za-z0-9_.-]{16,}/g),
  token('anthropic key', /\bsk-ant-[A-Za-z0-9_-]{8,}/g),
  token('openai key', /\bsk-[A-Za-z0-9_-]{20,}/g),
  token('stripe key', /\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g),
  token('aws key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g),
  // A hash is not as long, and stands behind another name.
  {
    name: 'aws secret key',
    pattern: /\b(aws_?secret_?(?:access_?)?key["']?[ \t]{0,8}[:=][ \t]{0,8}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi,
    replacement: '$1[redacted]',
  },
  token('google key', /\bAIza[0-9A-Za-z_-]{35}/g),
  token('npm token', /\bnpm_[A-Za-z0-9]{36}\b/g),
  token('hugging face token', /\bhf_[A-Za-z]{34}\b/g),
  token('telegram token', /\b[0-9]{8,12}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g),
  token('discord token', /\b[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}(?![A-Za-z0-9_-])/g),
  token('JSON web token', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g),
];

/** A known secret shorter than this is not searched for: it would blank out ordinary words. */
export const shortestKnownSecret = 6;

/**
 * A function that blanks out what matches a pattern and every known secret, also when it is written in base64, in a URL or in a
 * JSON string. Compile it once and use it often. Redacting twice changes nothing more.
 */
export function createRedactor(knownSecrets: Iterable<string>): (text: string) => string {
  const forms = new Set([...knownSecrets].flatMap(writtenForms));
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  const known = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(literally).join('|'), 'g');
  return (text) => {
    let clean = known === undefined ? text : text.replace(known, '[redacted]');
    for (const { pattern, replacement } of secretPatterns) clean = clean.replace(pattern, replacement);
    return clean;
  };
}

/** `createRedactor` for a single text. */
export function redactText(text: string, knownSecrets: Iterable<string>): string {
  return createRedactor(knownSecrets)(text);
}

function writtenForms(secret: string): string[] {
  const whole = secret.trim();
  if (whole.length < shortestKnownSecret) return [];
  const base64 = Buffer.from(whole).toString('base64').replace(/=+$/, '');
  const forms = [
    whole,
    JSON.stringify(whole).slice(1, -1),
    encodeURIComponent(whole),
    base64,
    base64.replaceAll('+', '-').replaceAll('/', '_'),
  ];
  // The lines of a key file turn up one by one in output.
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? forms : [...forms, ...lines.filter((line) => line.length >= 16 && !line.startsWith('-----'))];
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
