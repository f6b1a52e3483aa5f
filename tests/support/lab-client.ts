import type { LabMessage, LabState } from '../../lab/page-api.ts';
import { eventually, type WaitOptions } from './wait-for.ts';

/** A message of the lab with everything readable in it as one text. */
export interface Told {
  message: LabMessage;
  text: string;
  buttons: string[];
}

/** Acts as one of the lab's people over the lab's own API, against Deckhand in another process. */
export class LabClient {
  readonly #url: string;
  readonly #person: string;
  #state: LabState | undefined;

  constructor(url: string, person: 'ada' | 'ben' | 'gus') {
    this.#url = url;
    this.#person = person;
  }

  async state(): Promise<LabState> {
    const response = await fetch(`${this.#url}/lab/api/state`);
    this.#state = (await response.json()) as LabState;
    return this.#state;
  }

  /** Types a slash command in #demo (or another channel). */
  async slash(line: string, channel = 'demo'): Promise<void> {
    const [command = '', ...rest] = line.split(' ');
    await this.#post('commands', { channel: await this.#channel(channel), command, text: rest.join(' ') });
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

  /** Everything this person sees, oldest first. */
  async messages(): Promise<Told[]> {
    const state = await this.state();
    const me = this.#idOf(state);
    return state.messages.filter(({ visible_to }) => visible_to === undefined || visible_to === me).map(toTold);
  }

  /** The newest message that matches, once there is one. */
  async waitFor(pattern: RegExp, options: WaitOptions & { button?: string } = {}): Promise<Told> {
    let found: Told | undefined;
    await eventually(async () => {
      const all = await this.messages();
      found = all.findLast(
        ({ text, buttons }) => pattern.test(text) && (options.button === undefined || buttons.includes(options.button)),
      );
      if (found === undefined)
        throw new Error(`no message matches ${pattern}; there are:\n${all.map(({ text }) => `  ${text}`).join('\n')}`);
    }, options);
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
