import type Anthropic from '@anthropic-ai/sdk';
import { APIError } from '@anthropic-ai/sdk/core/error';
import { type GivenFile, givenFolder } from '../../src/contracts/given-file.ts';

/** Kinds that models look at, by their first bytes: what a platform says of a file need not be true. */
const kinds = [
  ['image/png', /^.PNG\r\n/s],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF....WEBP/s],
] as const;
type Kind = (typeof kinds)[number][0];

/** Model servers refuse larger ones (5 MB of base64), and requests above 32 MB. */
const mostBytes = 3.5 * 1024 ** 2;
const mostTogether = 14 * 1024 ** 2;
const mostShown = 10;

/** Files of a turn that a model can be shown; those of earlier turns it has seen. */
export function picturesIn(files: readonly GivenFile[]): GivenFile[] {
  return files
    .filter(
      ({ mime = '', bytes = 0, came }) => /^image\/(png|jpe?g|gif|webp)$/.test(mime) && bytes <= mostBytes && came !== 'earlier',
    )
    .slice(0, mostShown);
}

/** Where an agent finds a file, from its working directory. */
export function pathOf(cwd: string, { name }: GivenFile): string {
  return `${cwd}/${givenFolder}/${name}`;
}

const scheme = 'deckhand:';

/** A picture as the conversation of the built-in loop keeps it: by its artifact. Its bytes are put in when a model is asked. */
export function pictureBlock(artifact: string): Anthropic.ImageBlockParam {
  return { type: 'image', source: { type: 'url', url: `${scheme}${artifact}` } };
}

export interface Pictures {
  /** The conversation with the bytes of its pictures, the newest as far as there is room; what is no picture is left out. */
  into(messages: readonly Anthropic.MessageParam[]): Promise<Anthropic.MessageParam[]>;
  /** True when a server refused the request because of a picture: from then on none is shown. */
  givenUp(error: unknown): boolean;
}

export function createPictures(read: (artifact: string) => Promise<Uint8Array | undefined>): Pictures {
  const known = new Map<string, Anthropic.ImageBlockParam | undefined>();
  let shown = true;

  async function blockOf(artifact: string): Promise<Anthropic.ImageBlockParam | undefined> {
    if (!known.has(artifact)) known.set(artifact, encoded(await read(artifact)));
    return known.get(artifact);
  }

  return {
    async into(messages) {
      let room = mostTogether;
      const filled: Anthropic.MessageParam[] = [];
      for (const message of messages.toReversed()) {
        if (message.role !== 'user' || typeof message.content === 'string' || !message.content.some(isKept)) {
          filled.unshift(message);
          continue;
        }
        const content: Anthropic.ContentBlockParam[] = [];
        for (const block of message.content) {
          const artifact = keptIn(block);
          const picture = artifact === undefined || !shown ? undefined : await blockOf(artifact);
          const size = picture?.source.type === 'base64' ? picture.source.data.length * 0.75 : 0;
          if (artifact === undefined) content.push(block);
          else if (picture !== undefined && size <= room) {
            content.push(picture);
            room -= size;
          }
        }
        filled.unshift({ role: 'user', content });
      }
      return filled;
    },
    givenUp(error) {
      if (!shown || !(error instanceof APIError) || error.status !== 400) return false;
      if (!/image|picture|media_type/i.test(error.message)) return false;
      shown = false;
      return true;
    },
  };
}

function keptIn(block: Anthropic.ContentBlockParam): string | undefined {
  if (block.type !== 'image' || block.source.type !== 'url') return undefined;
  return block.source.url.startsWith(scheme) ? block.source.url.slice(scheme.length) : undefined;
}

function isKept(block: Anthropic.ContentBlockParam): boolean {
  return keptIn(block) !== undefined;
}

function encoded(bytes: Uint8Array | undefined): Anthropic.ImageBlockParam | undefined {
  const kind = bytes === undefined ? undefined : kindOf(bytes);
  if (bytes === undefined || kind === undefined || bytes.length > mostBytes) return undefined;
  return { type: 'image', source: { type: 'base64', media_type: kind, data: Buffer.from(bytes).toString('base64') } };
}

function kindOf(bytes: Uint8Array): Kind | undefined {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  return kinds.find(([, begins]) => begins.test(head))?.[0];
}
