import { z } from 'zod';

const bodySchema = z.looseObject({ error: z.looseObject({ message: z.string() }) });

/** What the program says about an error, as a sentence: of an answer of the model server only its message. */
export function whyFailed(message: string): string {
  const body = /\{[\s\S]*\}/.exec(message)?.[0];
  const told = body === undefined ? undefined : messageIn(body);
  const text = (told ?? message)
    .trim()
    .replaceAll(/,? url: \S+/g, '')
    .replaceAll(/,? request id: \S+/g, '');
  const short = text.slice(0, 1000);
  return /[.!?]$/.test(short) ? short : `${short}.`;
}

function messageIn(body: string): string | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data?.error.message;
  } catch {
    return undefined;
  }
}
