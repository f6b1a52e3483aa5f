import type { Json } from './json.ts';
import type { State } from './state.ts';

/** What Slack makes of the text a person types: escaped mrkdwn with real mentions, and the same as a `rich_text` block. */

type Names = Pick<State, 'users' | 'channels'>;

interface Piece {
  type: 'text' | 'user' | 'channel' | 'link' | 'broadcast';
  /** Text, user id, channel id, URL or range. */
  value: string;
}

/** `@ben` → `<@U…>`, `#ops` → `<#C…|ops>`, URLs → `<https://…>`; `&`, `<`, `>` are escaped everywhere else. */
export function toMrkdwn(names: Names, typed: string): string {
  return pieces(names, typed)
    .map((piece) => {
      if (piece.type === 'user') return `<@${piece.value}>`;
      if (piece.type === 'channel') return `<#${piece.value}|${names.channels.get(piece.value)?.name ?? ''}>`;
      if (piece.type === 'link') return `<${escapeMarkup(piece.value)}>`;
      if (piece.type === 'broadcast') return `<!${piece.value}>`;
      return escapeMarkup(piece.value);
    })
    .join('');
}

/** The block Slack's composer produces: code fences become preformatted parts, the rest one section. */
export function toRichText(names: Names, typed: string): Json {
  const elements: Json[] = [];
  for (const [index, part] of typed.split(/```\n?([\s\S]*?)\n?```/).entries()) {
    if (part === '') continue;
    if (index % 2 === 1) elements.push({ type: 'rich_text_preformatted', elements: [{ type: 'text', text: part }], border: 0 });
    else elements.push({ type: 'rich_text_section', elements: pieces(names, part).flatMap(inline) });
  }
  return { type: 'rich_text', elements };
}

function inline(piece: Piece): Json[] {
  if (piece.type === 'user') return [{ type: 'user', user_id: piece.value }];
  if (piece.type === 'channel') return [{ type: 'channel', channel_id: piece.value }];
  if (piece.type === 'link') return [{ type: 'link', url: piece.value }];
  if (piece.type === 'broadcast') return [{ type: 'broadcast', range: piece.value }];
  return piece.value.split(/`([^`\n]+)`/).flatMap((text, index) => {
    if (text === '') return [];
    return [index % 2 === 1 ? { type: 'text', text, style: { code: true } } : { type: 'text', text }];
  });
}

/** Cuts typed text at mentions, channels and links. Nothing inside code is special. */
function pieces(names: Names, typed: string): Piece[] {
  const result: Piece[] = [];
  const add = (piece: Piece) => {
    const last = result.at(-1);
    if (piece.type === 'text' && last?.type === 'text') last.value += piece.value;
    else if (piece.value !== '') result.push(piece);
  };
  const token = /```[\s\S]*?```|`[^`\n]+`|https?:\/\/[^\s<>`]+|(?<![\w@#])[@#]/g;
  let at = 0;
  for (let match = token.exec(typed); match; match = token.exec(typed)) {
    add({ type: 'text', value: typed.slice(at, match.index) });
    const found = match[0].length === 1 ? named(names, match[0], typed.slice(match.index + 1)) : undefined;
    if (found) add(found.piece);
    else add(match[0].startsWith('http') ? { type: 'link', value: match[0] } : { type: 'text', value: match[0] });
    at = match.index + match[0].length + (found?.length ?? 0);
    token.lastIndex = at;
  }
  add({ type: 'text', value: typed.slice(at) });
  return result;
}

/** The longest user, channel or broadcast name that `rest` starts with. */
function named(names: Names, sign: string, rest: string): { piece: Piece; length: number } | undefined {
  const candidates: { name: string; piece: Piece }[] = [];
  if (sign === '#') {
    for (const channel of names.channels.values()) {
      if (channel.kind !== 'im') candidates.push({ name: channel.name, piece: { type: 'channel', value: channel.id } });
    }
  } else {
    for (const user of names.users.values()) {
      for (const name of [user.name, user.display_name, user.real_name])
        candidates.push({ name, piece: { type: 'user', value: user.id } });
    }
    for (const range of ['here', 'channel', 'everyone'])
      candidates.push({ name: range, piece: { type: 'broadcast', value: range } });
  }
  const fitting = candidates.filter(({ name }) => {
    const next = rest.charAt(name.length);
    return rest.slice(0, name.length).toLowerCase() === name.toLowerCase() && !/[\w-]/.test(next);
  });
  const best = fitting.sort((a, b) => b.name.length - a.name.length)[0];
  return best && { piece: { ...best.piece }, length: best.name.length };
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
