/** What went wrong, in the words of whoever noticed it. Node says of several refused addresses of one host nothing but their errors. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join('; ');
  return error instanceof Error ? error.message : String(error);
}
