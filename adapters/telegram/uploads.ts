import { InputFile } from 'grammy';
import { DeliveryError, type UploadFile } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { TelegramApi } from './api.ts';
import { captionOf } from './outbound.ts';
import { chatId, place } from './place.ts';
import { printable, shorten } from './telegram-text.ts';

const uploadTimeoutMs = 120_000;

/**
 * Files as documents, several of them as one album: one call, so that its outcome is one. Pictures too: as photos Telegram would
 * compress them, and letters in a screenshot would blur. A comment that is too long for a caption is a file of its own.
 */
export async function uploadFiles(
  api: TelegramApi,
  to: Conversation,
  files: readonly UploadFile[],
  comment: string | undefined,
): Promise<void> {
  const empty = files.find(({ bytes }) => bytes.length === 0);
  if (empty !== undefined) {
    throw new DeliveryError({ kind: 'rejected', detail: `${empty.name} is empty, Telegram takes no empty files` });
  }
  const said = comment === undefined || comment.trim() === '' ? undefined : comment;
  const caption = said === undefined ? {} : captionOf(said);
  const whole: UploadFile[] =
    said === undefined || caption !== undefined
      ? [...files]
      : [{ name: 'comment.txt', bytes: new TextEncoder().encode(said) }, ...files];
  const shared = { chat_id: chatId(to.channel), ...place(to.thread) };
  const options = { timeoutMs: uploadTimeoutMs, channel: to.channel };
  const [only, ...more] = whole;
  if (only === undefined) return;
  if (more.length === 0) {
    const args = { ...shared, ...caption, document: inputOf(only), disable_content_type_detection: true };
    await api.call('sendDocument', (raw, signal) => raw.sendDocument(args, signal), options);
    return;
  }
  // Telegram shows the caption of the last document below the whole album.
  const media = whole.map((file, at) => ({
    type: 'document' as const,
    media: inputOf(file),
    ...(at === whole.length - 1 ? caption : {}),
  }));
  await api.call('sendMediaGroup', (raw, signal) => raw.sendMediaGroup({ ...shared, media }, signal), options);
}

/** The name stands in a header without quotes, and is text of a repository like any other. */
function inputOf({ name, bytes }: UploadFile): InputFile {
  const shown = printable(name).replace(/["';\\/\s]+/g, '_');
  return new InputFile(bytes, shown === '' ? 'file' : shorten(shown, 120));
}
