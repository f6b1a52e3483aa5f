import { Refused } from '../../lab/refused.ts';
import { NotAnswered } from '../../lab/slack/core.ts';
import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import { isRecord } from '../../lab/slack/json.ts';
import { reasonGiven } from '../../tests/support/chaos-ends.ts';
import { asks, type Chances, commandOf, type Kind, type Person, type Posted } from '../../tests/support/chaos-plan.ts';
import { type Counts, count } from './counts.ts';
import type { Shown, Transcript } from './transcript.ts';

/** One request and what people have done about it so far. */
export interface Request extends Posted {
  /** Milliseconds since 1970. */
  at: number;
  /** When the platform counts as having heard it, for mentions: the message. */
  ts: string | undefined;
  /** Whether its run is retried when it has failed. */
  retries: boolean;
  /** How often Retry was pressed by two people at once. */
  retried: number;
  /** Whether the bot has answered the press or form that is to do it: it must not need to be told again. */
  heard: boolean;
  done: boolean;
}

export interface Circumstances {
  slack: SlackEmulator;
  transcript: Transcript;
  chances: Chances;
  /** File outside of the working copies that commands can write to; undefined: none can. */
  outside: string | undefined;
  /** Whether the command of the marker has written the text. */
  hasWritten(marker: string, text: string): Promise<boolean>;
  counts: Counts;
  say(text: string): void;
}

const kinds: readonly [Kind, ...Kind[]] = ['quick', 'counter', 'fails', 'approved', 'denied', 'contested', 'stopped', 'commits'];
const wants = /wants to run a command/;
/** Its disk was full, or something is wrong: nothing more comes of it, and the comparison says which. */
const over = /✖ (failed|interrupted|timed out)/;
const decided = /wanted to run a command/;
/** What a person has pressed and nothing came of is pressed again after so long. */
const patienceMs = 6000;
const looksEveryMs = 1000;

/** Ada and Ben: they ask for commands, decide, stop and retry, each press until it was answered. */
export class People {
  readonly requests: Request[] = [];
  readonly #with: Circumstances;
  readonly #busy = new Set<Request>();
  readonly #lookAt = new Map<Request, number>();
  #denying: Request | undefined;

  constructor(circumstances: Circumstances) {
    this.#with = circumstances;
  }

