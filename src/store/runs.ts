import { z } from 'zod';
import { Prisma, type Run } from '../../prisma/client/client.ts';
import { type AgentSettings, agentSettingsSchema } from '../contracts/agent.ts';
import { type GivenFile, givenFileSchema } from '../contracts/given-file.ts';
import { type RunPurpose, runPurposeSchema } from '../contracts/rebase.ts';
import type { Actor, OutputCursor, RunEventData, RunResult } from '../contracts/run-event.ts';
import { type RunState, runStateSchema } from '../contracts/states.ts';
import { newId } from '../runtime/ids.ts';
import { traceparent } from '../runtime/trace.ts';
import type { Tx } from './database.ts';
import { appendEvents, insertNumbered } from './run-events.ts';
import { storableJson, storableText } from './storable.ts';

/** States in which a runner may hold the run. One that is `awaiting` is held when it has a runner: its agent waits in its sandbox. */
export const heldStates = ['preparing', 'planning', 'awaiting', 'executing', 'finishing'] as const satisfies RunState[];
/** States that are not an end. */
export const liveStates = ['queued', ...heldStates] as const satisfies RunState[];

/** A runner holds the run. */
export function isHeld(run: Pick<RunRecord, 'state' | 'runner'>): boolean {
  return run.runner !== null && heldStates.some((state) => state === run.state);
}

/** The same for a row of "Run". */
export const holdsRun = Prisma.sql`(
  "Run"."state" IN ('preparing', 'planning', 'executing', 'finishing')
  OR ("Run"."state" = 'awaiting' AND "Run"."runnerId" IS NOT NULL)
)`;

/** A run as the engine needs it. Its state changes only under the lock of its task (`lockTask`). */
export interface RunRecord {
  id: string;
  workspace: string;
  task: string;
  project: string;
  attempt: number;
  state: RunState;
  requestedBy: string;
  /** It waits for a quota until then; null: it does not. */
  notBefore: Date | null;
  /** Until when its time at work has been counted against quotas; null: it is not at work. */
  timedUntil: Date | null;
  /** When it got its place: it may be taken by a runner from then on. */
  dispatchedAt: Date | null;
  /** Labels that a runner must have to take it: contracts/labels.ts `labelList`. */
  runsOn: string;
  startedAt: Date | null;
  stopRequestedAt: Date | null;
  runner: string | null;
  host: string | null;
  sandboxKind: string | null;
  sandboxRef: string | null;
  cursor: OutputCursor;
  timeoutMs: number;
  /** What its sandbox is, once it executes. */
  isolated: boolean | null;
  image: string | null;
  /** Of an agent: its settings as they are now, and what it was asked to do; null for a command. */
  agent: AgentSettings | null;
  prompt: string | null;
  files: readonly GivenFile[];
  /** How often it was let go of while it waited and claimed again; `released`: it is let go of now. */
  life: number;
  released: boolean;
  /** Number of the last mail that the harness has dealt with. */
  mail: number;
  inputs: number;
  /** It brings the change of its task to the newest base, or undoes what was merged of it. */
  rebase: RunPurpose | null;
  /** Number among attempts that are made side by side; null: it is none of them. */
  variant: number | null;
  /** The step of a trace that asked for it; null: none is recorded. */
  traceparent: string | null;
}

const filesSchema = z.array(givenFileSchema);
/** Large columns that only the claim of an agent's run needs. */
export const withoutLarge = { harnessState: true, context: true } as const;

export interface NewRun {
  workspace: string;
  task: string;
  project: string;
  attempt: number;
  requestedBy: string;
  /** Those of its task. */
  runsOn: string;
  timeoutMs: number;
  at: Date;
  /** Set for the turn of an agent. */
  turn?: NewTurn | undefined;
  /** Its number among attempts that are made side by side. */
  variant?: number | undefined;
  /** Set for a run that runs nothing: it puts the change on the newest base, or undoes there what was merged. */
  alone?: (NewAlone & { purpose: 'rebase' | 'revert' }) | undefined;
}

/** What the next turn of the task's agent goes on from is handed on. */
export type NewAlone = Pick<NewTurn, 'files' | 'originKey'> & { prompt: string | null; context: string | null };

/** What an agent is to do in a run. */
export interface NewTurn {
  settings: AgentSettings;
  prompt: string;
  context: string | null;
  files: readonly GivenFile[];
  /** Key of the message that asked for it; undefined: the task's own. */
  originKey?: string | undefined;
  /** The agent is to bring the change to the newest base. */
  resolve?: boolean | undefined;
}

/** Makes a run in state `queued`, with its first event. */
export async function createRun(tx: Tx, input: NewRun, actor: Actor): Promise<RunRecord> {
  const row = await tx.db.run.create({
    data: {
      id: newId('run'),
      workspaceId: input.workspace,
      taskId: input.task,
      projectId: input.project,
      attempt: input.attempt,
      state: 'queued',
      requestedById: input.requestedBy,
      runsOn: input.runsOn,
      queuedAt: input.at,
      lastEventAt: input.at,
      timeoutMs: input.timeoutMs,
      traceparent: traceparent(),
      ...(input.turn === undefined ? {} : { ...saidColumns(input.turn), agent: input.turn.settings }),
      ...(input.variant === undefined ? {} : { variant: input.variant }),
      ...(input.turn?.resolve === true ? { rebase: 'resolve' } : {}),
      ...(input.alone === undefined ? {} : { ...saidColumns(input.alone), rebase: input.alone.purpose }),
    },
    omit: withoutLarge,
  });
  await appendEvents(tx, { run: row.id, actor, at: input.at, events: [{ type: 'lifecycle', from: null, to: 'queued' }] });
  return toRecord(row);
}

