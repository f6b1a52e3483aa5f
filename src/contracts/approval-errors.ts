import type { ErrorEntry } from './errors.ts';

/** What is wrong with decisions and those who make them. Part of the catalogue in errors.ts. */
export const approvalErrors = {
  'DH-400': { title: 'Already decided', text: '{what}', remedy: 'Nothing more to do.' },
  'DH-401': {
    title: 'Nobody decided in time',
    text: 'The request for approval expired, which counts as no.',
    remedy: 'Retry asks again.',
  },
  'DH-402': {
    title: 'Nobody may approve',
    text: 'An approval is needed, and there is nobody with the right to give one.',
    remedy: 'An owner gives somebody the role with `member role`, or changes who decides with `settings`. Then retry.',
  },
  'DH-403': {
    title: 'It counts elsewhere',
    text: 'You may decide on {what}, but not here. {where}',
    remedy: '{instead}',
  },
} as const satisfies Record<string, ErrorEntry>;
