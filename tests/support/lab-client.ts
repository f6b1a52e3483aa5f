import type { LabMessage, LabState, LabView } from '../../lab/page-api.ts';
import { eventually, type WaitOptions, waitFor } from './wait-for.ts';

/** A message of the lab with everything readable in it as one text. */
export interface Told {
  message: LabMessage;
  text: string;
  buttons: string[];
}

/** The first words of a card: number and state mark. */
const cardHead = /^#(\d+) /;
const endWords = /(✔ done|✖ failed|✖ timed out|✖ interrupted|○ cancelled)( in| after)? /;

/** A look at the lab where nothing has changed costs little; else it is all of its state. */
const everyMs = 100;

/** Acts as one of the lab's people over the lab's own API, against Deckhand in another process. */
export class LabClient {
  readonly #url: string;
  readonly #person: string;
  #state: LabState | undefined;
  #tag = '';
  #told: readonly Told[] = [];

  constructor(url: string, person: 'ada' | 'ben' | 'gus') {
    this.#url = url;
    this.#person = person;
  }

  async state(): Promise<LabState> {
    const response = await fetch(`${this.#url}/lab/api/state`, { headers: { 'if-none-match': this.#tag } });
    if (response.status === 304 && this.#state !== undefined) return this.#state;
    const state = (await response.json()) as LabState;
    const me = this.#idOf(state);
    this.#told = state.messages.filter(({ visible_to }) => visible_to === undefined || visible_to === me).map(toTold);
    this.#tag = response.headers.get('etag') ?? '';
    this.#state = state;
    return state;
  }

  /** Types a slash command in #demo (or another channel). */
  async slash(line: string, channel = 'demo'): Promise<void> {
    const [command = '', ...rest] = line.split(' ');
    await this.#post('commands', { channel: await this.#channel(channel), command, text: rest.join(' ') });
  }

  /** Runs a command and resolves with the number of its task once the card is there. One at a time. */
  async sh(command: string, channel = 'demo'): Promise<number> {
    const last = Math.max(0, ...(await this.messages()).map(numberOf));
    await this.slash(`/deckhand sh ${command}`, channel);
    return await waitFor(
      `the card of \`${command.slice(0, 60)}\``,
      async () => (await this.messages()).map(numberOf).find((number) => number > last),
      { timeoutMs: 30_000, everyMs },
    );
  }

  /** The card of a task that is edited while it runs. */
  async card(number: number): Promise<Told> {
    const found = (await this.messages()).find((told) => numberOf(told) === number && !isReply(told));
    if (found === undefined) throw new Error(`there is no card of #${number}`);
    return found;
  }

  /** Everything in the thread of a task, its card first. */
  async thread(number: number): Promise<Told[]> {
    const { ts, channel } = (await this.card(number)).message;
    return (await this.messages()).filter(
      ({ message }) => message.channel === channel && (message.thread_ts ?? message.ts) === ts,
    );
  }

  /** The card at the end of the task's run, once there is one. `after`: how many ended runs of the task are old news. */
  async end(number: number, options: WaitOptions & { after?: number } = {}): Promise<Told> {
    const { after = 0, ...wait } = options;
    return await waitFor(
      `the end of #${number}`,
      async () => {
        const thread = await this.thread(number);
        const cards = thread.filter((told) => isReply(told) && numberOf(told) === number);
        const ends = cards.filter((told) => endWords.test(told.text) && !isLive(told, cards));
        const found = ends[after];
        if (found === undefined) throw new Error(thread.map(({ text }) => text.slice(0, 300)).join('\n'));
        return found;
      },
      { timeoutMs: 60_000, everyMs, ...wait },
    );
  }

  /** The content of a file that hangs on a message of the thread of a task. */
  async file(number: number, name: RegExp): Promise<Buffer> {
    const files = (await this.thread(number)).flatMap(({ message }) => message.files);
    const found = files.find((file) => name.test(file.name));
    if (found === undefined) throw new Error(`no file ${name} among ${files.map((file) => file.name).join(', ')}`);
    const response = await fetch(`${this.#url}${found.url}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** What only this person is told in answer to a command. */
  async told(line: string, channel = 'demo'): Promise<string> {
    const mine = async () => (await this.messages()).filter(({ message }) => message.visible_to !== undefined);
    const before = (await mine()).length;
    await this.slash(line, channel);
    return await waitFor(`an answer to \`${line.slice(0, 60)}\``, async () => (await mine())[before]?.text, {
      // An examination tries the container engine, which takes its time on a busy machine.
      timeoutMs: 60_000,
      everyMs,
    });
  }

  async say(text: string, channel = 'demo', thread?: string): Promise<void> {
    await this.#post('messages', { channel: await this.#channel(channel), text, thread_ts: thread });
  }

  /** Presses the button with this label. */
  async press(told: Told, label: string): Promise<void> {
    for (const block of told.message.blocks) {
      const elements = Array.isArray(block.elements)
        ? (block.elements as { type?: string; action_id?: string; text?: { text?: string } }[])
        : [];
      const button = elements.find((element) => element.type === 'button' && element.text?.text === label);
      if (button === undefined) continue;
      await this.#post('press', {
        in: { channel: told.message.channel, ts: told.message.ts },
        block_id: block.block_id,
        action_id: button.action_id,
      });
      return;
    }
    throw new Error(`there is no button ${label} among ${told.buttons.join(', ')}`);
  }

  /** The form this person has open, the topmost one. */
  async form(): Promise<LabView | undefined> {
    const state = await this.state();
    const mine = state.views.filter(({ user }) => user === this.#idOf(state));
    return mine.toSorted((one, other) => other.depth - one.depth)[0];
  }

  /** Enters the text into every input of a form and submits it. */
  async submit(form: LabView, text: string): Promise<void> {
    const inputs = form.blocks.filter(({ type }) => type === 'input');
    const values = Object.fromEntries(
      inputs.map(({ block_id, element }) => [block_id, { [(element as { action_id: string }).action_id]: text }]),
    );
    await this.#post('views/submit', { view_id: form.id, values });
  }

  /** Everything this person sees, oldest first. */
  async messages(): Promise<readonly Told[]> {
    await this.state();
    return this.#told;
  }

  /** The newest message that matches, once there is one. */
  async waitFor(pattern: RegExp, options: WaitOptions & { button?: string } = {}): Promise<Told> {
    let found: Told | undefined;
    await eventually(
      async () => {
        const all = await this.messages();
        found = all.findLast(
          ({ text, buttons }) => pattern.test(text) && (options.button === undefined || buttons.includes(options.button)),
        );
        if (found === undefined)
          throw new Error(`no message matches ${pattern}; there are:\n${all.map(({ text }) => `  ${text}`).join('\n')}`);
      },
      { everyMs, ...options },
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  async #channel(name: string): Promise<string> {
    const state = this.#state ?? (await this.state());
    const me = this.#idOf(state);
    const channel = state.channels.find((one) => (name === 'dm' ? one.im_user === me : one.name === name && one.kind !== 'im'));
    if (channel === undefined) throw new Error(`the lab has no channel ${name}`);
    return channel.id;
  }

  #idOf(state: LabState): string {
    return state.people.find(({ name }) => name === this.#person)?.id ?? '';
  }

  async #post(path: string, body: Record<string, unknown>): Promise<void> {
    const as = this.#idOf(this.#state ?? (await this.state()));
    const response = await fetch(`${this.#url}/lab/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ as, ...body }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
}

function numberOf({ text }: Told): number {
  return Number(cardHead.exec(text)?.[1] ?? 0);
}

/** A run after the first has its live card among the replies too, before its end. The first one's is the message above them. */
function isLive({ text, message }: Told, cards: readonly Told[]): boolean {
  const run = /\(run \d+\)/.exec(text)?.[0];
  return run !== undefined && cards.find((card) => card.text.includes(run))?.message === message;
}

function isReply({ message: { ts, thread_ts: thread } }: Told): boolean {
  return thread !== undefined && thread !== ts;
}

function toTold(message: LabMessage): Told {
  const parts: string[] = [];
  const buttons: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      const node = value as { type?: unknown; text?: unknown };
      if (node.type === 'button') buttons.push(String((node.text as { text?: unknown } | undefined)?.text));
      else if (typeof node.text === 'string') parts.push(node.text);
      else Object.values(node).forEach(walk);
    }
  };
  walk(message.blocks.length > 0 ? message.blocks : { text: message.text });
  parts.push(...message.files.map(({ name }) => `file ${name}`));
  return { message, text: parts.join(' ').replace(/\s+/g, ' '), buttons };
}
