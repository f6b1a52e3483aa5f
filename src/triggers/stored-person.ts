import { z } from 'zod';
import { permissionSchema } from '../contracts/permissions.ts';
import { identityRefSchema } from '../contracts/platform.ts';
import { roleSchema } from '../contracts/roles.ts';
import type { Person } from '../tasks/task-engine.ts';

const personSchema = z.object({
  workspace: z.string(),
  user: z.string(),
  name: z.string(),
  role: roleSchema.optional(),
  /** What is no permission, of another version, gives nothing. */
  extra: z.array(z.string()).optional(),
  named: z.array(z.string()).optional(),
  identity: identityRefSchema,
});

/** Who asked for something that is done later, with what they might then. */
export function readPerson(stored: unknown): Person {
  const { role, extra, ...person } = personSchema.parse(stored);
  const known = permissionSchema.options.filter((permission) => extra?.includes(permission) === true);
  return { ...person, role, ...(known.length === 0 ? {} : { extra: known }) };
}