  /** Somebody asks for something. Resolves when the platform has told them whether it was heard. */
  async post(): Promise<void> {
    const { chances, slack, outside, counts } = this.#with;
    const kind = chances.oneOf(kinds);
    const marker = `chaos-${String(this.requests.length + 1).padStart(4, '0')}`;
    const by = chances.oneOf<Person>(['ada', 'ben']);
    const request: Request = {
      kind,
      marker,
      by,
      how: chances.oneOf(['slash', 'mention']),
      channel: chances.oneOf(['demo', 'ops']),
      accepted: false,
      at: Date.now(),
      ts: undefined,
      retries: kind === 'fails' && chances.between(0, 1) === 1,
      retried: 0,
      heard: false,
      done: false,
    };
    this.requests.push(request);
    count(counts, `request by ${request.how}`);
    const line = `sh project=${asks(kind) ? 'web2' : 'web1'} ${commandOf(kind, marker, outside)}`;
    if (request.how === 'slash') {
      request.accepted = await this.#answered(`/deckhand ${marker}`, () =>
        slack.person(by).slash(request.channel, `/deckhand ${line}`),
      );
    } else {
      request.ts = slack.person(by).mention(request.channel, line).ts;
    }
  }

  /** Whether the bot has told the platform that it has heard this message. */
  hearMentions(): void {
    const heard = new Set(
      this.#with.slack.deliveries
        .filter(({ kind, outcome }) => kind === 'events_api' && outcome === 'acked')
        .map(({ payload }) => (isRecord(payload.event) ? payload.event.ts : undefined)),
    );
    for (const request of this.requests) {
      if (request.ts !== undefined && heard.has(request.ts)) request.accepted = true;
    }
  }

  /** Everybody does what is to be done now. Called again and again. */
  act(): void {
    for (const request of this.requests) {
      if (request.done || this.#busy.has(request)) continue;
      this.#busy.add(request);
      void this.#actOn(request)
        .catch((error: unknown) => this.#with.say(`${request.marker}: ${error}`))
        .finally(() => this.#busy.delete(request));
    }
  }

  /** Requests that somebody has still to do something about. */
  open(): readonly Request[] {
    return this.requests.filter(({ done }) => !done);
  }

  async #actOn(request: Request): Promise<void> {
    const cards = this.#with.transcript.of(request.marker);
    if (request.kind !== 'fails' && cards.some(({ text }) => over.test(text))) {
      if (this.#denying === request) this.#denying = undefined;
      request.done = true;
      return;
    }
    const both: readonly Person[] = ['ada', 'ben'];
    switch (request.kind) {
      case 'approved':
      case 'contested': {
        const told = cards.find(({ text, buttons }) => wants.test(text) && buttons.includes('Approve'));
        request.done = cards.some(({ text }) => decided.test(text));
        if (request.done || told === undefined || !this.#mayLook(request, looksEveryMs)) return;
        return await this.#press(request, request.kind === 'contested' ? both : ['ada'], told, 'Approve');
      }
      case 'denied':
        return await this.#deny(request, cards);
      case 'stopped': {
        const live = cards.find(({ buttons }) => buttons.includes('Stop'));
        request.done = cards.some(({ text }) => /stopping|cancelled/.test(text));
        if (request.done || live === undefined || !this.#mayLook(request, looksEveryMs)) return;
        if (await this.#with.hasWritten(request.marker, 'begun')) await this.#press(request, [request.by], live, 'Stop');
        return;
      }
      case 'fails': {
        request.done = !request.retries || cards.some(({ text }) => text.includes('(run 2)'));
        const end = cards.find(({ buttons }) => buttons.includes('Retry'));
        if (request.done || end === undefined || !this.#mayLook(request, patienceMs)) return;
        request.retried += request.heard ? 0 : 1;
        return await this.#press(request, both, end, 'Retry');
      }
      default:
        request.done = true;
    }
  }

  async #deny(request: Request, cards: readonly Shown[]): Promise<void> {
    const ben = this.#with.slack.person('ben');
    const [form] = ben.views();
    if (cards.some(({ text }) => decided.test(text))) {
      if (this.#denying === request) {
        this.#denying = undefined;
        if (form !== undefined) await this.#answered('close', () => ben.closeView(form, { all: true }));
      }
      request.done = true;
      return;
    }
    this.#denying ??= request;
    if (this.#denying !== request) return;
    const told = cards.find(({ text, buttons }) => wants.test(text) && buttons.includes('Deny with reason…'));
    if (form === undefined) {
      if (told === undefined) this.#denying = undefined;
      else if (this.#mayLook(request, patienceMs)) await this.#press(request, ['ben'], told, 'Deny with reason…');
      return;
    }
    const number = /^#\d+/.exec(cards[0]?.text ?? '')?.[0];
    const title = isRecord(form.title) ? form.title.text : undefined;
    const input = form.blocks.find(({ type }) => type === 'input');
    if (title === `Deny ${number}` && input !== undefined) {
      const submit = () => ben.submit(form, { [input.block_id]: reasonGiven });
      request.heard = (await this.#answered(`reason for ${request.marker}`, submit)) || request.heard;
    } else {
      await this.#answered('close', () => ben.closeView(form, { all: true }));
    }
  }

  /** All of them at once. A form that was asked for is not opened by the press alone. */
  async #press(request: Request, people: readonly Person[], { message }: Shown, button: string): Promise<void> {
    if (request.heard) return;
    const { slack, counts } = this.#with;
    const one = (person: Person) =>
      this.#answered(`${button} of ${request.marker}`, () => slack.person(person).press(message, button));
    const answers = await Promise.all(people.map(one));
    count(counts, `press of ${button} answered`, answers.filter(Boolean).length);
    request.heard = !button.endsWith('…') && answers.includes(true);
  }

  /** False when no answer came, or when what was to be pressed is not there any more. */
  async #answered(what: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof NotAnswered || error instanceof Refused)) throw error;
      count(
        this.#with.counts,
        error instanceof NotAnswered ? 'acts that the platform said nobody had heard' : 'acts that came too late',
      );
      this.#with.say(`not answered: ${what} (${error.message})`);
      return false;
    }
  }

  #mayLook(request: Request, everyMs: number): boolean {
    const now = performance.now();
    if (now - (this.#lookAt.get(request) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
    this.#lookAt.set(request, now);
    return true;
  }
}
