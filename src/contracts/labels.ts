import { z } from 'zod';

/** What a runner is, or a task needs of one: `gpu`, `eu`. */
export const labelPattern = /^[a-z0-9][a-z0-9._-]{0,39}$/;
/** Most labels of a runner, and of a project or task. */
export const mostLabels = 10;
export const labelAbout = 'a label has up to 40 letters, digits, dots, hyphens and underscores, such as `gpu` or `eu`';

/** Labels as they are stored: each once, in order, with commas between; '' for none. */
export function labelList(labels: readonly string[]): string {
  return [...new Set(labels.map((label) => label.toLowerCase()))].sort().join(',');
}

export function labelsIn(list: string): string[] {
  return list === '' ? [] : list.split(',');
}

/** `gpu,eu` as people type it; `none` and '' are no labels. */
export const labelsSchema = z
  .string()
  .transform((text) => (text.toLowerCase() === 'none' ? '' : text))
  .transform((text) => labelsIn(labelList(text.split(/[\s,]+/).filter((label) => label !== ''))))
  .refine((labels) => labels.every((label) => labelPattern.test(label)), `${labelAbout}; commas stand between labels.`)
  .refine((labels) => labels.length <= mostLabels, `At most ${mostLabels} labels.`);

/** Whether a runner with these labels may take what needs those. */
export function fits(needs: string, has: string): boolean {
  const labels = new Set(labelsIn(has));
  return labelsIn(needs).every((label) => labels.has(label));
}

/**
 * Why no runner fits: the labels that none of them has, or, when each is there but never together, all of them. Empty when one fits.
 */
export function missingLabels(needs: string, runners: readonly string[]): string[] {
  if (runners.some((has) => fits(needs, has))) return [];
  const known = new Set(runners.flatMap(labelsIn));
  const nowhere = labelsIn(needs).filter((label) => !known.has(label));
  return nowhere.length > 0 ? nowhere : labelsIn(needs);
}
