import { risksOf as risksOfChange } from '../changes/risks.ts';
import { type Approvers, nobody } from '../contracts/approvers.ts';
import { type Demand, type DemandKind, type DemandRisk, demandRisks } from '../contracts/demands.ts';
import { type Action, approvalsNeeded, type Policy } from '../contracts/policy.ts';
import { roleAtLeast } from '../contracts/roles.ts';
import type { FileStat, RunResult } from '../contracts/run-event.ts';
import { matchesPath } from './path-patterns.ts';
import { deniedBy, mentionsPattern } from './patterns.ts';
import { risksOf } from './risks.ts';
import { type Analysis, analyseShell } from './shell-analysis.ts';
import { escapeMeanings } from './shell-escapes.ts';

/** What of an action demands look at. */
export interface Demanded {
  kind: DemandKind;
  line?: { text: string; analysis: Analysis } | undefined;
  /** Files that it changes, before and after they were renamed. `all`: there are no others. */
  files: readonly string[];
  all: boolean;
  risks: ReadonlySet<DemandRisk>;
  /** Nothing is known of it: `risks` are all that there are, because any may be in it. */
  unknown?: true;
}

/** A demand with its number in the policy, from 1, that an action meets. */
export interface Numbered {
  number: number;
  demand: Demand;
  /** False: it cannot be told whether it is met, which counts as met. */
  sure: boolean;
}

/** The part of a policy that says who may decide about an action and how long that waits, all demands on it included. */
export type Terms = Pick<Policy, 'approvers' | 'expiresMs' | 'waits' | 'remindMs' | 'escalate'>;

/** What a run has found of the change it has made. */
export type Change = Pick<RunResult, 'files' | 'totals' | 'risks' | 'ownership'>;

/** `change`: of what is to be brought out; undefined: anything may be in it. */
export function demandedBy(action: Action, change?: Change): Demanded | undefined {
  switch (action.type) {
    case 'question':
      return undefined;
    case 'quota':
      return undefined;
    case 'plan':
    case 'spend':
      return { kind: action.type, files: [], all: true, risks: new Set() };
    case 'command':
      return demandedByLine('command', action.command, []);
    case 'tool': {
      const changed = (action.call.files ?? []).filter((file) => file.change !== 'read');
      const files = changed.map(({ path }) => path);
      const risks: DemandRisk[] = [
        ...(changed.some((file) => file.change === 'delete') ? (['deletion'] as const) : []),
        ...fileRisks(files),
      ];
      if (action.call.command === undefined) return { kind: 'tool', files, all: true, risks: new Set(risks) };
      return { ...demandedByLine('tool', action.call.command, risks), files };
    }
    case 'publish':
      return demandedByChange(change);
  }
}

/** What a line of the shell changes is seen when it is brought out, not before. */
export function demandedByLine(kind: 'command' | 'tool', text: string, risks: readonly DemandRisk[]): Demanded {
  const analysis = analyseShell(text);
  const found = risksOf(analysis).flatMap((risk) => lineRisks[risk] ?? []);
  return { kind, line: { text, analysis }, files: [], all: true, risks: new Set([...risks, ...found]) };
}

/** `change` undefined: anything may be in it. */
export function demandedByChange(change: Change | undefined): Demanded {
  const { files = [], risks = [], totals } = change ?? {};
  return {
    kind: 'push',
    files: files.flatMap(({ path, from }) => (from === undefined ? [path] : [path, from])),
    all: change !== undefined && files.length >= (totals?.files ?? 0),
    risks: new Set(change === undefined ? demandRisks : risks.map(({ kind }) => kind)),
    ...(change === undefined ? { unknown: true } : {}),
  };
}

/** What the names of changed files tell. */
function fileRisks(paths: readonly string[]): DemandRisk[] {
  const files = paths.map((path): FileStat => ({ path, added: 0, removed: 0 }));
  return risksOfChange(files, { secrets: [], links: [] }).map(({ kind }) => kind);
}

