import { z } from 'zod';

/** How somebody signed in: a link that chat gave them, an account at GitHub or at the OpenID provider, a password. */
export const signinMethodSchema = z.enum(['link', 'github', 'oidc', 'password']);
export type SigninMethod = z.infer<typeof signinMethodSchema>;

/** Servers that vouch for people. */
export const loginProviderSchema = z.enum(['github', 'oidc']);
export type LoginProvider = z.infer<typeof loginProviderSchema>;
