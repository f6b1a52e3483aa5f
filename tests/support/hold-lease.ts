/** A process that takes a lease, says so to its parent and holds it for ever. Arguments: database address, name of the lease. */
import { createLeases } from '../../src/store/lease.ts';

const [url, name] = process.argv.slice(2);
if (url === undefined || name === undefined) throw new Error('usage: hold-lease.ts <url> <name>');

await createLeases({ url, onError: () => undefined })(name, new AbortController().signal);
process.send?.('holding');
setInterval(() => undefined, 60_000);