function saidColumns({ prompt, context, files, originKey }: NewAlone) {
  return {
    prompt: prompt === null ? null : storableText(prompt),
    context: context === null ? null : storableText(context),
    files: [...files],
    originKey: originKey ?? null,
  };
}

export async function runById(tx: Tx, id: string): Promise<RunRecord | undefined> {
  const row = await tx.db.run.findUnique({ where: { id }, omit: withoutLarge });
  return row === null ? undefined : toRecord(row);
}

/** The run of the task with the highest attempt. */
export async function latestRun(tx: Tx, task: string): Promise<RunRecord | undefined> {
  const row = await tx.db.run.findFirst({ where: { taskId: task }, orderBy: { attempt: 'desc' }, omit: withoutLarge });
  return row === null ? undefined : toRecord(row);
}

/** What may be set together with a new state. */
export interface RunFields {
  dispatchedAt?: null;
  timedUntil?: Date | null;
  placedOn?: null;
  runnerId?: string | null;
  hostId?: string;
  sandboxKind?: string | null;
  sandboxRef?: string | null;
  isolated?: boolean;
  image?: string | null;
  released?: boolean;
  life?: number;
  stdoutBytes?: number;
  stderrBytes?: number;
  lastInput?: number;
  lastStep?: null;
  startedAt?: Date;
  endedAt?: Date;
  result?: RunResult;
}

export interface RunChange {
  run: string;
  from: RunState;
  to: RunState;
  actor: Actor;
  events: readonly RunEventData[];
  at: Date;
  set?: RunFields | undefined;
}

/** Moves a run and appends the events that say so. Returns false, with nothing written, when the state is not the expected one. */
export async function changeRun(tx: Tx, { run, from, to, actor, events, at, set }: RunChange): Promise<boolean> {
  const { result, ...fields } = set ?? {};
  // JSON has no undefined: fields of a result that are not set are left out.
  const stored = result === undefined ? undefined : (JSON.parse(storableJson(result)) as Prisma.InputJsonObject);
  const [moved] = await tx.db.run.updateManyAndReturn({
    where: { id: run, state: from },
    data: {
      ...fields,
      ...(stored === undefined ? {} : { result: stored }),
      state: to,
      lastEventAt: at,
      lastSeq: { increment: events.length },
    },
    select: { lastSeq: true },
  });
  if (moved === undefined) return false;
  await insertNumbered(tx, { run, actor, events, at }, moved.lastSeq);
  tx.notify('queue');
  return true;
}

/** Takes the runner off a run that waits: it holds no place and no sandbox any more. */
export async function letGo(tx: Tx, run: string, events: readonly RunEventData[], actor: Actor, at: Date): Promise<void> {
  await tx.db.run.update({
    where: { id: run },
    data: {
      runnerId: null,
      released: true,
      dispatchedAt: null,
      placedOn: null,
      sandboxKind: null,
      sandboxRef: null,
      image: null,
    },
  });
  if (events.length > 0) await appendEvents(tx, { run, actor, at, events });
  tx.notify('stop', run);
  tx.notify('queue');
}

/** Notes who wants the run stopped; null: Deckhand. Returns false when it was noted before. */
export async function requestStop(tx: Tx, run: string, by: string | null, at: Date): Promise<boolean> {
  const { count } = await tx.db.run.updateMany({
    where: { id: run, stopRequestedAt: null },
    data: { stopRequestedAt: at, stopRequestedBy: by },
  });
  if (count === 1) tx.notify('stop', run);
  return count === 1;
}

/** Name of the person who asked for the stop; undefined when nobody has. */
export async function stopRequester(tx: Tx, run: string): Promise<string | undefined> {
  const row = await tx.db.run.findUnique({ where: { id: run }, select: { stopRequestedBy: true } });
  if (row === null || row.stopRequestedBy === null) return undefined;
  const user = await tx.db.user.findUnique({ where: { id: row.stopRequestedBy }, include: { linkedTo: true } });
  return user?.linkedTo?.name ?? user?.name;
}

/** The run holds a place: a runner has it, or may take it any moment. */
export const holdsPlace = Prisma.sql`(
  ${holdsRun}
  OR ("Run"."state" = 'queued' AND "Run"."dispatchedAt" IS NOT NULL)
)`;

export function toRecord(row: Omit<Run, keyof typeof withoutLarge>): RunRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    task: row.taskId,
    project: row.projectId,
    attempt: row.attempt,
    state: runStateSchema.parse(row.state),
    requestedBy: row.requestedById,
    notBefore: row.notBefore,
    timedUntil: row.timedUntil,
    dispatchedAt: row.dispatchedAt,
    runsOn: row.runsOn,
    startedAt: row.startedAt,
    stopRequestedAt: row.stopRequestedAt,
    runner: row.runnerId,
    host: row.hostId,
    sandboxKind: row.sandboxKind,
    sandboxRef: row.sandboxRef,
    cursor: { stdout: Number(row.stdoutBytes), stderr: Number(row.stderrBytes) },
    timeoutMs: row.timeoutMs,
    isolated: row.isolated,
    image: row.image,
    agent: row.agent === null ? null : agentSettingsSchema.parse(row.agent),
    prompt: row.prompt,
    files: filesSchema.parse(row.files),
    life: row.life,
    released: row.released,
    mail: row.mailSeq,
    inputs: row.lastInput,
    rebase: row.rebase === null ? null : runPurposeSchema.parse(row.rebase),
    variant: row.variant,
    traceparent: row.traceparent,
  };
}

/** Number of the last event of a run. */
export async function lastEvent(tx: Tx, run: string): Promise<number> {
  return (await tx.db.run.findUniqueOrThrow({ where: { id: run }, select: { lastSeq: true } })).lastSeq;
}
