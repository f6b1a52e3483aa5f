/**
 * Aborts on the first signal that ends the program, so that what it has started is taken down; a second one ends at once. The reason is an
 * error with the name of the signal.
 */
export function endingSignal(): AbortSignal {
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (ending.signal.aborted) process.exit(130);
      process.stderr.write('ending: what was started is taken down; a second signal ends at once\n');
      ending.abort(new Error(name));
    });
  }
  return ending.signal;
}
