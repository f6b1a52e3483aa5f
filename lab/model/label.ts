const LABEL = '[scripted] ';

/** Everything the model says tells that a script says it. */
export const label = (text: string) => (text.startsWith(LABEL) ? text : `${LABEL}${text}`);
