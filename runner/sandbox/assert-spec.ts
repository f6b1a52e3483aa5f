import { isAbsolute } from 'node:path';
import { assertRun, type SandboxSpec } from './port.ts';

const envPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Guards what becomes parts of container names, paths and `NAME=value` lines. Throws a plain Error: a mistake of the caller. */
export function assertSpec(spec: SandboxSpec): void {
  assertRun(spec.run);
  for (const [name, value] of Object.entries(spec.env)) {
    if (!envPattern.test(name) || value.includes('\0')) throw new Error(`not an environment variable: ${JSON.stringify(name)}`);
  }
  if (spec.gateway !== undefined && !isAbsolute(spec.gateway)) throw new Error(`not an absolute path: ${spec.gateway}`);
  if (spec.argv.some((part) => part.includes('\0'))) throw new Error('an argument contains a NUL byte');
  for (const [name, value] of Object.entries(spec.limits)) {
    if (!Number.isFinite(value) || value <= 0) throw new Error(`limit ${name} must be a positive number`);
  }
}
