/** Something in a request for which there is no harmless other form. The message goes to the client. */
export class PolicyRefusal extends Error {
  override name = 'PolicyRefusal';
}

export interface Stripped {
  /** Names of tools and fields that were taken out. */
  removed: string[];
}

export type Parts = Record<string, unknown>;

export function isRecord(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Takes fields out of a body, and says which were there. */
export function withoutFields(body: Parts, names: readonly string[], removed: string[]): void {
  for (const name of names) {
    if (body[name] === undefined || body[name] === null) continue;
    delete body[name];
    removed.push(name);
  }
}

export const providerFetches =
  'Links are not fetched by the model provider for a sandbox: send the bytes (base64) instead of an address or a file id.';

/** A request that was only about tools which do not pass would be answered from thin air. */
export function refuseTool(name: string): never {
  throw new PolicyRefusal(`The tool ${name} runs at the model provider, which the policy of this sandbox does not allow.`);
}
