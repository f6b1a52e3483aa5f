import { randomBytes } from 'node:crypto';

/** Decimal digits, as callback query ids have them. */
export function digits(length: number): string {
  let text = String(1 + ((randomBytes(1)[0] ?? 0) % 9));
  for (const byte of randomBytes(length - 1)) text += String(byte % 10);
  return text;
}

/** URL-safe text, as file ids and the secret half of tokens have it. */
export function urlSafe(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** A bot token: the bot's id and 35 characters. */
export function newToken(botId: number): string {
  return `${botId}:AA${urlSafe(26).slice(0, 33)}`;
}
