import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { askedEvents, deletedEvents, type EventContext, editedEvents, isForUs, type Me } from './talk-events.ts';
import { type Delivery, deliverySchema, issueSchema } from './talk-payloads.ts';
import { commentSaid, issueSaid, lineCommentSaid, reviewSaid, type Said } from './talk-said.ts';

/** Events in which people say something (docs.github.com, "Webhook events and payloads"). */
const talking = ['issue_comment', 'issues', 'pull_request', 'pull_request_review', 'pull_request_review_comment'] as const;
type TalkEvent = (typeof talking)[number];

/** Whether a webhook of this name may hold what somebody said. */
export function isTalk(event: string): event is TalkEvent {
  return talking.some((one) => one === event);
}

/** A mention that is put into something older than this asks nothing: nobody waits for an answer there. */
const newMs = 24 * 60 * 60_000;

/**
 * What a delivery tells of what people said. Pure. Nothing for what is not said to the bot. Whoever may write in a repository may change what
 * others wrote there: such a change asks nothing and changes nothing, since it would be done in the name of somebody else.
 */
export function deliveredEvents(event: TalkEvent, payload: unknown, me: Me, tenant: string): InboundEvent[] {
  const read = deliverySchema.safeParse(payload).data;
  const said = read && saidIn(event, read);
  if (read === undefined || said === undefined) return [];
  const { id, full_name: fullName } = read.repository;
  const context: EventContext = { me, tenant, repository: { id, fullName } };
  switch (read.action) {
    case 'created':
    case 'opened':
    case 'submitted':
      return askedEvents(said, context);
    case 'edited':
      return read.sender.id === said.by.id ? changedEvents(said, previousBody(payload), context) : [];
    case 'deleted':
      return deletedEvents(said, context);
    default:
      return [];
  }
}

/** A mention that was put in later asks as if it had been there; what was stored already is the same event. */
function changedEvents(said: Said, before: string | undefined, context: EventContext): InboundEvent[] {
  // The title was changed, or the base of the pull request.
  if (before === undefined) return [];
  const wasForUs = isForUs({ ...said, body: before }, context.me);
  const isNew = Date.parse(said.updatedAt) - Date.parse(said.createdAt) < newMs;
  const asked = isNew ? askedEvents(said, context) : [];
  return [...asked, ...(wasForUs ? editedEvents(said, context) : [])];
}

function saidIn(event: TalkEvent, { issue, pull_request: pull, comment, review }: Delivery): Said | undefined {
  if (event === 'issue_comment') {
    if (issue === undefined || comment === undefined) return undefined;
    return commentSaid(comment, issue.number, issue.pull_request === undefined ? 'issue' : 'pull');
  }
  if (event === 'issues') return issue && issueSaid(issue, 'issue');
  if (pull === undefined) return undefined;
  if (event === 'pull_request') {
    const whole = issueSchema.safeParse(pull).data;
    return whole && issueSaid(whole, 'pull');
  }
  if (event === 'pull_request_review') return review && reviewSaid(review, pull.number);
  return comment !== undefined && 'path' in comment ? lineCommentSaid(comment, pull.number) : undefined;
}

/** `changes.body.from`; undefined when something else was changed. */
function previousBody(payload: unknown): string | undefined {
  const at = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
  const from = at(at(at(payload, 'changes'), 'body'), 'from');
  return typeof from === 'string' ? from : undefined;
}
