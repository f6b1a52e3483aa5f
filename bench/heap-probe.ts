/** Loaded into a program with --expose-gc: on SIGUSR2 it logs what its heap holds, after garbage was collected. */
process.on('SIGUSR2', () => {
  const before = process.memoryUsage();
  globalThis.gc?.();
  const after = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'heap', before, after })}\n`);
});
