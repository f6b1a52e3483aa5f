import { type AppError, describeError, type ErrorCode } from '../contracts/errors.ts';
import { bold, code, plain, type Span, type View } from '../contracts/view.ts';

/** What went wrong, why and what to do, with the code at the end of the line. `docs`: address of docs/errors.md, makes it a link. */
export function errorView(error: AppError, docs?: string): View {
  const { title, text, remedy } = describeError(error.code, error.params);
  return {
    fallback: `${title}. ${text} ${remedy} ${error.code}`,
    blocks: [
      { type: 'text', spans: [bold(title), plain('. '), ...marked(text)] },
      { type: 'text', spans: [...marked(remedy), plain(' '), errorCodeSpan(error.code, docs)] },
    ],
  };
}

/** What went wrong and the code, in one line beside something else. */
export function errorSpans({ code: named, params }: AppError, docs?: string): Span[] {
  return [...marked(describeError(named, params).text), plain(' '), errorCodeSpan(named, docs)];
}

/** Words of ours in which `…` means code. */
export function marked(text: string): Span[] {
  const spans: Span[] = [];
  let rest = text;
  for (let match = /`([^`\n]+)`/.exec(rest); match !== null; match = /`([^`\n]+)`/.exec(rest)) {
    if (match.index > 0) spans.push(plain(rest.slice(0, match.index)));
    spans.push(code(match[1] ?? ''));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest !== '') spans.push(plain(rest));
  return spans;
}

/** The code of an error; a link to its description where one is known. */
export function errorCodeSpan(error: ErrorCode, docs: string | undefined): Span {
  return docs === undefined ? plain(error) : { type: 'link', url: `${docs}#${error.toLowerCase()}`, text: error };
}
