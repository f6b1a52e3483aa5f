import type { Comment } from '../../lab/github/model.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { readGithubMarkdown } from '../support/github-markdown.ts';
import { type GithubMode, startGithubTalk } from '../support/github-talk.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ChatDriver, chatAdapterContract, type Fault, type Shown } from './chat-adapter-contract.ts';

chatAdapterContract('GitHub', () => openGithub('app, told by webhook'));

async function openGithub(mode: GithubMode): Promise<ChatDriver> {
  const setup = await startGithubTalk(mode);
  const { github, adapter, inbox, repository } = setup;
  const held = github.core.repositories.get(repository.fullName);
  if (held === undefined) throw new Error('the emulator lost its repository');
  const ada = github.person('ada');
  const issue = ada.openIssue(repository.fullName, { title: 'The login fails' });
  const channel = setup.conversation(issue.number);
  const bot = mode === 'token, asking' ? 'deckhand' : github.app.bot;
  // Where the bot may not write: not installed, or read-only for everybody.
  const other = await github.repository({
    name: 'other',
    owner: mode === 'token, asking' ? 'acme' : 'umbrella',
    private: false,
    roles: { deckhand: 'write' },
  });
  const foreign = github.person('ada').openIssue(other.fullName, { title: 'Elsewhere' });
  other.archive(true);
  let isGone = false;

  function shown(comment: Comment, where: Conversation): Shown {
    const { text, mentions, links, styled, html, references } = readGithubMarkdown(comment.body);
    return {
      ref: {
        platform: 'github',
        tenant: where.tenant,
        channel: where.channel,
        thread: String(comment.number),
        message: `c${comment.id}`,
      },
      text,
      mentions: mentions.map((login) => String(github.core.accounts.get(login.toLowerCase())?.id ?? login)),
      everybody: false,
      links: [...links, ...references, ...html],
      previews: [],
      styled,
      buttons: [],
      files: [],
    };
  }

  const faults: Record<Fault, Parameters<typeof github.controls.failNext>[1] | undefined> = {
    rate_limited: { limit: 'secondary', retryAfter: 7 },
    dropped_after_effect: { dropConnectionAfterEffect: true },
    dropped_before_effect: { dropConnectionBeforeEffect: true },
    not_reachable: undefined,
  };
  const lacking = () => Promise.reject(new Error('GitHub has nothing to press'));

  return {
    adapter,
    events: inbox.events,
    channel,
    foreignChannel: setup.conversation(foreign.number, other),
    ada: setup.identity('ada'),
    ben: setup.identity('ben'),
    async ask(text) {
      const said = ada.comment(repository.fullName, issue.number, `@Deckhand, ${text}`);
      await waitFor('the comment to be stored', () => inbox.events.some((event) => event.key.endsWith(`:c${said.id}`)));
      return { ...channel, message: `c${said.id}` };
    },
    threadOf: async () => channel,
    press: lacking,
    choose: lacking,
    submitForm: lacking,
    expireTriggers: () => false,
    async shown(where) {
      const own = [...held.comments.values()].filter(
        ({ author, number }) => author === bot && String(number) === (where.thread ?? String(issue.number)),
      );
      return own.map((comment) => shown(comment, where));
    },
    shownTo: async () => [],
    hasDirect: false,
    homeOf: async () => undefined,
    contentOf: lacking,
    reactions: async (ref) =>
      [...held.reactions.values()]
        .filter(({ subject, user }) => subject === `comment/${ref.message.slice(1)}` && user === bot)
        .map(({ content }) => content),
    async delete(ref) {
      held.comments.delete(Number(ref.message.slice(1)));
    },
    async fault(kind) {
      const fault = faults[kind];
      if (fault === undefined) {
        isGone = true;
        await github.close();
      } else github.controls.failNext('issues/create-comment', fault);
    },
    async close() {
      const { errors } = github.controls;
      if (!isGone) await github.controls.deliveriesSettled();
      await setup[Symbol.asyncDispose]();
      if (errors.length > 0) throw new AggregateError(errors, 'the emulator failed');
    },
  };
}
