// Ends with 0 when the Deckhand in this container lives: the check of the image, and with the argument `ready` a check of readiness. Asks the
// port that this role has: PORT, or METRICS_PORT of a runner.
const { PORT = '3000', METRICS_PORT } = process.env;
const path = process.argv[2] === 'ready' ? '/readyz' : '/healthz';

async function answers(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(4000) });
    return response.ok;
  } catch {
    return false;
  }
}

const ports = [PORT, METRICS_PORT].filter((port) => port);
const found = await Promise.all(ports.map(answers));
process.exit(found.some(Boolean) ? 0 : 1);
