import { Lexer, type Token, type Tokens } from 'marked';

/** What a person sees of a comment at GitHub, and what it does. */
export interface GithubRead {
  text: string;
  /** Logins that are called. */
  mentions: string[];
  links: string[];
  /** Issues, pull requests and commits that are referred to. */
  references: string[];
  /** Pieces with a style, by what they say. */
  styled: string[];
  /** HTML that is more than a comment. */
  html: string[];
}

const joiner = /\u2060/g;

/**
 * Reads GitHub's Markdown with a library that knows nothing of the adapter, and then looks for what GitHub looks for in the text that is left:
 * mentions, references, addresses and names of emoji.
 */
export function readGithubMarkdown(body: string): GithubRead {
  const seen: GithubRead = { text: '', mentions: [], links: [], references: [], styled: [], html: [] };
  const tokens = new Lexer({ gfm: true, breaks: true }).lex(body);
  const text = tokens.map((token) => block(token, seen)).filter((part) => part !== '');
  return { ...seen, text: visible(text.join('\n\n')), styled: seen.styled.map(visible) };
}

const visible = (text: string) => text.replace(joiner, '').replaceAll('\u00a0', ' ');

function block(token: Token, seen: GithubRead): string {
  switch (token.type) {
    case 'space':
    case 'hr':
      return '';
    case 'code':
      return String(token.text);
    case 'paragraph':
    case 'text':
      return inline(token.tokens ?? [token], seen);
    case 'table':
      return table(token as Tokens.Table, seen);
    case 'html':
      return html(token.raw, seen);
    default: {
      // Headings, quotes, lists, definitions: nothing of this kind is meant.
      seen.styled.push(`${token.type} ${token.raw}`);
      return token.raw;
    }
  }
}

function table({ header, rows }: Tokens.Table, seen: GithubRead): string {
  return [header, ...rows].map((row) => row.map(({ tokens }) => inline(tokens, seen)).join(' | ')).join('\n');
}

function html(raw: string, seen: GithubRead): string {
  const left = raw.replace(/<!--[\s\S]*?-->/g, '').trim();
  if (left !== '') seen.html.push(left);
  return left;
}

/** Neighbouring texts are one text for whoever looks for something in it. */
function inline(tokens: readonly Token[], seen: GithubRead, inLink = false): string {
  let shown = '';
  let plain = '';
  const flush = () => {
    shown += inLink ? plain : filtered(plain, seen);
    plain = '';
  };
  for (const token of tokens) {
    if (token.type === 'text' || token.type === 'escape') {
      plain += unescaped(String(token.text));
      continue;
    }
    if (token.type === 'br') {
      plain += '\n';
      continue;
    }
    flush();
    shown += marked(token, seen, inLink);
  }
  flush();
  return shown;
}

function marked(token: Token, seen: GithubRead, inLink: boolean): string {
  switch (token.type) {
    case 'codespan':
      seen.styled.push(unescaped(String(token.text)));
      return unescaped(String(token.text));
    case 'strong':
    case 'em':
    case 'del': {
      const text = inline(token.tokens ?? [], seen, inLink);
      seen.styled.push(text);
      return text;
    }
    case 'link':
      seen.links.push(String(token.href));
      return inline(token.tokens ?? [], seen, true);
    case 'html':
      return html(token.raw, seen);
    default:
      seen.styled.push(`${token.type} ${token.raw}`);
      return token.raw;
  }
}

const unescaped = (text: string) =>
  text.replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&', quot: '"' })[name] ?? "'");

function filtered(text: string, seen: GithubRead): string {
  for (const [, login] of text.matchAll(/(?<![\w`/])@([a-z\d](?:[a-z\d-]{0,38}))/gi)) seen.mentions.push(login ?? '');
  for (const [reference] of text.matchAll(/(?:[\w.-]+\/[\w.-]+)?(?<![\w&])#\d+|\bGH-\d+|[\w-]+\/[\w.-]+@[\da-f]{7,40}/gi))
    seen.references.push(reference);
  for (const [address] of text.matchAll(/\b(?:https?|ftp):\/\/\S+|\bwww\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+/gi))
    seen.links.push(address);
  return text.replace(/:([\w+-]+):/g, '(emoji $1)');
}
