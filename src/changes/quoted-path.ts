const written: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

/** A name as git prints it: as it is, or in double quotes with its bytes written like those of a string in C. Never throws. */
export function unquotePath(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  const inside = text.slice(1, -1);
  const pieces: Uint8Array[] = [];
  for (const [piece, octal, letter] of inside.matchAll(/\\([0-3][0-7]{2})|\\(.)|[^\\]+|\\/gs)) {
    if (octal !== undefined) pieces.push(Uint8Array.of(Number.parseInt(octal, 8)));
    else if (letter !== undefined) pieces.push(Uint8Array.of(written[letter] ?? letter.charCodeAt(0)));
    else pieces.push(new TextEncoder().encode(piece));
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(pieces));
}
