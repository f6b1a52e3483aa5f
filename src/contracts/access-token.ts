import { z } from 'zod';

/** What an access token is good for. Each route of the API names the one it needs; a token has the ones that were asked for. */
export const accessScopeSchema = z.enum(['read']);
export type AccessScope = z.infer<typeof accessScopeSchema>;

/** `personal`: stands for the person who made it. `service`: belongs to the workspace, whatever becomes of who made it. */
export const tokenKindSchema = z.enum(['personal', 'service']);
export type TokenKind = z.infer<typeof tokenKindSchema>;
