import type { z } from 'zod';
import type { RepositoryTalk } from '../access/repository-access.ts';
import type { RepositoryLogins } from '../access/repository-logins.ts';
import type { Grants } from '../access/role-about.ts';
import type { PastMessage } from '../contracts/chat-adapter.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { Permission, Rights } from '../contracts/permissions.ts';
import type { Conversation } from '../contracts/platform.ts';
import type { Role } from '../contracts/roles.ts';
import type { View } from '../contracts/view.ts';
import type { Channel } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import type { Member } from '../store/people.ts';
import type { Project } from '../store/projects.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { AccountKeys } from '../tasks/agent-account-keys.ts';
import type { Person, TaskEngine } from '../tasks/task-engine.ts';

/** Groups of the help page, in its order. */
export const groups = {
  work: 'Work',
  look: 'Look',
  setup: 'Set up',
  people: 'People',
  deckhand: 'Deckhand',
} as const;
export type Group = keyof typeof groups;

/** Things of a workspace that an argument can name. */
export type Named = 'account' | 'task' | 'project' | 'person' | 'model' | 'folder' | 'team' | 'role' | 'permission' | 'bundle';

/** One thing a person writes after the name of a command. `T` includes undefined when it may be left out. */
export interface Arg<T> {
  /** As it stands in the usage line: `#task`, `column`. */
  hint: string;
  about: string;
  required: boolean;
  /** The words it can be, when there are few: shown in help and offered while typing. */
  values: readonly string[];
  /** What it names, when completions can look it up. */
  names: Named | undefined;
  /** `word`: one word. `words`: all words that are left. `verbatim`: all text that is left, untouched. `change`: an option given as `=`, `+=`, `-=`. */
  takes: 'word' | 'words' | 'verbatim' | 'change';
  /** Its messages are read by people: "`foo` is not a task number". */
  schema: z.ZodType<T>;
}
export type Args = Record<string, Arg<unknown>>;
export type ArgValues<A extends Args> = { [K in keyof A]: A[K] extends Arg<infer T> ? T : never };

/** What doctor found about one part. */
export interface DoctorCheck {
  name: string;
  /** `unused`: it does not work, and need not where nobody uses it. */
  state: 'ok' | 'unused' | 'warning' | 'failed';
  /** What was found, one sentence. */
  detail: string;
  /** What to do when it is not ok. */
  remedy?: string | undefined;
}

/** Facts of this installation for `about`. */
export interface About {
  version: string;
  startedAt: Date;
  /** Where commands run now; empty when no runner is up. */
  sandboxes: readonly { kind: 'docker' | 'local'; isolated: boolean }[];
  links: readonly { text: string; url: string }[];
}

/** What commands use beyond the transaction they run in. */
export interface CommandDeps {
  tasks: TaskEngine;
  accounts: AccountKeys;
  repositoryLogins: RepositoryLogins;
  /** Seals what one person is shown once: see `View.secret`. */
  sealSecret(secret: string): string;
  /** Where programs reach the API, without its path. */
  apiUrl(): string;
  /** Undefined: no code host is set up. */
  repositoryTalk?: RepositoryTalk | undefined;
  now(): Date;
  /** Address of docs/errors.md, to which error codes link; undefined: they are plain. */
  errorDocs?: string | undefined;
  /** Address at which a person finds a conversation; undefined: its platform has none. */
  linkTo?: ((conversation: Conversation) => Promise<string | undefined>) | undefined;
  /** Whether messages of people can be deleted in a conversation, as far as the platform goes; undefined: nowhere. */
  removes?: ((conversation: Conversation) => boolean) | undefined;
  /** What was said in a conversation before a message, or up to now, as the platform tells it; undefined where it tells nothing, or fails to. */
  history?: ((to: Conversation, before: string | undefined, limit: number) => Promise<PastMessage[] | undefined>) | undefined;
  /** The bytes of a file that a run left; undefined when it is no longer there. */
  readArtifact(id: string): Promise<Uint8Array | undefined>;
  about(): Promise<About>;
  /** Publishes `project.sync`. Called after the commit; may be lost, a sweeper repeats it (`projectsToSync`). */
  syncProject(project: string): Promise<void>;
}

/** The act being answered. */
export interface Act {
  event: InboundEvent;
  /** How the person asked; says where the answer goes (src/commands/answer.ts). */
  by: 'slash' | 'message' | 'press' | 'form';
  /** Where an answer for everybody goes: for a message in a channel, its thread. */
  conversation: Conversation;
  /** All who can read the repository read every answer (issues and pull requests of a code host). */
  open: boolean;
}

