import { createRedactor, shortestKnownSecret } from '../src/runtime/redact-patterns.ts';

/** A stretch of one output stream, ready to be stored and shown. Stretches follow one another without gaps. */
export interface OutputPiece {
  /** Raw bytes `from` to `to` (exclusive) of the stream. */
  from: number;
  to: number;
  /** Decoded (invalid bytes and NUL as U+FFFD) and redacted. May be empty. */
  text: string;
}

export interface StreamRedactor {
  /** Takes the bytes that follow and gives all whole lines. */
  push(bytes: Uint8Array): OutputPiece[];
  /**
   * Gives what can be shown of a line that is not finished: all of it but an end that looks like the beginning of a secret. For a
   * stream that is silent for a moment.
   */
  flush(): OutputPiece[];
  /** Gives the rest. */
  end(): OutputPiece[];
  /** Bytes taken and not given yet. */
  held(): number;
}

export interface StreamRedactorOptions {
  /** Values that never show, in whichever form (see `createRedactor`). */
  secrets: readonly string[];
  /** Position of the first byte that will be pushed. */
  at: number;
  /** Bytes before this position were given out before: they are only looked at, so that a secret across it is found. Default `at`. */
  shownTo?: number | undefined;
}

/** A longer line is given in parts, cut where no secret seems to be. No pattern but a private key needs more than half of it. */
export const longestLine = 32 * 1024;

const lineFeed = 10;
const carriageReturn = 13;
/** Characters of a known secret that may show when a program pauses in the middle of writing it. */
const harmlessPrefix = 3;
const keyHeader = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g;
const keyFooter = /-----END [A-Z ]{0,40}PRIVATE KEY-----/;
/** Header, body and footer as the pattern of private keys allows them at most. */
const longestKey = 16_384 + 200;

/** Where a word begins to look like one of the patterns of secrets. */
const wordBeginnings =
  /[a-z][a-z0-9+.-]{1,20}:\/\/|\b(?:xox|xapp-|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|sk-|[sr]k_|AKIA|ASIA|AIza|npm_|eyJ|[0-9]{8,12}:)/i;
const scheme = /\b(?:Bearer|Basic)[ \t]{1,8}$/i;
/** A word of so many characters of this kind at its end may be a secret without a mark. */
const longWord = 16;
const longWordCharacter = /[A-Za-z0-9_~+/=.%-]/;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Redacts one stream of output while it runs. However the bytes are cut into pieces, the text given is that of the whole; nothing
 * is held back but unfinished lines, the lines of an unfinished private key and of a known secret of several lines.
 */
export function createStreamRedactor(options: StreamRedactorOptions): StreamRedactor {
  const redact = createRedactor(options.secrets);
  // Compared with bytes, so each character stands for one byte.
  const secrets = options.secrets
    .map((secret) => Buffer.from(secret.trim()).toString('latin1'))
    .filter((secret) => secret.length >= shortestKnownSecret);
  const ofSeveralLines = secrets.filter((secret) => secret.includes('\n'));

  /** From the start of the first line not given completely. */
  let line = Buffer.alloc(0);
  let lineAt = options.at;
  /** Bytes of `line` that were given, and the text given for them. */
  let shown = 0;
  let given = '';
  /** Bytes to be looked at only. */
  let unseen = Math.max(0, (options.shownTo ?? options.at) - options.at);

  const textOf = (bytes: Uint8Array) => redact(decoder.decode(bytes).replaceAll('\0', '\uFFFD'));

  /** What is left to give of the first `end` bytes of `line`. */
  function piece(end: number, text: string): OutputPiece[] {
    const from = lineAt + shown;
    const rest = text.slice(sharedLength(given, text));
    shown = end;
    given = text;
    return from === lineAt + end ? [] : [{ from, to: lineAt + end, text: rest }];
  }

  /** Gives the first `end` bytes completely and forgets them. */
  function finish(end: number, text: string): OutputPiece[] {
    const pieces = piece(end, text);
    line = line.subarray(end);
    lineAt += end;
    shown = 0;
    given = '';
    return pieces;
  }

  function finishLines(): OutputPiece[] {
    let end = lastBreak(line);
    for (let before = -1; before !== end && end > 0; ) {
      before = end;
      const hold = wholeSecrets(end, ofSeveralLines, 0);
      if (hold < end) end = lastBreak(line.subarray(0, hold));
    }
    if (end > shown) return finish(end, textOf(line.subarray(0, end)));
    if (line.length < longestLine) return [];
    const safe = safeEnd();
    const cut = safe > shown ? safe : line.length - incompleteTail(line);
    return finish(cut, textOf(line.subarray(0, cut)));
  }

  /** Where the unfinished line begins to look like a secret, else its end. */
  function safeEnd(): number {
    const text = line.toString('latin1');
    return wholeSecrets(unfinishedWord(text) ?? text.length - incompleteTail(line), secrets, harmlessPrefix);
  }

  /** `end`, or less where a private key or one of the known secrets lies across it or may go on behind the line. */
  function wholeSecrets(end: number, known: readonly string[], harmless: number): number {
    const text = line.toString('latin1');
    let safe = Math.min(end, beginningOf(known, text, harmless) ?? end);
    for (let before = -1; before !== safe; ) {
      before = safe;
      safe = Math.min(safe, openKey(text, safe) ?? safe);
      for (const secret of known) {
        const start = text.indexOf(secret, Math.max(0, safe - secret.length + 1));
        if (start !== -1 && start < safe) safe = start;
      }
    }
    return safe;
  }

  function take(bytes: Uint8Array): OutputPiece[] {
    const pieces: OutputPiece[] = [];
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + longestLine - line.length);
      at += part.length;
      line = Buffer.concat([line, part]);
      pieces.push(...finishLines());
    }
    return pieces;
  }

  return {
    push(bytes) {
      const context = bytes.subarray(0, unseen);
      if (context.length > 0) {
        take(context);
        unseen -= context.length;
        if (unseen === 0) piece(line.length, textOf(line));
      }
      return take(bytes.subarray(context.length));
    },
    flush() {
      if (unseen > 0) return [];
      const end = safeEnd();
      return end > shown ? piece(end, textOf(line.subarray(0, end))) : [];
    },
    end() {
      if (unseen > 0) return [];
      const key = openKey(line.toString('latin1'), line.length);
      const text = key === undefined ? textOf(line) : `${textOf(line.subarray(0, key))}[redacted private key]`;
      return finish(line.length, text);
    },
    held: () => (unseen > 0 ? 0 : line.length - shown),
  };
}

