import { isRecord, type Json } from '../slack/json.ts';
import { requireRights } from './access.ts';
import { GithubApiError } from './api-error.ts';
import { actorOf, type Caller } from './caller.ts';
import { react, unreact } from './comments.ts';
import type { Core } from './core.ts';
import { GraphqlError } from './graphql-error.ts';
import { type Field, resolveValue } from './graphql-query.ts';
import { idOfNode, iso } from './ids.ts';
import type { LastEdit, Repository } from './model.ts';

/** Whatever somebody has written, as the interface `Comment` of GraphQL. */
interface Text {
  repository: Repository;
  /** Of reactions. */
  subject: string;
  needs: 'issues' | 'pull_requests';
  edit: LastEdit | undefined;
}

const missing = (id: unknown) =>
  new GraphqlError(`Could not resolve to a node with the global id of '${String(id)}'.`, 'NOT_FOUND');

function textIn(repository: Repository, node: string): Text | undefined {
  const of = (number: number): Text['needs'] => (repository.issues.get(number)?.pull ? 'pull_requests' : 'issues');
  const comment = repository.comments.get(idOfNode('IC', node) ?? 0);
  if (comment) return { repository, subject: `comment/${comment.id}`, needs: of(comment.number), edit: comment.edit };
  const line = repository.reviewComments.get(idOfNode('PRRC', node) ?? 0);
  if (line) return { repository, subject: `review_comment/${line.id}`, needs: 'pull_requests', edit: line.edit };
  const review = repository.reviews.get(idOfNode('PRR', node) ?? 0);
  if (review) return { repository, subject: `review/${review.id}`, needs: 'pull_requests', edit: review.edit };
  const issue = [...repository.issues.values()].find(
    ({ id, pull }) => id === idOfNode('I', node) || (pull !== undefined && pull.id === idOfNode('PR', node)),
  );
  return issue && { repository, subject: `issue/${issue.number}`, needs: of(issue.number), edit: issue.edit };
}

/** Throws NOT_FOUND for what is not there, or not for the caller. */
function textOf(core: Core, caller: Caller, node: unknown, level: 'read' | 'write'): Text {
  const found = [...core.repositories.values()]
    .map((repository) => textIn(repository, typeof node === 'string' ? node : ''))
    .find((one) => one !== undefined);
  if (!found) throw missing(node);
  try {
    requireRights(caller, found.repository, { needs: [`${found.needs}:${level}`], role: 'read' });
  } catch (error) {
    if (!(error instanceof GithubApiError)) throw error;
    throw error.status === 404 ? missing(node) : new GraphqlError(error.message, 'FORBIDDEN');
  }
  return found;
}

/** `nodes(ids: …) { ... on Comment { id lastEditedAt editor { login } } }`: null for each that is not there, which `missed` is told of. */
export function queryTexts(
  core: Core,
  field: Field,
  variables: Json,
  caller: Caller,
  missed: (error: GraphqlError, at: number) => void,
): unknown {
  if (field.name !== 'nodes') throw new GraphqlError(`Field '${field.name}' doesn't exist on type 'Query'`);
  const ids = resolveValue(field.args.ids, variables);
  if (!Array.isArray(ids)) throw new GraphqlError("Field 'nodes' is missing required arguments: ids");
  if (ids.length > 100)
    throw new GraphqlError('You may not provide more than 100 node ids; you provided more.', 'ARGUMENT_LIMIT');
  return ids.map((id: unknown, at) => {
    try {
      const { edit } = textOf(core, caller, id, 'read');
      return Object.fromEntries(field.fields.map((inner) => [inner.alias, fieldOf(inner, id, edit)]));
    } catch (error) {
      if (!(error instanceof GraphqlError) || error.type === undefined) throw error;
      missed(error, at);
      return null;
    }
  });
}

function fieldOf({ name, on, fields }: Field, id: unknown, edit: LastEdit | undefined): unknown {
  if (name === 'id') return id;
  // The others are fields of what people have written, not of every node.
  if (on === 'Comment' && name === 'lastEditedAt') return edit === undefined ? null : iso(edit.at);
  if (on === 'Comment' && name === 'editor') {
    const login = edit?.by.replace(/\[bot\]$/, '');
    return login === undefined ? null : Object.fromEntries(fields.map((inner) => [inner.alias, login]));
  }
  throw new GraphqlError(`Field '${name}' doesn't exist on type '${on ?? 'Node'}'`);
}

const CONTENTS: Readonly<Record<string, string>> = {
  THUMBS_UP: '+1',
  THUMBS_DOWN: '-1',
  LAUGH: 'laugh',
  HOORAY: 'hooray',
  CONFUSED: 'confused',
  HEART: 'heart',
  ROCKET: 'rocket',
  EYES: 'eyes',
};

/** `addReaction` and `removeReaction`, to whatever has been written. */
export function changeReaction(core: Core, field: Field, variables: Json, caller: Caller): unknown {
  const input = resolveValue(field.args.input, variables);
  const content = isRecord(input) ? CONTENTS[String(input.content)] : undefined;
  if (!isRecord(input) || content === undefined)
    throw new GraphqlError(
      `Argument 'content' on InputObject '${field.name === 'addReaction' ? 'Add' : 'Remove'}ReactionInput' has an invalid value.`,
    );
  const { repository, subject } = textOf(core, caller, input.subjectId, 'write');
  (field.name === 'addReaction' ? react : unreact)(core, repository, subject, actorOf(caller), content);
  return Object.fromEntries(
    field.fields.map(({ alias, name }) => {
      if (name !== 'clientMutationId') throw new GraphqlError(`Field '${name}' doesn't exist on type '${field.name}'`);
      return [alias, input.clientMutationId ?? null];
    }),
  );
}
