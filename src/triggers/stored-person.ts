import { z } from 'zod';
import { identityRefSchema } from '../contracts/platform.ts';
import { roleSchema } from '../contracts/roles.ts';
import type { Person } from '../tasks/task-engine.ts';

const personSchema = z.object({
  workspace: z.string(),
  user: z.string(),
  name: z.string(),
  role: roleSchema.optional(),
  identity: identityRefSchema,
});

/** Who asked for something that is done later, with the role they had then. */
export function readPerson(stored: unknown): Person {
  const { role, ...person } = personSchema.parse(stored);
  return { ...person, role };
}