/** The words of `risksOf` that a demand can name. */
const lineRisks: Readonly<Record<string, readonly DemandRisk[]>> = {
  network: ['network'],
  'deletes files': ['deletion'],
  'changes lockfile': ['lockfile'],
  'changes permissions': ['permissions'],
  'runs an inline script': ['inline_script'],
  'runs code from a substitution': ['inline_script'],
  'writes outside the working copy': ['outside'],
  'reads outside the working copy': ['outside'],
};

/** The demands that an action meets. What cannot be told counts as met: a hidden command, a file that is not listed. */
export function demandsOn({ demands = [] }: Pick<Policy, 'demands'>, what: Demanded | undefined): Numbered[] {
  if (what === undefined) return [];
  return demands.flatMap((demand, at) =>
    isMet(demand, what) ? [{ number: at + 1, demand, sure: isSurelyMet(demand, what) }] : [],
  );
}

/** Of these, the first one that has the action asked about whatever the mode; undefined: none does. */
export function askedBy(met: readonly Numbered[]): Numbered | undefined {
  return met.find(({ demand: { when } }) => (when.command ?? when.path ?? when.risk) !== undefined);
}

/** Why it is asked about: completes "because". */
export function demandText({ number, demand: { when }, sure }: Numbered): string {
  const { command, path, risk } = when;
  const what = [
    ...(command === undefined ? [] : [`of the command \`${command}\``]),
    ...(path === undefined ? [] : [`about files like \`${path}\``]),
    ...(risk === undefined ? [] : [`about the risk \`${risk}\``]),
  ];
  return `demand ${number} of the project's policy, ${what.join(', ')}, ${sure ? 'is' : 'may be'} met`;
}

function isMet({ when }: Demand, { kind, line, files, all, risks }: Demanded): boolean {
  if (when.kind !== undefined && when.kind !== kind) return false;
  if (when.command !== undefined && !meetsCommand(when.command, line)) return false;
  if (when.risk !== undefined && !risks.has(when.risk) && !mayHide(when.risk, line)) return false;
  const { path: pattern } = when;
  return pattern === undefined || !all || files.some((path) => matchesPath(pattern, path));
}

/** Each part is met by what can be seen, not only perhaps. */
function isSurelyMet({ when }: Demand, { line, files, risks, unknown }: Demanded): boolean {
  const { command, path, risk } = when;
  const runs = (pattern: string) => line?.analysis.commands.some(({ words }) => deniedBy(pattern, words)) === true;
  if (command !== undefined && !runs(command)) return false;
  if (risk !== undefined && (unknown === true || !risks.has(risk))) return false;
  return path === undefined || files.some((file) => matchesPath(path, file));
}

function meetsCommand(pattern: string, line: Demanded['line']): boolean {
  if (line === undefined) return false;
  const { text, analysis } = line;
  if (analysis.commands.some(({ words }) => deniedBy(pattern, words))) return true;
  return mentionsPattern(pattern, text, analysis.commands) || hides(analysis);
}

function mayHide(risk: DemandRisk, line: Demanded['line']): boolean {
  return line !== undefined && hides(line.analysis) && Object.values(lineRisks).some((risks) => risks.includes(risk));
}

function hides({ escapes }: Analysis): boolean {
  return [...escapes.keys()].some((kind) => escapeMeanings[kind].hides);
}

/** The strictest of the policy and all demands that are met: never less than without one of them. */
export function termsOf(policy: Policy, met: readonly Pick<Numbered, 'demand'>[]): Terms {
  return met.reduce<Terms>((terms, { demand: { needs } }) => stricter(terms, needs), {
    approvers: policy.approvers,
    expiresMs: policy.expiresMs,
    waits: policy.waits,
    remindMs: policy.remindMs,
    escalate: policy.escalate,
  });
}

/** The terms on which a change leaves, or is merged. */
export function termsForChange(policy: Policy, change: Change | undefined): Terms {
  const met = demandsOn(policy, demandedByChange(change));
  return withOwners(termsOf(policy, met), met, change);
}

