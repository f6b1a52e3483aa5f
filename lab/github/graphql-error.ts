/** What GraphQL answers beside the data, for one field. */
export class GraphqlError extends Error {
  readonly type: string | undefined;
  constructor(message: string, type?: string) {
    super(message);
    this.type = type;
  }
}