/** Bytes up to and including the last line break. */
function lastBreak(bytes: Buffer): number {
  return Math.max(bytes.lastIndexOf(lineFeed), bytes.lastIndexOf(carriageReturn)) + 1;
}

/** Where a private key begins that does not end before `end`. What is too long to be a key is none. */
function openKey(text: string, end: number): number | undefined {
  if (!text.includes('PRIVATE KEY-----')) return undefined;
  for (let at = 0; ; ) {
    keyHeader.lastIndex = at;
    const header = keyHeader.exec(text);
    if (header === null) return undefined;
    const footer = keyFooter.exec(text.slice(keyHeader.lastIndex, header.index + longestKey));
    const footerEnd = footer === null ? undefined : keyHeader.lastIndex + footer.index + footer[0].length;
    if (footerEnd !== undefined && footerEnd <= end) at = footerEnd;
    else if (footerEnd !== undefined || text.length - header.index <= longestKey) return header.index;
    else at = keyHeader.lastIndex;
  }
}

/** Where the last word begins when it may be, or become, a secret. Looks at each character once. */
function unfinishedWord(text: string): number | undefined {
  const key = text.lastIndexOf('-----B');
  if (key !== -1 && lastBreak(Buffer.from(text.slice(key), 'latin1')) === 0) return key;
  let start = text.length;
  while (start > 0 && !/\s/.test(text.charAt(start - 1))) start -= 1;
  const before = text.slice(Math.max(0, start - 20), start);
  const named = start < text.length ? scheme.exec(before) : null;
  if (named !== null) return start - (before.length - named.index);
  const marked = wordBeginnings.exec(text.slice(start))?.index;
  if (marked !== undefined) return start + marked;
  let run = text.length;
  while (run > start && longWordCharacter.test(text.charAt(run - 1))) run -= 1;
  return text.length - run >= longWord ? run : undefined;
}

/** Where the longest end of `text` begins that is the beginning of a secret and has more than `harmless` characters. */
function beginningOf(secrets: readonly string[], text: string, harmless: number): number | undefined {
  let longest = 0;
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, text.length); length > Math.max(longest, harmless); length -= 1) {
      if (text.endsWith(secret.slice(0, length))) longest = length;
    }
  }
  return longest === 0 ? undefined : text.length - longest;
}

/** Bytes at the end that may become a character with the bytes that follow: 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc2 && byte <= 0xf4) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** Length of the common beginning, not ending inside of a character. */
function sharedLength(a: string, b: string): number {
  if (b.startsWith(a)) return a.length;
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  const last = b.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length;
}
