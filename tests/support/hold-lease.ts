/**
 * A process that takes a lease, says to its parent which term it has, and holds it for ever. To every message it answers whether it may still
 * act by it. Arguments: database address, name of the lease, milliseconds of silence after which it is taken back (optional).
 */
import { createLeases } from '../../src/store/lease.ts';

const [url, name, silence] = process.argv.slice(2);
if (url === undefined || name === undefined) throw new Error('usage: hold-lease.ts <url> <name> [<silence>]');

const options = silence === undefined ? {} : { silenceMs: Number(silence), checkMs: 100, answerMs: 300 };
const lease = await createLeases({ url, onError: () => undefined, ...options })(name, new AbortController().signal);
process.send?.({ term: lease.term });
process.on('message', () => process.send?.({ fresh: lease.isFresh() }));
setInterval(() => undefined, 60_000);
