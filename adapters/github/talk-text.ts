/** What people write in comments: Markdown, in which the bot is named, and parts of which nobody said. */

/** PostgreSQL's jsonb holds neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').replace(/\r\n?/g, '\n').toWellFormed();
}

/** A text as its readers see it: comments of HTML, which templates are full of, are not shown, so that nobody has said what is in them. */
export function shownText(body: string | null | undefined): string {
  const text = storable(body ?? '');
  const code = codeMask(text);
  let shown = '';
  let at = 0;
  for (const found of text.matchAll(/<!--[\s\S]*?(?:-->|$)/g)) {
    if (code[found.index] === true || found.index < at) continue;
    shown += text.slice(at, found.index);
    at = found.index + found[0].length;
  }
  return `${shown}${text.slice(at)}`.trim();
}

/**
 * What is said to the bot: the text without the mention, quoted lines in front of it behind it. `undefined` when the bot is not named, or
 * only in what is quoted and in code. Names are compared without case; that of an app may have `[bot]` behind it.
 */
export function saidTo(body: string | null | undefined, name: string): string | undefined {
  const text = shownText(body);
  const hidden = codeMask(text);
  const quoted = quoteMask(text);
  const pattern = new RegExp(`(?<![\\w@/.\`-])@${name.replace(/[^\w-]/g, '\\$&')}(?:\\[bot\\])?(?![\\w-]|/\\w)`, 'gi');
  const mention = [...text.matchAll(pattern)].find(({ index }) => hidden[index] !== true && quoted[index] !== true);
  if (mention === undefined) return undefined;
  const before = text.slice(0, mention.index).trimEnd();
  const after = text.slice(mention.index + mention[0].length).trimStart();
  const quote = before !== '' && before.split('\n').every((line) => line.trim() === '' || isQuote(line));
  if (before === '') return withoutMail(after.replace(/^[,:]\s*/, ''));
  if (quote) return `${withoutMail(after.replace(/^[,:]\s*/, ''))}\n\n${before}`.trim();
  return withoutMail(after === '' ? before : `${before} ${after}`);
}

/** An answer by mail quotes what it answers below: "On …, … wrote:" and quoted lines up to the end. */
function withoutMail(text: string): string {
  const mail = /\n+On [^\n]{5,300}(?:\n[^\n>]{1,200})?wrote:\n(?:\s*>[^\n]*\n?|\s*\n)+$/.exec(text);
  return mail === null ? text : text.slice(0, mail.index);
}

const isQuote = (line: string) => /^ {0,3}>/.test(line);

function quoteMask(text: string): boolean[] {
  return text.split('\n').flatMap((line) => Array.from({ length: line.length + 1 }, () => isQuote(line)));
}

/** Which characters stand in blocks of code and in code within a line. */
function codeMask(text: string): boolean[] {
  const mask: boolean[] = [];
  let fence: string | undefined;
  let open = '';
  const close = () => {
    mask.push(...inlineMask(open));
    open = '';
  };
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(?:>\s?)*(`{3,}(?=[^`]*$)|~{3,})/.exec(line)?.[1];
    const isEnd = fence !== undefined && mark?.startsWith(fence) && line.trim().replaceAll(fence.charAt(0), '') === '';
    if (fence === undefined && mark === undefined) {
      open += `${line}\n`;
      continue;
    }
    close();
    mask.push(...Array.from({ length: line.length + 1 }, () => true));
    if (isEnd === true) fence = undefined;
    else fence ??= mark;
  }
  close();
  return mask;
}

/** Code within a line ends with as many backticks as it began with, within its paragraph. */
function inlineMask(text: string): boolean[] {
  const mask = Array.from({ length: text.length }, () => false);
  for (const found of text.matchAll(/(?<![\\`])(`+)(?!`)((?:(?!\n\s*\n)[\s\S])*?)(?<!`)\1(?!`)/g)) {
    mask.fill(true, found.index, found.index + found[0].length);
  }
  return mask;
}
