/** The people of the lab; they are the same on every platform. */
export const people = ['ada', 'ben', 'gus'] as const;
export type PersonKey = (typeof people)[number];