/** Whether one of these demands wants the owners of changed files asked. */
export function wantsOwners(met: readonly Numbered[]): boolean {
  return met.some(({ demand: { needs } }) => needs.codeowners === true);
}

/** Where nobody has looked, or could, who the owners are is not known: then nobody's "yes" is theirs. */
function withOwners(terms: Terms, met: readonly Numbered[], change: Change | undefined): Terms {
  if (!wantsOwners(met)) return terms;
  const { ownership } = change ?? {};
  if (ownership?.state === 'none') return terms;
  const owned = ownership?.state === 'read' ? ownership.owned : [{ owners: [], paths: [], files: 0 }];
  return owned.length === 0 ? terms : { ...terms, approvers: { ...terms.approvers, owned } };
}

/** The terms on which more money is granted. */
export function termsForMoney(policy: Policy): Terms {
  return termsOf(policy, demandsOn(policy, { kind: 'spend', files: [], all: true, risks: new Set() }));
}

/** The terms of a request for exactly this. `change`: of what is to be brought out. */
export function termsFor(policy: Policy, action: Action, change?: Change): Terms {
  const met = demandsOn(policy, demandedBy(action, change));
  const terms = termsOf(policy, met);
  return action.type === 'publish' ? withOwners(terms, met, change) : terms;
}

function stricter({ approvers, expiresMs, waits, remindMs, escalate }: Terms, needs: Demand['needs']): Terms {
  const { role = approvers.role, people = [], teams = [], notRequester = false, count = 1 } = needs;
  const names = people.length > 0 || teams.length > 0;
  const needed = Math.max(approvalsNeeded(approvers), count);
  return {
    approvers: {
      role: roleAtLeast(role, approvers.role) ? role : approvers.role,
      ...(approvers.permissions === undefined ? {} : { permissions: approvers.permissions }),
      ...named(approvers, { people, teams }),
      ...inChannels(approvers, needs.channels),
      notRequester: approvers.notRequester || notRequester,
      ...(needed === 1 ? {} : { count: needed }),
    },
    // An end is stricter than none.
    expiresMs: waits === true ? (needs.expiresMs ?? expiresMs) : Math.min(expiresMs, needs.expiresMs ?? expiresMs),
    waits: needs.expiresMs === undefined ? waits : undefined,
    remindMs: Math.min(remindMs, needs.remindMs ?? remindMs),
    // Asking others besides would undo that only certain people may.
    escalate: names ? undefined : escalate,
  };
}

interface Named {
  people: readonly string[];
  teams: readonly string[];
}

/**
 * Who is named by one and by the other. Who is in a team is found out at the press, so lists with teams are kept side by side. No name stands
 * for everybody, so a name that nobody has stands for nobody.
 */
function named(now: Approvers, wanted: Named): Pick<Approvers, 'people' | 'teams' | 'among'> {
  const { people, teams = [], among = [] } = now;
  const kept = { people, ...(teams.length === 0 ? {} : { teams }), ...(among.length === 0 ? {} : { among }) };
  if (wanted.people.length === 0 && wanted.teams.length === 0) return kept;
  if (people.length === 0 && teams.length === 0)
    return { ...kept, people: [...wanted.people], ...(wanted.teams.length === 0 ? {} : { teams: [...wanted.teams] }) };
  if (teams.length > 0 || wanted.teams.length > 0) {
    return { ...kept, among: [...among, { people: [...wanted.people], teams: [...wanted.teams] }] };
  }
  const both = people.filter((user) => wanted.people.includes(user));
  return { ...kept, people: both.length === 0 ? [nobody] : both };
}

function inChannels({ channels }: Approvers, wanted: readonly string[] | undefined): Pick<Approvers, 'channels'> {
  if (wanted === undefined || wanted.length === 0) return channels === undefined ? {} : { channels };
  const both = channels === undefined ? [...wanted] : channels.filter((channel) => wanted.includes(channel));
  return { channels: both.length === 0 ? [nowhere] : both };
}

/** The id of no channel. */
const nowhere = 'nowhere';