/** Everything a command knows about who asks, where and about what. */
export interface CommandContext {
  tx: Tx;
  deps: CommandDeps;
  act: Act;
  person: Person;
  /** The person's role in the workspace; `person.role` is the one about the project of the channel. */
  ownRole: Role | undefined;
  /** What they may in the workspace; `person` is what they are about the project of the channel. */
  ownRights: Rights;
  /** The person as they are in the workspace, and what memberships and teams say of them: src/access/who-acts.ts `actingOn` puts it together. */
  member: Member;
  grants: Grants;
  channel: Channel;
  /** The project the channel is bound to. */
  bound: Project | undefined;
  /** The task whose thread this is. */
  threadTask: TaskRow | undefined;
  /** The project the person chose in a picker for this very request. */
  picked: Project | undefined;
}

/**
 * What a command answers. `audience`:
 *
 * - `person`: only the asker sees it (a message in a DM).
 * - `asked`: where it was asked: in the thread for a message, only to the asker for a slash command or a button.
 * - `all`: everybody in the conversation, because it changes something for them.
 */
export interface Reply {
  view: View;
  audience: 'person' | 'asked' | 'all';
  /** Set when buttons of the message show the list again in place. `own`: only for the person who asked. */
  list?: 'own' | 'shared' | undefined;
  /** Name of the outbox row when something later changes this answer; else it is named after the act. */
  key?: string | undefined;
  /** The task it is about: what everybody in a thread of the task is told stands in its other threads too. */
  task?: string | undefined;
  /** The card in the thread says the same: a press on a card needs no words. */
  card?: boolean | undefined;
}

export type Reach = 'project' | 'workspace';

/** A command of the registry, with its argument types erased. */
export interface Command {
  name: string;
  group: Group;
  /** One line, without a full stop. */
  summary: string;
  /** What the help page says beyond the summary; plain sentences. */
  details: readonly string[];
  /** What it takes to use it; `anyone`: strangers too. */
  permission: Permission | 'anyone';
  /** Some arguments take something else: says what. */
  permissionFor: ((args: Record<string, unknown>) => Permission | 'anyone') | undefined;
  /**
   * What the permission is asked about. `project`: some project, and the command itself asks about the one that is meant (`personFor`).
   * `workspace`: only the rights in the workspace count, but to look it takes no more than being somebody's guest somewhere.
   */
  about: Reach | ((args: Record<string, unknown>) => Reach);
  /** May be used in a channel that is bound to no project. `with-role`: by people with a role of their own. */
  unbound: 'yes' | 'with-role' | 'no';
  /** Makes sense in a direct message with the bot. */
  direct: boolean;
  /** May be used in issues and pull requests, where all who can read the repository read the answer: it says nothing that is not for them. */
  open: boolean;
  /** Completes "may not …" when it is refused: "run commands". */
  action: string;
  positional: Args;
  options: Args;
  /** Right uses, each with what it does. */
  examples: readonly (readonly [text: string, meaning: string])[];
  run(ctx: CommandContext, args: Record<string, unknown>): Promise<Reply | undefined>;
}

interface CommandSpec<P extends Args, O extends Args>
  extends Pick<Command, 'name' | 'group' | 'summary' | 'permission' | 'action'> {
  details?: readonly string[];
  /** `workspace` if left out, which lets fewer people in. */
  about?: Reach | ((args: ArgValues<P> & ArgValues<O>) => Reach);
  unbound?: Command['unbound'];
  direct?: false;
  open?: true;
  positional: P;
  options: O;
  permissionFor?: (args: ArgValues<P> & ArgValues<O>) => Permission | 'anyone';
  examples: Command['examples'];
  run(ctx: CommandContext, args: ArgValues<P> & ArgValues<O>): Promise<Reply | undefined>;
}

/** Declares a command. The parser fills `args` by the schemas of `positional` and `options`, so the erased type is right again. */
export function defineCommand<P extends Args, O extends Args>(spec: CommandSpec<P, O>): Command {
  type Values = ArgValues<P> & ArgValues<O>;
  const { permissionFor, about = 'workspace' } = spec;
  return {
    ...spec,
    details: spec.details ?? [],
    unbound: spec.unbound ?? 'no',
    direct: spec.direct ?? true,
    open: spec.open ?? false,
    about: typeof about === 'function' ? (args) => about(args as Values) : about,
    permissionFor: permissionFor === undefined ? undefined : (args) => permissionFor(args as Values),
    run: (ctx, args) => spec.run(ctx, args as Values),
  };
}
