import { DeliveryError, type DeliveryFailure } from '../contracts/chat-adapter.ts';
import { type FetchedFile, FetchFailed, type FileRequest, fetchFile } from './fetch-file.ts';

/** `fetchFile` for adapters: its failures, also those while the content is read, in the words the port knows. */
export async function download(request: FileRequest): Promise<FetchedFile> {
  try {
    const found = await fetchFile(request);
    return { ...found, content: delivered(found.content) };
  } catch (error) {
    throw deliveryOf(error);
  }
}

async function* delivered(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* content;
  } catch (error) {
    throw deliveryOf(error);
  }
}

function deliveryOf(error: unknown): unknown {
  return error instanceof FetchFailed ? new DeliveryError(failureOf(error), { cause: error }) : error;
}

function failureOf({ why, message: detail, retryAfterMs }: FetchFailed): DeliveryFailure {
  switch (why) {
    case 'gone':
      return { kind: 'gone', detail };
    case 'passes':
      return { kind: 'unreachable', detail };
    case 'rate_limited':
      return { kind: 'rate_limited', retryAfterMs: retryAfterMs ?? 10_000 };
    case 'refused':
    case 'foreign':
      return { kind: 'rejected', detail };
  }
}
