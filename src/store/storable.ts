/** As JSON that PostgreSQL takes: it stores neither NUL nor half of a surrogate pair; both become U+FFFD. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? storableText(part) : part));
}

export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
