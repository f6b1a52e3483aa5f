import { hasRole, roleOf } from './access.ts';
import type { LastEdit } from './model.ts';
import { ago, type Html, html } from './pages-html.ts';
import { form, type RepositoryVisit } from './pages-layout.ts';

/** What stands with every text that somebody wrote: reactions, that it was changed, and the forms that change it. */
export interface Written {
  /** Of reactions: `issue/5`, `comment/77`, `review_comment/78`, `review/79`. */
  subject: string;
  author: string;
  body: string;
  edit: LastEdit | undefined;
  /** Path of the issue or pull request. */
  address: string;
}

const SHOWN: Readonly<Record<string, string>> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  hooray: '🎉',
  confused: '😕',
  heart: '❤️',
  rocket: '🚀',
  eyes: '👀',
};

/** Each reaction once, with how many have it and who. */
export function reactionsTo({ repository }: RepositoryVisit, subject: string): Html | false {
  const all = [...repository.reactions.values()].filter((reaction) => reaction.subject === subject);
  const contents = [...new Set(all.map(({ content }) => content))];
  if (contents.length === 0) return false;
  return html`<p class="reactions">${contents.map((content) => {
    const by = all.filter((reaction) => reaction.content === content).map(({ user }) => user);
    return html`<span class="pill" title="${by.join(', ')} reacted with ${content}">${SHOWN[content] ?? content} ${by.length}</span> `;
  })}</p>`;
}

/** Who has changed the text, and when. */
export function changed({ core }: RepositoryVisit, edit: LastEdit | undefined): Html | false {
  return edit !== undefined && html` <span class="soft" title="by ${edit.by}">edited ${ago(edit.at, core.now())}</span>`;
}

/** For the author, and whoever may write: the form that changes the text, and for comments one that takes it away. */
export function changeForms({ repository, person }: RepositoryVisit, written: Written): Html | false {
  const { subject, author, body, address } = written;
  if (author !== person.login && !hasRole(roleOf(repository, person.login), 'write')) return false;
  const field = html`<input type="hidden" name="subject" value="${subject}">`;
  const isComment = subject.startsWith('comment/') || subject.startsWith('review_comment/');
  const edit = form(
    `${address}/edit`,
    html`${field}<textarea name="body" rows="4" aria-label="New text">
${body}</textarea><p class="buttons"><button class="good">Save</button></p>`,
  );
  const remove = isComment && form(`${address}/delete`, html`${field}<p class="buttons"><button>Delete</button></p>`);
  return html`<details class="answer change"><summary>Edit…</summary>${edit}${remove}</details>`;
}
